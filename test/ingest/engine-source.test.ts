import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/mod.ts";
import { successorKey } from "../../src/cluster/mod.ts";
import { openEngine, PairArena } from "../../src/engine/mod.ts";
import { checksumTable, EngineSource, ingestRanges, innerBorders, splitRegions } from "../../src/ingest/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { checksumOf, recordKey, records, type TestPair } from "./pairs.ts";
import { openCluster } from "./test-cluster.ts";

/** An engine with the pairs dealt to several runs. */
async function filledEngine(pairs: readonly TestPair[], runs: number) {
  const engine = await openEngine({ name: "t80:data", store: { kvdb: memoryKvDb() }, blockBytes: 4096 });
  for (let run = 0; run < runs; run++) {
    const arena = new PairArena({ capacityBytes: 4 << 20 });
    for (let i = run; i < pairs.length; i += runs) {
      const { key, value } = pairs[i]!;
      arena.put(key, key.length, value, value.length);
    }
    await engine.writeRun(arena, { runId: run });
  }
  return engine;
}

const pairs = records(80, 0, 4000);

for (const runs of [1, 5]) {
  test(`EngineSource finds the last key of any range (${runs} runs)`, async () => {
    const source = await EngineSource.open(await filledEngine(pairs, runs));
    const last = async (from: number, to: number) => {
      const key = await source.lastKey({ start: recordKey(80, from), end: recordKey(80, to) });
      return key === undefined ? undefined : toHex(key);
    };
    assert.equal(await last(0, 4000), toHex(recordKey(80, 3999)));
    assert.equal(await last(0, 1), toHex(recordKey(80, 0)));
    assert.equal(await last(17, 1234), toHex(recordKey(80, 1233)));
    assert.equal(await last(5000, 6000), undefined);
    const endless = await source.lastKey({ start: recordKey(80, 5), end: new Uint8Array(0) });
    assert.equal(toHex(endless!), toHex(recordKey(80, 3999)));
  });
}

test("EngineSource cuts a range into parts that join and cover it", async () => {
  const source = await EngineSource.open(await filledEngine(records(80, 0, 3), 2));
  const whole = { start: recordKey(80, 0), end: recordKey(81, 0) };
  for (const range of [
    whole,
    { ...whole, end: new Uint8Array(0) },
    { start: recordKey(90, 0), end: recordKey(91, 0) },
  ]) {
    for (const pairsMax of [1, 2, 1000]) {
      const parts = source.cut(range, { bytesMax: 1 << 30, pairsMax });
      assert.equal(toHex(parts[0]!.start), toHex(range.start));
      assert.equal(toHex(parts.at(-1)!.end), toHex(range.end));
      for (let i = 1; i < parts.length; i++) assert.equal(toHex(parts[i]!.start), toHex(parts[i - 1]!.end));
    }
  }
  assert.ok(source.cut(whole, { bytesMax: 1 << 30, pairsMax: 1 }).length > 1);
});

test("an engine of several runs goes into three stores", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, random, pd, tikv } = cluster;
  const source = await EngineSource.open(await filledEngine(pairs, 4), { memoryBytes: 1 << 20 });
  // The engine's index has a point every 40960 pairs, so a small one cannot be cut finely; borders by hand.
  const handles = [0, 900, 1800, 2700, 4000];
  const ranges = handles.slice(1).map((to, i) => ({
    start: recordKey(80, handles[i]!),
    end: to === 4000 ? successorKey(recordKey(80, 3999)) : recordKey(80, to),
    bytes: 0,
    pairs: 0,
  }));
  await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
  const totals = await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  assert.equal(totals.pairs, 4000);
  const table = { name: "records", start: recordKey(80, 0), end: recordKey(81, 0) };
  const sum = await checksumTable({ clock, random, pd, tikv, ranges: [table], snapshot: await pd.timestamp() });
  assert.deepEqual({ crc64xor: sum.crc64xor, kvs: sum.kvs, bytes: sum.bytes }, checksumOf(pairs));
  assert.deepEqual(cluster.harms, []);
});
