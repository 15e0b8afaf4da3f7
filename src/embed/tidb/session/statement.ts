import { assert } from "../../../base/mod.ts";
import { dateTimeText, TimeZone } from "../../../codec/mod.ts";
import { type Expr, parseSqlMode, type SqlMode, type TableInfo } from "../../../schema/mod.ts";
import { lockRows, runChange } from "../dml/change.ts";
import { runInsert } from "../dml/insert.ts";
import { parseChange, parseInsert } from "../dml/statements.ts";
import { TableRows } from "../dml/table-rows.ts";
import { RowWriter, type WriteContext } from "../dml/writer.ts";
import type { Clauses } from "../query/clauses.ts";
import { type Relation, runSelect } from "../query/select.ts";
import { parseSelect, parseUnion, type Select } from "../query/select-parser.ts";
import type { ReadView, Transaction } from "../store/mod.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import { runAdmin } from "./admin.ts";
import { runDdl } from "./ddl.ts";
import { informationRelation } from "./information.ts";
import { runPlain } from "./plain.ts";
import { tableRelation } from "./relations.ts";
import { scopeOf } from "./scope.ts";
import { goDuration, setVariables } from "./set.ts";
import { describe, showRelation } from "./show.ts";
import type { SessionState } from "./state.ts";
import { waitedFor } from "./waits.ts";

/** Words that begin a DDL statement. */
const DDL = new Set(["CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"]);

/** Runs one statement; the cursor of `clauses` stands at its first word. */
export async function runStatement(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  const mode = parseSqlMode(state.variable("sql_mode"));
  const word = clauses.token.upper;
  const following = clauses.tokens[clauses.at + 1]?.upper;
  if (word !== "SHOW" || (following !== "WARNINGS" && following !== "ERRORS")) state.warnings = [];
  if (DDL.has(word)) {
    await state.commit();
    return runDdl(clauses, state);
  }
  if (clauses.token.text === "(") return unionAll(parseUnion(clauses, mode), state);
  switch (word) {
    case "SELECT":
      return select(parseSelect(clauses, mode), state);
    case "INSERT":
    case "REPLACE":
    case "UPDATE":
    case "DELETE":
      return write(clauses, state, mode);
    case "SHOW":
      return show(clauses, state, mode);
    case "SET":
      return setVariables(clauses, state, mode);
    case "DESC":
    case "DESCRIBE":
    case "EXPLAIN":
      clauses.at++;
      return whole(describe(state.table(clauses.tableName()).table));
    case "ADMIN":
    case "SPLIT":
    case "ANALYZE":
      return runAdmin(clauses, state);
    default:
      return runPlain(clauses, state, mode);
  }
}

function whole(relation: Relation): StatementResult {
  return {
    kind: "rows",
    columns: relation.columns.slice(0, relation.visible).map((column) => column.result),
    rows: relation.rows(undefined),
  };
}

async function relationOf(select: Select, from: NonNullable<Select["from"]>, state: SessionState): Promise<Relation> {
  const made = informationRelation(from.db ?? state.db, from.table, state);
  if (made !== undefined) return made;
  const { db, table } = state.table(from);
  if (table.view) throw new SqlError(1105, `the sandbox stores views but does not run them: '${db}.${table.name.O}'`);
  const view = (select.locking ? await locking(select, db, table, state) : undefined) ?? (await state.reading());
  return tableRelation(state.front, { db, table, timeZone: state.timeZone(), view }, scopeOf(state));
}

/** What a SELECT … FOR UPDATE reads: the rows as they are now, locked until the transaction ends. Without a transaction it is as any other. */
async function locking(
  { where }: Select,
  db: string,
  table: TableInfo,
  state: SessionState,
): Promise<ReadView | undefined> {
  const txn = state.transaction ?? (state.flag("autocommit") ? undefined : await state.writing());
  if (txn === undefined) return undefined;
  const rows = new TableRows(state.front, db, table, state.rowSession());
  await lockRows(new RowWriter(rows, contextOf(state, txn)), where, scopeOf(state));
  return txn.current;
}

/** The rows of one after the other, under the names of the first. */
async function unionAll(parts: readonly Select[], state: SessionState): Promise<StatementResult> {
  const results: Extract<StatementResult, { kind: "rows" }>[] = [];
  for (const part of parts) {
    const result = await select(part, state);
    assert(result.kind === "rows", "a SELECT gives rows");
    if (result.columns.length !== (results[0] ?? result).columns.length)
      throw new SqlError(1222, "The used SELECT statements have a different number of columns", "21000");
    results.push(result);
  }
  async function* rows() {
    for (const result of results) yield* result.rows;
  }
  return { kind: "rows", columns: results[0]!.columns, rows: rows() };
}

async function select(parsed: Select, state: SessionState): Promise<StatementResult> {
  const relation = parsed.from === undefined ? undefined : await relationOf(parsed, parsed.from, state);
  // Rows of a table are not waited for one by one.
  if (parsed.from !== undefined) return runSelect(parsed, relation, scopeOf(state));
  const exprs = [...parsed.items.map(({ expr }) => expr), parsed.where];
  return runSelect(parsed, relation, await waitedFor(exprs, state));
}

