import type { Clauses } from "../query/clauses.ts";
import { AutoIds, hasIncrement } from "../store/mod.ts";
import type { StatementResult } from "../wire/mod.ts";
import type { SessionState } from "./state.ts";

/** Runs a DDL statement, and moves the counters of automatic ids where it says so. */
export async function runDdl(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  const { catalog, autoIds } = state.front;
  const { warnings, rebases, useDatabase } = await catalog.execute(clauses.text.trim(), state.ddlContext());
  if (useDatabase !== undefined) state.db = useDatabase;
  state.warnings = [...warnings];
  for (const { database, table: name, allocator, base, forced } of rebases) {
    const table = catalog.table(database, name);
    if (table === undefined) continue;
    const kind = AutoIds.kindOf(table, allocator === "auto_random" ? "random" : "increment");
    // TiDB takes 2^64-1 without a word and without an effect on a signed counter.
    if (base > 0x7fffffffffffffffn && !forced) continue;
    const became = autoIds.rebase(table, hasIncrement(table) || kind === "random" ? kind : "rowid", base, forced);
    if (became !== base && !forced) {
      state.warnings.push({
        level: "Warning",
        code: 1105,
        message: `Can't reset AUTO_INCREMENT to ${base} without FORCE option, using ${became} instead`,
      });
    }
  }
  await autoIds.settled();
  return { kind: "ok", warnings: state.warnings.length };
}
