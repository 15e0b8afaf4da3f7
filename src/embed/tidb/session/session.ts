import { textOf, utf8 } from "../../../base/mod.ts";
import { tablePrefix } from "../../../codec/mod.ts";
import { type Expr, parseExpr, parseSqlMode, type SqlMode, tokenize } from "../../../schema/mod.ts";
import { evaluate, type Scope, stringOf } from "../query/evaluate.ts";
import { type Relation, runSelect } from "../query/select.ts";
import { Clauses, parseSelect, type Select } from "../query/select-parser.ts";
import { SqlError, type SqlSession, type StatementResult, Status } from "../wire/mod.ts";
import type { Front } from "./front.ts";
import { informationRelation } from "./information.ts";
import { madeUp, tableRelation } from "./relations.ts";
import { describe, nextRowIds, showRelation } from "./show.ts";
import { SessionState } from "./state.ts";

const OK: StatementResult = { kind: "ok" };

/** Words that begin a DDL statement. */
const DDL = new Set(["CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"]);
/** Statements that a sandbox takes without doing anything. */
const IGNORED = new Set([
  "ANALYZE",
  "FLUSH",
  "LOCK",
  "UNLOCK",
  "BEGIN",
  "START",
  "COMMIT",
  "ROLLBACK",
  "KILL",
  "GRANT",
  "REVOKE",
]);

/** Opens the SQL session of one connection. */
export function openSession(front: Front, connectionId: number, user: string): SqlSession {
  const state = new SessionState(front, connectionId, user);
  return {
    get status() {
      return Status.autocommit;
    },
    async useDatabase(name) {
      if (name.toLowerCase() === "information_schema" || name.toLowerCase() === "mysql") state.db = name;
      else state.db = state.database(name).name;
    },
    async execute(sql, multiStatements) {
      const statements = splitStatements(textOf(sql), modeOf(state));
      if (statements.length > 1 && !multiStatements) {
        throw new SqlError(
          8130,
          "client has multi-statement capability disabled. Run SET GLOBAL tidb_multi_statement_mode='ON' after you understand the security risk",
        );
      }
      const results: StatementResult[] = [];
      for (const statement of statements) results.push(await runStatement(statement, state));
      return results.length === 0 ? [OK] : results;
    },
    countParameters: (sql) => tokenize(textOf(sql), modeOf(state)).filter((token) => token.kind === "param").length,
    bindParameters(sql, literals) {
      const text = textOf(sql);
      let out = "";
      let at = 0;
      let i = 0;
      for (const token of tokenize(text, modeOf(state))) {
        if (token.kind !== "param") continue;
        out += text.slice(at, token.start) + literals[i++]!;
        at = token.end;
      }
      return utf8(out + text.slice(at));
    },
    close() {},
  };
}

const modeOf = (state: SessionState): SqlMode => parseSqlMode(state.variable("sql_mode", false));

/** Cuts a text at its semicolons; empty statements are left out. */
function splitStatements(sql: string, mode: SqlMode): string[] {
  let tokens: ReturnType<typeof tokenize>;
  try {
    tokens = tokenize(sql, mode);
  } catch {
    return [sql];
  }
  const out: string[] = [];
  // A version comment may wrap a statement, so that it begins behind the last semicolon, not at its first token.
  let start = 0;
  let empty = true;
  for (const token of tokens) {
    if (token.kind !== "eof" && !(token.kind === "op" && token.text === ";")) {
      empty = false;
      continue;
    }
    if (!empty) out.push(sql.slice(start, token.start));
    start = token.end;
    empty = true;
  }
  return out;
}

async function runStatement(sql: string, state: SessionState): Promise<StatementResult> {
  const mode = modeOf(state);
  const clauses = new Clauses(sql, mode);
  const word = clauses.token.upper;
  if (word !== "SHOW") state.warnings = [];
  if (DDL.has(word)) {
    const { warnings } = await state.front.catalog.execute(sql, state.ddlContext());
    state.warnings = warnings;
    return { kind: "ok", warnings: warnings.length };
  }
  if (IGNORED.has(word) || clauses.done) return OK;
  switch (word) {
    case "SELECT":
      return select(parseSelect(sql, mode), state);
    case "SHOW":
      return show(clauses, state, mode);
    case "SET":
      return setVariables(clauses, state, mode);
    case "USE":
      clauses.at++;
      state.db = state.database(clauses.name()).name;
      return OK;
    case "DESC":
    case "DESCRIBE":
      clauses.at++;
      return whole(describe(state.table(clauses.tableName()).table));
    case "ADMIN":
      return admin(clauses, state);
    default:
      throw new SqlError(1105, `the sandbox does not take ${word === "" ? "this statement" : word}`);
  }
}

function whole(relation: Relation): StatementResult {
  return {
    kind: "rows",
    columns: relation.columns.slice(0, relation.visible).map((column) => column.result),
    rows: relation.rows(new Map()),
  };
}