function show(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<StatementResult> {
  clauses.at++;
  const { relation, likeColumn } = showRelation(clauses, state);
  let where: Expr | undefined;
  if (clauses.takeWords("LIKE")) {
    const pattern: Expr = { kind: "string", text: clauses.token.text, at: 0 };
    clauses.at++;
    where = { kind: "call", name: "like", args: [{ kind: "column", name: likeColumn, at: 0 }, pattern], at: 0 };
    if (likeColumn === "Database") relation.columns[0]!.result.name = `Database (${pattern.text})`;
  } else if (clauses.takeWords("WHERE")) where = clauses.expression([], mode).expr;
  clauses.end();
  const star = { expr: undefined, name: "*" };
  return runSelect(
    { items: [star], from: undefined, where, orderBy: [], limit: undefined, offset: 0 },
    relation,
    scopeOf(state),
  );
}

/** INSERT, REPLACE, UPDATE and DELETE: whole or not at all; outside of a transaction it is one of its own. */
async function write(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<StatementResult> {
  const word = clauses.token.upper;
  const parsed =
    word === "INSERT" || word === "REPLACE"
      ? { insert: parseInsert(clauses, mode) }
      : { change: parseChange(clauses, mode) };
  const target = parsed.insert?.table ?? parsed.change!.table;
  const special = systemWrite(target, parsed.change, state);
  if (special !== undefined) return special;
  const { db, table } = state.table(target);
  if (table.view || table.sequence)
    throw new SqlError(1105, `the target table ${table.name.O} of the ${word} is not updatable`);
  const txn = await state.writing();
  const rows = new TableRows(state.front, db, table, state.rowSession());
  const writer = new RowWriter(rows, contextOf(state, txn));
  const sqlMode = state.variable("sql_mode");
  try {
    let result: StatementResult;
    if (parsed.insert !== undefined) {
      const outcome = await runInsert(writer, parsed.insert, {
        sqlMode,
        autoIds: state.front.autoIds,
        scope: scopeOf(state),
        writeRowId: state.flag("tidb_opt_write_row_id"),
        allowExplicitRandom: state.flag("allow_auto_random_explicit_insert"),
        increment: BigInt(state.variable("auto_increment_increment")),
        offset: BigInt(state.variable("auto_increment_offset")),
      });
      if (outcome.generated !== undefined) state.lastInsertId = outcome.generated;
      result = outcome.result;
    } else result = await runChange(writer, parsed.change!, { sqlMode, scope: scopeOf(state) });
    txn.keepStatement();
    await state.front.autoIds.settled();
    if (!txn.explicit) await state.commit();
    return result;
  } catch (error) {
    txn.dropStatement();
    // A deadlock ends the whole transaction.
    if (!txn.explicit || (error instanceof SqlError && error.errno === 1213)) state.rollback();
    throw error;
  }
}

function contextOf(state: SessionState, txn: Transaction): WriteContext {
  const zone = TimeZone.find(state.timeZone()) ?? TimeZone.utc;
  return {
    txn,
    lockTimeoutMs: Number(state.variable("innodb_lock_wait_timeout")) * 1000,
    signal: state.stop.signal,
    foundRows: state.client.foundRows,
    checkForeignKeys: state.flag("foreign_key_checks"),
    warn: (warning) => void state.warnings.push(warning),
    now: (fsp) => {
      const ms = state.nowMs();
      const seconds = Math.floor(ms / 1000);
      return dateTimeText(zone.toLocal(seconds, Math.round(ms - seconds * 1000) * 1000), fsp);
    },
  };
}

/** `UPDATE mysql.tidb SET VARIABLE_VALUE = … WHERE VARIABLE_NAME = 'tikv_gc_life_time'`, the one system table that importers write. */
function systemWrite(
  target: { db: string | undefined; table: string },
  change: ReturnType<typeof parseChange> | undefined,
  state: SessionState,
): StatementResult | undefined {
  if ((target.db ?? state.db).toLowerCase() !== "mysql" || state.front.catalog.table("mysql", target.table))
    return undefined;
  const value = change?.set?.[0]?.expr;
  const name = change?.where?.kind === "call" ? change.where.args[1] : undefined;
  if (target.table.toLowerCase() !== "tidb" || value?.kind !== "string" || name?.kind !== "string")
    throw new SqlError(1142, `the sandbox does not write to system table mysql.${target.table}`, "42000");
  const variable = { tikv_gc_life_time: "tidb_gc_life_time", tikv_gc_run_interval: "tidb_gc_run_interval" }[name.text];
  if (variable === undefined) return { kind: "ok", info: "Rows matched: 0  Changed: 0  Warnings: 0" };
  state.keepVariable(variable, goDuration(value.text) ?? value.text, true);
  return { kind: "ok", affectedRows: 1n, info: "Rows matched: 1  Changed: 1  Warnings: 0" };
}
