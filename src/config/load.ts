import * as v from "valibot";
import { LevinError, nearestOf } from "../base/mod.ts";
import { readToml } from "./document.ts";
import { configKeys, type KeySpec, type KeyType } from "./keys.ts";
import { formatDuration, parseDuration, parseSize } from "./units.ts";

/** Where a value comes from: the default, the file (path), a flag or an environment variable. */
export type Origin = string;

export interface LoadedConfig {
  /** Effective value of `section.key`. Values of type size are bytes, of type duration milliseconds. */
  get(path: string): unknown;
  origin(path: string): Origin;
  /** True when the file, a flag or the environment gave it. */
  isSet(path: string): boolean;
  /** One line each: keys without effect (with the reason), unknown keys (with the nearest known name). */
  notes: string[];
  /** Unknown keys of the file. */
  unknownKeys: string[];
}

const text = v.string();
const whole = v.pipe(v.number(), v.integer());
const tableOfAnything = v.record(v.string(), v.unknown());

/** Valibot schema of each type as TOML gives it; sizes and durations are turned into numbers. */
const typeSchemas: Record<KeyType, v.GenericSchema<unknown, unknown>> = {
  string: text,
  boolean: v.boolean(),
  integer: whole,
  number: v.number(),
  size: v.union([
    v.pipe(whole, v.minValue(0)),
    v.pipe(
      text,
      v.check((t) => parseSize(t) !== undefined, "is not a size such as 256MiB"),
      v.transform((t) => parseSize(t)!),
    ),
  ]),
  duration: v.pipe(
    text,
    v.check((t) => parseDuration(t) !== undefined, "is not a duration such as 5m or 1h30m"),
    v.transform((t) => parseDuration(t)!),
  ),
  strings: v.array(text),
  "string-or-strings": v.union([text, v.array(text)]),
  "string-or-boolean": v.union([text, v.boolean()]),
  "integer-or-table": v.union([whole, tableOfAnything]),
  map: tableOfAnything,
  tables: v.array(tableOfAnything),
};

const wanted: Record<KeyType, string> = {
  string: "a string",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  size: 'a size such as 262144 or "256MiB"',
  duration: 'a duration such as "5m"',
  strings: "a list of strings",
  "string-or-strings": "a string or a list of strings",
  "string-or-boolean": "a string, true or false",
  "integer-or-table": "a whole number or a table",
  map: "a table",
  tables: "a list of tables",
};

/** `section.key` → spec, for all keys. */
export const keysByPath: ReadonlyMap<string, KeySpec> = new Map(
  Object.entries(configKeys).flatMap(([section, keys]) =>
    Object.entries(keys as Record<string, KeySpec>).map(
      ([name, spec]) => [section === "" ? name : `${section}.${name}`, spec] as const,
    ),
  ),
);

function invalid(message: string, fields: Record<string, string>): LevinError {
  return new LevinError("Levin:Config:ErrInvalid", message, { fields });
}

/** Checks one value; throws `Levin:Config:ErrInvalid` naming key, origin and what it must be. */
function checkValue(path: string, spec: KeySpec, value: unknown, origin: Origin): unknown {
  const result = v.safeParse(typeSchemas[spec.type], value);
  if (!result.success) {
    const shown = spec.secret ? "…" : JSON.stringify(value);
    throw invalid(`Cannot use ${path} = ${shown} (${origin}): it must be ${wanted[spec.type]}`, { path, origin });
  }
  if (spec.oneOf !== undefined && !spec.oneOf.includes(String(result.output).toLowerCase())) {
    const names = spec.oneOf.filter((one) => one !== "");
    const choices = names.length === 1 ? names[0] : `one of ${names.join(", ")}`;
    throw invalid(`Cannot use ${path} = ${JSON.stringify(value)} (${origin}): it must be ${choices}`, {
      path,
      origin,
    });
  }
  const [min, max] = spec.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (typeof result.output === "number" && (result.output < min || result.output > max)) {
    throw invalid(`Cannot use ${path} = ${result.output} (${origin}): it must be from ${min} to ${max}`, {
      path,
      origin,
    });
  }
  return result.output;
}

/** A flag's or variable's text as a value of the key's type. */
export function valueFromText(path: string, spec: KeySpec, given: string, origin: Origin): unknown {
  const bad = () =>
    invalid(`Cannot use ${path} = ${spec.secret ? "…" : `"${given}"`} (${origin}): it must be ${wanted[spec.type]}`, {
      path,
      origin,
    });
  switch (spec.type) {
    case "boolean":
      if (/^(true|1|yes|on)$/i.test(given)) return true;
      if (/^(false|0|no|off)$/i.test(given)) return false;
      throw bad();
    case "integer":
    case "integer-or-table":
      if (!/^[+-]?\d+$/.test(given)) throw bad();
      return Number(given);
    case "number":
      if (given.trim() === "" || Number.isNaN(Number(given))) throw bad();
      return Number(given);
    case "strings":
      return given.split(",");
    case "map":
    case "tables":
      throw bad();
    default:
      return given;
  }
}

function nearestKey(path: string): string | undefined {
  return nearestOf(path, keysByPath.keys());
}

function flatten(table: Record<string, unknown>, prefix: string, out: Map<string, unknown>): void {
  for (const [name, value] of Object.entries(table)) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable && !keysByPath.has(path)) flatten(value as Record<string, unknown>, path, out);
    else out.set(path, value);
  }
}

