import { type ColumnInfo, Flag, type TableInfo, Tp, typeText } from "../../../schema/mod.ts";

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

/** The default as SHOW COLUMNS gives it. */
export function defaultText(column: ColumnInfo): string | null {
  if (column.type.Tp === Tp.bit && column.default_bit !== null && column.default_bit !== "") {
    let bits = "";
    for (const c of atob(column.default_bit)) bits += c.charCodeAt(0).toString(2).padStart(8, "0");
    return `b'${bits.replace(/^0+(?=.)/, "")}'`;
  }
  if (column.default === null) return null;
  const text = String(column.default);
  if (/^current_timestamp/i.test(text) && column.type.Decimal > 0) return `CURRENT_TIMESTAMP(${column.type.Decimal})`;
  return text;
}

const TEXTS = new Set<number>([
  Tp.varchar,
  Tp.varstring,
  Tp.string,
  Tp.tinyblob,
  Tp.blob,
  Tp.mediumblob,
  Tp.longblob,
  Tp.enum,
  Tp.set,
]);
const NUMBERS = new Set<number>([
  Tp.tiny,
  Tp.short,
  Tp.int24,
  Tp.long,
  Tp.longlong,
  Tp.float,
  Tp.double,
  Tp.newdecimal,
  Tp.bit,
]);
const CHAR_BYTES: Record<string, number> = { utf8mb4: 4, utf8: 3, utf8mb3: 3, gbk: 2 };

/** What information_schema.columns says of a column beside its name and place. */
export function columnFacts(column: ColumnInfo, table: TableInfo): Record<string, string | null> {
  const { type } = column;
  const shown = typeText(type, false);
  const text = TEXTS.has(type.Tp);
  const number = NUMBERS.has(type.Tp);
  const charset = text && type.Charset !== "binary" ? type.Charset : null;
  const inexact = type.Tp === Tp.float || type.Tp === Tp.double;
  const clock = type.Tp === Tp.datetime || type.Tp === Tp.timestamp || type.Tp === Tp.duration;
  return {
    COLUMN_DEFAULT: defaultText(column),
    IS_NULLABLE: (type.Flag & Flag.notNull) !== 0 ? "NO" : "YES",
    DATA_TYPE: /^[a-z]+/.exec(shown)![0],
    CHARACTER_MAXIMUM_LENGTH: text ? String(type.Flen) : null,
    CHARACTER_OCTET_LENGTH: text ? String(type.Flen * (charset === null ? 1 : (CHAR_BYTES[charset] ?? 1))) : null,
    NUMERIC_PRECISION: number ? String(type.Flen) : null,
    NUMERIC_SCALE: number && !(inexact && type.Decimal < 0) ? String(Math.max(0, type.Decimal)) : null,
    DATETIME_PRECISION: clock ? String(Math.max(0, type.Decimal)) : null,
    CHARACTER_SET_NAME: charset,
    COLLATION_NAME: charset === null ? null : type.Collate,
    COLUMN_TYPE: shown,
    COLUMN_KEY: keyText(table, column),
    EXTRA: extraText(column, table),
    PRIVILEGES: "select,insert,update,references",
    COLUMN_COMMENT: column.comment,
    GENERATION_EXPRESSION: column.generated_expr_string,
  };
}
