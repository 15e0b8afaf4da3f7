import { parseTableFilter } from "./table-filter.ts";

/** `[[mydumper.ignore-columns]]`: columns of the source that are left out. */
export interface IgnoreColumnsRule {
  readonly database: string;
  readonly table: string;
  /** Table filter rules; used where given, instead of the names. */
  readonly tableFilter: readonly string[];
  readonly columns: readonly string[];
}

/** Lower-case names of the columns of a table that are left out; the first rule that fits decides, as in Lightning. */
export function ignoredColumns(
  rules: readonly IgnoreColumnsRule[],
  database: string,
  table: string,
  caseSensitive = false,
): string[] {
  const fold = (name: string): string => (caseSensitive ? name : name.toLowerCase());
  for (const rule of rules) {
    const fits =
      rule.tableFilter.length > 0
        ? parseTableFilter(rule.tableFilter, { caseSensitive }).matches(database, table)
        : fold(rule.database) === fold(database) && fold(rule.table) === fold(table);
    if (fits) return rule.columns.map((name) => name.toLowerCase());
  }
  return [];
}
