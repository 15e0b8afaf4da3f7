import type { ByteWriter, Handle } from "../../codec/mod.ts";

/** The row's handle: halves of a number, or the bytes of a clustered key. */
export interface FastHandle {
  readonly common: boolean;
  high: number;
  low: number;
  readonly bytes: ByteWriter;
}

/** The same as the plain path has it. */
export function toHandle(handle: FastHandle): Handle {
  if (handle.common) return { kind: "common", bytes: handle.bytes.toBytes() };
  return { kind: "int", value: (BigInt(handle.high | 0) << 32n) | BigInt(handle.low >>> 0) };
}
