import { configError, goRegExp, wildcardRegExp } from "./name-pattern.ts";

/** Which tables are imported. */
export interface TableFilter {
  matches(database: string, table: string): boolean;
}

interface Rule {
  readonly positive: boolean;
  readonly database: RegExp;
  readonly table: RegExp;
}

const KEY = "mydumper.filter";

/** Lightning's default: everything but the system schemas. */
export const defaultFilterRules: readonly string[] = [
  "*.*",
  "!mysql.*",
  "!sys.*",
  "!INFORMATION_SCHEMA.*",
  "!PERFORMANCE_SCHEMA.*",
  "!METRICS_SCHEMA.*",
  "!INSPECTION_SCHEMA.*",
];

/**
 * TiDB's table filter: rules `schema.table` with wildcards, `/regular expressions/` or quoted names; `!` excludes, the last rule
 * that matches decides, and what no rule matches is out. `readFile` gives the lines of `@file` rules.
 * @throws LevinError `Levin:Config:ErrInvalid` naming the rule.
 */
export function parseTableFilter(
  rules: readonly string[],
  options: { caseSensitive?: boolean; readFile?: (path: string) => string } = {},
): TableFilter {
  const ignoreCase = !(options.caseSensitive ?? false);
  const parsed: Rule[] = [];
  for (const rule of rules) {
    if (rule.trim().startsWith("@")) {
      const path = rule.trim().slice(1);
      if (options.readFile === undefined) throw configError(KEY, `"${rule}": files of rules cannot be read here`);
      for (const line of options.readFile(path).split(/\r?\n/)) addRule(parsed, line, ignoreCase);
    } else {
      addRule(parsed, rule, ignoreCase);
    }
  }
  return {
    matches(database, table) {
      for (let k = parsed.length - 1; k >= 0; k--) {
        const rule = parsed[k]!;
        if (rule.database.test(database) && rule.table.test(table)) return rule.positive;
      }
      return false;
    },
  };
}

function addRule(rules: Rule[], line: string, ignoreCase: boolean): void {
  let text = line.trim();
  if (text === "" || text.startsWith("#")) return;
  const positive = !text.startsWith("!");
  if (!positive) text = text.slice(1).trim();
  if (text.startsWith("@")) throw configError(KEY, `"${line}": a file of rules must not name another`);
  const first = readName(text, line, ignoreCase);
  if (text[first.next] !== ".") throw configError(KEY, `"${line}": expected "schema.table"`);
  const second = readName(text.slice(first.next + 1), line, ignoreCase);
  if (first.next + 1 + second.next !== text.length)
    throw configError(KEY, `"${line}": unexpected text behind the table`);
  rules.push({ positive, database: first.pattern, table: second.pattern });
}

/** The name pattern at the begin of the text, and where it ends. */
function readName(text: string, line: string, ignoreCase: boolean): { pattern: RegExp; next: number } {
  const quote = text[0];
  if (quote === "/") {
    const end = closing(text, "/", line);
    return { pattern: goRegExp(text.slice(1, end).replaceAll("\\/", "/"), KEY, ignoreCase), next: end + 1 };
  }
  if (quote === "`" || quote === '"') {
    let end = 1;
    let name = "";
    for (; end < text.length; end++) {
      if (text[end] === quote) {
        if (text[end + 1] !== quote) break;
        end++;
      }
      name += text[end];
    }
    if (end >= text.length) throw configError(KEY, `"${line}": the quoted name has no end`);
    const escaped = name.replace(/[\\*?[\]]/g, "\\$&");
    return { pattern: wildcardRegExp(escaped, KEY, ignoreCase), next: end + 1 };
  }
  let end = 0;
  while (end < text.length && text[end] !== ".") {
    if (text[end] === "[") end = Math.max(end, text.indexOf("]", end + 2));
    end += text[end] === "\\" ? 2 : 1;
  }
  const name = text.slice(0, end);
  if (name === "") throw configError(KEY, `"${line}": expected "schema.table"`);
  if (!/^(?:[\w$*?\u0080-\uffff]|\\.|\[[^\]]+\]|-)+$/u.test(name)) {
    throw configError(KEY, `"${line}": "${name}" must be quoted`);
  }
  return { pattern: wildcardRegExp(name, KEY, ignoreCase), next: end };
}

function closing(text: string, quote: string, line: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote) return at;
  }
  throw configError(KEY, `"${line}": the pattern has no end`);
}

/** `[black-white-list]` of tidb-lightning up to 5.x; names beginning with `~` are regular expressions. */
export interface BlackWhiteList {
  readonly doDbs: readonly string[];
  readonly ignoreDbs: readonly string[];
  readonly doTables: readonly { database: string; table: string }[];
  readonly ignoreTables: readonly { database: string; table: string }[];
}

/** The old filter: "do" lists, where given, must match; otherwise "ignore" lists must not. Databases are looked at first. */
export function blackWhiteFilter(list: BlackWhiteList, caseSensitive = false): TableFilter {
  const key = "black-white-list";
  const pattern = (text: string): RegExp =>
    text.startsWith("~") ? goRegExp(text.slice(1), key, !caseSensitive) : wildcardRegExp(text, key, !caseSensitive);
  const doDbs = list.doDbs.map(pattern);
  const ignoreDbs = list.ignoreDbs.map(pattern);
  const tables = (pairs: BlackWhiteList["doTables"]): Rule[] =>
    pairs.map(({ database, table }) => ({ positive: true, database: pattern(database), table: pattern(table) }));
  const doTables = tables(list.doTables);
  const ignoreTables = tables(list.ignoreTables);
  const anyTable = (rules: Rule[], database: string, table: string): boolean =>
    rules.some((rule) => rule.database.test(database) && rule.table.test(table));
  return {
    matches(database, table) {
      if (doDbs.length > 0) {
        if (!doDbs.some((name) => name.test(database))) return false;
      } else if (ignoreDbs.some((name) => name.test(database))) {
        return false;
      }
      if (doTables.length > 0) return anyTable(doTables, database, table);
      return !anyTable(ignoreTables, database, table);
    },
  };
}
