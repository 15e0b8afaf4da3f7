/** Limits of the integer types and what happens beyond them (TiDB `pkg/types/convert.go`). */
import { Tp } from "../../schema/mod.ts";
import { constantOverflows, truncatedWrongValue } from "./fault.ts";
import { roundToEven } from "./number-format.ts";
import { MAX_INT64, MAX_UINT64 } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { bytesToUint, typeName } from "./source.ts";

const UPPER: Record<number, bigint> = {
  [Tp.tiny]: 127n,
  [Tp.short]: 32767n,
  [Tp.int24]: 8388607n,
  [Tp.long]: 2147483647n,
  [Tp.longlong]: MAX_INT64,
  [Tp.enum]: 65535n,
};

/** Largest signed value of the type. */
function signedUpper(tp: number): bigint {
  return UPPER[tp] ?? MAX_INT64;
}

function signedLower(tp: number): bigint {
  return tp === Tp.enum ? 0n : -signedUpper(tp) - 1n;
}

/** Largest unsigned value of the type; ENUM's is its number of elements at most, BIT's and SET's 64 bits. */
export function unsignedUpper(tp: number): bigint {
  if (tp === Tp.enum) return 65535n;
  const upper = UPPER[tp];
  return upper === undefined ? MAX_UINT64 : upper * 2n + 1n;
}

export function clampSigned(session: CastSession, value: bigint, tp: number): bigint {
  const upper = signedUpper(tp);
  const lower = signedLower(tp);
  if (value >= lower && value <= upper) return value;
  session.raise(constantOverflows(value, typeName(tp)));
  return value < lower ? lower : upper;
}

export function clampUnsigned(session: CastSession, value: bigint, tp: number): bigint {
  const upper = unsignedUpper(tp);
  if (value >= 0n && value <= upper) return value;
  session.raise(constantOverflows(value, typeName(tp)));
  return value < 0n ? 0n : upper;
}

/** From a double: halves round to even; the double nearest to the limit passes as the limit. */
export function floatToSigned(session: CastSession, value: number, tp: number): bigint {
  const rounded = Number.isNaN(value) ? 0 : roundToEven(value);
  const upper = signedUpper(tp);
  const lower = signedLower(tp);
  if (rounded < Number(lower)) {
    session.raise(constantOverflows(rounded, typeName(tp)));
    return lower;
  }
  if (rounded >= Number(upper)) {
    if (rounded !== Number(upper)) session.raise(constantOverflows(rounded, typeName(tp)));
    return upper;
  }
  return BigInt(rounded);
}

export function floatToUnsigned(session: CastSession, value: number, tp: number): bigint {
  const rounded = Number.isNaN(value) ? 0 : roundToEven(value);
  const upper = unsignedUpper(tp);
  if (rounded < 0) {
    session.raise(constantOverflows(rounded, typeName(tp)));
    return 0n;
  }
  if (rounded >= 2 ** 64 || BigInt(rounded) > upper) {
    session.raise(constantOverflows(rounded, typeName(tp)));
    return upper;
  }
  return BigInt(rounded);
}

/** Bytes of a literal or BIT as a number; more than 64 bits are a truncation. */
export function literalToUint(session: CastSession, bytes: Uint8Array): bigint {
  const value = bytesToUint(bytes);
  if (value !== null) return value;
  let text = "";
  for (const b of bytes) text += b.toString(16).padStart(2, "0");
  session.raise(session.forgive(truncatedWrongValue("BINARY", `0x${text}`)));
  return MAX_UINT64;
}
