import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { type Connect, PdClient, StoreDirectory, successorKey, TikvClient } from "../../src/cluster/mod.ts";
import { Cluster } from "../../src/embed/mod.ts";
import { openPdState } from "../../src/embed/pd/mod.ts";
import { pdRoutes, storeRoutes } from "../../src/embed/sandbox.ts";
import { checksumTable, ImportModeKeeper, ingestRanges, innerBorders, splitRegions } from "../../src/ingest/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { createInProcessTransport } from "../../src/rpc/mod.ts";
import { scaledClock } from "../cluster/scaled-clock.ts";
import { ArraySource, checksumOf, recordKey, records } from "./pairs.ts";

test("a whole import runs in one process, without a socket and on a clock of its own", async () => {
  const clock = scaledClock(50);
  const random = seededRandom(11);
  const cluster = await Cluster.open(memoryKvDb(), { clock, random, stores: 3 });
  const state = await openPdState(cluster);
  state.clientUrl = "http://pd";
  const stores = [...cluster.stores.values()];
  for (const store of stores) store.address = `tikv-${store.id}`;
  const connect: Connect = (address) => {
    const store = stores.find((candidate) => candidate.address === address);
    const routes = store === undefined ? pdRoutes(state) : storeRoutes(cluster, store);
    return createInProcessTransport(routes, { target: address, clock });
  };
  const pd = new PdClient({ clock, random, connect, addresses: ["pd"] });
  const tikv = new TikvClient({ connect, stores: new StoreDirectory(pd) });
  await pd.connect();
  const source = new ArraySource(records(80, 0, 1000));
  const whole = { start: recordKey(80, 0), end: successorKey(source.pairs.at(-1)!.key) };
  const ranges = source.cut(whole, { bytesMax: 1 << 30, pairsMax: 300 });
  {
    await using _ = await ImportModeKeeper.open({ clock, tikv });
    await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
    await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  }
  const table = { name: "records", start: recordKey(80, 0), end: recordKey(81, 0) };
  const sum = await checksumTable({ clock, random, pd, tikv, ranges: [table], snapshot: await pd.timestamp() });
  assert.deepEqual({ crc64xor: sum.crc64xor, kvs: sum.kvs, bytes: sum.bytes }, checksumOf(source.pairs));
  pd.close();
  tikv.close();
  await cluster.close();
});
