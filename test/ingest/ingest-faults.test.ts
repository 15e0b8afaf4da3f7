import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { successorKey } from "../../src/cluster/mod.ts";
import {
  checksumTable,
  type IngestOptions,
  ingestRanges,
  innerBorders,
  type PlannedRange,
  splitRegions,
} from "../../src/ingest/mod.ts";
import { lost, unimplemented } from "./faults.ts";
import { ArraySource, checksumOf, recordKey, records } from "./pairs.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

const table = 80;
const quick = { backoffFirstMs: 20, backoffMaxMs: 500 };

interface Job {
  readonly source: ArraySource;
  readonly ranges: PlannedRange[];
  run(more?: Partial<IngestOptions>): Promise<{ pairs: number; ssts: number }>;
  assertHolds(): Promise<void>;
}

/** 1000 pairs in four ranges, each its own region. */
async function newJob(cluster: TestCluster): Promise<Job> {
  const { clock, random, pd, tikv } = cluster;
  const source = new ArraySource(records(table, 0, 1000), 40);
  const whole = { start: source.pairs[0]!.key, end: successorKey(source.pairs.at(-1)!.key) };
  const ranges = source.cut(whole, { bytesMax: Number.MAX_SAFE_INTEGER, pairsMax: 250 });
  await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
  const commitTs = await pd.timestamp();
  return {
    source,
    ranges,
    run: (more = {}) => ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs, limits: quick, ...more }),
    async assertHolds() {
      const range = { name: "records", start: recordKey(table, 0), end: recordKey(table + 1, 0) };
      const snapshot = await pd.timestamp();
      const { crc64xor, kvs, bytes } = await checksumTable({ clock, random, pd, tikv, ranges: [range], snapshot });
      assert.deepEqual({ crc64xor, kvs, bytes }, checksumOf(source.pairs));
      assert.deepEqual(cluster.harms, []);
    },
  };
}

/** Runs an import under a fault and expects all pairs. */
async function survives(cluster: TestCluster, arrange: (job: Job) => Promise<void> | void): Promise<void> {
  const job = await newJob(cluster);
  await arrange(job);
  const totals = await job.run();
  assert.equal(totals.pairs, 1000);
  cluster.network.fault = {};
  await job.assertHolds();
}

test("a lost answer to an ingest is written again, to the same bytes", async () => {
  await using cluster = await openCluster({ stores: 3 });
  await survives(cluster, () => {
    cluster.network.fault = {
      after: (call) => {
        if (call.method === "MultiIngest" && call.count % 2 === 1) throw lost(call);
      },
    };
  });
  assert.ok(cluster.network.counts.get("MultiIngest")! > 4);
});

test("a write that one peer loses is written again to all; nothing is ingested in between", async () => {
  await using cluster = await openCluster({ stores: 3 });
  await survives(cluster, () => {
    cluster.network.fault = {
      message: (call, index) => {
        if (call.method === "Write" && call.count % 4 === 2 && index === 3) throw lost(call);
      },
    };
  });
});

test("a peer that cannot be connected for a while is waited for", async () => {
  await using cluster = await openCluster({ stores: 3 });
  await survives(cluster, async () => {
    await cluster.stopStore(3n);
    void cluster.clock.sleep(5_000).then(() => cluster.startStore(3n));
  });
});

test("a store that stays down ends the import within its bounds, and the error names it", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  await cluster.stopStore(2n);
  await assert.rejects(job.run({ limits: { ...quick, troublesMax: 4 } }), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Ingest:ErrRetriesExhausted");
    assert.match(error.message, /region \d+ \[conf 5, version \d+\], store 2 after 4 tries: connection lost/);
    assert.equal(error.fields["store"], 2n);
    return true;
  });
  assert.equal(cluster.network.counts.get("MultiIngest"), undefined);
  await cluster.startStore(2n);
});

test("patience ends as well as tries do", async () => {
  await using cluster = await openCluster();
  const job = await newJob(cluster);
  cluster.network.fault = { before: (call) => (call.method === "Write" ? Promise.reject(lost(call)) : undefined) };
  const startedMs = cluster.clock.monotonicMs();
  const limits = { ...quick, troublesMax: 1000, patienceMs: 3000 };
  await assert.rejects(job.run({ limits }), { code: "Levin:Ingest:ErrRetriesExhausted" });
  assert.ok(cluster.clock.monotonicMs() - startedMs < 6000);
});

