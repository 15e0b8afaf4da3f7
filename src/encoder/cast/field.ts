/** Fields of a source row as column values: the slow but complete way, for all kinds, types and modes. */
import { assert } from "../../base/mod.ts";
import { type Datum, FieldKind } from "../../codec/mod.ts";
import type { ColumnInfo } from "../../schema/mod.ts";
import { byteString } from "./bytes-text.ts";
import { castDatum } from "./cast.ts";
import { parseDecimal } from "./decimal-text.ts";
import { defaultValue, nullValue } from "./defaults.ts";
import { MAX_INT64, MAX_UINT64, MIN_INT64, plainInteger } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, isStringType } from "./source.ts";

const TRUE: CastSource = { kind: "int", value: 1n };
const FALSE: CastSource = { kind: "int", value: 0n };

function text(value: Uint8Array): CastSource {
  return { kind: "bytes", value, collation: "utf8mb4_bin" };
}

/** Digits of an SQL literal; beyond 64 bits they are text, as the dump reader has it. */
function integer(bytes: Uint8Array, signed: boolean): CastSource {
  const quick = plainInteger(bytes);
  const value = Number.isNaN(quick) ? parseDigits(bytes) : BigInt(quick);
  if (value === null) return text(bytes);
  if (signed) return value >= MIN_INT64 && value <= MAX_INT64 ? { kind: "int", value } : text(bytes);
  return value >= 0n && value <= MAX_UINT64 ? { kind: "uint", value } : text(bytes);
}

function parseDigits(bytes: Uint8Array): bigint | null {
  const digits = byteString(bytes);
  return /^[+-]?[0-9]+$/.test(digits) ? BigInt(digits) : null;
}

function sourceOf(session: CastSession, kind: number, bytes: Uint8Array): CastSource {
  switch (kind) {
    case FieldKind.string:
      return text(bytes);
    case FieldKind.int:
      return integer(bytes, true);
    case FieldKind.uint:
      return integer(bytes, false);
    case FieldKind.true:
      return TRUE;
    case FieldKind.false:
      return FALSE;
    case FieldKind.decimal: {
      session.fault = null;
      const value = parseDecimal(session, bytes);
      return session.take() === null ? { kind: "decimal", value } : text(bytes);
    }
    case FieldKind.float: {
      const value = Number(byteString(bytes));
      return Number.isFinite(value) ? { kind: "float", value } : text(bytes);
    }
    case FieldKind.hex:
    case FieldKind.bit:
      return { kind: "literal", value: bytes };
    case FieldKind.binary:
      return { kind: "bytes", value: bytes, collation: "binary" };
    default:
      assert(false, `field kind ${kind}`);
  }
}

/**
 * The value that column stores of the field `bytes[start, end)` of that kind (a value of `FieldKind`). NULL in a NOT NULL column and
 * DEFAULT are settled here too, so callers look at AUTO_INCREMENT, AUTO_RANDOM, generated and expression defaults before.
 * Warnings go to the session; CastError where the mode does not forgive. The result shares no bytes with the source.
 *
 * Kinds `decimal` and `float` are numbers, as INSERT has them; Lightning's SQL reader hands such literals over as strings.
 */
export function castField(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  column: ColumnInfo,
  session: CastSession,
): Datum {
  if (kind === FieldKind.null) return nullValue(session, column);
  if (kind === FieldKind.default) return defaultValue(session, column);
  const owned = isStringType(column.type.Tp) ? bytes.slice(start, end) : bytes.subarray(start, end);
  const value = castDatum(session, sourceOf(session, kind, owned), column.type, column.name.O);
  return value.kind === "null" ? nullValue(session, column) : value;
}