export interface LoadOptions {
  /** What is set in it stands where nothing else is given: a server's own configuration below that of a task. */
  base?: LoadedConfig;
  /** TOML text, or what a document held, and its path. */
  file?: { path: string; text: string } | { path: string; table: Readonly<Record<string, unknown>> };
  /** `section.key` → text, from the command line; flags win over the environment, that over the file. */
  flags?: ReadonlyMap<string, string | readonly string[]>;
  environment?: ReadonlyMap<string, string>;
  /** Unknown keys are an error instead of a note. */
  strict?: boolean;
}

/** Merges defaults, file, environment and flags. Errors: `Levin:Config:ErrInvalid` with file, line and key. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const values = new Map<string, unknown>();
  const origins = new Map<string, Origin>();
  const notes: string[] = [];
  const unknownKeys: string[] = [];

  const put = (path: string, spec: KeySpec, value: unknown, origin: Origin): void => {
    values.set(path, checkValue(path, spec, value, origin));
    origins.set(path, origin);
    if (spec.noEffect !== undefined) notes.push(`${path} (${origin}) has no effect: ${spec.noEffect}`);
  };

  for (const path of options.base === undefined ? [] : keysByPath.keys()) {
    if (!options.base!.isSet(path)) continue;
    values.set(path, options.base!.get(path));
    origins.set(path, options.base!.origin(path));
  }
  if (options.file !== undefined) {
    const { path: file } = options.file;
    const parsed = "table" in options.file ? options.file.table : readToml(file, options.file.text);
    const found = new Map<string, unknown>();
    flatten(parsed, "", found);
    for (const [path, value] of found) {
      const spec = keysByPath.get(path);
      if (spec !== undefined) {
        put(path, spec, value, file);
        continue;
      }
      unknownKeys.push(path);
      const near = nearestKey(path);
      notes.push(`${path} (${file}) is unknown${near === undefined ? "" : `; did you mean ${near}?`}`);
    }
    if (options.strict && unknownKeys.length > 0) {
      throw invalid(`Cannot use "${file}": ${notes.filter((note) => note.includes("is unknown")).join("; ")}`, {
        file,
      });
    }
  }
  for (const [source, given] of [
    ["environment", options.environment],
    ["flag", options.flags],
  ] as const) {
    for (const [path, value] of given ?? []) {
      const spec = keysByPath.get(path);
      if (spec === undefined) throw invalid(`Cannot use ${path} (${source}): no such key`, { path });
      put(path, spec, typeof value === "string" ? valueFromText(path, spec, value, source) : value, source);
    }
  }
  return {
    get: (path) => {
      const spec = keysByPath.get(path);
      if (spec === undefined) throw invalid(`Cannot read ${path}: no such key`, { path });
      return values.has(path) ? values.get(path) : spec.default;
    },
    origin: (path) => origins.get(path) ?? "default",
    isSet: (path) => origins.has(path),
    notes,
    unknownKeys,
  };
}

/** A value as a file has it; secrets hidden. */
function shownValue(spec: KeySpec, value: unknown): unknown {
  if (spec.secret && value !== "") return "******";
  // Keys to a bucket are parameters of its address.
  if (typeof value === "string" && /^[a-z][a-z0-9+.-]*:\/\/[^?]*\?./i.test(value))
    return value.replace(/\?.*$/s, "?******");
  return spec.type === "duration" && typeof value === "number" ? formatDuration(value) : value;
}

/** As TOML, tables in one line. */
function tomlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)} = ${tomlOf(one)}`);
  return `{${entries.join(", ")}}`;
}

/** The effective configuration as the tables of its file, secrets hidden, keys without effect left out. */
export function publicConfig(config: LoadedConfig): Record<string, unknown> {
  const out: Record<string, Record<string, unknown>> = {};
  for (const [path, spec] of keysByPath) {
    if (spec.noEffect !== undefined) continue;
    const value = config.get(path);
    const dot = path.lastIndexOf(".");
    const section = dot < 0 ? "" : path.slice(0, dot);
    out[section] ??= {};
    out[section][path.slice(dot + 1)] = shownValue(spec, value) ?? null;
  }
  const { "": top, ...sections } = out;
  return { ...top, ...sections };
}

/** `--print-config`: each key with its value and origin, secrets hidden, as TOML that can be read again. */
export function printConfig(config: LoadedConfig): string {
  const lines: string[] = [];
  // Keys of no section stand before all sections, as TOML wants it.
  const sections = Object.entries(configKeys).sort(([a], [b]) => Number(a !== "") - Number(b !== ""));
  for (const [section, keys] of sections) {
    const shown = Object.entries(keys as Record<string, KeySpec>).filter(([, spec]) => spec.noEffect === undefined);
    if (shown.length === 0) continue;
    if (section !== "") lines.push(`[${section}]`);
    for (const [name, spec] of shown) {
      const path = section === "" ? name : `${section}.${name}`;
      const value = config.get(path);
      // A key that has no value is there as a comment.
      const given = value === undefined ? `# ${name}` : `${name} = ${tomlOf(shownValue(spec, value))}`;
      lines.push(`${given}  # ${config.origin(path)}`);
    }
    lines.push("");
  }
  return lines.join("\n");
}
