import type { MessageInitShape } from "@bufbuild/protobuf";
import type { KeyErrorSchema, LockInfoSchema } from "../../../gen/kvrpcpb_pb.ts";
import { encodeKey, hexKey, type Lock, type Region } from "../state/mod.ts";

/** A kvrpcpb.KeyError to be sent. */
export type KeyError = MessageInitShape<typeof KeyErrorSchema>;

export function lockMessage(lock: Lock): MessageInitShape<typeof LockInfoSchema> {
  return {
    primaryLock: lock.primary,
    lockVersion: lock.startTs,
    key: lock.key,
    lockTtl: lock.ttlMs,
    lockType: lock.op,
  };
}

export function locked(lock: Lock): KeyError {
  return { locked: lockMessage(lock) };
}

/** Reads of keys outside of the region end like this, not in a region error. */
export function keyOutOfRegion(key: Uint8Array, region: Region): KeyError {
  const range = `[${hexKey(region.startKey)}, ${hexKey(region.endKey)})`;
  const inner = `[components/raftstore/src/store/region_snapshot.rs:289]: Key ${hexKey(encodeKey(key))} is out of [region ${region.id}] ${range}`;
  const outer = `[components/tikv_kv/src/raftstore_impls.rs:86]: \\"${inner}\\"`;
  return { abort: `Error(Txn(Error(Mvcc(Error(Kv(Error(Other("${outer}"))))))))` };
}

/** A V2 request to a store of API version 1. */
export function apiVersionNotMatched(command: string): KeyError {
  return { abort: `Error(ApiVersionNotMatched { cmd: ${command}, storage_api_version: V1, req_api_version: V2 })` };
}
