import { readFileSync } from "node:fs";
import { LevinError, systemWords } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import {
  type BlackWhiteList,
  blackWhiteFilter,
  type Charset,
  type CsvDialect,
  defaultCsvDialect,
  type FileRule,
  type IgnoreColumnsRule,
  type LoadSourceOptions,
  parseRoutes,
  parseTableFilter,
  type RouteRule,
  requireCharset,
  type TableFilter,
  type TableSettings,
} from "../source/mod.ts";

type Table = Readonly<Record<string, unknown>>;

/** The configuration asks for Lightning's behaviour. */
export function isCompat(config: LoadedConfig): boolean {
  return config.get("levin.compat") === "lightning";
}

function invalid(path: string, detail: string): LevinError {
  return new LevinError("Levin:Config:ErrInvalid", `Cannot use ${path}: ${detail}`, { fields: { path } });
}

/** A string of a table in a list; "" where it is absent. Unknown names are refused, so that a slip is not a rule that never fits. */
function reader(path: string, table: Table, known: readonly string[]) {
  for (const name of Object.keys(table)) {
    if (!known.includes(name)) throw invalid(path, `"${name}" is not one of ${known.join(", ")}`);
  }
  return {
    text(name: string): string {
      const value = table[name] ?? "";
      if (typeof value !== "string") throw invalid(`${path}.${name}`, "it must be a string");
      return value;
    },
    texts(name: string): string[] {
      const value = table[name] ?? [];
      if (!Array.isArray(value) || value.some((one) => typeof one !== "string"))
        throw invalid(`${path}.${name}`, "it must be a list of strings");
      return value as string[];
    },
    table(name: string): Table | undefined {
      const value = table[name];
      if (value === undefined) return undefined;
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw invalid(`${path}.${name}`, "it must be a table");
      return value as Table;
    },
  };
}

const tables = (config: LoadedConfig, path: string): Table[] => config.get(path) as Table[];

/** NULL markers; without any, an empty field is NULL, as in Lightning. */
function nullList(value: unknown, notNull: boolean): readonly string[] {
  const list = Array.isArray(value) ? (value as string[]) : [value as string];
  return list.length === 0 && !notNull ? [""] : list;
}

export function csvDialect(config: LoadedConfig): CsvDialect {
  const get = (name: string) => config.get(`mydumper.csv.${name}`);
  const text = (name: string) => get(name) as string;
  const escapes = get("backslash-escape") === false && get("escaped-by") === "\\" ? "" : text("escaped-by");
  const quotedNull = config.isSet("mydumper.csv.quoted-null-is-text")
    ? (get("quoted-null-is-text") as boolean)
    : !isCompat(config);
  return {
    separator: text("separator"),
    delimiter: text("delimiter"),
    terminator: text("terminator"),
    escapedBy: escapes,
    nulls: nullList(get("null"), get("not-null") as boolean),
    notNull: get("not-null") as boolean,
    header: get("header") as boolean,
    headerSchemaMatch: get("header-schema-match") as boolean,
    trimLastSeparator: get("trim-last-separator") as boolean,
    startingBy: text("lines-starting-by"),
    skipLines: get("skip-lines") as number,
    blankLines: text("blank-lines") as CsvDialect["blankLines"],
    quotedNullIsText: quotedNull,
    unescapedQuote: get("unescaped-quote") as boolean,
    binaryFormat: text("binary-format") as CsvDialect["binaryFormat"],
  };
}

/** Keys of a table's own `csv` and the fields of the dialect that they set. */
const DIALECT_KEYS: Readonly<Record<string, keyof CsvDialect>> = {
  separator: "separator",
  delimiter: "delimiter",
  terminator: "terminator",
  "escaped-by": "escapedBy",
  null: "nulls",
  "not-null": "notNull",
  header: "header",
  "header-schema-match": "headerSchemaMatch",
  "trim-last-separator": "trimLastSeparator",
  "lines-starting-by": "startingBy",
  "skip-lines": "skipLines",
  "blank-lines": "blankLines",
  "quoted-null-is-text": "quotedNullIsText",
  "unescaped-quote": "unescapedQuote",
  "binary-format": "binaryFormat",
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  "blank-lines": ["auto", "skip", "row"],
  "binary-format": ["raw", "hex", "base64"],
};

