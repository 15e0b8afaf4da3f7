import { syntaxError } from "./sql-error.ts";

/** What the skipper needs of a lexer. */
export interface BlankReader {
  readonly sql: string;
  at: number;
  inComment: boolean;
}

/** Features of TiDB whose comments are executed (`pkg/parser/tidb/features.go`); one unknown makes a comment of the whole. */
const FEATURES = new Set([
  "auto_rand",
  "auto_id_cache",
  "auto_rand_base",
  "clustered_index",
  "force_inc",
  "placement",
  "ttl",
  "resource_group",
  "global_index",
  "pre_split",
]);

const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0xfeff || c === 0xa0;

/** Moves behind spaces, comments and the marks of comments that are executed. */
export function skipBlank(reader: BlankReader): void {
  const { sql } = reader;
  while (reader.at < sql.length) {
    const at = reader.at;
    const c = sql.charCodeAt(at);
    if (isSpace(c)) {
      reader.at = at + 1;
    } else if (c === 35 || (c === 45 && isDashComment(sql, at))) {
      const end = sql.indexOf("\n", at);
      reader.at = end < 0 ? sql.length : end + 1;
    } else if (c === 47 && sql.charCodeAt(at + 1) === 42) {
      skipComment(reader);
    } else if (c === 42 && reader.inComment && sql.charCodeAt(at + 1) === 47) {
      reader.inComment = false;
      reader.at = at + 2;
    } else {
      break;
    }
  }
  if (reader.inComment && reader.at >= sql.length) throw syntaxError(sql, sql.length, "a comment has no end");
}

/** `--` begins a comment only before a space, a control character or the end. */
function isDashComment(sql: string, at: number): boolean {
  if (sql.charCodeAt(at + 1) !== 45) return false;
  return at + 2 >= sql.length || sql.charCodeAt(at + 2) <= 32;
}

function skipComment(reader: BlankReader): void {
  const { sql, at } = reader;
  const executed = executedHead(sql, at);
  if (executed !== undefined && !reader.inComment) {
    reader.inComment = true;
    reader.at = executed;
    return;
  }
  const end = sql.indexOf("*/", at + 2);
  if (end < 0) throw syntaxError(sql, at, "a comment has no end");
  reader.at = end + 2;
}

/** Offset behind the head of a comment whose content is executed: `/*!`, `/*!40101`, `/*T!`, `/*T![a,b]`; else undefined. */
function executedHead(sql: string, at: number): number | undefined {
  if (sql.charCodeAt(at + 2) === 33) {
    let end = at + 3;
    while (end < at + 9 && sql.charCodeAt(end) >= 48 && sql.charCodeAt(end) <= 57) end++;
    return end - (at + 3) >= 5 ? end : at + 3;
  }
  if (!sql.startsWith("T!", at + 2)) return undefined;
  if (sql.charCodeAt(at + 4) !== 91) return at + 4;
  const close = sql.indexOf("]", at + 5);
  if (close < 0) return undefined;
  const features = sql.slice(at + 5, close).split(",");
  return features.every((feature) => FEATURES.has(feature.trim())) ? close + 1 : undefined;
}
