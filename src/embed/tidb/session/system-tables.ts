import type { Relation } from "../query/select.ts";
import { SqlError } from "../wire/mod.ts";
import { madeUp } from "./made-up.ts";
import type { SessionState } from "./state.ts";

type Made = (state: SessionState) => Relation;

/** Rows of mysql.tidb that a cluster with a GC worker has. */
function gcRows(state: SessionState): string[][] {
  return [
    ["tikv_gc_enable", state.variable("tidb_gc_enable", true) === "ON" ? "true" : "false", "Current GC enable status"],
    [
      "tikv_gc_run_interval",
      state.variable("tidb_gc_run_interval", true),
      "GC run interval, at least 10m, in Go format.",
    ],
    [
      "tikv_gc_life_time",
      state.variable("tidb_gc_life_time", true),
      "All versions within life time will not be collected by GC, at least 10m, in Go format.",
    ],
  ];
}

const made: Record<string, Made> = {
  tidb: (state) =>
    madeUp(
      ["VARIABLE_NAME:256:4099", "VARIABLE_VALUE:4096", "COMMENT:4096"],
      [
        ["bootstrapped", "True", "Bootstrap flag. Do not delete."],
        ["ddl_table_version", "4", "DDL Table Version. Do not delete."],
        [
          "new_collation_enabled",
          state.front.newCollations ? "True" : "False",
          "If the new collations are enabled. Do not edit it.",
        ],
        ["system_tz", "Etc/UTC", "TiDB Global System Timezone."],
        ["tidb_server_version", "241", "Bootstrap version. Do not delete."],
        ...gcRows(state),
      ],
      { schema: "mysql", table: "tidb" },
    ),
  global_variables: (state) =>
    madeUp(
      ["VARIABLE_NAME:256:4099", "VARIABLE_VALUE:65532"],
      state.variableNames().map((name) => [name, state.variable(name, true)]),
      { schema: "mysql", table: "global_variables" },
    ),
  user: () =>
    madeUp(["Host:1020:4099", "User:128:4099", "plugin:256"], [["%", "root", "mysql_native_password"]], {
      schema: "mysql",
      table: "user",
    }),
};

/** A table of the database mysql. */
export function systemRelation(name: string, state: SessionState): Relation {
  const relation = made[name]?.(state);
  if (relation === undefined) throw new SqlError(1146, `Table 'mysql.${name}' doesn't exist`, "42S02");
  return relation;
}