/** The part of a dialect that a table has of its own. */
function partialDialect(path: string, csv: Table): Partial<CsvDialect> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(csv)) {
    const field = DIALECT_KEYS[name];
    if (field === undefined) throw invalid(path, `"${name}" is not one of ${Object.keys(DIALECT_KEYS).join(", ")}`);
    const strings = Array.isArray(value) && value.every((one) => typeof one === "string");
    const fits =
      field === "nulls" ? typeof value === "string" || strings : typeof value === typeof defaultCsvDialect[field];
    if (!fits || (CHOICES[name] !== undefined && !CHOICES[name].includes(value as string)))
      throw invalid(`${path}.${name}`, `${JSON.stringify(value)} is not a value for it`);
    out[field] = field === "nulls" ? nullList(value, false) : value;
  }
  return out;
}

function tableSettings(config: LoadedConfig, caseSensitive: boolean): TableSettings[] {
  const path = "mydumper.tables";
  return tables(config, path).map((table) => {
    const read = reader(path, table, ["filter", "data-character-set", "csv"]);
    const filter = read.texts("filter");
    if (filter.length === 0) throw invalid(path, "filter is missing");
    const charset = read.text("data-character-set");
    const csv = read.table("csv");
    return {
      tables: parseTableFilter(filter, { caseSensitive, readFile }),
      ...(charset === "" ? {} : { charset: requireCharset(charset, `${path}.data-character-set`) }),
      ...(csv === undefined ? {} : { dialect: partialDialect(`${path}.csv`, csv) }),
    };
  });
}

function fileRules(config: LoadedConfig): FileRule[] {
  const names = ["pattern", "path", "schema", "table", "type", "key", "compression"] as const;
  return tables(config, "mydumper.files").map((rule) => {
    const read = reader("mydumper.files", rule, names);
    return Object.fromEntries(names.map((name) => [name, read.text(name)])) as unknown as FileRule;
  });
}

function routeRules(config: LoadedConfig): RouteRule[] {
  const names = ["schema-pattern", "table-pattern", "target-schema", "target-table"];
  const extracts = ["extract-table", "extract-schema", "extract-source"];
  return tables(config, "routes").map((rule) => {
    const read = reader("routes", rule, [...names, ...extracts]);
    const extract = (name: string) => {
      const table = read.table(name);
      if (table === undefined) return {};
      const { text } = reader(`routes.${name}`, table, ["target-column", `${name.slice(8)}-regexp`, "regexp"]);
      const key = name.replace(/-./g, (two) => two[1]!.toUpperCase());
      const regexp = text(`${name.slice(8)}-regexp`) || text("regexp");
      return { [key]: { targetColumn: text("target-column"), regexp } };
    };
    return {
      schemaPattern: read.text("schema-pattern"),
      tablePattern: read.text("table-pattern"),
      targetSchema: read.text("target-schema"),
      targetTable: read.text("target-table"),
      ...extract("extract-table"),
      ...extract("extract-schema"),
      ...extract("extract-source"),
    };
  });
}

/** Both spellings, one list. */
export function ignoreRules(config: LoadedConfig): IgnoreColumnsRule[] {
  return ["mydumper.ignore-columns", "mydumper.ignore-data-columns"].flatMap((path) =>
    tables(config, path).map((rule) => {
      const { text, texts } = reader(path, rule, ["db", "table", "table-filter", "columns"]);
      return {
        database: text("db"),
        table: text("table"),
        tableFilter: texts("table-filter"),
        columns: texts("columns"),
      };
    }),
  );
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const message = `Cannot read "${path}", which mydumper.filter names: ${systemWords(error)}`;
    throw new LevinError("Levin:Config:ErrUnreadable", message, { cause: error, fields: { file: path } });
  }
}

