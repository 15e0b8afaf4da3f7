import type { SqlMode } from "../../../schema/mod.ts";
import type { Clauses } from "../query/clauses.ts";
import { evaluate } from "../query/evaluate.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import type { SessionState } from "./state.ts";
import { waitedFor } from "./waits.ts";

const OK: StatementResult = { kind: "ok" };

/** Statements that a sandbox takes without doing anything. */
const IGNORED = new Set(["GRANT", "REVOKE"]);

function warned(state: SessionState, code: number, message: string): StatementResult {
  state.warnings.push({ level: "Warning", code, message });
  return { kind: "ok", warnings: state.warnings.length };
}

/** Transactions, USE, KILL, DO and what a sandbox passes over; the cursor stands at the first word. */
export async function runPlain(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<StatementResult> {
  const word = clauses.token.upper;
  clauses.at++;
  switch (word) {
    case "USE":
      state.use(clauses.name());
      return OK;
    case "BEGIN":
    case "START":
      await state.begin();
      return OK;
    case "COMMIT":
      await state.commit();
      return OK;
    case "ROLLBACK":
      if (clauses.takeWords("TO")) return rollbackTo(clauses, state);
      state.rollback();
      return OK;
    case "SAVEPOINT":
      await setSavepoint(clauses.name(), state);
      return OK;
    case "RELEASE":
      clauses.takeWords("SAVEPOINT");
      return demandSavepoint((name) => state.transaction?.releaseSavepoint(name), clauses.name());
    case "KILL":
      return kill(clauses, state);
    case "DO":
      do {
        const { expr } = clauses.expression([], mode);
        evaluate(expr, await waitedFor([expr], state));
      } while (clauses.takeOp(","));
      return OK;
    case "FLUSH":
      if (clauses.takeWords("TABLES", "WITH", "READ", "LOCK")) {
        throw new SqlError(1105, "FLUSH TABLES WITH READ LOCK is not supported.  Please use @@tidb_snapshot");
      }
      return OK;
    case "LOCK":
    case "UNLOCK":
      if (clauses.token.upper === "STATS") return OK;
      return warned(
        state,
        1235,
        `${word} TABLES is not supported. To enable this experimental feature, set 'enable-table-lock' in the configuration file.`,
      );
    case "LOAD":
      throw new SqlError(1235, "the sandbox does not take LOAD DATA", "42000");
    default:
      if (IGNORED.has(word)) return OK;
      if (!/^[A-Z]+$/.test(word)) {
        clauses.at--;
        throw clauses.fail();
      }
      throw new SqlError(1235, `the sandbox does not take ${word}`, "42000");
  }
}

/** Without a transaction that outlives the statement it is passed over. */
async function setSavepoint(name: string, state: SessionState): Promise<void> {
  const txn = state.transaction ?? (state.flag("autocommit") ? undefined : await state.writing());
  txn?.savepoint(name);
}

function rollbackTo(clauses: Clauses, state: SessionState): StatementResult {
  clauses.takeWords("SAVEPOINT");
  return demandSavepoint((name) => state.transaction?.rollbackTo(name), clauses.name());
}

function demandSavepoint(use: (name: string) => boolean | undefined, name: string): StatementResult {
  if (use(name) !== true) throw new SqlError(1305, `SAVEPOINT ${name} does not exist`, "42000");
  return OK;
}

function kill(clauses: Clauses, state: SessionState): StatementResult {
  clauses.takeWords("TIDB");
  const query = clauses.takeWords("QUERY");
  if (!query) clauses.takeWords("CONNECTION");
  const victim = state.front.sessions.get(clauses.int());
  if (victim === undefined) {
    return warned(
      state,
      1105,
      "Kill failed: Received a 32bits truncated ConnectionID, expect 64bits. Please execute 'KILL [CONNECTION | QUERY] ConnectionID' to send a Kill without truncating ConnectionID.",
    );
  }
  victim.stop.abort(new SqlError(1317, "Query execution was interrupted", "70100"));
  if (!query) victim.client.disconnect();
  return OK;
}
