/**
 * One datum in its three stored forms: comparable (keys), flagged (row format 1) and bare (row format 2). Sources:
 * `pkg/util/codec/codec.go`, `pkg/util/rowcodec`, `flatten` of `pkg/tablecodec`.
 */
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { appendSortKey, rawCollation } from "./collation.ts";
import type { ColumnForm } from "./column-form.ts";
import {
  decodeBytes,
  decodeCompactBytes,
  decodeFloat,
  decodeInt,
  decodeUint,
  decodeUvarint,
  decodeVarint,
  encodeBytes,
  encodeCompactBytes,
  encodeFloat,
  encodeInt,
  encodeUint,
  encodeUvarint,
  encodeVarint,
} from "./comparable.ts";
import { type Datum, NULL_DATUM } from "./datum.ts";
import { decodeDecimal, encodeDecimal } from "./decimal.ts";
import { checkJson, jsonLength } from "./json-binary.ts";
import { packTime, unpackTime } from "./time.ts";
import { TimeZone } from "./time-zone.ts";

/** First byte of a flagged datum. */
export const DatumFlag = {
  null: 0x00,
  bytes: 0x01,
  compactBytes: 0x02,
  int: 0x03,
  uint: 0x04,
  float: 0x05,
  decimal: 0x06,
  duration: 0x07,
  varint: 0x08,
  uvarint: 0x09,
  json: 0x0a,
  vector: 0x14,
  max: 0xfa,
} as const;

const TIMESTAMP = 7;
const sortKey = new ByteWriter();

/** Packed value as stored: TIMESTAMP in UTC, everything else as it is. */
function storedTime(packed: bigint, tp: number, zone: TimeZone): bigint {
  if (tp !== TIMESTAMP || zone.fixedOffset === 0 || packed === 0n) return packed;
  const parts = unpackTime(packed);
  return packTime(TimeZone.utc.toLocal(zone.afterGap(parts), parts.micro));
}

/** The inverse of `storedTime`. */
function sessionTime(stored: bigint, tp: number, zone: TimeZone): bigint {
  if (tp !== TIMESTAMP || zone.fixedOffset === 0 || stored === 0n) return stored;
  const parts = unpackTime(stored);
  return packTime(zone.toLocal(TimeZone.utc.afterGap(parts), parts.micro));
}

/** Comparable form with its flag. Throws CollationError for text that TiDB cannot sort. */
export function encodeKeyDatum(out: ByteWriter, d: Datum, form: ColumnForm): void {
  switch (d.kind) {
    case "null":
      out.u8(DatumFlag.null);
      return;
    case "int":
      out.u8(DatumFlag.int);
      encodeInt(out, d.value);
      return;
    case "uint":
    case "enum":
    case "set":
    case "bit":
      out.u8(DatumFlag.uint);
      encodeUint(out, d.value);
      return;
    case "time":
      out.u8(DatumFlag.uint);
      encodeUint(out, storedTime(d.packed, d.tp, form.zone));
      return;
    case "duration":
      out.u8(DatumFlag.duration);
      encodeInt(out, d.nanos);
      return;
    case "float":
      out.u8(DatumFlag.float);
      encodeFloat(out, d.value);
      return;
    case "decimal":
      out.u8(DatumFlag.decimal);
      encodeDecimal(out, d.value, form.precision, form.scale);
      return;
    case "bytes":
      out.u8(DatumFlag.bytes);
      sortKey.clear();
      appendSortKey(sortKey, form.collation ?? rawCollation, d.value, 0, d.value.length);
      encodeBytes(out, sortKey.bytes, 0, sortKey.length);
      return;
    case "json":
      out.u8(DatumFlag.json);
      out.append(d.value);
      return;
    case "vector":
      out.u8(DatumFlag.vector);
      out.append(d.value);
      return;
  }
}

/** Flagged form of row format 1: dates, ENUM, SET and BIT as unsigned varints, TIME as a signed one. */
export function encodeValueDatum(out: ByteWriter, d: Datum, form: ColumnForm): void {
  switch (d.kind) {
    case "int":
      out.u8(DatumFlag.varint);
      encodeVarint(out, d.value);
      return;
    case "duration":
      out.u8(DatumFlag.varint);
      encodeVarint(out, d.nanos);
      return;
    case "uint":
    case "enum":
    case "set":
    case "bit":
      out.u8(DatumFlag.uvarint);
      encodeUvarint(out, d.value);
      return;
    case "time":
      out.u8(DatumFlag.uvarint);
      encodeUvarint(out, storedTime(d.packed, d.tp, form.zone));
      return;
    case "bytes":
      out.u8(DatumFlag.compactBytes);
      encodeCompactBytes(out, d.value);
      return;
    default:
      encodeKeyDatum(out, d, form);
      return;
  }
}

