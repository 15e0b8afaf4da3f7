import { LevinError } from "../base/mod.ts";
import { type Charset, charsetOf, isUtf16 } from "./charset.ts";
import type { Chunk, TableName } from "./chunk.ts";
import { sourceError } from "./source-error.ts";
import { type FoundStatement, SqlScanner } from "./sql-scanner.ts";
import { copySqlSession, newSqlSession } from "./sql-session.ts";

/**
 * The character set that bytes of a SQL file are in: what its SET NAMES says, else the configured one. `binary` says nothing:
 * mydumper and Dumpling write it over text of any kind. Bytes in a set that levin does not know pass as they are: mysqldump
 * writes views and triggers in that of their makers, and `assertReadable` stops at rows.
 */
export function currentCharset(names: string | undefined, configured: Charset): Charset {
  if (names === undefined || names === "binary" || isUtf16(configured)) return configured;
  return charsetOf(names) ?? "binary";
}

/** @throws LevinError `ErrUnsupported` where rows are in a character set that levin does not know. */
export function assertReadable(names: string | undefined, file: string): void {
  if (names === undefined || charsetOf(names) !== undefined) return;
  throw new LevinError(
    "Levin:Source:ErrUnsupported",
    `Cannot read "${file}": it has rows in ${names}, which levin does not know`,
    { fields: { file, charset: names } },
  );
}

/** A scanner for the rows of one table: INSERTs into another one and statements that change rows are errors. */
export function newDataScanner(
  chunk: Chunk,
  options: { compatLightning?: boolean; sqlMode?: string },
  placeOf: (position: number) => number,
): SqlScanner {
  const { path: file, sql } = chunk;
  const scanner: SqlScanner = new SqlScanner({
    file,
    session: sql === undefined ? newSqlSession(options.sqlMode) : copySqlSession(sql.session),
    context: sql,
    rowsBefore: chunk.rowsBefore,
    compatLightning: options.compatLightning,
    placeOf,
    onInsert: (database, table, at) => {
      assertReadable(scanner.session.charset, file);
      const { insertNames } = chunk;
      if (insertNames === undefined || sameTable(insertNames, { database, table })) return;
      const found = database === undefined ? table : `${database}.${table}`;
      const detail = `its INSERT names the table "${found}", its file name "${insertNames.table}"`;
      throw sourceError("Levin:Source:ErrWrongTable", "import", detail, { file, byte: placeOf(at) });
    },
    onStatement: (statement) => checkStatement(statement, chunk, scanner.rowNumber, placeOf),
  });
  return scanner;
}

/** MySQL's names compare by case or not as the server is set; TiDB's do not. */
export function sameTable(a: TableName, b: TableName): boolean {
  if (a.table.toLowerCase() !== b.table.toLowerCase()) return false;
  return a.database === undefined || b.database === undefined || a.database.toLowerCase() === b.database.toLowerCase();
}

function checkStatement(
  { head, from }: FoundStatement,
  chunk: Chunk,
  rowNumber: number,
  placeOf: (position: number) => number,
): void {
  const name = head.name === undefined ? undefined : { database: head.database, table: head.name };
  const dropsRows = head.kind === "drop-table" && rowNumber > 0 && name !== undefined;
  const own = chunk.insertNames === undefined || (name !== undefined && sameTable(chunk.insertNames, name));
  if (head.kind !== "refused" && !(dropsRows && own)) return;
  const detail = dropsRows ? "it drops or empties the table behind its rows" : "the statement is no row data";
  throw sourceError("Levin:Source:ErrUnsupported", "import statement in", detail, {
    file: chunk.path,
    byte: placeOf(from),
  });
}
