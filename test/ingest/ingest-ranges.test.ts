import assert from "node:assert/strict";
import { test } from "node:test";
import type { LevinEvent } from "../../src/base/mod.ts";
import { successorKey } from "../../src/cluster/mod.ts";
import { checksumTable, ingestRanges, innerBorders, type PlannedRange, splitRegions } from "../../src/ingest/mod.ts";
import { ArraySource, checksumOf, recordKey, records, type TestPair } from "./pairs.ts";
import { openCluster, openSandbox, type TestCluster } from "./test-cluster.ts";

const table = 80;

function rangesOf(source: ArraySource, pairsMax: number): PlannedRange[] {
  const whole = { start: source.pairs[0]!.key, end: successorKey(source.pairs.at(-1)!.key) };
  return source.cut(whole, { bytesMax: Number.MAX_SAFE_INTEGER, pairsMax });
}

async function assertHolds(cluster: TestCluster, pairs: readonly TestPair[]): Promise<void> {
  const { clock, random, pd, tikv } = cluster;
  const range = { name: "records", start: recordKey(table, 0), end: recordKey(table + 1, 0) };
  const snapshot = await pd.timestamp();
  const sum = await checksumTable({ clock, random, pd, tikv, ranges: [range], snapshot });
  const { crc64xor, kvs, bytes } = sum;
  assert.deepEqual({ crc64xor, kvs, bytes }, checksumOf(pairs));
  assert.deepEqual(cluster.harms, []);
}

for (const stores of [1, 3]) {
  test(`ingestRanges brings all pairs into ${stores} store(s), over ports and split regions`, async () => {
    await using cluster = await openSandbox({ stores });
    const { pd, tikv, clock, random } = cluster;
    const source = new ArraySource(records(table, 0, 3000));
    const ranges = rangesOf(source, 500);
    assert.equal(ranges.length, 6);
    const made = await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
    assert.equal(made.length, 6);
    const done: PlannedRange[] = [];
    const totals = await ingestRanges({
      clock,
      random,
      pd,
      tikv,
      source,
      ranges,
      commitTs: await pd.timestamp(),
      onRangeDone: (range) => void done.push(range),
    });
    assert.equal(done.length, 6);
    assert.equal(totals.pairs, 3000);
    assert.equal(totals.ssts, 6);
    await assertHolds(cluster, source.pairs);
  });
}

test("ingestRanges cuts ranges by regions and by the size of an SST", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { pd, tikv, clock, random } = cluster;
  const source = new ArraySource(records(table, 0, 1000));
  await splitRegions([recordKey(table, 250), recordKey(table, 260)], { clock, random, pd, tikv });
  const ranges = rangesOf(source, 1000);
  assert.equal(ranges.length, 1);
  const commitTs = await pd.timestamp();
  const limits = { sstPairsMax: 300 };
  const totals = await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs, limits });
  // 250, 10, and 740 in three files.
  assert.equal(totals.ssts, 5);
  await assertHolds(cluster, source.pairs);
});

test("ingestRanges goes on when leaders move and regions split under it", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { pd, tikv, clock, random } = cluster;
  const source = new ArraySource(records(table, 0, 2000), 50);
  const ranges = rangesOf(source, 250);
  await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
  let batches = 0;
  source.onBatch = async () => {
    batches++;
    const region = await pd.getRegion(recordKey(table, (batches * 37) % 2000));
    if (batches % 5 === 0) {
      const target = region!.peers[batches % 3]!.storeId;
      await cluster.cluster.placement.transferLeader(cluster.cluster.regions.byId(region!.id)!, target);
    }
    if (batches % 11 === 0 && batches < 100) await tikv.splitRegion(region!, [recordKey(table, (batches * 37) % 2000)]);
  };
  const events: LevinEvent[] = [];
  const totals = await ingestRanges({
    clock,
    random,
    pd,
    tikv,
    source,
    ranges,
    commitTs: await pd.timestamp(),
    onEvent: (event) => void events.push(event),
  });
  assert.equal(totals.pairs, 2000);
  assert.ok(events.length > 0, "there was trouble");
  await assertHolds(cluster, source.pairs);
});
