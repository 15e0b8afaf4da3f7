import { TimeZone } from "../../../codec/mod.ts";
import type { Relation, RelationColumn } from "../query/select.ts";
import { ROW_ID, TableReader, valueText } from "../reader/mod.ts";
import type { ResultColumn, ResultValue } from "../wire/mod.ts";
import type { Front } from "./front.ts";
import { type ColumnInfo, Flag, recordKeyFor, type TableInfo, Tp } from "./table-facts.ts";

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

const COLLATION_IDS: Record<string, number> = {
  binary: 63,
  ascii_bin: 65,
  latin1_bin: 47,
  utf8_bin: 83,
  utf8_general_ci: 33,
  utf8_unicode_ci: 192,
};

/** Text goes out as utf8mb4 whatever the column's character set. */
function wireColumn(db: string, table: TableInfo, column: ColumnInfo): ResultColumn {
  const { type } = column;
  const binary = type.Charset === "binary";
  return {
    name: column.name.O,
    schema: db,
    table: table.name.O,
    type: type.Tp === Tp.varchar ? Tp.varstring : type.Tp === Tp.enum || type.Tp === Tp.set ? Tp.string : type.Tp,
    flags: (type.Flag & 0xffff) | (type.Tp === Tp.enum ? Flag.enum : 0) | (type.Tp === Tp.set ? Flag.set : 0),
    length: Math.max(0, type.Flen) * (binary ? 1 : 4),
    decimals: type.Decimal < 0 ? 31 : type.Decimal,
    collation: binary ? (COLLATION_IDS["binary"] as number) : 46,
  };
}

/** A stored table as rows: decoded from its pairs at one timestamp. */
export function tableRelation(front: Front, db: string, table: TableInfo, timeZone: string): Relation {
  const zone = TimeZone.find(timeZone === "SYSTEM" ? "UTC" : timeZone) ?? TimeZone.utc;
  const reader = new TableReader(table, front.newCollations, zone);
  const shown = reader.columns.filter((column) => !column.hidden);
  const columns: RelationColumn[] = shown.map((column) => ({
    name: column.name.O,
    numeric: NUMERIC.has(column.type.Tp),
    caseless: /_ci$/.test(column.type.Collate),
    result: wireColumn(db, table, column),
  }));
  const hasRowId = !table.pk_is_handle && !table.is_common_handle;
  if (hasRowId) {
    columns.push({
      name: ROW_ID,
      numeric: true,
      caseless: false,
      result: { name: ROW_ID, type: 8, schema: db, table: table.name.O },
    });
  }
  const texts = (key: Uint8Array, value: Uint8Array): ResultValue[] => {
    const row = reader.decode(key, value);
    const out: ResultValue[] = shown.map((column) => {
      const datum = row.values[column.offset];
      return datum === undefined ? null : valueText(datum, column.type);
    });
    if (hasRowId) out.push(String(row.rowId));
    return out;
  };
  const handleColumn = table.pk_is_handle
    ? table.cols.find((column) => (column.type.Flag & Flag.priKey) !== 0)
    : undefined;
  const partitions = reader.physicalIds;
  return {
    columns,
    visible: shown.length,
    sortedBy:
      handleColumn !== undefined && partitions.length === 1 && (handleColumn.type.Flag & Flag.unsigned) === 0
        ? [handleColumn.name.L]
        : [],
    async *rows(equal) {
      const ts = await front.storage.currentTs();
      const point = handleColumn === undefined ? undefined : equal.get(handleColumn.name.L);
      if (point !== undefined && typeof point.text === "string" && /^-?\d{1,20}$/.test(point.text)) {
        for (const id of partitions) {
          const key = recordKeyFor(id, BigInt(point.text));
          const value = await front.storage.get(key, ts);
          if (value !== undefined) yield texts(key, value);
        }
        return;
      }
      for (const id of partitions) {
        const { start, end } = reader.recordRange(id);
        for await (const batch of front.storage.scan(start, end, ts)) {
          for (const { key, value } of batch) yield texts(key, value);
        }
      }
    },
  };
}

/** A relation of texts that the server makes up. */
export function madeUp(names: string[], rows: ResultValue[][], numeric: readonly string[] = []): Relation {
  return {
    columns: names.map((name) => ({
      name,
      numeric: numeric.includes(name),
      caseless: true,
      result: { name, type: numeric.includes(name) ? 8 : 253 },
    })),
    visible: names.length,
    sortedBy: [],
    rows: () => rows,
  };
}
