/**
 * What the statements of a dump have set so far and what decides how later literals read. A chunk that begins inside a file
 * starts from a copy.
 */
export interface SqlSession {
  /** Of USE; what unqualified names stand in. */
  database: string | undefined;
  /** Of SET NAMES or character_set_client, lower case: the charset of the file's bytes; "binary": each column's own. */
  charset: string | undefined;
  /** Of SET TIME_ZONE: what TIMESTAMP values are written in. */
  timeZone: string | undefined;
  /** Of SET sql_mode, upper case. */
  sqlMode: string | undefined;
  noBackslashEscapes: boolean;
  /** Double quotes are identifiers. */
  ansiQuotes: boolean;
  /** Of DELIMITER. */
  delimiter: string;
  /** User variables that hold saved values (`@OLD_SQL_MODE`), by lower-case name. */
  readonly variables: Map<string, string | undefined>;
}

/** All that a scanner must know to begin in the middle of a SQL file. */
export interface SqlContext {
  readonly session: SqlSession;
  /** Behind a row of an INSERT with these columns (undefined: all of the table's); undefined: between statements. */
  readonly insert: { readonly columns: readonly string[] | undefined } | undefined;
  readonly inVersionComment: boolean;
}

/** A session as it is at a file's begin; `sqlMode` is the configured one. */
export function newSqlSession(sqlMode?: string): SqlSession {
  const session: SqlSession = {
    database: undefined,
    charset: undefined,
    timeZone: undefined,
    sqlMode: undefined,
    noBackslashEscapes: false,
    ansiQuotes: false,
    delimiter: ";",
    variables: new Map(),
  };
  if (sqlMode !== undefined) setSqlMode(session, sqlMode);
  return session;
}

export function copySqlSession(session: SqlSession): SqlSession {
  return { ...session, variables: new Map(session.variables) };
}

/** Applies a mode list to how literals read. */
export function setSqlMode(session: SqlSession, value: string | undefined): void {
  session.sqlMode = value?.toUpperCase();
  const modes = (session.sqlMode ?? "").split(",").map((mode) => mode.trim());
  session.noBackslashEscapes = modes.includes("NO_BACKSLASH_ESCAPES");
  session.ansiQuotes = modes.some((mode) => ANSI_MODES.has(mode));
}

/** Modes that include ANSI_QUOTES (MySQL manual, combination SQL modes; the database names are MariaDB's and MySQL 5.7's). */
const ANSI_MODES = new Set(["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"]);
