import { parseDecimal } from "../../../codec/mod.ts";
import { columnsOf, type Expr } from "../../../schema/mod.ts";
import { type ResultColumn, type ResultValue, SqlError, type StatementResult } from "../wire/mod.ts";
import { compareValues, evaluate, isTrue, NULL_VALUE, type Scope, stringOf, type Value } from "./evaluate.ts";
import { resultType } from "./result-type.ts";
import type { Select } from "./select-parser.ts";

export interface SelectScope extends Scope {
  /** How a variable is announced. */
  variableType?(name: string, system: boolean): Omit<ResultColumn, "name"> | undefined;
}

/** A column of something that rows can be read from. */
export interface RelationColumn {
  name: string;
  numeric: boolean;
  caseless: boolean;
  result: ResultColumn;
}

/** Rows to select from: a stored table or a table that the server makes up. */
export interface Relation {
  columns: RelationColumn[];
  /** Columns that `*` leaves out stand at the end: this many are shown. */
  visible: number;
  /** Rows in key order; the condition may narrow the read (the caller checks it again). */
  rows(where: Expr | undefined): AsyncIterable<ResultValue[]> | Iterable<ResultValue[]>;
  /** Columns by which the rows come sorted already, lower case. */
  sortedBy: string[];
  /** ORDER BY goes by bytes although conditions do not look at the case. */
  binaryOrder?: boolean;
}

const AGGREGATES = new Set(["count", "sum", "min", "max"]);

const isAggregate = (expr: Expr | undefined): boolean => expr?.kind === "call" && AGGREGATES.has(expr.name);

function rowScope(base: Scope, relation: Relation): { scope: Scope; set(row: ResultValue[]): void } {
  const index = new Map(relation.columns.map((column, i) => [column.name.toLowerCase(), i]));
  let current: ResultValue[] = [];
  return {
    set: (row) => {
      current = row;
    },
    scope: {
      ...base,
      column(name) {
        const i = index.get(name.toLowerCase());
        if (i === undefined) return undefined;
        const { numeric, caseless } = relation.columns[i]!;
        return { text: current[i] ?? null, numeric, caseless };
      },
    },
  };
}

function resultColumn(expr: Expr, name: string, relation: Relation | undefined, base: SelectScope): ResultColumn {
  const known = (one: Expr): Omit<ResultColumn, "name"> | undefined => {
    if (one.kind === "variable") return base.variableType?.(one.name, one.system);
    if (one.kind !== "column") return undefined;
    return relation?.columns.find((column) => column.name.toLowerCase() === one.name.toLowerCase())?.result;
  };
  const type = name === "?" ? parameterType(expr) : resultType(expr, known);
  return expr.kind === "column" ? { originalName: expr.name, ...type, name } : { ...type, name };
}

/** A parameter of a prepared statement is announced without a length, NULL as text. */
function parameterType(expr: Expr): Omit<ResultColumn, "name"> {
  if (expr.kind === "null") return { type: 253, collation: 46, length: 0, decimals: 31, flags: 0 };
  return { ...resultType(expr, () => undefined), length: 0 };
}

async function* matching(select: Select, relation: Relation, base: Scope): AsyncGenerator<ResultValue[]> {
  const { scope, set } = rowScope(base, relation);
  for await (const row of relation.rows(select.where)) {
    if (select.where !== undefined) {
      set(row);
      if (isTrue(evaluate(select.where, { ...scope, clause: "where clause" })) !== true) continue;
    }
    yield row;
  }
}

async function aggregate(select: Select, relation: Relation, base: Scope): Promise<ResultValue[]> {
  const { scope, set } = rowScope(base, relation);
  const counts = select.items.map(() => 0);
  const best: Value[] = select.items.map(() => NULL_VALUE);
  const sums = select.items.map(() => ({ unscaled: 0n, scale: 0 }));
  const add = (i: number, value: Value): void => {
    const d = parseDecimal(stringOf(value.text!)) ?? parseDecimal(Number.parseFloat(stringOf(value.text!)).toFixed(10));
    if (d === undefined) return;
    const scale = Math.max(d.scale, sums[i]!.scale);
    const at = (x: { unscaled: bigint; scale: number }) => x.unscaled * 10n ** BigInt(scale - x.scale);
    sums[i] = { unscaled: at(sums[i]!) + (d.negative ? -1n : 1n) * at(d), scale };
  };
  for await (const row of matching(select, relation, base)) {
    set(row);
    select.items.forEach(({ expr }, i) => {
      if (expr?.kind !== "call") return;
      const arg = expr.args[0];
      const value = arg === undefined || isStar(arg) ? { ...NULL_VALUE, text: "1" } : evaluate(arg, scope);
      if (value.text === null) return;
      counts[i]!++;
      if (expr.name === "sum") add(i, value);
      const order = best[i]!.text === null ? 0 : compareValues(value, best[i]!);
      if (best[i]!.text === null || (expr.name === "min" ? order < 0 : order > 0)) best[i] = value;
    });
  }
  return select.items.map(({ expr }, i) => {
    if (expr?.kind !== "call")
      throw new SqlError(1140, "In aggregated query without GROUP BY, expression is nonaggregated", "42000");
    if (expr.name === "count") return String(counts[i]);
    if (counts[i] === 0) return null;
    if (expr.name !== "sum") return best[i]!.text;
    const { unscaled, scale } = sums[i]!;
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return unscaled < 0n ? `-${text}` : text;
  });
}

