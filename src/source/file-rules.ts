import { type Compression, type DataFormat, stripCompression } from "./file-name.ts";
import { configError, goRegExp } from "./name-pattern.ts";

/** `[[mydumper.files]]`: a pattern (Go regular expression) or a path, and what the files are. Templates take `$1`, `${name}`, `$$`. */
export interface FileRule {
  readonly pattern: string;
  readonly path: string;
  readonly schema: string;
  readonly table: string;
  readonly type: string;
  readonly key: string;
  readonly compression: string;
}

/** What a custom rule says about a path. */
export interface RuleMatch {
  readonly type: RuleType;
  readonly database: string;
  readonly table: string;
  readonly sortKey: string;
  readonly compression: Compression;
}

export type RuleType = "database-schema" | "table-schema" | "view-schema" | "ignore" | DataFormat;

const TYPES: Readonly<Record<string, RuleType>> = {
  "schema-schema": "database-schema",
  "table-schema": "table-schema",
  "view-schema": "view-schema",
  sql: "sql",
  csv: "csv",
  ignore: "ignore",
};

const COMPRESSION_NAMES: Readonly<Record<string, Compression>> = {
  "": "none",
  none: "none",
  gz: "gzip",
  gzip: "gzip",
  zst: "zstd",
  zstd: "zstd",
  snappy: "snappy",
  lz4: "lz4",
  xz: "xz",
};

const KEY = "mydumper.files";

/** A compiled rule: what it says about a path, undefined where it does not match. */
export type CompiledRule = (path: string) => RuleMatch | undefined;

/**
 * Checks and compiles a rule.
 * @throws LevinError `Levin:Config:ErrInvalid`: both or none of pattern and path, no type, schema or table, an unknown type,
 * a template that names no group.
 */
export function compileFileRule(rule: FileRule): CompiledRule {
  if ((rule.pattern === "") === (rule.path === "")) throw configError(KEY, "a rule needs either pattern or path");
  const where = rule.pattern || rule.path;
  if (rule.type === "") throw configError(KEY, `the rule for "${where}" has no type`);
  const ignore = rule.type === "ignore";
  if (!ignore && rule.schema === "") throw configError(KEY, `the rule for "${where}" has no schema`);
  if (!ignore && rule.table === "" && rule.type !== "schema-schema") {
    throw configError(KEY, `the rule for "${where}" has no table`);
  }
  const regexp = rule.pattern === "" ? undefined : goRegExp(rule.pattern, KEY);
  for (const template of [rule.schema, rule.table, rule.type, rule.key, rule.compression]) {
    checkTemplate(template, regexp, where);
  }
  return (path) => {
    const groups = regexp === undefined ? (path === rule.path ? [path] : null) : regexp.exec(path);
    if (groups === null) return undefined;
    const fill = (template: string): string => expand(template, groups);
    const name = fill(rule.type).toLowerCase();
    const type = TYPES[name];
    if (type === undefined) throw configError(KEY, `"${name}" is no type that levin reads (for "${path}")`);
    return {
      type,
      database: fill(rule.schema),
      table: fill(rule.table),
      sortKey: fill(rule.key),
      compression: compressionOf(rule, fill, path),
    };
  };
}

/** Without a template the name's suffix tells. */
function compressionOf(rule: FileRule, fill: (template: string) => string, path: string): Compression {
  if (rule.compression === "") return stripCompression(path.slice(path.lastIndexOf("/") + 1)).compression;
  const name = fill(rule.compression).toLowerCase();
  const compression = COMPRESSION_NAMES[name];
  if (compression === undefined) throw configError(KEY, `"${name}" is no known compression (for "${path}")`);
  return compression;
}

const VARIABLE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

function expand(template: string, groups: RegExpExecArray | string[]): string {
  return template.replace(VARIABLE, (all: string, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) return all.slice(1);
    return (/^\d+$/.test(name) ? groups[Number(name)] : ("groups" in groups ? groups.groups : undefined)?.[name]) ?? "";
  });
}

function checkTemplate(template: string, regexp: RegExp | undefined, where: string): void {
  const probe = new RegExp(`${regexp?.source ?? ""}|`, regexp?.flags).exec("")!;
  for (const [, bare, braced] of template.matchAll(VARIABLE)) {
    const name = bare ?? braced;
    if (name === undefined) continue;
    const known = /^\d+$/.test(name) ? Number(name) < probe.length : name in (probe.groups ?? {});
    if (!known) throw configError(KEY, `"$${name}" is no group of "${where}"`);
  }
}
