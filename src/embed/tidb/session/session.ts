import { parseSqlMode, type SqlMode, tokenize } from "../../../schema/mod.ts";
import { type Clauses, splitStatements } from "../query/clauses.ts";
import { type ClientFacts, SqlError, type SqlSession, type StatementResult, textOfSqlBytes } from "../wire/mod.ts";
import type { Front } from "./front.ts";
import { SessionState } from "./state.ts";
import { runStatement } from "./statement.ts";

/** Opens the SQL session of one connection. */
export function openSession(front: Front, connectionId: number, user: string, client: ClientFacts): SqlSession {
  let state = new SessionState(front, connectionId, user, client);
  front.sessions.set(connectionId, state);
  const mode = (): SqlMode => parseSqlMode(state.variable("sql_mode"));
  return {
    get status() {
      return state.status;
    },
    async useDatabase(name) {
      state.use(name);
    },
    statements(sql, multiStatements) {
      const statements = splitStatements(textOfSqlBytes(sql), mode());
      if (statements.length > 1 && !multiStatements) {
        throw new SqlError(
          8130,
          "client has multi-statement capability disabled. Run SET GLOBAL tidb_multi_statement_mode='ON' after you understand the security risk",
        );
      }
      if (statements.length === 0) throw new SqlError(1065, "Query was empty", "42000");
      return statements.map((statement) => () => run(statement, state));
    },
    prepare(sql) {
      const [statement] = splitStatements(textOfSqlBytes(sql), mode());
      if (statement === undefined) throw new SqlError(1065, "Query was empty", "42000");
      return statement.tokens.filter((token) => token.kind === "param").length;
    },
    executePrepared(sql, literals) {
      const [statement] = splitStatements(bound(textOfSqlBytes(sql), literals, mode()), mode());
      statement!.parameters = literals;
      return run(statement!, state);
    },
    reset() {
      state.rollback();
      state.userLocks.releaseAll();
      const { db } = state;
      state = new SessionState(front, connectionId, user, client);
      state.db = db;
      front.sessions.set(connectionId, state);
    },
    interrupt() {
      state.stop.abort(new SqlError(1317, "Query execution was interrupted", "70100"));
    },
    close() {
      state.rollback();
      state.userLocks.releaseAll();
      front.sessions.delete(connectionId);
    },
  };
}

function bound(text: string, literals: readonly string[], mode: SqlMode): string {
  let out = "";
  let at = 0;
  let i = 0;
  for (const token of tokenize(text, mode)) {
    if (token.kind !== "param") continue;
    out += text.slice(at, token.start) + literals[i++]!;
    at = token.end;
  }
  return out + text.slice(at);
}

async function run(statement: Clauses, state: SessionState): Promise<StatementResult> {
  state.running = statement.text.trim();
  state.startedMs = state.front.clock.nowMs();
  try {
    return await runStatement(statement, state);
  } finally {
    state.running = "";
    if (state.stop.signal.aborted && state.front.sessions.get(state.connectionId) === state)
      state.stop = new AbortController();
  }
}
