import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, utf8 } from "../../../src/base/mod.ts";
import { KeyTable } from "../../../src/importer/conflict/key-table.ts";

test("a key table knows its keys and no others, also from another thread's view", () => {
  const random = seededRandom(1);
  const table = KeyTable.empty();
  const keys = new Set<string>();
  for (let i = 0; i < 6_000; i++) {
    // Keys that differ little: ends, lengths, single bits.
    const key = `t\0\0\0\0\0\0\0${String.fromCharCode(i & 127)}_r${(i * 7919).toString(36)}${"\0".repeat(i % 5)}`;
    keys.add(key);
    const bytes = utf8(`..${key}`);
    table.add(bytes, 2, bytes.length);
    if (random.next() < 0.1) table.add(bytes, 2, bytes.length);
  }
  assert.equal(table.count, keys.size);
  const view = KeyTable.over(table.buffer);
  const slots = new Set<number>();
  for (const key of keys) {
    const bytes = utf8(key);
    const slot = view.find(bytes, 0, bytes.length);
    assert.ok(slot >= 0 && slot < table.capacity);
    assert.equal(slot, table.find(bytes, 0, bytes.length));
    slots.add(slot);
  }
  assert.equal(slots.size, keys.size, "each key has a slot of its own");
  for (let i = 0; i < 6_000; i++) {
    const other = utf8(`x${i}`);
    assert.equal(table.find(other, 0, other.length), -1);
  }
});
