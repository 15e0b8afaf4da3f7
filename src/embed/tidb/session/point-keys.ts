import { compareBytes, toHex, utf8 } from "../../../base/mod.ts";
import {
  ByteWriter,
  type ColumnForm,
  columnForm,
  commonHandle,
  type Datum,
  encodeKeyDatum,
  indexPrefix,
  recordKey,
  splitIndexValue,
  TimeZone,
} from "../../../codec/mod.ts";
import { type ColumnInfo, type Expr, Flag, type IndexInfo, SchemaState, type TableInfo } from "../../../schema/mod.ts";
import { evaluate, type Scope, type Value } from "../query/evaluate.ts";
import type { ReadView } from "../store/mod.ts";

/** More combinations than this are read by a scan. */
const POINTS_MAX = 4096;

/** `column = constant`, `column IN (…)`, `(a, b) = (…)` and `(a, b) IN (…)`, joined by AND: the values that each column may have. */
export type Equalities = Map<string, Value[]>;

const CONSTANTS = new Set<Expr["kind"]>([
  "int",
  "string",
  "decimal",
  "float",
  "hex",
  "bit",
  "call",
  "variable",
  "bool",
]);

function constant(expr: Expr, scope: Scope): Value | undefined {
  if (!CONSTANTS.has(expr.kind)) return undefined;
  try {
    return evaluate(expr, scope);
  } catch {
    // No constant: it narrows nothing, and the condition itself is still checked.
    return undefined;
  }
}

function note(column: Expr, values: readonly Expr[], scope: Scope, out: Equalities): void {
  if (column.kind !== "column") return;
  const found = values.map((value) => constant(value, scope));
  if (found.some((value) => value === undefined || value.text === null)) return;
  const name = column.name.toLowerCase();
  if (!out.has(name)) out.set(name, found as Value[]);
}

/** What a condition demands of columns; `scope` without columns. */
export function equalities(expr: Expr | undefined, base: Scope, out: Equalities = new Map()): Equalities {
  const scope: Scope = { ...base, column: () => undefined };
  if (expr?.kind !== "call") return out;
  const [left, ...right] = expr.args;
  if (expr.name === "and") for (const arg of expr.args) equalities(arg, scope, out);
  if ((expr.name === "eq" || expr.name === "in") && left !== undefined) {
    if (left.kind === "row") {
      // Of a list of rows each column alone is narrowed; the condition itself is still checked.
      left.items.forEach((item, i) => {
        const column = right.map((one) => (one.kind === "row" ? one.items[i] : undefined));
        if (column.every((one) => one !== undefined)) note(item, column as Expr[], scope, out);
      });
    } else {
      note(left, right, scope, out);
      if (expr.name === "eq") note(right[0]!, [left], scope, out);
    }
  }
  return out;
}

/** The datum that a column holds when it equals a constant; undefined where that takes more than reading digits or text. */
function datumOf(value: Value, column: ColumnInfo, form: ColumnForm): Datum | undefined {
  const { text } = value;
  if (form.kind === "int" || form.kind === "uint") {
    if (typeof text !== "string" || !/^-?\d{1,20}$/.test(text)) return undefined;
    const number = BigInt(text);
    const unsigned = (column.type.Flag & Flag.unsigned) !== 0;
    const fits = unsigned ? BigInt.asUintN(64, number) === number : BigInt.asIntN(64, number) === number;
    return fits ? { kind: unsigned ? "uint" : "int", value: number } : undefined;
  }
  // A number compared with text compares as numbers: many texts may equal it.
  if (form.kind !== "bytes" || text === null || value.numeric) return undefined;
  const bytes = typeof text === "string" ? utf8(text) : text;
  return { kind: "bytes", value: bytes, collation: column.type.Collate };
}

/** All combinations of the columns' values as key datums; undefined where a column is not narrowed. */
function combinations(
  table: TableInfo,
  parts: readonly { offset: number; length: number }[],
  equal: Equalities,
): Uint8Array[] | undefined {
  let out: Uint8Array[] = [new Uint8Array(0)];
  for (const { offset, length } of parts) {
    const column = table.cols[offset]!;
    const values = equal.get(column.name.L);
    const form = columnForm(column.type, true, TimeZone.utc);
    if (values === undefined || form === undefined || length >= 0 || out.length * values.length > POINTS_MAX)
      return undefined;
    const next: Uint8Array[] = [];
    for (const head of out) {
      for (const value of values) {
        const datum = datumOf(value, column, form);
        if (datum === undefined) return undefined;
        const key = new ByteWriter(64);
        key.append(head);
        encodeKeyDatum(key, datum, form);
        next.push(key.toBytes());
      }
    }
    out = next;
  }
  return out;
}

function physicalIds(table: TableInfo): number[] {
  return table.partition?.enable ? table.partition.definitions.map(({ id }) => id) : [table.id];
}

/**
 * Record keys of the rows that a condition may take, when it names all columns of the primary key or of a unique index; undefined: read
 * them all. The condition itself has still to be checked.
 */
export async function pointKeys(
  view: ReadView,
  table: TableInfo,
  where: Expr | undefined,
  scope: Scope,
  newCollations = true,
): Promise<Uint8Array[] | undefined> {
  const equal = equalities(where, scope);
  if (equal.size === 0) return undefined;
  const ids = physicalIds(table);
  if (table.pk_is_handle) {
    const column = table.cols.find(({ type }) => (type.Flag & Flag.priKey) !== 0);
    const form = column && columnForm(column.type, true, TimeZone.utc);
    const values = column && equal.get(column.name.L);
    if (form !== undefined && values !== undefined && values.length <= POINTS_MAX) {
      const handles = values.map((value) => datumOf(value, column!, form));
      if (handles.every((one) => one?.kind === "int" || one?.kind === "uint")) {
        return distinct(
          handles.flatMap((one) =>
            ids.map((id) => recordKey(id, { kind: "int", value: BigInt.asIntN(64, (one as { value: bigint }).value) })),
          ),
        );
      }
    }
  }
  // Without new collations keys sort by their bytes, which the forms above do not say.
  if (!newCollations) return undefined;
  const indexes = (table.index_info ?? []).filter(
    ({ is_unique, state, mv_index }) => is_unique && state === SchemaState.public && !mv_index,
  );
  for (const index of indexes) {
    const tails = combinations(table, index.idx_cols, equal);
    if (tails === undefined) continue;
    if (index.is_primary && table.is_common_handle)
      return distinct(tails.flatMap((tail) => ids.map((id) => recordKey(id, commonHandle(tail)))));
    return distinct(await byIndex(view, table, index, tails, ids));
  }
  return undefined;
}

async function byIndex(
  view: ReadView,
  table: TableInfo,
  index: IndexInfo,
  tails: readonly Uint8Array[],
  ids: readonly number[],
): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (const id of index.is_global ? [table.id] : ids) {
    const prefix = indexPrefix(id, index.id);
    for (const tail of tails) {
      const key = new Uint8Array(prefix.length + tail.length);
      key.set(prefix);
      key.set(tail, prefix.length);
      const value = await view.get(key);
      if (value === undefined) continue;
      const { handle, partitionId } = splitIndexValue(value);
      if (handle !== undefined) out.push(recordKey(partitionId ?? id, handle));
    }
  }
  return out;
}

function distinct(keys: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [toHex(key), key])).values()].sort(compareBytes);
}
