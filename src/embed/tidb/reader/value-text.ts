import {
  type Datum,
  dateText,
  dateTimeText,
  decimalText,
  durationText,
  jsonText,
  unpackTime,
} from "../../../codec/mod.ts";
import { type FieldTypeInfo, Flag, Tp } from "../../../schema/mod.ts";

/** Go's `strconv.FormatFloat(v, 'f', -1, 64)`: the shortest digits that give the number back, never with an exponent. */
function plainFloat(shortest: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(shortest);
  if (match === null) return shortest;
  const [, sign, whole, fraction = "", exponent] = match;
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${"0".repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Shortest digits of a FLOAT, which 32 bits tell apart. */
function shortestFloat32(value: number): string {
  if (Object.is(value, -0)) return "-0";
  for (let precision = 1; precision <= 9; precision++) {
    const text = value.toPrecision(precision);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

/**
 * As TiDB's text protocol writes a column of a table: the shortest digits, with an exponent below 1e-15 and from 1e15 on; the D of (M,D)
 * shows in expressions only (`DumpTextRow` of `pkg/server/internal/column`).
 */
function floatText(value: number, type: FieldTypeInfo): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const shortest = type.Tp === Tp.float ? shortestFloat32(value) : String(value);
  const size = Math.abs(value);
  // The limits are compared in the column's own precision.
  const limit = (value: number) => (type.Tp === Tp.float ? Math.fround(value) : value);
  if (size >= limit(1e-15) && size < limit(1e15)) return plainFloat(shortest);
  // With an exponent a FLOAT shows six digits, a DOUBLE all that it needs.
  const scientific = type.Tp === Tp.float ? value.toExponential(5) : value.toExponential();
  return scientific.replace(/\.?0*e\+?/, "e");
}

export function vectorText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  for (let i = 0; i < view.getUint32(0, true); i++)
    parts.push(plainFloat(shortestFloat32(view.getFloat32(4 + 4 * i, true))));
  return `[${parts.join(",")}]`;
}

/** BIT(n) as ceil(n / 8) bytes, big-endian. */
function bitBytes(value: bigint, width: number): Uint8Array {
  const out = new Uint8Array((Math.max(1, width) + 7) >> 3);
  for (let i = out.length - 1, rest = value; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

function setText(mask: bigint, elements: readonly string[]): string {
  return elements.filter((_, i) => (mask >> BigInt(i)) & 1n).join(",");
}

/** What the text protocol sends for a value of a column; null = NULL. */
export function valueText(datum: Datum, type: FieldTypeInfo): string | Uint8Array | null {
  switch (datum.kind) {
    case "null":
      return null;
    case "int":
    case "uint": {
      const text = datum.value.toString();
      if (type.Tp === Tp.year) return text.padStart(4, "0");
      return (type.Flag & Flag.zerofill) !== 0 && type.Flen > 0 ? text.padStart(type.Flen, "0") : text;
    }
    case "float":
      return floatText(datum.value, type);
    case "decimal":
      return decimalText(datum.value);
    case "bytes":
      return datum.value;
    case "time": {
      const parts = unpackTime(datum.packed);
      return type.Tp === Tp.date ? dateText(parts) : dateTimeText(parts, datum.fsp);
    }
    case "duration":
      return durationText(datum.nanos, datum.fsp);
    case "enum":
      return datum.value === 0n ? "" : (type.Elems?.[Number(datum.value) - 1] ?? "");
    case "set":
      return setText(datum.value, type.Elems ?? []);
    case "bit":
      return bitBytes(datum.value, type.Flen);
    case "json":
      return jsonText(datum.value);
    case "vector":
      return vectorText(datum.value);
  }
}
