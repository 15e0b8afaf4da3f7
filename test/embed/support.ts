import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  ImportSST,
  type SSTMeta,
  SSTMetaSchema,
  WriteBatchSchema,
  type WriteRequest,
  WriteRequestSchema,
} from "../../gen/import_sstpb_pb.ts";
import type { Region } from "../../gen/metapb_pb.ts";
import { type PackedWriteRequest, PackedWriteRequestSchema } from "../../gen/packed_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { Tikv } from "../../gen/tikvpb_pb.ts";
import { type Clock, seededRandom } from "../../src/base/mod.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/embed/mod.ts";
import { encodeKey } from "../../src/embed/state/mod.ts";

/** A clock that stands until it is moved. */
export class TestClock implements Clock {
  now: number;

  constructor(now = 1_795_227_000_000) {
    this.now = now;
  }

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  async sleep(ms: number): Promise<void> {
    this.now += ms;
  }
}

export interface TestCluster {
  sandbox: Sandbox;
  clock: TestClock;
  pd: Client<typeof PD>;
  imports: Client<typeof ImportSST>[];
  tikv: Client<typeof Tikv>[];
  header: { clusterId: bigint };
  harms: string[];
}

/** A sandbox and stock clients of its ports. Close `sandbox` at the end. */
export async function openCluster(options: Partial<SandboxOptions> = {}): Promise<TestCluster> {
  const clock = new TestClock();
  const harms: string[] = [];
  const onHarm = (text: string) => void harms.push(text);
  const sandbox = await startSandbox({ clock, random: seededRandom(1), onHarm, ...options });
  const transport = (address: string) => createGrpcTransport({ baseUrl: `http://${address}` });
  return {
    sandbox,
    clock,
    harms,
    pd: createClient(PD, transport(sandbox.pd[0]!)),
    imports: sandbox.tikv.map((address) => createClient(ImportSST, transport(address))),
    tikv: sandbox.tikv.map((address) => createClient(Tikv, transport(address))),
    header: { clusterId: sandbox.cluster.id },
  };
}

/** Raw key of a row: t{table}_r{handle}. */
export function rowKey(table: number, handle: number): Uint8Array {
  const out = new Uint8Array(19);
  const view = new DataView(out.buffer);
  out[0] = 0x74;
  view.setBigUint64(1, BigInt(table) | (1n << 63n));
  out.set([0x5f, 0x72], 9);
  view.setBigUint64(11, BigInt(handle) | (1n << 63n));
  return out;
}

export type Pair = [key: Uint8Array, value: Uint8Array];

let uuids = 0;

/** A fresh uuid of sixteen bytes. */
export function freshUuid(): Uint8Array {
  const out = new Uint8Array(16);
  new DataView(out.buffer).setUint32(12, ++uuids);
  return out;
}

export function metaFor(region: Region, pairs: readonly Pair[], uuid = freshUuid()): SSTMeta {
  return create(SSTMetaSchema, {
    uuid,
    range: { start: encodeKey(pairs[0]![0]), end: encodeKey(pairs[pairs.length - 1]![0]) },
    regionId: region.id,
    regionEpoch: region.regionEpoch,
  });
}

export type WriteMessage =
  | { chunk: { case: "meta"; value: SSTMeta } }
  | { chunk: { case: "batch"; value: { commitTs: bigint; pairs: { key: Uint8Array; value: Uint8Array }[] } } };

export async function* writeStream(
  meta: SSTMeta,
  commitTs: bigint,
  ...batches: (readonly Pair[])[]
): AsyncGenerator<WriteMessage> {
  yield { chunk: { case: "meta", value: meta } };
  for (const batch of batches) {
    yield { chunk: { case: "batch", value: { commitTs, pairs: batch.map(([key, value]) => ({ key, value })) } } };
  }
}

/** Encoded WriteBatch. */
export function packBatch(commitTs: bigint, pairs: readonly Pair[]): Uint8Array {
  const batch = create(WriteBatchSchema, { commitTs, pairs: pairs.map(([key, value]) => ({ key, value })) });
  return toBinary(WriteBatchSchema, batch);
}

/** The same messages as the import service takes them: batches as bytes. */
export async function* packedRequests(requests: readonly WriteRequest[]): AsyncGenerator<PackedWriteRequest> {
  for (const request of requests) yield fromBinary(PackedWriteRequestSchema, toBinary(WriteRequestSchema, request));
}
