import { LevinError } from "../base/mod.ts";
import { quoteName, quoteText, type Tidb } from "../tidb/mod.ts";

export interface LogicalColumn {
  readonly name: string;
  /** Made by the server; statements leave it out. */
  readonly generated: boolean;
  /** Takes bytes that are no text. */
  readonly binary: boolean;
  /** Of whole or of decimal numbers, whose text means the same with and without quotes; not so of years, bits and floats. */
  readonly number: "integer" | "decimal" | undefined;
  /** Of text, lower case; undefined: no text. */
  readonly charset: string | undefined;
}

interface UniqueKey {
  readonly name: string;
  /** Undefined: an expression. */
  readonly columns: readonly (string | undefined)[];
}

/** What statements must know of a table, whatever server holds it. */
export interface LogicalTable {
  readonly database: string;
  readonly table: string;
  /** Visible columns, in their order. */
  readonly columns: readonly LogicalColumn[];
  readonly uniqueKeys: readonly UniqueKey[];
  /** Statements that fail leave nothing, and a connection that is lost takes back what was not committed. */
  readonly transactional: boolean;
}

const BINARY =
  /^(tiny|medium|long)?blob$|binary$|^bit$|^geometry$|^point$|^linestring$|^polygon$|^multi|^geometrycollection$/i;
const INTEGER = /^(tiny|small|medium|big)?int$/i;
const TRANSACTIONAL = new Set(["innodb", "tokudb", "rocksdb", "ndbcluster"]);

/** Reads the tables of one database, by lower-case name, from the standard's catalog, which TiDB, MySQL and MariaDB all have. */
export async function readLogicalTables(tidb: Tidb, database: string): Promise<Map<string, LogicalTable>> {
  const where = `WHERE TABLE_SCHEMA = ${quoteText(database)}`;
  const kinds = await tidb.query(`SELECT TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES ${where}`);
  const columns = await tidb.query(
    `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, EXTRA, CHARACTER_SET_NAME FROM information_schema.COLUMNS ${where} ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  const keys = await tidb.query(
    `SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS ${where} AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
  );
  const columnsOf = Map.groupBy(columns.rows, ([table]) => table);
  const keysOf = Map.groupBy(keys.rows, ([table]) => table);
  const out = new Map<string, LogicalTable>();
  for (const [table, type, engine] of kinds.rows) {
    if (table == null || !/^BASE TABLE$/i.test(type ?? "")) continue;
    out.set(table.toLowerCase(), {
      database,
      table,
      columns: (columnsOf.get(table) ?? []).flatMap((row) => columnOf(row)),
      uniqueKeys: uniqueKeysOf(keysOf.get(table) ?? []),
      transactional: TRANSACTIONAL.has((engine ?? "innodb").toLowerCase()),
    });
  }
  return out;
}

function columnOf([, name, type, extra, charset]: readonly (string | null)[]): LogicalColumn[] {
  if (/\bINVISIBLE\b/i.test(extra ?? "")) return [];
  const generated = /\b(VIRTUAL|STORED|PERSISTENT)\b/i.test(extra ?? "");
  const text = charset === null || charset === undefined || charset === "binary" ? undefined : charset.toLowerCase();
  const number = INTEGER.test(type ?? "") ? "integer" : /^decimal$/i.test(type ?? "") ? "decimal" : undefined;
  return [{ name: name!, generated, binary: BINARY.test(type ?? ""), number, charset: text }];
}

function uniqueKeysOf(rows: readonly (string | null)[][]): UniqueKey[] {
  const byName = new Map<string, (string | undefined)[]>();
  for (const [, name, column] of rows) {
    const columns = byName.get(name!) ?? [];
    byName.set(name!, columns);
    columns.push(column ?? undefined);
  }
  const out = [...byName].map(([name, columns]) => ({ name, columns }));
  const rank = (name: string): number => (name.toUpperCase() === "PRIMARY" ? 0 : 1);
  return out.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** Throws `Levin:Schema:ErrUnknownTable`. */
export function unknownTable(database: string, table: string, file: string): LevinError {
  const name = `${quoteName(database)}.${quoteName(table)}`;
  return new LevinError("Levin:Schema:ErrUnknownTable", `Cannot import "${file}": the target has no table ${name}`, {
    fields: { file, table: `${database}.${table}` },
  });
}
