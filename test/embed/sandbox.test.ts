import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { SwitchMode } from "../../gen/import_sstpb_pb.ts";
import { ChecksumResponseSchema } from "../../gen/tipb_pb.ts";
import { utf8 } from "../../src/base/mod.ts";
import { encodeKey } from "../../src/embed/state/mod.ts";
import { metaFor, openCluster, type Pair, rowKey, writeStream } from "./support.ts";

function rows(table: number, from: number, to: number, size = 20): Pair[] {
  const out: Pair[] = [];
  for (let i = from; i < to; i++) out.push([rowKey(table, i), utf8(`row ${i} `.padEnd(size, "x"))]);
  return out;
}

test("an import into three stores: split, scatter, write, ingest, checksum, read", async () => {
  const { sandbox, pd, imports, tikv, header, harms, clock } = await openCluster({ stores: 3 });
  try {
    const members = await pd.getMembers({});
    assert.equal(members.leader!.clientUrls[0], `http://${sandbox.pd[0]}`);
    const { stores } = await pd.getAllStores({ header, excludeTombstoneStores: true });
    assert.deepEqual(
      stores.map((store) => store.address),
      sandbox.tikv,
    );
    const whole = (await pd.getRegion({ header, regionKey: encodeKey(rowKey(5, 1)) })).region!;
    assert.equal(whole.peers.length, 3);
    const leaderIndex = (storeId: bigint) => stores.findIndex((store) => store.id === storeId);
    const leader = (await pd.getRegionByID({ header, regionId: whole.id })).leader!;
    const split = await tikv[leaderIndex(leader.storeId)]!.splitRegion({
      context: { regionId: whole.id, regionEpoch: whole.regionEpoch, peer: leader },
      splitKeys: [rowKey(5, 0), rowKey(5, 1000), rowKey(5, 2000)],
    });
    assert.equal(split.regionError, undefined);
    assert.equal(split.regions.length, 4);
    const regionsId = split.regions.map((region) => region.id);
    const scatter = await pd.scatterRegion({ header, regionsId, group: "g", retryLimit: 1n });
    assert.equal(scatter.finishedPercentage, 100n);
    for (const store of imports) await store.switchMode({ mode: SwitchMode.Import });

    const commitTs = await sandbox.cluster.tso.next();
    const scanned = await pd.scanRegions({
      header,
      startKey: encodeKey(rowKey(5, 0)),
      endKey: encodeKey(rowKey(5, 2000)),
      limit: 0,
    });
    assert.equal(scanned.regions.length, 2);
    const total = { checksum: 0n, kvs: 0n };
    for (const [i, { region, leader: at }] of scanned.regions.entries()) {
      const pairs = rows(5, i * 1000, (i + 1) * 1000, i === 0 ? 20 : 300);
      const meta = metaFor(region!, pairs);
      const answers = await Promise.all(
        region!.peers.map((peer) =>
          imports[leaderIndex(peer.storeId)]!.write(writeStream(meta, commitTs, pairs.slice(0, 300), pairs.slice(300))),
        ),
      );
      const names = answers[0]!.metas.map((sst) => sst.cfName);
      assert.deepEqual(names, i === 0 ? ["write"] : ["default", "write"]);
      const context = { regionId: region!.id, regionEpoch: region!.regionEpoch, peer: at };
      const store = leaderIndex(at!.storeId);
      const done = await imports[store]!.multiIngest({ context, ssts: answers[0]!.metas });
      assert.equal(done.error, undefined);
      const sum = await tikv[store]!.coprocessor({
        context,
        tp: 105n,
        startTs: commitTs,
        ranges: [{ start: rowKey(5, i * 1000), end: rowKey(5, (i + 1) * 1000) }],
      });
      const checksum = fromBinary(ChecksumResponseSchema, sum.data);
      assert.equal(checksum.totalKvs, 1000n);
      assert.equal(checksum.totalBytes, BigInt(1000 * (19 + (i === 0 ? 20 : 300))));
      total.checksum ^= checksum.checksum;
      total.kvs += checksum.totalKvs;
      const got = await tikv[store]!.kvGet({ context, key: rowKey(5, i * 1000 + 7), version: commitTs });
      assert.deepEqual(got.value, pairs[7]![1]);
      const before = await tikv[store]!.kvGet({ context, key: rowKey(5, i * 1000 + 7), version: commitTs - 1n });
      assert.equal(before.notFound, true);
    }
    assert.equal(total.kvs, 2000n);
    assert.deepEqual(harms, []);
    assert.ok(sandbox.cluster.stores.get(stores[0]!.id)!.importModeUntilMs > clock.now);
  } finally {
    await sandbox.close();
  }
});