function tableFilter(config: LoadedConfig, caseSensitive: boolean): TableFilter | undefined {
  const pairs = (path: string): BlackWhiteList["doTables"] =>
    tables(config, path).map((one) => {
      const { text } = reader(path, one, ["db-name", "tbl-name"]);
      return { database: text("db-name"), table: text("tbl-name") };
    });
  const old = ["do-dbs", "ignore-dbs", "do-tables", "ignore-tables"].some((name) =>
    config.isSet(`black-white-list.${name}`),
  );
  const rules = config.get("mydumper.filter") as string[];
  if (old && rules.length > 0) throw invalid("black-white-list", "mydumper.filter is given too; keep one of them");
  if (old) {
    const list = {
      doDbs: config.get("black-white-list.do-dbs") as string[],
      ignoreDbs: config.get("black-white-list.ignore-dbs") as string[],
      doTables: pairs("black-white-list.do-tables"),
      ignoreTables: pairs("black-white-list.ignore-tables"),
    };
    return blackWhiteFilter(list, caseSensitive);
  }
  return rules.length === 0 ? undefined : parseTableFilter(rules, { caseSensitive, readFile });
}

/** `db.table`, either part in backticks where it has a dot. */
export function parseTableName(given: string): {
  database: string;
  table: string;
} {
  const parts = /^(?:`((?:[^`]|``)+)`|([^.`]+))\.(?:`((?:[^`]|``)+)`|([^`]+))$/.exec(given);
  if (parts === null)
    throw new LevinError("Levin:Command:ErrUsage", `Cannot use --table ${given}: it must be DB.TABLE`);
  const name = (quoted: string | undefined, plain: string | undefined) => quoted?.replaceAll("``", "`") ?? plain!;
  return {
    database: name(parts[1], parts[2]),
    table: name(parts[3], parts[4]),
  };
}

function dataCharset(config: LoadedConfig): Charset {
  const path = "mydumper.data-character-set";
  if (!config.isSet(path) && isCompat(config)) return "binary";
  return requireCharset(config.get(path) as string, path);
}

/** What stands in for invalid bytes; nothing, unless it was asked for. */
export function invalidReplacement(config: LoadedConfig): string | undefined {
  const path = "mydumper.data-invalid-char-replace";
  return config.isSet(path) ? (config.get(path) as string) : undefined;
}

/** Rules, filter, routes and character sets of the source. */
export function loadOptions(config: LoadedConfig): LoadSourceOptions {
  const caseSensitive = config.get("mydumper.case-sensitive") as boolean;
  const rules = fileRules(config);
  const filter = tableFilter(config, caseSensitive);
  const schema = config.get("mydumper.character-set") as string;
  const replacement = invalidReplacement(config);
  const defaults = config.get("mydumper.default-file-rules");
  const table = config.get("levin.table") as string;
  const database = config.get("levin.database") as string;
  return {
    ...(rules.length === 0 ? {} : { rules }),
    ...(typeof defaults === "boolean" ? { defaultRules: defaults } : {}),
    ...(filter === undefined ? {} : { filter }),
    routes: parseRoutes(routeRules(config), {
      caseSensitive,
      sourceId: config.get("mydumper.source-id") as string,
    }),
    dataCharset: dataCharset(config),
    schemaCharset: /^auto$/i.test(schema) || schema === "" ? "auto" : requireCharset(schema, "mydumper.character-set"),
    tableSettings: tableSettings(config, caseSensitive),
    compatLightning: isCompat(config),
    allowUnfinished: config.get("levin.allow-unfinished-dump") === true || isCompat(config),
    ...(replacement === undefined ? {} : { invalidReplacement: replacement }),
    ...(table === "" ? {} : { table: parseTableName(table) }),
    ...(database === "" ? {} : { database }),
  };
}
