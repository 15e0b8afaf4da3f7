import type { SelectScope } from "../query/select.ts";
import { integerOf, stringOf, type Value } from "../query/values.ts";
import { sequenceValue } from "./sequences.ts";
import type { SessionState } from "./state.ts";
import { kindOfVariable } from "./variables.ts";

const nameOf = ([name]: Value[]): string => stringOf(name?.text ?? "");
const SCOPED = /^(global|session|local)\./i;

/** What expressions see outside of a row: variables and the session's functions. */
export function scopeOf(state: SessionState): SelectScope {
  return {
    column: () => undefined,
    nowMs: state.nowMs(),
    timeZone: state.timeZone(),
    variable(name, system) {
      if (!system) return state.userVariable(name);
      return state.selected(name.replace(SCOPED, ""), /^global\./i.test(name));
    },
    variableType(name, system) {
      const kind = system ? kindOfVariable(name.replace(SCOPED, "").toLowerCase()) : "text";
      if (kind === "text") return { type: 253, collation: 46, length: 0, decimals: 31, flags: 0 };
      return { type: 8, collation: 63, length: 20, decimals: 0, flags: kind === "number" ? 160 : 128 };
    },
    sequence: (work, name, value) => sequenceValue(state, work, name, value),
    functions: {
      version: () => state.front.version,
      tidb_version: () =>
        `Release Version: ${state.front.version.replace(/^.*-TiDB-/, "")}\nEdition: levin sandbox\nStore: tikv`,
      database: () => (state.db === "" ? null : state.db),
      schema: () => (state.db === "" ? null : state.db),
      user: () => `${state.user}@${state.client.address}`,
      session_user: () => `${state.user}@${state.client.address}`,
      current_user: () => `${state.user}@%`,
      connection_id: () => String(state.connectionId),
      tidb_is_ddl_owner: () => "1",
      current_resource_group: () => "default",
      last_insert_id: ([value]) => {
        if (value !== undefined) state.lastInsertId = BigInt.asUintN(64, integerOf(value));
        return String(state.lastInsertId);
      },
      row_count: () => "-1",
      sleep: () => "0",
      get_lock: (args) => (state.userLocks.holds(nameOf(args)) ? "1" : "0"),
      release_lock: (args) => state.userLocks.release(nameOf(args)),
      release_all_locks: () => String(state.userLocks.releaseAll()),
      is_free_lock: (args) => (state.userLocks.usedBy(nameOf(args)) === null ? "1" : "0"),
      is_used_lock: (args) => state.userLocks.usedBy(nameOf(args)),
    },
  };
}
