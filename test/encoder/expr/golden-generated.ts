/** The golden generated columns: each case is a table with columns a, b, c, d and g AS (expression). */
import { toHex, utf8 } from "../../../src/base/mod.ts";
import {
  ByteWriter,
  columnForm,
  type Datum,
  encodeRowDatum,
  FieldKind,
  NULL_DATUM,
  TimeZone,
} from "../../../src/codec/mod.ts";
import { CastError, CastSession, castField, datumToBytes } from "../../../src/encoder/cast/mod.ts";
import { tableExpressions } from "../../../src/encoder/expr/mod.ts";
import { Catalog, DEFAULT_SQL_MODE, parseSqlMode, type TableInfo } from "../../../src/schema/mod.ts";
import { readJsonLines } from "../../codec/golden-file.ts";

export interface Fault {
  code: number;
  message: string;
}

export interface GeneratedCase {
  expr: string;
  columns: string[];
  type: string;
  mode?: "default" | "strict" | "both";
  in?: { kind: "string" | "null" | "uint"; text?: string }[];
  out?: { text: string | null; textIsHex?: boolean; rowHex: string | null };
  error?: Fault;
  notAllowed?: Fault;
}

export const MODES = {
  default: "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER",
  strict: "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO",
};

const NOW = Date.UTC(2025, 1, 6);

export function generatedCases(): GeneratedCase[] {
  return readJsonLines<GeneratedCase>("misc/generated.jsonl.gz");
}

/** The table of one CREATE TABLE statement. */
export function tableOf(sql: string, timeZone = "UTC"): TableInfo {
  let id = 1;
  const catalog = new Catalog(() => id++);
  const session = {
    sqlMode: parseSqlMode(DEFAULT_SQL_MODE),
    timeZone,
    database: "d",
    newCollation: true,
    clusteredIndex: "on" as const,
    nowMs: NOW,
  };
  catalog.execute("create database d", session);
  return catalog.execute(sql, session).changes[0]!.after!;
}

export function tableSql(c: GeneratedCase): string {
  const columns = c.columns.map((type, i) => `${"abcd"[i]} ${type}`);
  return `create table t (${columns.join(", ")}, g ${c.type} as (${c.expr}) stored)`;
}

export function sessionOf(mode: keyof typeof MODES, timeZone = "UTC"): { session: CastSession; warnings: number[] } {
  const warnings: number[] = [];
  const warn = (code: number) => warnings.push(code);
  return {
    session: new CastSession({ sqlMode: MODES[mode], timeZone, newCollations: true, nowMs: NOW, warn }),
    warnings,
  };
}

const kinds = { string: FieldKind.string, null: FieldKind.null, uint: FieldKind.uint };

/** The row of a case's source texts, cast to the columns. */
export function rowOf(table: TableInfo, values: NonNullable<GeneratedCase["in"]>, session: CastSession): Datum[] {
  const row: Datum[] = table.cols.map(() => NULL_DATUM);
  values.forEach(({ kind, text }, i) => {
    const bytes = utf8(text ?? "");
    row[i] = castField(kinds[kind], bytes, 0, bytes.length, table.cols[i]!, session);
  });
  return row;
}

export function rowHex(value: Datum, type: TableInfo["cols"][number]["type"]): string | null {
  if (value.kind === "null") return null;
  const out = new ByteWriter();
  encodeRowDatum(out, value, columnForm(type, true, TimeZone.utc)!);
  return toHex(out.toBytes());
}

export interface Outcome {
  text?: string | null;
  rowHex?: string | null;
  error?: Fault;
}

/** What the evaluator makes of a case in a mode. `tables` caches the tables by their SQL. */
export class GeneratedRunner {
  private readonly compiled = new Map<string, (row: Datum[]) => Datum>();
  private readonly tables = new Map<string, TableInfo>();
  readonly sessions = { default: sessionOf("default"), strict: sessionOf("strict") };

  run(c: GeneratedCase, mode: keyof typeof MODES): Outcome {
    const sql = tableSql(c);
    let table = this.tables.get(sql);
    if (table === undefined) {
      table = tableOf(sql);
      this.tables.set(sql, table);
    }
    const { session, warnings } = this.sessions[mode];
    warnings.length = 0;
    const column = table.cols[table.cols.length - 1]!;
    const key = `${mode} ${sql}`;
    let evaluate = this.compiled.get(key);
    if (evaluate === undefined) {
      const expressions = tableExpressions(session, { sqlMode: MODES[mode], defaultWeekFormat: 0 });
      evaluate = expressions.generated(table, column);
      this.compiled.set(key, evaluate);
    }
    try {
      const value = evaluate(rowOf(table, c.in ?? [], session));
      const shown = datumToBytes(value, column.type);
      const isHex = c.out?.textIsHex === true;
      const text = shown === null ? null : isHex ? toHex(shown) : new TextDecoder().decode(shown);
      return { text, rowHex: rowHex(value, column.type) };
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      return { error: { code: thrown.code, message: thrown.message } };
    }
  }
}

/** What the case says, in the form of `run`; table names in messages are t. */
export function wantedOf(c: GeneratedCase): Outcome {
  if (c.error !== undefined) {
    return { error: { code: c.error.code, message: c.error.message.replaceAll(/\bt\d+\./g, "t.") } };
  }
  return { text: c.out!.text, rowHex: c.out!.rowHex };
}