/** Bare form of row format 2. NULL has none. */
export function encodeRowDatum(out: ByteWriter, d: Datum, form: ColumnForm): void {
  switch (d.kind) {
    case "null":
      throw corrupt("NULL has no bytes in a row");
    case "int":
      shortestInt(out, d.value);
      return;
    case "duration":
      shortestInt(out, d.nanos);
      return;
    case "uint":
    case "enum":
    case "set":
    case "bit":
      shortestUint(out, d.value);
      return;
    case "time":
      shortestUint(out, storedTime(d.packed, d.tp, form.zone));
      return;
    case "float":
      encodeFloat(out, d.value);
      return;
    case "decimal":
      encodeDecimal(out, d.value, form.precision, form.scale);
      return;
    case "bytes":
    case "json":
    case "vector":
      out.append(d.value);
      return;
  }
}

function shortestInt(out: ByteWriter, value: bigint): void {
  if (value >= -0x80n && value < 0x80n) out.u8(Number(value & 0xffn));
  else if (value >= -0x8000n && value < 0x8000n) out.u16le(Number(value & 0xffffn));
  else if (value >= -0x80000000n && value < 0x80000000n) out.u32le(Number(value & 0xffffffffn));
  else out.u64le(value);
}

function shortestUint(out: ByteWriter, value: bigint): void {
  if (value < 0x100n) out.u8(Number(value));
  else if (value < 0x10000n) out.u16le(Number(value));
  else if (value < 0x100000000n) out.u32le(Number(value));
  else out.u64le(value);
}

function readShortest(bytes: Uint8Array, signed: boolean): bigint {
  if (![1, 2, 4, 8].includes(bytes.length)) throw corrupt(`an integer of ${bytes.length} bytes`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return signed ? BigInt.asIntN(8 * bytes.length, value) : value;
}

/** Reads the bare form of row format 2. */
export function decodeRowDatum(bytes: Uint8Array, form: ColumnForm): Datum {
  switch (form.kind) {
    case "int":
      return { kind: "int", value: readShortest(bytes, true) };
    case "duration":
      return { kind: "duration", nanos: readShortest(bytes, true), fsp: form.fsp };
    case "uint":
    case "enum":
    case "set":
    case "bit":
      return { kind: form.kind, value: readShortest(bytes, false) };
    case "time":
      return timeDatum(readShortest(bytes, false), form);
    case "float":
      return { kind: "float", value: decodeFloat(new ByteReader(bytes)) };
    case "decimal":
      return { kind: "decimal", value: decodeDecimal(new ByteReader(bytes)) };
    case "bytes":
      return { kind: "bytes", value: bytes, collation: form.collationName };
    case "json":
      checkJson(bytes);
      return { kind: "json", value: bytes };
    case "vector":
      return { kind: "vector", value: bytes };
  }
}

function timeDatum(stored: bigint, form: ColumnForm): Datum {
  return { kind: "time", packed: sessionTime(stored, form.tp, form.zone), tp: form.tp, fsp: form.fsp };
}

/**
 * Reads a flagged datum, comparable or not. A string comes back as its sort key, which is the string itself only for `rawCollation`
 * and, but for blanks at the end, for bytewise collations.
 */
export function decodeFlaggedDatum(input: ByteReader, form: ColumnForm): Datum {
  const flag = input.u8();
  switch (flag) {
    case DatumFlag.null:
      return NULL_DATUM;
    case DatumFlag.int:
      return fromInt(decodeInt(input), form);
    case DatumFlag.varint:
      return fromInt(decodeVarint(input), form);
    case DatumFlag.uint:
      return fromInt(decodeUint(input), form);
    case DatumFlag.uvarint:
      return fromInt(decodeUvarint(input), form);
    case DatumFlag.duration:
      return { kind: "duration", nanos: decodeInt(input), fsp: form.fsp };
    case DatumFlag.float:
      return { kind: "float", value: decodeFloat(input) };
    case DatumFlag.decimal:
      return { kind: "decimal", value: decodeDecimal(input) };
    case DatumFlag.bytes:
      return { kind: "bytes", value: decodeBytes(input), collation: form.collationName };
    case DatumFlag.compactBytes:
      return { kind: "bytes", value: decodeCompactBytes(input), collation: form.collationName };
    case DatumFlag.json:
      return { kind: "json", value: takeJson(input) };
    case DatumFlag.vector: {
      const size = 4 + 4 * new ByteReader(input.bytes, input.at, input.end).u32le();
      return { kind: "vector", value: input.take(size) };
    }
    default:
      throw corrupt(`datum flag ${flag}`);
  }
}

function fromInt(value: bigint, form: ColumnForm): Datum {
  switch (form.kind) {
    case "uint":
    case "enum":
    case "set":
    case "bit":
      return { kind: form.kind, value: BigInt.asUintN(64, value) };
    case "time":
      return timeDatum(value, form);
    case "duration":
      return { kind: "duration", nanos: value, fsp: form.fsp };
    default:
      return { kind: "int", value };
  }
}

/** A document inside a flagged list has no length of its own but what its type says. */
function takeJson(input: ByteReader): Uint8Array {
  const size = jsonLength(new ByteReader(input.bytes, input.at, input.end));
  return input.take(size);
}
