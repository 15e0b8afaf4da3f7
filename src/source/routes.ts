import { configError, goRegExp, wildcardRegExp } from "./name-pattern.ts";

/** `[[routes]]`: names of the source → names in the target. */
export interface RouteRule {
  readonly schemaPattern: string;
  /** Empty: a rule for the whole schema. */
  readonly tablePattern: string;
  readonly targetSchema: string;
  /** Empty: the table keeps its name. */
  readonly targetTable: string;
  readonly extractTable?: Extract;
  readonly extractSchema?: Extract;
  readonly extractSource?: Extract;
}

/** Fills a column of the target from a name; the regular expression's groups, joined, are the value. */
export interface Extract {
  readonly targetColumn: string;
  readonly regexp: string;
}

export interface Routed {
  readonly database: string;
  readonly table: string;
  /** Columns filled from names, in the order table, schema, source. */
  readonly extraColumns: readonly ExtraColumn[];
}

export interface ExtraColumn {
  readonly name: string;
  readonly value: string;
}

export interface Router {
  /** @throws LevinError `Levin:Config:ErrInvalid` where two rules claim the table. */
  route(database: string, table: string): Routed;
  readonly hasExtracts: boolean;
}

const KEY = "routes";

/** Compiles the rules; names match without regard to case unless `caseSensitive`. `sourceId` is mydumper.source-id. */
export function parseRoutes(
  rules: readonly RouteRule[],
  options: { caseSensitive?: boolean; sourceId?: string } = {},
): Router {
  const pattern = (text: string): RegExp => {
    const ignoreCase = !(options.caseSensitive ?? false);
    return text.startsWith("~") ? goRegExp(text.slice(1), KEY, ignoreCase) : wildcardRegExp(text, KEY, ignoreCase);
  };
  const compiled = rules.map((rule) => {
    if (rule.schemaPattern === "") throw configError(KEY, "schema-pattern is missing");
    if (rule.targetSchema === "") throw configError(KEY, `target-schema is missing for "${rule.schemaPattern}"`);
    return {
      rule,
      schema: pattern(rule.schemaPattern),
      table: rule.tablePattern === "" ? undefined : pattern(rule.tablePattern),
      extracts: compileExtracts(rule),
    };
  });
  const hasExtracts = compiled.some(({ extracts }) => extracts.length > 0);
  const pick = (database: string, table: string, level: "table" | "schema"): (typeof compiled)[number] | undefined => {
    const found = compiled.filter(
      ({ schema, table: name }) =>
        schema.test(database) && (level === "table" ? name?.test(table) === true : name === undefined),
    );
    if (found.length > 1) throw configError(KEY, `"${database}.${table}" matches more than one ${level} route`);
    return found[0];
  };
  return {
    hasExtracts,
    route(database, table) {
      const found = pick(database, table, "table") ?? pick(database, table, "schema");
      if (found === undefined) return { database, table, extraColumns: [] };
      const { rule, extracts } = found;
      const names = { table, schema: database, source: options.sourceId ?? "" };
      const extraColumns = extracts.map(({ from, column, regexp }) => ({
        name: column,
        value: (regexp.exec(names[from]) ?? []).slice(1).join(""),
      }));
      const renamed = rule.tablePattern !== "" && rule.targetTable !== "";
      return { database: rule.targetSchema, table: renamed ? rule.targetTable : table, extraColumns };
    },
  };
}

interface CompiledExtract {
  readonly from: "table" | "schema" | "source";
  readonly column: string;
  readonly regexp: RegExp;
}

function compileExtracts(rule: RouteRule): CompiledExtract[] {
  const out: CompiledExtract[] = [];
  for (const [from, extract] of [
    ["table", rule.extractTable],
    ["schema", rule.extractSchema],
    ["source", rule.extractSource],
  ] as const) {
    if (extract === undefined) continue;
    if (extract.targetColumn === "") throw configError(KEY, `extract-${from} has no target-column`);
    out.push({ from, column: extract.targetColumn, regexp: goRegExp(extract.regexp, KEY) });
  }
  return out;
}
