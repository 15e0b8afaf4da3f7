import { TimeZone } from "../../../codec/mod.ts";
import { type ColumnInfo, Flag, type TableInfo } from "../../../schema/mod.ts";
import type { Scope } from "../query/evaluate.ts";
import type { Relation, RelationColumn } from "../query/select.ts";
import { ROW_ID, TableReader, valueText } from "../reader/mod.ts";
import type { ReadView } from "../store/mod.ts";
import type { ResultValue } from "../wire/mod.ts";
import { isNumeric, wireColumn } from "./column-meta.ts";
import type { Front } from "./front.ts";
import { pointKeys } from "./point-keys.ts";

export interface TableSource {
  db: string;
  table: TableInfo;
  timeZone: string;
  view: ReadView;
}

function relationColumn(db: string, table: TableInfo, column: ColumnInfo): RelationColumn {
  return {
    name: column.name.O,
    numeric: isNumeric(column),
    caseless: /_ci$/.test(column.type.Collate),
    result: wireColumn(db, table, column),
  };
}

const rowIdColumn = (db: string, table: string): RelationColumn => ({
  name: ROW_ID,
  numeric: true,
  caseless: false,
  result: { name: ROW_ID, type: 8, schema: db, table, collation: 63, length: 20, flags: 3 },
});

/** Columns by which the records of a table come sorted, when their order as values is that of the keys. */
function keyOrder(table: TableInfo): string[] {
  if (table.partition?.enable) return [];
  if (table.pk_is_handle) {
    const column = table.cols.find(({ type }) => (type.Flag & Flag.priKey) !== 0);
    return column === undefined || (column.type.Flag & Flag.unsigned) !== 0 ? [] : [column.name.L];
  }
  if (!table.is_common_handle) return [ROW_ID];
  return [];
}

/** A stored table as rows: decoded from its pairs. */
export function tableRelation(front: Front, source: TableSource, scope: Scope): Relation {
  const { db, table, view } = source;
  const zone = TimeZone.find(source.timeZone) ?? TimeZone.utc;
  const reader = new TableReader(table, front.newCollations, zone, front.evaluateVirtual);
  const shown = reader.columns.filter((column) => !column.hidden);
  const columns = shown.map((column) => relationColumn(db, table, column));
  const hasRowId = !table.pk_is_handle && !table.is_common_handle;
  if (hasRowId) columns.push(rowIdColumn(db, table.name.O));
  const texts = (key: Uint8Array, value: Uint8Array): ResultValue[] => {
    const row = reader.decode(key, value);
    const out: ResultValue[] = shown.map((column) => {
      const datum = row.values[column.offset];
      return datum === undefined ? null : valueText(datum, column.type);
    });
    if (hasRowId) out.push(String(row.rowId));
    return out;
  };
  return {
    columns,
    visible: shown.length,
    sortedBy: keyOrder(table),
    async *rows(where) {
      const points = await pointKeys(view, table, where, scope, front.newCollations);
      if (points !== undefined) {
        for (const key of points) {
          const value = await view.get(key);
          if (value !== undefined) yield texts(key, value);
        }
        return;
      }
      for (const id of reader.physicalIds) {
        const { start, end } = reader.recordRange(id);
        for await (const batch of view.scan(start, end)) {
          for (const { key, value } of batch) yield texts(key, value);
        }
      }
    },
  };
}