const isStar = (expr: Expr): boolean => expr.kind === "column" && expr.name === "*";

function project(
  select: Select,
  relation: Relation,
  scope: Scope,
  row: ResultValue[],
  set: (row: ResultValue[]) => void,
): ResultValue[] {
  set(row);
  return select.items.flatMap(({ expr }) =>
    expr === undefined ? row.slice(0, relation.visible) : [evaluate(expr, scope).text],
  );
}

/** ORDER BY 2 and ORDER BY alias. */
function ordered(expr: Expr, select: Select): Expr {
  if (expr.kind === "int") return select.items[Number(expr.value) - 1]?.expr ?? expr;
  if (expr.kind !== "column") return expr;
  const { name } = expr;
  const alias = select.items.find((item) => item.aliased && item.name.toLowerCase() === name.toLowerCase());
  return alias?.expr ?? expr;
}

/** Unknown names are an error whether there are rows or not. */
function checkNames(select: Select, scope: Scope, relation: Relation, set: (row: ResultValue[]) => void): void {
  set(relation.columns.map(() => null));
  for (const { expr } of select.items) if (expr?.kind === "column") evaluate(expr, scope);
  if (select.where !== undefined) {
    for (const column of columnsOf(select.where)) evaluate(column, { ...scope, clause: "where clause" });
  }
}

const ONE_ROW: Relation = { columns: [], visible: 0, sortedBy: [], rows: () => [[]] };

/** Runs a SELECT over one relation (none: constants only). */
export async function runSelect(
  select: Select,
  from: Relation | undefined,
  base: SelectScope,
): Promise<StatementResult> {
  const relation = from ?? ONE_ROW;
  const columns = select.items.flatMap(({ expr, name }) =>
    expr === undefined
      ? relation.columns.slice(0, relation.visible).map((column) => column.result)
      : [resultColumn(expr, name, relation, base)],
  );
  if (select.items.some(({ expr }) => isAggregate(expr))) {
    const row = await aggregate(select, relation, base);
    return { kind: "rows", columns, rows: select.limit === 0 ? [] : [row] };
  }
  const { scope, set } = rowScope(base, relation);
  checkNames(select, scope, relation, set);
  const orderBy = select.orderBy.map(({ expr, descending }) => ({ expr: ordered(expr, select), descending }));
  const sorted = orderBy.every(
    ({ expr, descending }, i) =>
      !descending && expr.kind === "column" && expr.name.toLowerCase() === relation.sortedBy[i],
  );
  const end = select.limit === undefined ? Number.POSITIVE_INFINITY : select.offset + select.limit;
  if (sorted) return { kind: "rows", columns, rows: streamed() };

  const kept: { row: ResultValue[]; keys: Value[] }[] = [];
  for await (const row of matching(select, relation, base)) {
    set(row);
    const keys = orderBy.map(({ expr }) => evaluate(expr, scope));
    kept.push({ row, keys: relation.binaryOrder ? keys.map((key) => ({ ...key, caseless: false })) : keys });
  }
  kept.sort((a, b) => {
    for (let i = 0; i < orderBy.length; i++) {
      const [x, y] = [a.keys[i]!, b.keys[i]!];
      const order =
        x.text === null || y.text === null ? Number(x.text !== null) - Number(y.text !== null) : compareValues(x, y);
      if (order !== 0) return orderBy[i]!.descending ? -order : order;
    }
    return 0;
  });
  const rows = kept.slice(select.offset, end).map(({ row }) => project(select, relation, scope, row, set));
  return { kind: "rows", columns, rows };

  async function* streamed(): AsyncGenerator<ResultValue[]> {
    let at = 0;
    if (end === 0) return;
    for await (const row of matching(select, relation, base)) {
      if (at++ >= select.offset) yield project(select, relation, scope, row, set);
      if (at >= end) return;
    }
  }
}
