import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Store, StoreSchema } from "../../../gen/metapb_pb.ts";
import type { KvChange, KvDb } from "../../kvdb/mod.ts";
import type { ClusterOptions, StoreState } from "./options.ts";
import { be64, forEach, tableKey } from "./tables.ts";

const DEFAULT_VERSION = "8.5.8";

/** metapb.Store of a store. */
export function storeMessage(store: StoreState): Store {
  return create(StoreSchema, {
    id: store.id,
    address: store.address,
    peerAddress: store.address,
    statusAddress: store.statusAddress,
    state: store.state,
    labels: store.labels,
    version: store.version,
    startTimestamp: BigInt(Math.floor(store.startedMs / 1000)),
    deployPath: "levin-sandbox",
    nodeState: store.state === 0 ? 1 : store.state + 1,
  });
}

export function newStore(id: bigint, options: ClusterOptions): StoreState {
  return {
    id,
    address: "",
    statusAddress: "",
    version: options.storeVersion ?? DEFAULT_VERSION,
    state: 0,
    labels: [],
    down: false,
    diskFull: false,
    importModeUntilMs: 0,
    suspendedUntilMs: 0,
    startedMs: options.clock.nowMs(),
  };
}

/** Change that keeps what must survive a restart: id, state, labels. */
export function storeChange(store: StoreState): KvChange {
  return { key: tableKey("s", be64(store.id)), value: toBinary(StoreSchema, storeMessage(store)) };
}

export async function loadStores(db: KvDb, options: ClusterOptions): Promise<Map<bigint, StoreState>> {
  const stores = new Map<bigint, StoreState>();
  await forEach(db, "s", (_, value) => {
    const kept = fromBinary(StoreSchema, value);
    const store = newStore(kept.id, options);
    store.state = kept.state;
    store.labels = kept.labels.map(({ key, value: label }) => ({ key, value: label }));
    stores.set(kept.id, store);
  });
  return stores;
}