function scopeOf(state: SessionState): Scope {
  return {
    column: () => undefined,
    variable: (name, system) => {
      if (!system) return state.userVariable(name);
      const global = /^global\./i.test(name);
      return state.variable(name.replace(/^(global|session|local)\./i, ""), global);
    },
    functions: {
      version: () => state.front.version,
      tidb_version: () => `Release Version: ${state.front.version}\nEdition: levin sandbox\nStore: tikv`,
      database: () => (state.db === "" ? null : state.db),
      schema: () => (state.db === "" ? null : state.db),
      user: () => `${state.user}@127.0.0.1`,
      current_user: () => `${state.user}@%`,
      connection_id: () => String(state.connectionId),
      tidb_is_ddl_owner: () => "1",
      current_resource_group: () => "default",
      now: () => new Date(state.front.clock.nowMs()).toISOString().slice(0, 19).replace("T", " "),
      last_insert_id: () => "0",
    },
  };
}

function relationOf(from: NonNullable<Select["from"]>, state: SessionState): Relation {
  const made = informationRelation(from.db ?? state.db, from.table, state);
  if (made !== undefined) return made;
  const { db, table } = state.table(from);
  if (table.view) throw new SqlError(1105, `the sandbox stores views but does not run them: '${db}.${table.name.O}'`);
  return tableRelation(state.front, db, table, state.timeZone());
}

function select(parsed: Select, state: SessionState): Promise<StatementResult> {
  const relation = parsed.from === undefined ? undefined : relationOf(parsed.from, state);
  return runSelect(parsed, relation, scopeOf(state));
}

function show(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<StatementResult> {
  clauses.at++;
  const { relation, likeColumn } = showRelation(clauses, state);
  let where: Expr | undefined;
  if (clauses.takeWords("LIKE")) {
    const pattern: Expr = { kind: "string", text: clauses.token.text, at: 0 };
    clauses.at++;
    where = { kind: "call", name: "like", args: [{ kind: "column", name: likeColumn, at: 0 }, pattern], at: 0 };
  } else if (clauses.takeWords("WHERE")) where = clauses.expression([], mode).expr;
  clauses.end();
  const star = { expr: undefined, name: "*" };
  return runSelect(
    { items: [star], from: undefined, where, orderBy: [], limit: undefined, offset: 0 },
    relation,
    scopeOf(state),
  );
}

function setVariables(clauses: Clauses, state: SessionState, mode: SqlMode): StatementResult {
  clauses.at++;
  if (
    clauses.takeWords("NAMES") ||
    clauses.takeWords("CHARACTER", "SET") ||
    clauses.takeWords("TRANSACTION") ||
    clauses.takeWords("PASSWORD")
  )
    return OK;
  do {
    let global = clauses.takeWords("GLOBAL");
    if (!global) clauses.takeWords("SESSION") || clauses.takeWords("LOCAL");
    const token = clauses.token;
    clauses.at++;
    if (!clauses.takeOp("=") && !clauses.takeOp(":=")) throw clauses.fail();
    const { text } = clauses.textUntil([]);
    const value = settingValue(text, state, mode);
    if (token.kind === "uservar") {
      state.setUserVariable(token.text, value);
      continue;
    }
    const scoped = /^(global|session|local)\.(.*)$/i.exec(token.text);
    global ||= scoped?.[1]?.toLowerCase() === "global";
    state.setVariable(scoped?.[2] ?? token.text, value ?? "", global);
  } while (clauses.takeOp(","));
  clauses.end();
  return OK;
}

/** A value in SET: an expression, or a bare word such as ON, utf8mb4 or DEFAULT. */
function settingValue(text: string, state: SessionState, mode: SqlMode): string | null {
  if (/^[a-z][a-z0-9_]*$/i.test(text) && !/^(null|true|false)$/i.test(text)) return text;
  const { text: value } = evaluate(parseExpr(text, mode), scopeOf(state));
  return value === null ? null : stringOf(value);
}

async function admin(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  clauses.at++;
  if (clauses.takeWords("SHOW")) {
    const { db, table } = state.table(clauses.tableName());
    if (!clauses.takeWords("NEXT_ROW_ID")) throw clauses.fail();
    return whole(nextRowIds(db, table));
  }
  if (clauses.takeWords("CHECK")) return OK;
  if (!clauses.takeWords("CHECKSUM", "TABLE")) throw clauses.fail();
  const tables: ReturnType<SessionState["table"]>[] = [];
  do tables.push(state.table(clauses.tableName()));
  while (clauses.takeOp(","));
  clauses.end();
  const ts = await state.front.storage.currentTs();
  const rows: string[][] = [];
  for (const { db, table } of tables) {
    let crc = 0n;
    let kvs = 0n;
    let bytes = 0n;
    const partitions = table.partition?.enable ? table.partition.definitions.map((one) => one.id) : [];
    for (const id of [table.id, ...partitions]) {
      const part = await state.front.storage.checksum(tablePrefix(id), tablePrefix(id + 1), ts);
      crc ^= part.crc;
      kvs += part.kvs;
      bytes += part.bytes;
    }
    rows.push([db, table.name.O, String(crc), String(kvs), String(bytes)]);
  }
  const names = ["Db_name", "Table_name", "Checksum_crc64_xor", "Total_kvs", "Total_bytes"];
  return whole(madeUp(names, rows, names.slice(2)));
}
