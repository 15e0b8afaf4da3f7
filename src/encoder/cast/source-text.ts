/** Values as text, as TiDB's `Datum.ToString` gives it: what string columns get and what messages quote. */
import { textOf } from "../../base/mod.ts";
import { decimalText, durationText, type JsonDoubles, jsonText, vectorText } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { formatFixed } from "./number-format.ts";
import { bitBytes, type CastSource, enumName, setName } from "./source.ts";
import { formatTimeDatum } from "./time-value.ts";

/** `from` is the type that the value has, needed for ENUM, SET, BIT and to tell FLOAT from DOUBLE. */
export function sourceText(source: CastSource, from?: FieldTypeInfo, doubles?: JsonDoubles): string {
  switch (source.kind) {
    case "null":
      return "";
    case "int":
    case "uint":
      return String(source.value);
    case "float":
      return formatFixed(source.value, from?.Tp === Tp.float ? 32 : 64);
    case "decimal":
      return decimalText(source.value);
    case "bytes":
    case "literal":
      return textOf(source.value);
    case "time":
      return formatTimeDatum(source);
    case "duration":
      return durationText(source.nanos, source.fsp);
    case "enum":
      return enumName(source.value, from);
    case "set":
      return setName(source.value, from);
    case "bit":
      return textOf(bitBytes(source.value, from?.Flen ?? 64));
    case "json":
      return jsonText(source.value, doubles);
    case "vector":
      return vectorText(source.value);
  }
}
