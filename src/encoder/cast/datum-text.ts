/** Values as SELECT shows them. */
import { textOf, utf8 } from "../../base/mod.ts";
import { type Datum, decimalText, durationText, jsonText, unpackTime, vectorText } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { formatFloat } from "./number-format.ts";
import { bitBytes, enumName, fspOf, setName } from "./source.ts";
import { formatTimeDatum, timeDatum } from "./time-value.ts";

/** The bytes that SELECT sends for a column of that type; null for NULL. TIMESTAMP as in the datum, in the session's zone. */
export function datumToBytes(datum: Datum, type: FieldTypeInfo): Uint8Array | null {
  if (datum.kind === "null") return null;
  if (datum.kind === "bytes") return datum.value;
  if (datum.kind === "bit") return bitBytes(datum.value, type.Flen);
  return utf8(printed(datum, type));
}

/** As `datumToBytes`, as text; bytes that are not UTF-8 become U+FFFD. */
export function datumToText(datum: Datum, type: FieldTypeInfo): string | null {
  const bytes = datumToBytes(datum, type);
  return bytes === null ? null : textOf(bytes);
}

function printed(datum: Exclude<Datum, { kind: "null" | "bytes" | "bit" }>, type: FieldTypeInfo): string {
  switch (datum.kind) {
    case "int":
    case "uint":
      return type.Tp === Tp.year ? String(datum.value).padStart(4, "0") : String(datum.value);
    case "float":
      // A stored zero has no sign.
      return formatFloat(datum.value === 0 ? 0 : datum.value, type.Tp === Tp.float ? 32 : 64);
    case "decimal":
      return decimalText(datum.value);
    case "time":
      return formatTimeDatum(timeDatum(unpackTime(datum.packed), datum.tp, fspOf(type)));
    case "duration":
      return durationText(datum.nanos, fspOf(type));
    case "enum":
      return enumName(datum.value, type);
    case "set":
      return setName(datum.value, type);
    case "json":
      return jsonText(datum.value);
    case "vector":
      return vectorText(datum.value);
  }
}
