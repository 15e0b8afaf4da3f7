import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { scanRegions, successorKey } from "../../src/cluster/mod.ts";
import { openEngine, PairArena } from "../../src/engine/mod.ts";
import {
  checksumTable,
  EngineSource,
  type FromWriter,
  ingestRanges,
  innerBorders,
  splitRegions,
  type ToWriter,
  type WriterPort,
  WriteThreads,
} from "../../src/ingest/mod.ts";
import type { WriteOrder } from "../../src/ingest/region-writer.ts";
import { PeerFailure } from "../../src/ingest/write-region.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { Disk } from "../sim/disk.ts";
import { Life } from "../sim/life.ts";
import type { Fault } from "./faults.ts";
import { type InlineWriter, inlineWriter } from "./inline-writer.ts";
import { checksumOf, recordKey, records } from "./pairs.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

const pairs = records(80, 0, 4000);
const MIB = 1 << 20;
// In memory: the clusters' clock runs on while a real disk works.
const disk = new Disk();
const files = disk.filesOf(new Life(() => undefined), () => "EIO");
let engines = 0;

/** An engine of four runs with its blocks in files. */
async function filledEngine() {
  const blockDir = `/engines/blocks-${engines++}`;
  const store = { kvdb: memoryKvDb(), blockDir, files };
  const engine = await openEngine({ name: "t80:data", store, blockBytes: 4096 });
  for (let run = 0; run < 4; run++) {
    const arena = new PairArena({ capacityBytes: 4 * MIB });
    for (let i = run; i < pairs.length; i += 4) {
      const { key, value } = pairs[i]!;
      arena.put(key, key.length, value, value.length);
    }
    await engine.writeRun(arena, { runId: run });
  }
  return { engine, blockDir, source: await EngineSource.open(engine, { memoryBytes: MIB }) };
}

const setup = { inFlightBytes: 4 * MIB, keptBytes: 4 * MIB, idleFilesMax: 4, connectionsPerStore: 2 };

/** Threads over the clients' faulty network. */
function threadsOf(test: TestCluster, count: number, start?: () => WriterPort) {
  const { clock, random, network, tikv } = test;
  const started: InlineWriter[] = [];
  const inline = (): WriterPort => {
    const world = { clock, random, files, connect: () => network.connect };
    const thread = inlineWriter(setup, world);
    started.push(thread);
    return thread;
  };
  const threads = new WriteThreads({ count, start: start ?? inline, setup, clock, stores: tikv.stores });
  return { threads, started };
}

const handles = [0, 500, 900, 1400, 1800, 2300, 2700, 3300, 4000];
const ranges = handles.slice(1).map((to, i) => ({
  start: recordKey(80, handles[i]!),
  end: to === 4000 ? successorKey(recordKey(80, 3999)) : recordKey(80, to),
  bytes: 0,
  pairs: 0,
}));

async function sumOf({ clock, random, pd, tikv }: TestCluster) {
  const table = { name: "records", start: recordKey(80, 0), end: recordKey(81, 0) };
  const sum = await checksumTable({ clock, random, pd, tikv, ranges: [table], snapshot: await pd.timestamp() });
  return { crc64xor: sum.crc64xor, kvs: sum.kvs, bytes: sum.bytes };
}

/** The first range, to be written to its region. */
async function firstOrder(test: TestCluster): Promise<WriteOrder> {
  const region = (await scanRegions(ranges[0]!, test))[0]!;
  return { region, range: ranges[0]!, commitTs: await test.pd.timestamp() };
}

for (const count of [1, 3]) {
  test(`an engine is written by threads (${count}), whatever stores refuse`, { timeout: 60_000 }, async () => {
    await using cluster = await openCluster({ stores: 3 });
    const { clock, random, pd, tikv, network } = cluster;
    const { source, blockDir } = await filledEngine();
    await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
    const { threads, started } = threadsOf(cluster, count);
    const writer = threads.writer({ engineName: "t80:data", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
    const lost = new Set<string>();
    // Two Writes break in the middle, and a region moves on between Write and Ingest.
    network.fault = {
      message(call, index) {
        if (index !== 1 || lost.size >= 2 || lost.has(call.address)) return;
        lost.add(call.address);
        throw new LevinError("Levin:Rpc:ErrUnavailable", "Cannot write: lost", {
          fields: { kind: "lost", grpcCode: 14 },
        });
      },
      async before(call) {
        if (call.method !== "MultiIngest" || call.count !== 2) return;
        const region = cluster.cluster.regions.at(cluster.cluster.regions.all()[1]!.startKey)!;
        await cluster.cluster.placement.transferLeader(region, region.peers[1]!.storeId);
      },
    } as Fault;
    const troubles: string[] = [];
    const totals = await ingestRanges({
      clock,
      random,
      pd,
      tikv,
      // Reading here would be seen.
      source: { ...source, cut: (range, limits) => source.cut(range, limits) } as EngineSource,
      writer,
      ranges,
      commitTs: await pd.timestamp(),
      onEvent: (event) => event.kind === "log" && troubles.push(event.message),
    });
    await threads.release(blockDir);
    assert.equal(totals.pairs, 4000);
    assert.equal(lost.size, 2);
    assert.ok(troubles.length >= 1, troubles.join("\n"));
    assert.equal(started.length, count);
    assert.ok(started.every(({ said }) => said.includes("write") && said.at(-1) === "release"));
    assert.deepEqual(await sumOf(cluster), checksumOf(pairs));
    assert.deepEqual(cluster.harms, []);
    await threads.close();
  });
}

test("a refusal by a store comes back with store, code and fields; one that was not reached is looked up again", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { network, tikv } = cluster;
  const { source, blockDir } = await filledEngine();
  const { threads } = threadsOf(cluster, 1);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const order = await firstOrder(cluster);
  const { storeId } = order.region.peers[1]!;
  const address = (await tikv.stores.get(storeId)).address;
  network.isDown = (asked) => asked === address;
  const before = tikv.stores.get(storeId);
  await assert.rejects(writer.write(order, new AbortController().signal), (error) => {
    assert.ok(error instanceof PeerFailure, String(error));
    assert.equal(error.storeId, storeId);
    assert.ok(error.cause instanceof LevinError);
    assert.equal(error.cause.code, "Levin:Rpc:ErrUnavailable");
    assert.equal(error.cause.fields["target"], address);
    return true;
  });
  assert.notEqual(await tikv.stores.get(storeId), await before);
  await threads.close();
});

test("what reading throws is the error, and not a refusal", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { source, blockDir } = await filledEngine();
  await files.removeTree(blockDir);
  const { threads } = threadsOf(cluster, 1);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const order = await firstOrder(cluster);
  await assert.rejects(writer.write(order, new AbortController().signal), { code: "Levin:Engine:ErrCorrupt" });
  await threads.close();
});

