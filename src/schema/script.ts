import { quoteName } from "./sql/expr-print.ts";
import { Lexer, type Token } from "./sql/lexer.ts";
import { syntaxError } from "./sql/sql-error.ts";
import type { SqlMode } from "./sql/sql-mode.ts";

/** What a statement of a script is, by its first words. */
export type StatementClass =
  | "create database"
  | "create table"
  | "create view"
  | "create sequence"
  | "create trigger"
  | "create procedure"
  | "create function"
  | "create event"
  | "create index"
  | "alter"
  | "drop"
  | "set"
  | "use"
  | "insert"
  | "replace"
  | "lock"
  | "unlock"
  | "transaction"
  | "delimiter"
  | "other";

/** A name of a script with its place: `schema` and `name` without quotes, offsets of the whole in the script. */
export interface NamedPlace {
  schema?: string;
  name: string;
  start: number;
  end: number;
}

export interface ScriptStatement {
  class: StatementClass;
  /** The statement without its delimiter, and the comments around it. */
  text: string;
  /** String offsets in the script. */
  start: number;
  end: number;
  /** What CREATE, DROP, ALTER, INSERT or USE names. */
  target?: NamedPlace;
  /** TABLE, VIEW, DATABASE … of CREATE, ALTER and DROP, upper case. */
  object?: string;
  /** IF NOT EXISTS is written. */
  ifNotExists: boolean;
  /** Place for IF NOT EXISTS: behind TABLE, VIEW and so on. */
  afterKind?: number;
}

/**
 * Cuts a script into its statements. Strings, names and comments are respected; `DELIMITER` lines of the mysql client change the
 * mark that ends a statement. A comment that is executed as a whole (such as mysqldump's `SET` lines) is a statement like any
 * other. Throws Levin:Schema:ErrSyntax for a string, name or comment without end.
 */
export function splitScript(sql: string, mode: SqlMode): ScriptStatement[] {
  const statements: ScriptStatement[] = [];
  const lexer = new Lexer(sql, mode);
  let delimiter = ";";
  for (;;) {
    const first = lexer.next();
    if (first.kind === "eof") return statements;
    if (isMark(sql, first.start, delimiter)) {
      lexer.at = first.start + delimiter.length;
      continue;
    }
    if (first.upper === "DELIMITER" && !lexer.inComment) {
      const line = lineEnd(sql, first.end);
      delimiter = sql.slice(first.end, line).trim() || ";";
      lexer.at = line;
      continue;
    }
    statements.push(readStatement(lexer, first, delimiter));
  }
}

function lineEnd(sql: string, from: number): number {
  const end = sql.indexOf("\n", from);
  return end < 0 ? sql.length : end;
}

function isMark(sql: string, at: number, delimiter: string): boolean {
  return sql.startsWith(delimiter, at);
}

/** Tokens that decide what a statement is; the rest of it is only skipped. */
const HEAD_TOKENS = 40;

function readStatement(lexer: Lexer, first: Token, delimiter: string): ScriptStatement {
  const { sql } = lexer;
  const head: Token[] = [];
  let end = first.end;
  let commentOpen = lexer.inComment;
  for (let token = first; ; token = lexer.next()) {
    if (token.kind === "eof") break;
    if (isMark(sql, token.start, delimiter)) {
      lexer.at = token.start + delimiter.length;
      break;
    }
    if (token.kind === "word" && delimiter !== ";") {
      // A delimiter of letters may stand against a word.
      const inside = token.text.indexOf(delimiter);
      if (inside > 0) {
        end = token.start + inside;
        lexer.at = end + delimiter.length;
        break;
      }
    }
    if (head.length < HEAD_TOKENS) head.push(token);
    end = token.end;
    commentOpen = lexer.inComment;
  }
  const start = openedComment(sql, first.start);
  // The end of an executed comment belongs to the statement whose last word is in it.
  if (commentOpen) end = sql.indexOf("*/", end) + 2;
  return { text: sql.slice(start, end), start, end, ...classify(head) };
}

/** Where the executed comment begins that stands against a token. */
function openedComment(sql: string, at: number): number {
  const before = /\/\*(?:!(?:\d{5,6})?|T!(?:\[[^\]]*\])?)\s*$/.exec(sql.slice(Math.max(0, at - 200), at));
  return before ? at - before[0].length : at;
}