test("a full store ends the import at once", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  cluster.cluster.stores.get(1n)!.diskFull = true;
  await assert.rejects(job.run(), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Ingest:ErrDiskFull");
    assert.match(error.message, /store 1: DiskSpaceNotEnough/);
    return true;
  });
});

test("suspended imports are waited for as long as the store says, without writing again", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, network } = cluster;
  await survives(cluster, () => {
    for (const store of cluster.cluster.stores.values()) store.suspendedUntilMs = clock.nowMs() + 3_000;
  });
  assert.equal(network.counts.get("Write"), 12);
  const ingests = network.counts.get("MultiIngest")!;
  assert.ok(ingests >= 8 && ingests <= 12, `${ingests} ingests`);
});

test("a peer that moves between scan and write, and regions that merge, are met by a rescan", async () => {
  await using cluster = await openCluster({ stores: 4 });
  const { pd } = cluster;
  const { placement, regions } = cluster.cluster;
  let moves = 0;
  await survives(cluster, (job) => {
    job.source.onBatch = async () => {
      if (moves++ % 7 !== 0 || moves > 60) return;
      const found = await pd.getRegion(recordKey(table, (moves * 131) % 1000));
      const region = regions.byId(found!.id)!;
      if (moves % 2 === 0) {
        const taken = new Set(region.peers.map((peer) => peer.storeId));
        const free = [1n, 2n, 3n, 4n].find((id) => !taken.has(id));
        if (free !== undefined) await placement.movePeer(region, region.peers[0]!.storeId, free);
      } else await placement.mergeRight(region);
    };
  });
  assert.ok(moves > 7);
});

test("a learner is written to like every peer", async () => {
  await using cluster = await openCluster({ stores: 4 });
  const { pd, network } = cluster;
  const { placement, regions } = cluster.cluster;
  await survives(cluster, async (job) => {
    for (const range of job.ranges) {
      const region = regions.byId((await pd.getRegion(range.start))!.id)!;
      const taken = new Set(region.peers.map((peer) => peer.storeId));
      await placement.addLearner(region, [1n, 2n, 3n, 4n].find((id) => !taken.has(id))!);
    }
  });
  assert.equal(network.counts.get("Write"), 16);
});

test("a store without MultiIngest takes one file after another", async () => {
  await using cluster = await openCluster({ stores: 3 });
  await survives(cluster, () => {
    cluster.network.fault = {
      before: (call) => {
        if (call.method === "MultiIngest") throw unimplemented(call);
      },
    };
  });
  assert.equal(cluster.network.counts.get("Ingest"), 8);
});

test("what was reported done need not be passed again; a run after a failure ends in the same bytes", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  const done: PlannedRange[] = [];
  const failing = job.run({
    limits: { ...quick, workers: 1 },
    onRangeDone: (range) => {
      if (done.length === 2) throw new LevinError("Levin:Engine:ErrDisk", "Cannot write the journal: no space left");
      done.push(range);
    },
  });
  await assert.rejects(failing, { code: "Levin:Engine:ErrDisk" });
  const left = job.ranges.filter((range) => !done.includes(range));
  assert.equal(left.length, 2);
  assert.equal((await job.run({ ranges: left })).pairs, 500);
  await job.assertHolds();
});

test("a failing source ends the import with its own error", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  let batches = 0;
  job.source.onBatch = () => {
    if (++batches === 9) throw new LevinError("Levin:Engine:ErrCorrupt", "Cannot read block 3");
  };
  await assert.rejects(job.run(), { code: "Levin:Engine:ErrCorrupt" });
});

test("an abort ends the import at once, with its reason", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  const abort = new AbortController();
  const reason = new LevinError("Levin:Command:ErrInterrupted", "stop");
  let batches = 0;
  job.source.onBatch = async () => {
    if (++batches === 5) abort.abort(reason);
  };
  await assert.rejects(job.run({ signal: abort.signal }), (error) => error === reason);
});

test("memory of messages under way stays within its budget", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  const totals = await job.run({ limits: { ...quick, inFlightBytesMax: 12_000, windowMessages: 2, workers: 4 } });
  assert.equal(totals.pairs, 1000);
  await job.assertHolds();
});

test("a limit of bytes a second to each store is kept", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const job = await newJob(cluster);
  const startedMs = cluster.clock.monotonicMs();
  // 118 kB of packed pairs to each store.
  await job.run({ limits: { ...quick, storeBytesPerSecond: 40_000 } });
  assert.ok(cluster.clock.monotonicMs() - startedMs > 2_000);
  await job.assertHolds();
});
