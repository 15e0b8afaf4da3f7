import { utf8 } from "../../../base/mod.ts";
import {
  type ColumnForm,
  type Datum,
  NULL_DATUM,
  packTime,
  parseDecimal,
  type TimeParts,
  TimeZone,
} from "../../../codec/mod.ts";
import { type ColumnInfo, Flag, Tp } from "../../../schema/mod.ts";

/** Parts of `2020-01-02[ 03:04[:05[.678]]]`; undefined for other texts. */
export function parseDateTime(text: string): TimeParts | undefined {
  const match = /^(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?)?$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as number[];
  const micro = Number((match[7] ?? "").padEnd(6, "0"));
  return { year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second!, micro };
}

function parseDuration(text: string): bigint {
  const match = /^(-?)(\d+):(\d{2}):(\d{2})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return 0n;
  const seconds = BigInt(match[2]!) * 3600n + BigInt(match[3]!) * 60n + BigInt(match[4]!);
  const nanos = (seconds * 1000000n + BigInt((match[5] ?? "").padEnd(6, "0") || "0")) * 1000n;
  return match[1] === "-" ? -nanos : nanos;
}

function bitsOf(base64: string): bigint {
  let value = 0n;
  for (const c of atob(base64)) value = (value << 8n) | BigInt(c.charCodeAt(0));
  return value;
}

function elementsMask(text: string, elements: readonly string[]): bigint {
  if (text === "") return 0n;
  return text.split(",").reduce((mask, one) => {
    const at = elements.indexOf(one);
    return at < 0 ? mask : mask | (1n << BigInt(at));
  }, 0n);
}

/**
 * What rows hold that are older than the column (`origin_default`); TiDB keeps it in its canonical text, TIMESTAMP in UTC. Undefined
 * where the text is none of its type.
 */
export function originDefault(column: ColumnInfo, form: ColumnForm, zone: TimeZone): Datum | undefined {
  const { type } = column;
  if (type.Tp === Tp.bit && column.origin_default_bit) return { kind: "bit", value: bitsOf(column.origin_default_bit) };
  if (column.origin_default === null) return NULL_DATUM;
  const text = String(column.origin_default);
  switch (form.kind) {
    case "int":
    case "uint":
      if (!/^-?\d+$/.test(text)) return undefined;
      return { kind: (type.Flag & Flag.unsigned) !== 0 && type.Tp !== Tp.year ? "uint" : "int", value: BigInt(text) };
    case "float": {
      const value = Number(text);
      return { kind: "float", value: type.Tp === Tp.float ? Math.fround(value) : value };
    }
    case "decimal": {
      const value = parseDecimal(text);
      const missing = BigInt(Math.max(0, type.Decimal - (value?.scale ?? 0)));
      return (
        value && {
          kind: "decimal",
          value: { ...value, unscaled: value.unscaled * 10n ** missing, scale: value.scale + Number(missing) },
        }
      );
    }
    case "bytes": {
      const bytes = utf8(text);
      const width = type.Tp === Tp.string && type.Charset === "binary" ? type.Flen : bytes.length;
      const padded = new Uint8Array(Math.max(width, bytes.length));
      padded.set(bytes);
      return { kind: "bytes", value: padded, collation: type.Collate };
    }
    case "time": {
      const parts = parseDateTime(text);
      if (parts === undefined) return undefined;
      const inZone = type.Tp === Tp.timestamp && parts.year !== 0;
      const packed = packTime(inZone ? zone.toLocal(TimeZone.utc.afterGap(parts), parts.micro) : parts);
      return { kind: "time", packed, tp: type.Tp, fsp: Math.max(0, type.Decimal) };
    }
    case "duration":
      return { kind: "duration", nanos: parseDuration(text), fsp: Math.max(0, type.Decimal) };
    case "enum":
      return { kind: "enum", value: BigInt((type.Elems ?? []).indexOf(text) + 1) };
    case "set":
      return { kind: "set", value: elementsMask(text, type.Elems ?? []) };
    default:
      return undefined;
  }
}
