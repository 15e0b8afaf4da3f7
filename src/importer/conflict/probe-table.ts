import { Flag, type IndexInfo, type TableInfo } from "../../schema/mod.ts";
import type { WorkerTable } from "../encode/messages.ts";

/**
 * The table with as much as its unique keys need: an encoder of it makes the same record keys and the same keys of unique indexes, and reads
 * no other column. Two rows that share a key of another index share their record's key as well. Undefined where nothing is saved.
 */
export function probeTable(table: WorkerTable): WorkerTable | undefined {
  const { info } = table;
  const unique = (info.index_info ?? []).filter(({ is_unique, is_primary }) => is_unique || is_primary);
  const needed = neededColumns(info, unique);
  const spared = info.cols.filter(({ name }) => !needed.has(name.L));
  if (spared.length === 0 && unique.length === (info.index_info ?? []).length) return undefined;
  const cols = info.cols.map((column) => {
    if (needed.has(column.name.L)) return column;
    const free = column.type.Flag & ~(Flag.notNull | Flag.noDefaultValue | Flag.preventNullInsert);
    const type = { ...column.type, Flag: free };
    return { ...column, type, default: null, default_bit: null, default_is_expr: false };
  });
  return {
    ...table,
    info: { ...info, cols, index_info: unique, constraint_info: null },
    ignored: new Set([...table.ignored, ...spared.map(({ name }) => name.L)]),
  };
}

/** Columns, in lower case, that a record's key, an entry of a unique index or the choice of a partition may depend on. */
function neededColumns(info: TableInfo, unique: readonly IndexInfo[]): Set<string> {
  const needed = new Set<string>();
  for (const { idx_cols } of unique) for (const { name } of idx_cols) needed.add(name.L);
  for (const column of info.cols) {
    const { Flag: flag } = column.type;
    if ((flag & (Flag.priKey | Flag.autoIncrement)) !== 0) needed.add(column.name.L);
    // It is computed from others, whether it is in a key or not.
    if (column.generated_expr_string !== "") needed.add(column.name.L);
  }
  for (const { L } of info.partition?.columns ?? []) needed.add(L);
  // A column that is named in an expression, or whose name is a part of another's.
  const texts = [info.partition?.expr ?? "", ...info.cols.map((column) => column.generated_expr_string)];
  texts.push(...unique.map((index) => index.partial_condition_expr_string ?? ""));
  const text = texts.join("\n").toLowerCase();
  for (const { name } of info.cols) if (text.includes(name.L.replaceAll("`", "``"))) needed.add(name.L);
  return needed;
}