test("an aborted write ends with the reason when the thread has let go of it", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { network } = cluster;
  const { source, blockDir } = await filledEngine();
  const { threads, started } = threadsOf(cluster, 1);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const stop = new AbortController();
  network.fault = { message: (_, index) => (index === 1 ? stop.abort(new Error("enough")) : undefined) };
  const order = await firstOrder(cluster);
  await assert.rejects(writer.write(order, stop.signal), /enough/);
  assert.deepEqual(started[0]!.said, ["write", "stop"]);
  // Its files may be closed: nobody reads them.
  await threads.release(blockDir);
  await threads.close();
});

test("a thread that answers nothing does not hold up an aborted write, a release or the end", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { source, blockDir } = await filledEngine();
  const deaf: WriterPort = { post: () => undefined, listen: () => undefined, close: async () => undefined };
  const { threads } = threadsOf(cluster, 1, () => deaf);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const stop = new AbortController();
  const order = await firstOrder(cluster);
  const written = writer.write(order, stop.signal);
  await cluster.clock.sleep(100);
  stop.abort(new Error("enough"));
  await assert.rejects(written, /enough/);
  await threads.release(blockDir);
  const left = writer.write(order, new AbortController().signal);
  await cluster.clock.sleep(100);
  await threads.close();
  await assert.rejects(left, /the import ends/);
});

test("a thread that dies fails what it has, and what comes after", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { network } = cluster;
  const { source, blockDir } = await filledEngine();
  const { threads, started } = threadsOf(cluster, 2);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  network.fault = { message: (_, index) => (index === 1 ? started[0]!.die(new Error("out of memory")) : undefined) };
  const order = await firstOrder(cluster);
  const { signal } = new AbortController();
  await assert.rejects(writer.write(order, signal), /out of memory/);
  await assert.rejects(writer.write(order, signal), /out of memory/);
  await threads.release(blockDir);
  await threads.close();
});

test("threads at rest are started again", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { source, blockDir } = await filledEngine();
  const { threads, started } = threadsOf(cluster, 1);
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const order = await firstOrder(cluster);
  const { signal } = new AbortController();
  assert.equal(threads.size, 0);
  assert.equal((await writer.write(order, signal)).pairs, 500);
  await threads.rest();
  assert.equal(threads.size, 0);
  assert.equal((await writer.write(order, signal)).pairs, 500);
  assert.equal(started.length, 2);
  await threads.close();
});

test("a thread asks for the certificates at each connection, and is told why there are none", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, tikv } = cluster;
  const heard: ToWriter[] = [];
  let say: (message: FromWriter) => void = () => undefined;
  const port: WriterPort = {
    post: (message) => void heard.push(message),
    listen: (onMessage) => {
      say = onMessage;
    },
    close: async () => undefined,
  };
  let asked = 0;
  const material = () => {
    asked++;
    if (asked === 2) throw new Error("the file is gone");
    return { ca: `ca ${asked}` };
  };
  const threads = new WriteThreads({ count: 1, start: () => port, setup, clock, stores: tikv.stores, material });
  const { source, blockDir } = await filledEngine();
  const writer = threads.writer({ engineName: "e", blockDir, source, memoryBytes: MIB, windowMessages: 4 });
  const order = await firstOrder(cluster);
  const written = writer.write(order, new AbortController().signal);
  written.catch(() => undefined);
  await clock.sleep(1);
  for (const id of [4, 5, 6]) {
    say({ kind: "material", id });
    await clock.sleep(1);
  }
  assert.deepEqual(heard.slice(1), [
    { kind: "material", id: 4, material: { ca: "ca 1" } },
    { kind: "material", id: 5, error: "the file is gone" },
    { kind: "material", id: 6, material: { ca: "ca 3" } },
  ]);
  await threads.close();
});
