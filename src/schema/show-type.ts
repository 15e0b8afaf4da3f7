import { type FieldTypeInfo, Flag, Tp } from "./table-info.ts";

const INTEGERS: Record<number, string> = {
  [Tp.tiny]: "tinyint",
  [Tp.short]: "smallint",
  [Tp.int24]: "mediumint",
  [Tp.long]: "int",
  [Tp.longlong]: "bigint",
};

const BLOBS: Record<number, string> = {
  [Tp.tinyblob]: "tiny",
  [Tp.blob]: "",
  [Tp.mediumblob]: "medium",
  [Tp.longblob]: "long",
};

/**
 * Type of a column as SHOW CREATE TABLE and information_schema write it: `int(11) unsigned`, `enum('a','b')`. Without
 * `integerWidth` only `tinyint(1)` and ZEROFILL integers show theirs (`deprecate-integer-display-length` of TiDB's
 * configuration).
 */
export function typeText(type: FieldTypeInfo, integerWidth = true): string {
  return baseText(type, integerWidth) + signText(type);
}

function baseText(type: FieldTypeInfo, integerWidth: boolean): string {
  const { Tp: tp, Flen: flen, Decimal: decimal, Charset: charset } = type;
  const length = flen === -1 ? "" : `(${flen})`;
  const binary = charset === "binary";
  const integer = INTEGERS[tp];
  if (integer !== undefined) {
    const shown = integerWidth || (tp === Tp.tiny && flen === 1) || (type.Flag & Flag.zerofill) !== 0;
    return shown ? integer + length : integer;
  }
  const blob = BLOBS[tp];
  if (blob !== undefined) return blob + (binary ? "blob" : "text");
  switch (tp) {
    case Tp.float:
    case Tp.double: {
      const name = tp === Tp.float ? "float" : "double";
      return decimal === -1 ? name : `${name}(${flen},${decimal})`;
    }
    case Tp.newdecimal:
      return `decimal(${flen},${decimal})`;
    case Tp.bit:
      return `bit${length}`;
    case Tp.year:
      return `year(${flen === -1 ? 4 : flen})`;
    case Tp.date:
      return "date";
    case Tp.datetime:
      return fraction("datetime", decimal);
    case Tp.timestamp:
      return fraction("timestamp", decimal);
    case Tp.duration:
      return fraction("time", decimal);
    case Tp.string:
      return (binary ? "binary" : "char") + length;
    case Tp.varchar:
    case Tp.varstring:
      return (binary ? "varbinary" : "varchar") + length;
    case Tp.enum:
    case Tp.set:
      return `${tp === Tp.enum ? "enum" : "set"}(${(type.Elems ?? []).map(quoteElem).join(",")})`;
    case Tp.json:
      return "json";
    case Tp.vector:
      return `vector${length}`;
    default:
      return `unknown(${tp})`;
  }
}

function fraction(name: string, decimal: number): string {
  return decimal > 0 ? `${name}(${decimal})` : name;
}

function quoteElem(elem: string): string {
  return `'${elem.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** BIT and YEAR are unsigned by nature and do not say so. */
function signText(type: FieldTypeInfo): string {
  if (type.Tp === Tp.bit || type.Tp === Tp.year) return "";
  const unsigned = type.Flag & Flag.unsigned ? " unsigned" : "";
  return unsigned + (type.Flag & Flag.zerofill ? " zerofill" : "");
}
