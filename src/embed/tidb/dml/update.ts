import { toHex } from "../../../base/mod.ts";
import { FieldKind, NULL_DATUM } from "../../../codec/mod.ts";
import { type ColumnInfo, Flag } from "../../../schema/mod.ts";
import type { Scope, Value } from "../query/evaluate.ts";
import { evaluate } from "../query/evaluate.ts";
import { ROW_ID, type StoredRow } from "../reader/mod.ts";
import { isNumeric } from "../session/column-meta.ts";
import type { Pair } from "../store/mod.ts";
import { type ResultValue, SqlError } from "../wire/mod.ts";
import { cellOf } from "./cells.ts";
import { type Cell, cellOfDatum, fieldsOf, textCell } from "./fields.ts";
import { checkParents } from "./foreign-keys.ts";
import type { Assignment } from "./statements.ts";
import type { RowWriter } from "./writer.ts";

export interface BoundAssignment {
  column: ColumnInfo;
  expr: Assignment["expr"];
}

/** The columns behind SET; throws 1054 and 3105. */
export function assignmentsOf(writer: RowWriter, list: readonly Assignment[]): BoundAssignment[] {
  return list.map(({ column: name, expr }) => {
    const column = writer.rows.columns.find((one) => one.name.L === name.toLowerCase());
    if (column === undefined) throw new SqlError(1054, `Unknown column '${name}' in 'field list'`, "42S22");
    if (column.generated_expr_string !== "" && expr.kind !== "default") {
      const table = writer.rows.table.name.O;
      throw new SqlError(
        3105,
        `The value specified for generated column '${column.name.O}' in table '${table}' is not allowed.`,
      );
    }
    return { column, expr };
  });
}

function columnValue(text: ResultValue, column: ColumnInfo): Value {
  return { text, numeric: isNumeric(column), caseless: /_ci$/.test(column.type.Collate) };
}

/** A scope whose columns are those of a row, changed ones first; VALUES(c) is the row that could not be inserted. */
export function rowScope(
  writer: RowWriter,
  base: Scope,
  row: { values: ResultValue[]; rowId: string | null },
  given?: { values: ResultValue[] },
): { scope: Scope; set(column: ColumnInfo, text: ResultValue): void } {
  const values = [...row.values];
  const find = (name: string) => writer.rows.columns.find((one) => one.name.L === name.toLowerCase());
  const scope: Scope = {
    ...base,
    column(name) {
      if (name.toLowerCase() === ROW_ID && writer.rows.hasRowId)
        return { text: row.rowId, numeric: true, caseless: false };
      const column = find(name);
      return column && columnValue(values[column.offset] ?? null, column);
    },
  };
  if (given !== undefined) {
    scope.insertValue = (name) => {
      const column = find(name);
      return column && columnValue(given.values[column.offset] ?? null, column);
    };
  }
  return {
    scope,
    set(column, text) {
      values[column.offset] = text;
    },
  };
}

/** Cells of the assigned columns, by column offset. */
export function assign(
  writer: RowWriter,
  pair: Pair,
  assignments: readonly BoundAssignment[],
  base: Scope,
  given?: { values: ResultValue[] },
): Map<number, Cell> {
  const row = writer.rows.texts(pair);
  const { scope, set } = rowScope(writer, base, row, given);
  const cells = new Map<number, Cell>();
  for (const { column, expr } of assignments) {
    if (column.generated_expr_string !== "") continue;
    const cell = cellOf(expr, scope);
    cells.set(column.offset, cell);
    // Later assignments see the new value, as in MySQL.
    if (cell.kind !== FieldKind.default) set(column, evaluate(expr, scope).text);
  }
  return cells;
}

export interface ChangeMode {
  sqlMode: string;
  rowNumber: number;
  ignore: boolean;
}

/** Values of a stored row with the assigned cells cast as the session says; all others stay exactly what they are. */
function changedRow(writer: RowWriter, pair: Pair, cells: ReadonlyMap<number, Cell>, mode: ChangeMode): StoredRow {
  const { rows } = writer;
  const old = rows.exact(pair);
  const names = rows.writable.map(({ name }) => name.O);
  const source = rows.writable.map(
    (column) => cells.get(column.offset) ?? cellOfDatum(old.values[column.offset] ?? NULL_DATUM, column.type),
  );
  if (rows.hasRowId) {
    names.push(ROW_ID);
    source.push(textCell(String(old.rowId)));
  }
  const cellOfColumn = (name: string) => source[rows.writable.findIndex((one) => one.name.L === name)];
  const mine = (column: string | undefined) =>
    rows.writable.some((one) => one.name.L === column?.toLowerCase() && cells.has(one.offset));
  const encode = (sqlMode: string) => () => {
    const row = rows.encoder(names, sqlMode).encode(fieldsOf(source));
    return { ...row, warnings: row.warnings.filter(({ column }) => mine(column)) };
  };
  const sqlMode = mode.ignore ? mode.sqlMode.replace(/STRICT_[A-Z_]+,?/gi, "") : mode.sqlMode;
  const cast = rows.exact(writer.encode(encode(withZeroIds(sqlMode)), cellOfColumn, mode.rowNumber).record);
  return { ...old, values: old.values.map((datum, i) => (cells.has(i) ? cast.values[i] : datum)) };
}

/** An UPDATE never asks for automatic values. */
const withZeroIds = (mode: string): string => `${mode},NO_AUTO_VALUE_ON_ZERO`.replace(/^,/, "");

/** Puts a changed row in the place of the stored one; false where nothing changed. Throws 1062 where another row is in the way. */
export async function changeRow(
  writer: RowWriter,
  pair: Pair,
  assigned: ReadonlyMap<number, Cell>,
  mode: ChangeMode,
): Promise<boolean> {
  const { rows, context } = writer;
  const cells = new Map(assigned);
  const before = rows.exact(pair);
  let after = changedRow(writer, pair, cells, mode);
  if (rows.same(before, after)) return false;
  const touched = rows.writable.filter(
    ({ type, offset }) => (type.Flag & Flag.onUpdateNow) !== 0 && !assigned.has(offset),
  );
  if (touched.length > 0) {
    for (const column of touched) cells.set(column.offset, textCell(context.now(Math.max(0, column.type.Decimal))));
    after = changedRow(writer, pair, cells, mode);
  }
  const encoded = rows.pairsOf(after);
  const old = rows.pairsOf(before);
  const kept = new Set([pair.key, ...old.index.map(({ key }) => key)].map(toHex));
  const fresh = rows.uniqueKeys(encoded).filter(({ key }) => !kept.has(toHex(key)));
  await writer.lock(fresh.map(({ key }) => key));
  const obstacle = await writer.obstacle(fresh);
  if (obstacle !== undefined) throw rows.duplicate(obstacle.unique, encoded);
  await checkParents(writer, encoded);
  writer.remove(pair);
  writer.add(encoded);
  return true;
}
