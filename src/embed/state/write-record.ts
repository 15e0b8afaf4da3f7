import { be64 } from "./tables.ts";

/** Kinds of records in the write column family. */
export const WriteOp = { put: 0, delete: 1, lock: 2, rollback: 3 } as const;

/** Value of a `v` entry. */
export function encodeWrite(op: number, startTs: bigint, value: Uint8Array): Uint8Array {
  const out = new Uint8Array(9 + value.length);
  out[0] = op;
  out.set(be64(startTs), 1);
  out.set(value, 9);
  return out;
}
