/** Which field of a source row belongs to which column of the table. */
import { LevinError } from "../base/mod.ts";
import type { TableLayout } from "./layout.ts";

/** The hidden row id's name in column lists. */
export const ROW_ID_COLUMN = "_tidb_rowid";

export interface Binding {
  /** Fields that a row must have. */
  readonly fieldCount: number;
  /** By column offset: index of the field, -1 where the source has none. */
  readonly fieldOf: Int32Array;
  /** Field of `_tidb_rowid`, -1 if none. */
  readonly rowIdField: number;
}

/**
 * Binds the names of a column list or header, in any case and order. `ignored` names (lower case) are skipped as if the source did not
 * have them. Throws `Levin:Source:ErrUnknownColumn`, `Levin:Encode:ErrColumnTwice`.
 */
export function bindNames(layout: TableLayout, names: readonly string[], ignored: ReadonlySet<string>): Binding[] {
  const fieldOf = new Int32Array(layout.columns.length).fill(-1);
  const seen = new Set<string>();
  let rowIdField = -1;
  const unknown: string[] = [];
  names.forEach((name, field) => {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw twice(layout, name);
    seen.add(lower);
    const column = layout.columns.find((c) => c.info.name.L === lower && !c.info.hidden && !c.beingAdded);
    if (ignored.has(lower)) return;
    if (column !== undefined) fieldOf[column.offset] = field;
    else if (lower === ROW_ID_COLUMN && layout.handle.kind === "rowid") rowIdField = field;
    else unknown.push(name);
  });
  if (unknown.length > 0) {
    const message = `Cannot match columns of table "${layout.info.name.O}": it has no column ${unknown.map((n) => `"${n}"`).join(", ")}`;
    throw new LevinError("Levin:Source:ErrUnknownColumn", message, {
      fields: { table: layout.info.name.O, columns: unknown.join(",") },
    });
  }
  return [{ fieldCount: names.length, fieldOf, rowIdField }];
}

function twice(layout: TableLayout, name: string): LevinError {
  const message = `Cannot match columns of table "${layout.info.name.O}": column "${name}" is named twice`;
  return new LevinError("Levin:Encode:ErrColumnTwice", message, {
    fields: { table: layout.info.name.O, column: name },
  });
}

/**
 * Binds rows without a column list, by position. Some dumps hold generated columns and some leave them out, so a row may have either
 * number of fields.
 */
export function bindPositions(layout: TableLayout, ignored: ReadonlySet<string>): Binding[] {
  const visible = layout.columns.filter((c) => !c.info.hidden && !c.beingAdded);
  const bind = (columns: typeof visible): Binding => {
    const fieldOf = new Int32Array(layout.columns.length).fill(-1);
    columns.forEach((column, field) => {
      if (!ignored.has(column.info.name.L)) fieldOf[column.offset] = field;
    });
    return { fieldCount: columns.length, fieldOf, rowIdField: -1 };
  };
  const all = bind(visible);
  const plain = visible.filter((c) => c.generated === "no");
  return plain.length === visible.length ? [all] : [bind(plain), all];
}
