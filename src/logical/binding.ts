import { LevinError, utf8 } from "../base/mod.ts";
import type { ExtraColumn } from "../source/mod.ts";
import { quoteName } from "../tidb/mod.ts";
import type { LogicalColumn, LogicalTable } from "./table.ts";

/** One value of the rows of a statement. */
export interface Slot {
  readonly name: string;
  /** Field of the source row; -1 where `text` is. */
  readonly field: number;
  /** A value that is in no row: the same for all rows of a file. */
  readonly text: Uint8Array | undefined;
  readonly binary: boolean;
  readonly number: LogicalColumn["number"];
}

/** How the rows that follow become a statement. */
export interface RowBinding {
  readonly slots: readonly Slot[];
  /** Fields that a row must have. */
  readonly fieldCount: number;
  /** ``INTO `db`.`table` (`a`,…) VALUES`` */
  readonly head: string;
}

/** TiDB's hidden row id; it is a column of statements under `tidb_opt_write_row_id`. */
const ROW_ID = "_tidb_rowid";

/**
 * Binds source fields to columns: by names of a header or column list, or by position, with or without generated columns. Generated
 * columns and `ignored` ones (lower case) are left out. Throws `Levin:Source:ErrUnknownColumn`, `Levin:Encode:ErrColumnTwice`.
 */
export function bindRow(
  table: LogicalTable,
  names: readonly string[] | undefined,
  count: number,
  more: { extras: readonly ExtraColumn[]; ignored: ReadonlySet<string> },
): RowBinding {
  const { extras, ignored } = more;
  const byName = new Map(table.columns.map((column) => [column.name.toLowerCase(), column]));
  const own = new Set(extras.map(({ name }) => name.toLowerCase()));
  const inFile = table.columns.filter((column) => !own.has(column.name.toLowerCase()));
  const plain = inFile.filter((column) => !column.generated);
  const fields = names ?? (count === inFile.length ? inFile : plain).map((column) => column.name);
  const seen = new Set<string>();
  const unknown: string[] = [];
  const slots: Slot[] = [];
  const add = (name: string, field: number, text: Uint8Array | undefined): void => {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw twice(table, name);
    seen.add(lower);
    const column: LogicalColumn | undefined = byName.get(lower);
    if (ignored.has(lower) || column?.generated) return;
    if (column === undefined && lower !== ROW_ID) unknown.push(name);
    else
      slots.push({
        name: column?.name ?? ROW_ID,
        field,
        text,
        binary: column?.binary ?? false,
        number: column?.number,
      });
  };
  fields.forEach((name, field) => {
    add(name, field, undefined);
  });
  for (const { name, value } of extras) add(name, -1, utf8(value));
  if (unknown.length > 0) throw unknownColumns(table, unknown);
  const list = slots.map(({ name }) => quoteName(name)).join(",");
  const head = `INTO ${quoteName(table.database)}.${quoteName(table.table)} (${list}) VALUES`;
  return { slots, fieldCount: fields.length, head };
}

function twice({ table }: LogicalTable, column: string): LevinError {
  const message = `Cannot match columns of table "${table}": column "${column}" is named twice`;
  return new LevinError("Levin:Encode:ErrColumnTwice", message, {
    fields: { table, column },
  });
}

function unknownColumns({ table }: LogicalTable, unknown: readonly string[]): LevinError {
  const list = unknown.map((name) => `"${name}"`).join(", ");
  const message = `Cannot match columns of table "${table}": it has no column ${list}`;
  return new LevinError("Levin:Source:ErrUnknownColumn", message, {
    fields: { table, columns: unknown.join(",") },
  });
}
