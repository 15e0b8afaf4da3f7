import { type ColumnInfo, type FieldTypeInfo, Flag, type TableInfo, Tp } from "../../../schema/mod.ts";
import type { ResultColumn } from "../wire/mod.ts";

const NUMERIC = new Set<number>([
  Tp.tiny,
  Tp.short,
  Tp.long,
  Tp.float,
  Tp.double,
  Tp.longlong,
  Tp.int24,
  Tp.year,
  Tp.newdecimal,
]);

export const isNumeric = (column: ColumnInfo): boolean => NUMERIC.has(column.type.Tp);

const BINARY = 63;
const UTF8MB4_BIN = 46;

/** As TiDB announces a column (`convertColumnInfo` of `pkg/server`): text goes out as utf8mb4 whatever the column's character set. */
export function wireColumn(db: string, table: TableInfo, column: ColumnInfo): ResultColumn {
  const { type } = column;
  const text = type.Charset !== "binary";
  return {
    name: column.name.O,
    schema: db,
    table: table.name.O,
    type: wireType(type),
    flags: (type.Flag & 0xffff) | (type.Tp === Tp.enum ? Flag.enum : 0) | (type.Tp === Tp.set ? Flag.set : 0),
    length: wireLength(type) * (text ? 4 : 1),
    decimals: wireDecimals(type),
    collation: text ? UTF8MB4_BIN : BINARY,
  };
}

function wireType(type: FieldTypeInfo): number {
  if (type.Tp === Tp.varchar) return Tp.varstring;
  return type.Tp === Tp.enum || type.Tp === Tp.set ? Tp.string : type.Tp;
}

/** DECIMAL counts its point and its sign too. */
function wireLength(type: FieldTypeInfo): number {
  const length = Math.max(0, type.Flen);
  if (type.Tp !== Tp.newdecimal) return length;
  return length + (type.Decimal > 0 ? 1 : 0) + ((type.Flag & Flag.unsigned) === 0 ? 1 : 0);
}

function wireDecimals(type: FieldTypeInfo): number {
  if (type.Decimal >= 0) return type.Decimal;
  return type.Tp === Tp.float || type.Tp === Tp.double ? 31 : 0;
}
