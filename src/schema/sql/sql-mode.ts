/** The words of `sql_mode` that are set, upper case; combined modes are expanded (MySQL manual, "Server SQL Modes"). */
export type SqlMode = ReadonlySet<string>;

const COMBINED: Record<string, string[]> = {
  ANSI: ["REAL_AS_FLOAT", "PIPES_AS_CONCAT", "ANSI_QUOTES", "IGNORE_SPACE", "ONLY_FULL_GROUP_BY"],
  TRADITIONAL: [
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
  ],
};

/** TiDB's default (`pkg/parser/mysql/const.go`, DefaultSQLMode). */
export const DEFAULT_SQL_MODE =
  "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION";

/** Every word that MySQL, TiDB or MariaDB know as an SQL mode; a mistyped one must not pass for leniency. */
export const SQL_MODES: SqlMode = new Set(
  (
    "ALLOW_INVALID_DATES ANSI ANSI_QUOTES DB2 EMPTY_STRING_IS_NULL ERROR_FOR_DIVISION_BY_ZERO HIGH_NOT_PRECEDENCE IGNORE_BAD_TABLE_OPTIONS " +
    "IGNORE_SPACE MAXDB MSSQL MYSQL323 MYSQL40 NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES NO_DIR_IN_CREATE " +
    "NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE " +
    "ONLY_FULL_GROUP_BY ORACLE PAD_CHAR_TO_FULL_LENGTH PIPES_AS_CONCAT POSTGRESQL REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT " +
    "STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_ROUND_FRACTIONAL TIME_TRUNCATE_FRACTIONAL TRADITIONAL"
  ).split(" "),
);

/** A session asks for its own with each statement. */
const parsed = new Map<string, SqlMode>();
const PARSED_MAX = 64;

/** Reads a comma-separated `sql_mode`; unknown words are kept, as they change nothing here. */
export function parseSqlMode(text: string): SqlMode {
  let mode = parsed.get(text);
  if (mode === undefined) {
    if (parsed.size === PARSED_MAX) parsed.clear();
    mode = wordsOf(text);
    parsed.set(text, mode);
  }
  return mode;
}

function wordsOf(text: string): SqlMode {
  const words = new Set<string>();
  for (const part of text.split(",")) {
    const word = part.trim().toUpperCase();
    if (word === "") continue;
    words.add(word);
    for (const member of COMBINED[word] ?? []) words.add(member);
  }
  return words;
}

/** True under STRICT_TRANS_TABLES or STRICT_ALL_TABLES. */
export function isStrict(mode: SqlMode): boolean {
  return mode.has("STRICT_TRANS_TABLES") || mode.has("STRICT_ALL_TABLES");
}
