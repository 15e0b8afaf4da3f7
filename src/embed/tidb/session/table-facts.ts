import { recordKey } from "../../../codec/mod.ts";
import { type ColumnInfo, type FieldTypeInfo, Flag, type TableInfo, Tp } from "../../../schema/mod.ts";

export { type ColumnInfo, type FieldTypeInfo, Flag, type TableInfo, Tp } from "../../../schema/mod.ts";

/** Record key of an integer handle; unsigned values above 2^63-1 wrap. */
export function recordKeyFor(physicalId: number, handle: bigint): Uint8Array {
  return recordKey(physicalId, { kind: "int", value: BigInt.asIntN(64, handle) });
}

const INT_NAMES: Record<number, string> = {
  [Tp.tiny]: "tinyint",
  [Tp.short]: "smallint",
  [Tp.int24]: "mediumint",
  [Tp.long]: "int",
  [Tp.longlong]: "bigint",
};

const BLOB_NAMES: Record<number, string> = {
  [Tp.tinyblob]: "tiny",
  [Tp.blob]: "",
  [Tp.mediumblob]: "medium",
  [Tp.longblob]: "long",
};

const PLAIN_NAMES: Record<number, string> = { [Tp.date]: "date", [Tp.year]: "year(4)", [Tp.json]: "json" };

function withFraction(name: string, type: FieldTypeInfo): string {
  return type.Decimal > 0 ? `${name}(${type.Decimal})` : name;
}

/** A column's type as SHOW COLUMNS writes it. */
export function typeText(type: FieldTypeInfo): string {
  const unsigned = (type.Flag & Flag.unsigned) !== 0 ? " unsigned" : "";
  const zerofill = (type.Flag & Flag.zerofill) !== 0 ? " zerofill" : "";
  const binary = type.Charset === "binary";
  const int = INT_NAMES[type.Tp];
  if (int !== undefined) {
    const width = zerofill !== "" || (type.Tp === Tp.tiny && type.Flen === 1) ? `(${type.Flen})` : "";
    return `${int}${width}${unsigned}${zerofill}`;
  }
  const blob = BLOB_NAMES[type.Tp];
  if (blob !== undefined) return `${blob}${binary ? "blob" : "text"}`;
  const plain = PLAIN_NAMES[type.Tp];
  if (plain !== undefined) return plain;
  switch (type.Tp) {
    case Tp.float:
    case Tp.double: {
      const size = type.Decimal >= 0 ? `(${type.Flen},${type.Decimal})` : "";
      return `${type.Tp === Tp.float ? "float" : "double"}${size}${unsigned}${zerofill}`;
    }
    case Tp.newdecimal:
      return `decimal(${type.Flen},${type.Decimal})${unsigned}${zerofill}`;
    case Tp.bit:
      return `bit(${type.Flen})`;
    case Tp.timestamp:
      return withFraction("timestamp", type);
    case Tp.datetime:
      return withFraction("datetime", type);
    case Tp.duration:
      return withFraction("time", type);
    case Tp.enum:
    case Tp.set: {
      const elements = (type.Elems ?? []).map((element) => `'${element.replaceAll("'", "''")}'`).join(",");
      return `${type.Tp === Tp.enum ? "enum" : "set"}(${elements})`;
    }
    case Tp.vector:
      return type.Flen > 0 ? `vector(${type.Flen})` : "vector";
    case Tp.string:
      return `${binary ? "binary" : "char"}(${type.Flen})`;
    default:
      return `${binary ? "varbinary" : "varchar"}(${type.Flen})`;
  }
}

/** PRI, UNI, MUL or nothing, as SHOW COLUMNS says. */
export function keyText(table: TableInfo, column: ColumnInfo): string {
  const flags = column.type.Flag;
  if ((flags & Flag.priKey) !== 0) return "PRI";
  if ((flags & Flag.uniqueKey) !== 0) return "UNI";
  const first = (table.index_info ?? []).some((index) => index.idx_cols[0]?.offset === column.offset);
  return first || (flags & Flag.multipleKey) !== 0 ? "MUL" : "";
}

export function extraText(column: ColumnInfo, table: TableInfo): string {
  if (column.generated_expr_string !== "") return column.generated_stored ? "STORED GENERATED" : "VIRTUAL GENERATED";
  if ((column.type.Flag & Flag.autoIncrement) !== 0) return "auto_increment";
  if (table.auto_random_bits > 0 && (column.type.Flag & Flag.priKey) !== 0) return "";
  const parts: string[] = [];
  if (column.default_is_expr) parts.push("DEFAULT_GENERATED");
  if ((column.type.Flag & Flag.onUpdateNow) !== 0) {
    const fraction = column.type.Decimal > 0 ? `(${column.type.Decimal})` : "";
    parts.push(`DEFAULT_GENERATED on update CURRENT_TIMESTAMP${fraction}`);
  }
  return parts.join(" ");
}

export function defaultText(column: ColumnInfo): string | null {
  if (column.default === null) return null;
  return String(column.default);
}
