import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, utf8 } from "../../src/base/mod.ts";
import { crc32, crc64, KvChecksum } from "../../src/codec/mod.ts";

/** One bit at a time, with BigInt: slow and plain. */
function slowCrc64(bytes: Uint8Array): bigint {
  let crc = 0xffffffffffffffffn;
  for (const b of bytes) {
    crc ^= BigInt(b);
    for (let i = 0; i < 8; i++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return crc ^ 0xffffffffffffffffn;
}

test("CRC-64 of every length and offset", () => {
  assert.equal(crc64(utf8("123456789")), 0x995dc9bbdf1939fan);
  const bytes = new Uint8Array(80);
  seededRandom(3).fill(bytes);
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= 60; end++) {
      assert.equal(crc64(bytes, start, end), slowCrc64(bytes.slice(start, end)), `[${start}, ${end})`);
    }
  }
});

test("CRC-32", () => {
  assert.equal(crc32(utf8("123456789")), 0xcbf43926);
  assert.equal(crc32(utf8("6789"), 0, 4, crc32(utf8("12345"))), 0xcbf43926);
});

test("sums over pairs do not depend on order or on how they are split", () => {
  const random = seededRandom(5);
  const all = new KvChecksum();
  const parts = [new KvChecksum(), new KvChecksum()];
  let expected = 0n;
  let size = 0;
  for (let i = 0; i < 500; i++) {
    const key = new Uint8Array(1 + Math.floor(random.next() * 40));
    const value = new Uint8Array(Math.floor(random.next() * 90));
    random.fill(key);
    random.fill(value);
    all.add(key, key.length, value, value.length);
    parts[i % 2]!.add(key, key.length, value, value.length);
    expected ^= slowCrc64(Uint8Array.of(...key, ...value));
    size += key.length + value.length;
  }
  parts[1]!.merge(parts[0]!.result());
  assert.deepEqual(all.result(), { crc64xor: expected, kvs: 500n, bytes: BigInt(size) });
  assert.deepEqual(parts[1]!.result(), all.result());
});

test("sums of many lengths, small and large, also asked for in between", () => {
  const random = seededRandom(9);
  for (const prefix of [utf8(""), utf8("x\u0000\u0001\u0002")]) {
    const sum = new KvChecksum(prefix);
    let expected = 0n;
    for (let i = 0; i < 3000; i++) {
      const key = new Uint8Array(random.next() < 0.9 ? 19 : Math.floor(random.next() * 700));
      const value = new Uint8Array(Math.floor(random.next() * (random.next() < 0.02 ? 3000 : 60)));
      random.fill(key);
      random.fill(value);
      sum.addAt(key, 0, key.length, value, 0, value.length);
      expected ^= slowCrc64(Uint8Array.of(...prefix, ...key, ...value));
      if (i % 997 === 0) assert.equal(sum.result().crc64xor, expected);
    }
    assert.equal(sum.result().crc64xor, expected);
    sum.clear();
    assert.deepEqual(sum.result(), { crc64xor: 0n, kvs: 0n, bytes: 0n });
  }
});

test("sums beyond 2^53 stay exact", () => {
  const big = { crc64xor: 1n, kvs: 3n, bytes: (1n << 60n) + 0xffffffffn };
  const sum = new KvChecksum();
  sum.merge(big);
  sum.merge(big);
  assert.equal(sum.result().bytes, 2n * big.bytes);
  assert.equal(sum.result().crc64xor, 0n);
});

test("a keyspace's prefix is hashed and counted with each key", () => {
  const sum = new KvChecksum(utf8("x\0\0\u0001"));
  sum.add(utf8("key"), 3, utf8("v"), 1);
  assert.deepEqual(sum.result(), { crc64xor: slowCrc64(utf8("x\0\0\u0001keyv")), kvs: 1n, bytes: 8n });
});
