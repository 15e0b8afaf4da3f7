import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SSTMetaSchema, WriteResponse } from "../../gen/import_sstpb_pb.ts";
import type { ContextSchema } from "../../gen/kvrpcpb_pb.ts";
import { ImportSST } from "../../gen/packed_pb.ts";
import { renamed } from "./client.ts";
import type { RpcTransport } from "./transport.ts";
import type { UploadOptions } from "./upload.ts";

/** `ImportSST.Write` by its packed twin. */
const writeMethod = renamed(ImportSST, "import_sstpb.ImportSST").method.write;

/** WriteRequest.batch, WriteBatch.commit_ts: field numbers and wire types of import_sstpb.proto. */
const BATCH_TAG = 0x12;
const COMMIT_TS_TAG = 0x08;

/** One upload of sorted pairs to one store: the meta, then batches, then the answer. */
export interface PackedWrite {
  sendMeta(
    meta: MessageInitShape<typeof SSTMetaSchema>,
    context?: MessageInitShape<typeof ContextSchema>,
  ): Promise<void>;
  /**
   * Sends one WriteBatch. `pieces` hold packed `pairs` elements (`12 len 0a klen key 12 vlen value`), one piece behind the other; a
   * pair may straddle pieces. They are not copied: when the promise resolves they may be reused.
   */
  sendPairs(commitTs: bigint, pieces: readonly Uint8Array[]): Promise<void>;
  finish(): Promise<WriteResponse>;
  /** Ends the upload; the server is told by RST_STREAM. Does nothing after `finish` has resolved. */
  abort(reason?: unknown): void;
}

/** Opens `ImportSST.Write` for pairs that are in wire format already. Rejects and throws LevinErrors as any call. */
export async function openPackedWrite(transport: RpcTransport, options: UploadOptions = {}): Promise<PackedWrite> {
  const upload = await transport.openUpload(writeMethod, options);
  return {
    sendMeta: (meta, context) =>
      upload.send({ chunk: { case: "meta", value: meta }, ...(context === undefined ? {} : { context }) }),
    sendPairs: (commitTs, pieces) => upload.sendEncoded([batchHead(commitTs, pieces), ...pieces]),
    finish: () => upload.finish(),
    abort: (reason) => upload.abort(reason),
  };
}

/** The bytes of a WriteRequest before its packed pairs. */
function batchHead(commitTs: bigint, pieces: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  const timestamp: number[] = [COMMIT_TS_TAG];
  putVarint(timestamp, commitTs);
  const head: number[] = [BATCH_TAG];
  putVarint(head, BigInt(timestamp.length + bytes));
  return Uint8Array.from([...head, ...timestamp]);
}

function putVarint(out: number[], value: bigint): void {
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}
