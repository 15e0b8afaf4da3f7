import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type SSTMeta, SSTMetaSchema } from "../../gen/import_sstpb_pb.ts";
import { AssertionError, LevinError, seededRandom, systemClock, toHex } from "../../src/base/mod.ts";
import type { Peer, Region, WriteTarget } from "../../src/cluster/mod.ts";
import type { PairBatch } from "../../src/engine/mod.ts";
import { ByteBudget, StoreRate } from "../../src/ingest/gates.ts";
import { PeerFailure, writeRegion } from "../../src/ingest/write-region.ts";
import { ArraySource, packBatch, recordKey, records, type TestPair } from "./pairs.ts";

const peers: Peer[] = [1n, 2n, 3n].map((storeId) => ({ id: 10n + storeId, storeId, role: "voter" }));
const region: Region = {
  id: 5n,
  start: recordKey(80, 0),
  end: recordKey(81, 0),
  epoch: { confVer: 5n, version: 7n },
  peers,
  leader: peers[1],
};
const range = { start: recordKey(80, 0), end: recordKey(80, 500) };
const meta = (cfName: string): SSTMeta => create(SSTMetaSchema, { cfName });

type Store = (batches: AsyncIterable<Uint8Array>, target: WriteTarget, signal: AbortSignal) => Promise<SSTMeta[]>;

const good: Store = async (batches) => {
  for await (const _ of batches);
  return [meta("default"), meta("write")];
};

async function write(stores: Store[], source = new ArraySource(records(80, 0, 500), 20), on = region) {
  const budget = new ByteBudget(1 << 20);
  const targets: WriteTarget[] = [];
  const tikv = {
    write: async (peer: Peer, target: WriteTarget, batches: AsyncIterable<Uint8Array>, signal?: AbortSignal) => {
      targets.push(target);
      return await stores[Number(peer.storeId) - 1]!(batches, target, signal!);
    },
  };
  const { signal } = new AbortController();
  const rate = new StoreRate(systemClock, 0);
  const options = {
    rate,
    tikv,
    random: seededRandom(9),
    source,
    commitTs: 77n,
    region: on,
    range,
    windowMessages: 3,
    budget,
  };
  const written = writeRegion({ ...options, signal }).finally(() => assert.equal(budget.used, 0));
  return { written: await written, targets };
}

async function failsAt(storeId: bigint, code: string, stores: Store[]): Promise<void> {
  await assert.rejects(write(stores), (error) => {
    assert.ok(error instanceof PeerFailure, String(error));
    assert.equal(error.storeId, storeId);
    assert.equal((error.cause as LevinError).code, code);
    return true;
  });
}

test("writeRegion sends the same file to every peer and returns the leader's metas", async () => {
  const leader: Store = async (batches) => (await good(batches, {} as WriteTarget, {} as AbortSignal)).slice();
  const { written, targets } = await write([good, leader, good]);
  assert.equal(written.pairs, 500);
  assert.deepEqual(
    written.metas.map((m) => m.cfName),
    ["default", "write"],
  );
  assert.equal(targets.length, 3);
  assert.ok(targets.every((target) => target === targets[0] && target.commitTs === 77n));
  assert.equal(toHex(targets[0]!.lastKey), toHex(recordKey(80, 499)));
  const again = await write([good, good, good]);
  assert.equal(toHex(again.targets[0]!.uuid).length, 32);
});

test("writeRegion writes nothing where there are no pairs", async () => {
  const { written, targets } = await write([good, good, good], new ArraySource([]));
  assert.deepEqual([written.metas, targets], [[], []]);
});

test("a peer that answers before it has taken everything has not got the file", async () => {
  const hasty: Store = async (batches) => {
    for await (const _ of batches) break;
    return [meta("default"), meta("write")];
  };
  await failsAt(3n, "Levin:Rpc:ErrUnavailable", [good, good, hasty]);
});

test("a peer with other files than its fellows has not got the file", async () => {
  const other: Store = async (batches) => (await good(batches, {} as WriteTarget, {} as AbortSignal)).slice(1);
  await failsAt(1n, "Levin:Rpc:ErrUnavailable", [other, good, good]);
});

test("pairs were sent, yet no peer names a file", async () => {
  const empty: Store = async (batches) => {
    for await (const _ of batches);
    return [];
  };
  await failsAt(2n, "Levin:Rpc:ErrUnavailable", [empty, empty, empty]);
});

test("the first refusal ends the other streams", async () => {
  const ended: string[] = [];
  const refusing: Store = async () => {
    throw new LevinError("Levin:Rpc:ErrRefused", "RequestTooOld");
  };
  const patient: Store = async (batches, _, signal) => {
    signal.addEventListener("abort", () => ended.push("abort"));
    for await (const _ of batches) await new Promise((resolve) => setImmediate(resolve));
    return [meta("write")];
  };
  await failsAt(2n, "Levin:Rpc:ErrRefused", [patient, refusing, patient]);
  assert.equal(ended.length, 2);
});

/** A source that breaks the rules which the import relies on. */
class BrokenSource extends ArraySource {
  readonly #batches: PairBatch[];
  constructor(pairs: readonly TestPair[], batches: PairBatch[]) {
    super(pairs);
    this.#batches = batches;
  }
  override async *read(): AsyncGenerator<PairBatch> {
    yield* this.#batches;
  }
}

test("what would harm TiKV is an assertion: order, range, last key, lost leader", async () => {
  const pairs = records(80, 0, 500);
  const broken = (...batches: PairBatch[]) => write([good, good, good], new BrokenSource(pairs, batches));
  const batch = (from: number, to: number) => packBatch(records(80, from, to));
  await assert.rejects(broken(batch(10, 20), batch(19, 30)), AssertionError);
  await assert.rejects(broken(batch(10, 20), batch(5, 9)), AssertionError);
  await assert.rejects(broken(batch(490, 510)), AssertionError);
  await assert.rejects(broken({ ...batch(10, 20), lastKey: recordKey(80, 5) }), AssertionError);
  await assert.rejects(broken({ ...batch(10, 20), pairs: 0 }), AssertionError);
  const shortened = new BrokenSource(records(80, 0, 100), [batch(90, 200)]);
  await assert.rejects(write([good, good, good], shortened), AssertionError);
  const stranger = { ...region, leader: { id: 99n, storeId: 9n, role: "voter" as const } };
  await assert.rejects(write([good, good, good], undefined, stranger), AssertionError);
});
