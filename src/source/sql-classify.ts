import type { SqlToken } from "./sql-statement.ts";

/**
 * What a statement of a dump is for an importer.
 * - `set`, `use`: change how the rest reads.
 * - `create-*`, `alter-table`, `set-sequence` (SELECT or DO SETVAL): schema.
 * - `drop-table`: DROP or TRUNCATE TABLE; harmless before the table's rows, wrong behind them.
 * - `routine`: triggers, procedures, functions, events: TiDB has none of them, or not those.
 * - `frame`: locks, transactions, key switches, DROP and the like, which an import does in its own way.
 * - `refused`: would change data in a way that an importer does not follow.
 */
export type SqlStatementKind =
  | "empty"
  | "set"
  | "use"
  | "create-database"
  | "create-table"
  | "create-view"
  | "create-sequence"
  | "create-index"
  | "set-sequence"
  | "alter-table"
  | "drop-table"
  | "routine"
  | "frame"
  | "refused";

export interface SqlStatementHead {
  readonly kind: SqlStatementKind;
  /** What the statement makes or changes, where it has a name. */
  readonly database?: string;
  readonly name?: string;
}

const FRAME = new Set(
  (
    "lock unlock begin start commit rollback drop flush analyze optimize check repair grant revoke xa savepoint release " +
    "reset kill do show select change stop purge prepare execute deallocate"
  ).split(" "),
);

/** Reads the head of a statement that is neither INSERT nor REPLACE nor DELIMITER. */
export function classify(tokens: readonly SqlToken[]): SqlStatementHead {
  const first = word(tokens[0]);
  if (tokens.length === 0) return { kind: "empty" };
  if (first === "set") return { kind: "set" };
  if (first === "use") return { kind: "use", database: tokens[1]?.text ?? "" };
  if (first === "create") return classifyCreate(tokens);
  if (first === "alter") return classifyAlter(tokens);
  if ((first === "select" || first === "do") && word(tokens[1]) === "setval") {
    return { kind: "set-sequence", ...nameAt(tokens, 3) };
  }
  if (first === "truncate") return { kind: "drop-table", ...nameAt(tokens, word(tokens[1]) === "table" ? 2 : 1) };
  if (first === "drop" && word(tokens[1]) === "table") return { kind: "drop-table", ...nameAt(tokens, 2) };
  return { kind: first !== undefined && FRAME.has(first) ? "frame" : "refused" };
}

function classifyCreate(tokens: readonly SqlToken[]): SqlStatementHead {
  for (let at = 1; at < tokens.length; at++) {
    switch (word(tokens[at])) {
      case "database":
      case "schema":
        return { kind: "create-database", database: nameAt(tokens, at + 1).name ?? "" };
      case "table":
        return { kind: "create-table", ...nameAt(tokens, at + 1) };
      case "view":
        return { kind: "create-view", ...nameAt(tokens, at + 1) };
      case "sequence":
        return { kind: "create-sequence", ...nameAt(tokens, at + 1) };
      case "index": {
        const on = tokens.findIndex((token, k) => k > at && word(token) === "on");
        return { kind: "create-index", ...nameAt(tokens, on + 1) };
      }
      case "trigger":
      case "procedure":
      case "function":
      case "event":
      case "package":
        return { kind: "routine", ...nameAt(tokens, at + 1) };
      case "user":
      case "role":
      case "server":
      case "tablespace":
        return { kind: "frame" };
      default:
    }
  }
  return { kind: "refused" };
}

/** `ALTER TABLE t DISABLE KEYS` and `ALTER DATABASE` around routines are frame; any other ALTER TABLE is schema. */
function classifyAlter(tokens: readonly SqlToken[]): SqlStatementHead {
  if (word(tokens[1]) !== "table") return { kind: word(tokens[1]) === "database" ? "frame" : "refused" };
  const keys = word(tokens.at(-1)) === "keys" && ["enable", "disable"].includes(word(tokens.at(-2)) ?? "");
  return keys ? { kind: "frame" } : { kind: "alter-table", ...nameAt(tokens, 2) };
}

/** The possibly qualified name at `at`, after IF NOT EXISTS. */
function nameAt(tokens: readonly SqlToken[], at: number): { database?: string; name?: string } {
  let k = at;
  if (word(tokens[k]) === "if") k += word(tokens[k + 1]) === "not" ? 3 : 2;
  const first = tokens[k]?.text;
  if (first === undefined) return {};
  if (tokens[k + 1]?.text === "." && tokens[k + 2] !== undefined) return { database: first, name: tokens[k + 2]!.text };
  return { name: first };
}

function word(token: SqlToken | undefined): string | undefined {
  return token?.kind === "word" ? token.text.toLowerCase() : undefined;
}
