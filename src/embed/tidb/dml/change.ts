import { equalBytes } from "../../../base/mod.ts";
import type { ColumnInfo } from "../../../schema/mod.ts";
import { compareValues, evaluate, isTrue, type Scope, type Value } from "../query/evaluate.ts";
import { pointKeys } from "../session/point-keys.ts";
import type { Pair } from "../store/mod.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import type { Change } from "./statements.ts";
import { assign, assignmentsOf, changeRow, rowScope } from "./update.ts";
import type { RowWriter } from "./writer.ts";

interface Found {
  pair: Pair;
  keys: Value[];
}

/** Rows that WHERE takes, read as they are now. */
async function* matching(
  writer: RowWriter,
  change: Pick<Change, "where" | "orderBy">,
  base: Scope,
): AsyncGenerator<Found> {
  const { rows, context } = writer;
  const view = context.txn.current;
  const take = (pair: Pair): Found | undefined => {
    const { scope } = rowScope(writer, base, rows.texts(pair));
    if (change.where !== undefined && isTrue(evaluate(change.where, scope)) !== true) return undefined;
    return { pair, keys: change.orderBy.map(({ expr }) => evaluate(expr, scope)) };
  };
  const points = await pointKeys(view, rows.table, change.where, base);
  if (points !== undefined) {
    for (const key of points) {
      const value = await view.get(key);
      const found = value === undefined ? undefined : take({ key, value });
      if (found !== undefined) yield found;
    }
    return;
  }
  for await (const batch of rows.scan(view)) {
    for (const pair of batch) {
      const found = take(pair);
      if (found !== undefined) yield found;
    }
  }
}

function inOrder(found: Found[], change: Change): Found[] {
  if (change.orderBy.length === 0) return found;
  return found.sort((a, b) => {
    for (let i = 0; i < change.orderBy.length; i++) {
      const [x, y] = [a.keys[i]!, b.keys[i]!];
      const order =
        x.text === null || y.text === null ? Number(x.text !== null) - Number(y.text !== null) : compareValues(x, y);
      if (order !== 0) return change.orderBy[i]!.descending ? -order : order;
    }
    return 0;
  });
}

/** Runs UPDATE or DELETE into the transaction of the writer. */
export async function runChange(
  writer: RowWriter,
  change: Change,
  settings: { sqlMode: string; scope: Scope },
): Promise<StatementResult> {
  const { rows, context } = writer;
  let warnings = 0;
  const { warn } = context;
  context.warn = (warning) => {
    warnings++;
    warn(warning);
  };
  const assignments = change.set === undefined ? undefined : assignmentsOf(writer, change.set);
  checkColumns(change, rows.columns, settings.scope, writer);
  const found: Found[] = [];
  for await (const one of matching(writer, change, settings.scope)) {
    found.push(one);
    if (change.orderBy.length === 0 && found.length === change.limit) break;
  }
  let matched = 0;
  let changed = 0;
  for (const { pair } of inOrder(found, change).slice(0, change.limit ?? found.length)) {
    const fresh = await locked(writer, pair, change, settings.scope);
    if (fresh === undefined) continue;
    matched++;
    if (assignments === undefined) {
      writer.remove(fresh);
      changed++;
      continue;
    }
    const cells = assign(writer, fresh, assignments, settings.scope);
    try {
      const mode = { sqlMode: settings.sqlMode, rowNumber: matched, ignore: change.ignore };
      if (await changeRow(writer, fresh, cells, mode)) changed++;
    } catch (error) {
      if (!change.ignore || !(error instanceof SqlError) || error.errno !== 1062) throw error;
      context.warn({ level: "Warning", code: error.errno, message: error.message });
    }
  }
  if (assignments === undefined) return { kind: "ok", affectedRows: BigInt(changed), warnings };
  return {
    kind: "ok",
    affectedRows: BigInt(context.foundRows ? matched : changed),
    warnings,
    info: `Rows matched: ${matched}  Changed: ${changed}  Warnings: ${warnings}`,
  };
}

/** The row behind a lock of its own; undefined where another transaction took it away, or changed it so that WHERE leaves it out. */
async function locked(
  writer: RowWriter,
  pair: Pair,
  change: Pick<Change, "where">,
  base: Scope,
): Promise<Pair | undefined> {
  await writer.lock([pair.key]);
  const value = await writer.context.txn.current.get(pair.key);
  if (value === undefined) return undefined;
  if (equalBytes(value, pair.value) || change.where === undefined) return { key: pair.key, value };
  const { scope } = rowScope(writer, base, writer.rows.texts({ key: pair.key, value }));
  return isTrue(evaluate(change.where, scope)) === true ? { key: pair.key, value } : undefined;
}

/** SELECT … FOR UPDATE: locks the rows that WHERE takes, and those that it names by their primary key though they are not there. */
export async function lockRows(writer: RowWriter, where: Change["where"], base: Scope): Promise<void> {
  const { rows, context } = writer;
  await writer.lock((await pointKeys(context.txn.current, rows.table, where, base)) ?? []);
  const found: Found[] = [];
  for await (const one of matching(writer, { where, orderBy: [] }, base)) found.push(one);
  for (const { pair } of found) await locked(writer, pair, { where }, base);
}

/** Names in WHERE are checked before rows are looked at, so that an empty table complains too. */
function checkColumns(change: Change, columns: readonly ColumnInfo[], base: Scope, writer: RowWriter): void {
  if (change.where === undefined) return;
  const empty = { values: columns.map(() => null), rowId: null };
  const { scope } = rowScope(writer, base, empty);
  evaluate(change.where, { ...scope, clause: "where clause" });
}