interface Head {
  class: StatementClass;
  target?: NamedPlace;
  object?: string;
  ifNotExists: boolean;
  afterKind?: number;
}

const CREATABLE: Record<string, StatementClass> = {
  DATABASE: "create database",
  SCHEMA: "create database",
  TABLE: "create table",
  VIEW: "create view",
  SEQUENCE: "create sequence",
  TRIGGER: "create trigger",
  PROCEDURE: "create procedure",
  FUNCTION: "create function",
  EVENT: "create event",
  INDEX: "create index",
};

const FIRST_WORDS: Record<string, StatementClass> = {
  ALTER: "alter",
  DROP: "drop",
  SET: "set",
  USE: "use",
  INSERT: "insert",
  REPLACE: "replace",
  LOCK: "lock",
  UNLOCK: "unlock",
  BEGIN: "transaction",
  START: "transaction",
  COMMIT: "transaction",
  ROLLBACK: "transaction",
};

function classify(head: readonly Token[]): Head {
  const first = head[0]!.upper;
  if (first === "CREATE") return classifyCreate(head);
  const kind = FIRST_WORDS[first] ?? "other";
  const result: Head = { class: kind, ifNotExists: false };
  let at = 1;
  if (kind === "insert" || kind === "replace") {
    while (["INTO", "IGNORE", "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"].includes(head[at]?.upper ?? "")) at++;
  } else if (kind === "alter" || kind === "drop") {
    while (["TEMPORARY", "GLOBAL", "IGNORE"].includes(head[at]?.upper ?? "")) at++;
    if (!Object.hasOwn(CREATABLE, head[at]?.upper ?? "")) return result;
    result.object = head[at]!.upper;
    at++;
    if (head[at]?.upper === "IF") at += head[at + 1]?.upper === "NOT" ? 3 : 2;
  } else if (kind !== "use") {
    return result;
  }
  const target = nameAt(head, at);
  return target ? { ...result, target } : result;
}

/** The kind may stand behind OR REPLACE, DEFINER and so on. */
function classifyCreate(head: readonly Token[]): Head {
  const at = head.findIndex((token, i) => i > 0 && Object.hasOwn(CREATABLE, token.upper));
  if (at < 0) return { class: "other", ifNotExists: false };
  const kind = head[at]!;
  const ifNotExists = head[at + 1]?.upper === "IF" && head[at + 2]?.upper === "NOT" && head[at + 3]?.upper === "EXISTS";
  const target = nameAt(head, ifNotExists ? at + 4 : at + 1);
  return {
    class: CREATABLE[kind.upper]!,
    object: kind.upper,
    ifNotExists,
    afterKind: kind.end,
    ...(target && { target }),
  };
}

function isName(token: Token | undefined): token is Token {
  return token?.kind === "word" || token?.kind === "quoted" || token?.kind === "charset";
}

function nameAt(head: readonly Token[], at: number): NamedPlace | undefined {
  const first = head[at];
  if (!isName(first)) return undefined;
  const dot = head[at + 1];
  const second = head[at + 2];
  if (dot?.kind === "op" && dot.text === "." && isName(second)) {
    return { schema: first.text, name: second.text, start: first.start, end: second.end };
  }
  return { name: first.text, start: first.start, end: first.end };
}

/**
 * The text of a CREATE TABLE (or DATABASE, VIEW, SEQUENCE) with another target and, for tables, databases and sequences, with IF
 * NOT EXISTS. Only these places change; the rest stays as written. Throws ErrSyntax where the statement names no target.
 */
export function retarget(statement: ScriptStatement, to: { schema?: string; name: string }): string {
  const { text, start, target, afterKind } = statement;
  if (!target) throw syntaxError(text, 0, "the statement names nothing to create");
  const name = (to.schema === undefined ? "" : `${quoteName(to.schema)}.`) + quoteName(to.name);
  const guarded = ["create table", "create database", "create sequence"].includes(statement.class);
  const head = text.slice(0, (afterKind ?? target.start) - start);
  const between = text.slice((afterKind ?? target.start) - start, target.start - start);
  const guard = guarded && !statement.ifNotExists ? " IF NOT EXISTS" : "";
  return head + guard + between + name + text.slice(target.end - start);
}
