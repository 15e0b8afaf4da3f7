import { type SqlSession, setSqlMode } from "./sql-session.ts";
import type { SqlToken } from "./sql-statement.ts";

/**
 * Applies a SET statement (its tokens with SET first) to the session. Gives undefined, or what of it cannot be understood
 * although it decides how the dump reads.
 */
export function applySet(session: SqlSession, tokens: readonly SqlToken[]): string | undefined {
  let at = 1;
  while (at < tokens.length) {
    const stop = assignmentEnd(tokens, at);
    const problem = assign(session, tokens.slice(at, stop));
    if (problem !== undefined) return problem;
    at = stop + 1;
  }
  return undefined;
}

/** Index of the comma that ends the assignment at `at`, or of the end. */
function assignmentEnd(tokens: readonly SqlToken[], at: number): number {
  let depth = 0;
  for (let k = at; k < tokens.length; k++) {
    const token = tokens[k]!;
    if (token.kind !== "symbol") continue;
    if (token.text === "(") depth++;
    else if (token.text === ")") depth--;
    else if (token.text === "," && depth === 0) return k;
  }
  return tokens.length;
}

function assign(session: SqlSession, tokens: readonly SqlToken[]): string | undefined {
  const names = word(tokens[0]) === "names";
  if (names || word(tokens[0]) === "charset" || (word(tokens[0]) === "character" && word(tokens[1]) === "set")) {
    const charset = tokens[word(tokens[0]) === "character" ? 2 : 1];
    if (charset === undefined || charset.kind === "symbol") return "SET NAMES without a character set";
    session.charset = charset.text.toLowerCase() === "default" ? undefined : charset.text.toLowerCase();
    return undefined;
  }
  const { name, user, rest } = target(tokens);
  if (name === undefined) return undefined;
  const value = evaluate(session, rest);
  if (user) {
    session.variables.set(name, value?.text);
    return undefined;
  }
  if (!TRACKED.has(name)) return undefined;
  if (value === undefined) return `the value of ${name}`;
  if (name === "sql_mode") setSqlMode(session, value.text);
  else if (name === "time_zone") session.timeZone = value.text;
  else session.charset = value.text?.toLowerCase();
  return undefined;
}

const TRACKED = new Set(["sql_mode", "time_zone", "character_set_client"]);

/** The variable that an assignment sets, and the tokens of its value. Scope words and `@@` do not matter here. */
function target(tokens: readonly SqlToken[]): { name?: string; user: boolean; rest: readonly SqlToken[] } {
  const equals = tokens.findIndex((token) => token.kind === "symbol" && token.text === "=");
  if (equals < 1) return { user: false, rest: [] };
  const left = tokens.slice(0, equals).filter((token) => token.text !== ":");
  const user = left[0]?.text === "@" && left[1]?.text !== "@";
  return { name: left.at(-1)!.text.toLowerCase(), user, rest: tokens.slice(equals + 1) };
}

/** Value of a constant, a variable or CONCAT of those; undefined: not understood. `text` undefined: not set by the dump. */
function evaluate(session: SqlSession, tokens: readonly SqlToken[]): { text: string | undefined } | undefined {
  const first = tokens[0];
  if (first === undefined) return undefined;
  if (word(first) === "concat" && tokens[1]?.text === "(" && tokens.at(-1)?.text === ")") {
    return concat(session, tokens.slice(2, -1));
  }
  if (first.text === "@" && first.kind === "symbol") {
    const name = tokens.at(-1)!.text.toLowerCase();
    if (tokens[1]?.text !== "@") return { text: session.variables.get(name) };
    return { text: systemValue(session, name) };
  }
  if (tokens.length > 1 && first.kind !== "symbol") return undefined;
  if (word(first) === "default") return { text: undefined };
  return { text: tokens.map((token) => token.text).join("") };
}

function concat(session: SqlSession, tokens: readonly SqlToken[]): { text: string | undefined } | undefined {
  let text = "";
  let at = 0;
  while (at < tokens.length) {
    const stop = assignmentEnd(tokens, at);
    const part = evaluate(session, tokens.slice(at, stop));
    if (part === undefined) return undefined;
    text += part.text ?? "";
    at = stop + 1;
  }
  return { text };
}

function systemValue(session: SqlSession, name: string): string | undefined {
  if (name === "sql_mode") return session.sqlMode;
  if (name === "time_zone") return session.timeZone;
  return name.startsWith("character_set") ? session.charset : undefined;
}

function word(token: SqlToken | undefined): string | undefined {
  return token?.kind === "word" ? token.text.toLowerCase() : undefined;
}
