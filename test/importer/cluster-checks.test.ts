/** What a cluster's PD says before a physical load (dm-loader.md §16). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreStatus } from "../../src/cluster/mod.ts";
import { type ClusterFacts, judgeCluster } from "../../src/importer/mod.ts";

const GIB = 2 ** 30;

function store(id: number, more: Partial<StoreStatus> = {}): StoreStatus {
  const figures = { capacityBytes: 100 * GIB, availableBytes: 100 * GIB, regionCount: 50 };
  return {
    id: BigInt(id),
    address: `tikv-${id}`,
    stateName: "Up",
    version: "8.5.0",
    isTiFlash: false,
    ...figures,
    ...more,
  };
}

function judged(more: Partial<ClusterFacts> = {}, load = { sizeBytes: GIB, tables: 10 }): Record<string, string> {
  const stores = [store(1), store(2), store(3)];
  const facts: ClusterFacts = { version: [8, 5, 0], stores, emptyRegions: new Map(), maxReplicas: 3, ...more };
  return Object.fromEntries(
    judgeCluster(facts, load).map(({ check, status, detail }) => [check, `${status}: ${detail}`]),
  );
}

test("a cluster that is fit", () => {
  assert.deepEqual(judged(), {
    "cluster-version": "ok: PD 8.5.0, TiKV 8.5.0",
    "cluster-space": "ok: 300.0 GiB free on 3 stores, about 3.0 GiB wanted for 3 replicas",
    "empty-regions": "ok: no store has more than 0 empty regions",
    "region-distribution": "ok: tikv-1 has 50 regions, tikv-3 has 50",
  });
});

test("versions before 4.0, of PD and of a store; TiFlash and stores that are down do not count", () => {
  const old = [store(1), store(2, { version: "3.0.9" })];
  assert.match(judged({ stores: old })["cluster-version"]!, /^failed: TiKV must be 4\.0 or later: tikv-2 has 3\.0\.9/);
  assert.match(judged({ version: [3, 0, 1] })["cluster-version"]!, /^failed: PD .* it is 3\.0\.1/);
  const others = [
    store(1),
    store(2, { isTiFlash: true, version: "3.0.0" }),
    store(3, { stateName: "Down", version: "3.0.0" }),
  ];
  assert.match(judged({ stores: others })["cluster-version"]!, /^ok/);
});

test("space for every replica", () => {
  const stores = [store(1, { availableBytes: 5 * GIB })];
  const of = (sizeBytes: number) => judged({ stores }, { sizeBytes, tables: 1 })["cluster-space"]!;
  assert.match(of(2 * GIB), /^failed: 5\.0 GiB free on 1 stores, about 6\.0 GiB/);
  assert.match(of(1.5 * GIB), /^warning/);
  assert.match(of(0.5 * GIB), /^ok/);
  assert.match(
    judged({ stores: [store(1, { availableBytes: undefined })] })["cluster-space"]!,
    /^warning: PD does not know/,
  );
});

test("empty regions and stores with few regions", () => {
  const emptyRegions = new Map([
    [1n, 500],
    [2n, 501],
  ]);
  assert.match(judged({ emptyRegions })["empty-regions"]!, /^warning: .*: tikv-2 \(501\)$/);
  assert.match(judged({ emptyRegions }, { sizeBytes: 1, tables: 600 })["empty-regions"]!, /^ok/);
  assert.match(judged({ emptyRegions, stores: [store(2)] })["empty-regions"]!, /^ok: there is one store/);
  const uneven = (least: number, most: number) =>
    judged({ stores: [store(1, { regionCount: most }), store(2, { regionCount: least })] })["region-distribution"]!;
  assert.match(uneven(749, 1000), /^ok/);
  assert.equal(uneven(750, 1001), "warning: tikv-2 has 750 regions, tikv-1 has 1001");
  assert.match(uneven(751, 1001), /^ok/);
});
