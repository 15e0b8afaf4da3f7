import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { compareBytes, fromHex, seededRandom } from "../../src/base/mod.ts";
import { Cluster, Crc64, PairSums } from "../../src/embed/state/mod.ts";
import { checksumRange } from "../../src/embed/tikv/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { freshUuid, type Pair, packBatch, TestClock } from "./support.ts";

interface GoldenTable {
  case: string;
  checksum: { crc64xor: string; kvs: number; bytes: number };
  pairs: [string, string][];
}

test("checksum: sums of real tables", async () => {
  const text = gunzipSync(readFileSync(new URL("../golden/tables.jsonl.gz", import.meta.url))).toString();
  const tables = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as GoldenTable);
  const cluster = await Cluster.open(memoryKvDb(), { clock: new TestClock(), random: seededRandom(1) });
  const region = cluster.regions.all()[0]!;
  const target = { storeId: 1n, regionId: region.id, confVer: region.confVer, version: region.version };
  let compared = 0;
  for (const table of tables) {
    const pairs = table.pairs.map(([key, value]): Pair => [fromHex(key), fromHex(value)]);
    if (pairs.length === 0) continue;
    pairs.sort((a, b) => compareBytes(a[0], b[0]));
    const ts = await cluster.tso.next();
    const upload = await cluster.uploads.begin({ ...target, uuid: freshUuid() });
    await upload.add(packBatch(ts, pairs));
    await upload.finish();
    await cluster.ingest(upload.file);
    const sum = await checksumRange(cluster, { start: new Uint8Array(0), end: new Uint8Array(0) }, ts);
    assert.equal(String(sum.crc64Xor), table.checksum.crc64xor, table.case);
    assert.deepEqual([sum.kvs, sum.bytes], [BigInt(table.checksum.kvs), BigInt(table.checksum.bytes)], table.case);
    await cluster.destroyRange(new Uint8Array(0), new Uint8Array(0));
    compared++;
  }
  assert.ok(compared > 200);
});

test("checksum: a rewrite rule sums keys under their old prefix", async () => {
  const cluster = await Cluster.open(memoryKvDb(), { clock: new TestClock(), random: seededRandom(1) });
  const ts = await cluster.tso.next();
  const utf8 = (text: string) => new TextEncoder().encode(text);
  await cluster.mvcc.write([{ key: utf8("tnew_1"), value: utf8("v") }], ts - 1n, ts);
  const rule = { oldPrefix: utf8("told__"), newPrefix: utf8("tnew_") };
  const sum = await checksumRange(cluster, { start: utf8("t"), end: utf8("u") }, ts, rule);
  const crc = new Crc64();
  const whole = utf8("told__1v");
  crc.update(whole, 0, whole.length);
  assert.deepEqual([sum.crc64Xor, sum.kvs, sum.bytes], [crc.value(), 1n, BigInt(whole.length)]);
});

test("CRC-64/XZ: the check value, and pieces of any length", () => {
  const text = new TextEncoder().encode("123456789");
  const whole = new Crc64();
  whole.update(text, 0, 9);
  assert.equal(whole.value(), 0x995dc9bbdf1939fan);
  for (let cut = 0; cut <= 9; cut++) {
    const parts = new Crc64();
    parts.update(text, 0, cut);
    parts.update(text, cut, 9);
    assert.equal(parts.value(), whole.value());
  }
});

test("checksum: pairs by the block sum up as pairs one by one", () => {
  const random = seededRandom(7);
  const sums = [new PairSums(), new PairSums()];
  const expected = [0n, 0n];
  const counts = [0, 0];
  const bytes = [0, 0];
  const crc = new Crc64();
  const fill = (size: number) => Uint8Array.from({ length: size }, () => Math.floor(random.next() * 256));
  for (let round = 0; round < 60; round++) {
    const which = Math.floor(random.next() * 2);
    const largest = [20, 140, 700, 1100][round % 4]!;
    const pairs = Array.from({ length: 1 + Math.floor(random.next() * 90) }, (): Pair => {
      const size = () => 1 + Math.floor(random.next() * largest);
      return [fill(size()), fill(size())];
    });
    const skipped = packBatch(1n, pairs.slice(0, 1)).length - packBatch(1n, []).length;
    const block = packBatch(1n, pairs).subarray(packBatch(1n, []).length);
    const from = round % 3 === 0 ? skipped : 0;
    assert.ok(sums[which]!.addElements(block, from));
    for (const [key, value] of pairs.slice(from === 0 ? 0 : 1)) {
      crc.reset();
      crc.update(key, 0, key.length);
      crc.update(value, 0, value.length);
      expected[which]! ^= crc.value();
      counts[which]!++;
      bytes[which]! += key.length + value.length;
    }
    if (round % 20 === 7) {
      const [key, value] = [fill(30), fill(3)];
      sums[which]!.visitor(new Uint8Array(0), 0)(key, 0, 30, value, 1, 3, 1n);
      crc.reset();
      crc.update(key, 0, 30);
      crc.update(value, 1, 3);
      expected[which]! ^= crc.value();
      counts[which]!++;
      bytes[which]! += 32;
    }
  }
  assert.equal(sums[0]!.addElements(new Uint8Array(600_000), 0), false, "too large for the kernel");
  for (const i of [0, 1]) {
    assert.deepEqual(sums[i]!.result(), { crc64Xor: expected[i], kvs: BigInt(counts[i]!), bytes: BigInt(bytes[i]!) });
  }
});
