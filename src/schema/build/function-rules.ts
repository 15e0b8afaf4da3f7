import { type CallExpr, type Expr, walkExpr } from "../sql/expr.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type PartitionInfo, PartitionType, type TableInfo, Tp } from "../table-info.ts";
import { inferType } from "./expr-type.ts";
import { isBlobType, isStringType } from "./field-type.ts";
import { findColumn } from "./index.ts";
import type { DdlSession } from "./session.ts";
import { evalKind } from "./value-type.ts";

/** Functions whose value is not a function of the row (`expression.IllegalFunctions4GeneratedColumns`). */
const NOT_OF_THE_ROW = new Set(
  `connection_id load_file last_insert_id rand uuid uuid_short sleep get_lock release_lock release_all_locks is_free_lock
is_used_lock sysdate now localtime localtimestamp current_timestamp curdate current_date curtime current_time utc_date utc_time
utc_timestamp unix_timestamp user current_user session_user system_user current_role database schema version found_rows row_count
name_const values benchmark master_pos_wait random_bytes nextval lastval setval tidb_version tidb_current_tso tidb_is_ddl_owner
tidb_bounded_staleness tidb_row_checksum current_resource_group json_merge grouping`.split(/\s+/),
);

/** Refuses functions that a generated column (3102) or an expression index (3758) cannot have. */
export function checkRowFunctions(expr: Expr, name: string, what: "generated column" | "expression index"): void {
  const errno = what === "generated column" ? 3102 : 3758;
  walkExpr(expr, (part) => {
    const illegal =
      (part.kind === "call" && NOT_OF_THE_ROW.has(part.name)) || part.kind === "variable" || part.kind === "param";
    if (illegal)
      throw ddlError(errno, `Expression of ${what} '${name}' contains a disallowed function.`, { at: part.at });
    if (part.kind === "cast" && part.to.array && what === "generated column") {
      throw ddlError(
        1235,
        "This version of TiDB doesn't yet support 'Use of CAST( .. AS .. ARRAY) outside of functional index in CREATE(non-SELECT)/ALTER TABLE or in general expressions'",
      );
    }
    if (part.kind === "row") throw ddlError(3764, `Expression of ${what} '${name}' cannot refer to a row value`);
  });
}

/** Kinds of arguments that a partition function takes. */
const OF_DATE = new Set(
  "to_days to_seconds dayofmonth month dayofyear quarter yearweek year weekday dayofweek day datediff".split(" "),
);
const OF_TIME = new Set("hour minute second time_to_sec microsecond".split(" "));
const OF_NUMBER = new Set("abs ceiling floor mod plus minus mul intdiv unaryminus unaryplus".split(" "));
const DATE_UNITS = /^(YEAR|YEAR_MONTH|QUARTER|MONTH|DAY)$/;
const DATETIME_UNITS = /^DAY_/;
const TIME_UNITS = /^(HOUR|MINUTE|SECOND|MICROSECOND)/;

const dependent = () =>
  ddlError(1486, "Constant, random or timezone-dependent expressions in (sub)partitioning function are not allowed");

/** Checks the expression of HASH, RANGE and LIST partitions (`checkPartitionFuncValid`, `checkPartitionFuncType`). */
export function checkPartitionFunction(
  table: TableInfo,
  expr: Expr,
  context: { session: DdlSession; sql: string },
): void {
  if (expr.kind === "column") {
    if (evalKind(findColumn(table, expr.name)!.type) !== "int") {
      throw ddlError(1659, `Field '${expr.name}' is of a not allowed type for this type of partitioning`);
    }
    return;
  }
  let columns = 0;
  walkExpr(expr, (part) => {
    if (part.kind === "column") columns++;
    else if (part.kind === "call") checkPartitionCall(table, part);
    else if (!["int", "decimal", "string", "null", "unit"].includes(part.kind)) {
      throw ddlError(1564, "This partition function is not allowed", { at: part.at });
    }
  });
  if (columns === 0) throw dependent();
  if (evalKind(inferType(expr, { table, ...context })) !== "int") {
    throw ddlError(1491, "The PARTITION function returns the wrong type");
  }
}

function checkPartitionCall(table: TableInfo, call: CallExpr): void {
  const { name } = call;
  const types = call.args.flatMap((arg) => (arg.kind === "column" ? [findColumn(table, arg.name)!.type.Tp] : []));
  const only = (...allowed: number[]): void => {
    if (types.some((tp) => !allowed.includes(tp))) throw dependent();
  };
  if (name === "extract") {
    const unit = call.args[0]?.kind === "unit" ? call.args[0].unit : "";
    if (DATE_UNITS.test(unit)) only(Tp.date, Tp.datetime);
    else if (DATETIME_UNITS.test(unit)) only(Tp.datetime);
    else if (TIME_UNITS.test(unit)) only(Tp.duration, Tp.datetime);
    else throw dependent();
  } else if (name === "unix_timestamp") only(Tp.timestamp);
  else if (OF_DATE.has(name)) only(Tp.date, Tp.datetime);
  else if (OF_TIME.has(name)) only(Tp.duration, Tp.datetime);
  else if (OF_NUMBER.has(name)) {
    if (types.includes(Tp.timestamp)) throw dependent();
  } else throw ddlError(1564, "This partition function is not allowed", { at: call.at });
}

/** Types of the columns of KEY, RANGE COLUMNS and LIST COLUMNS (`checkColumnsPartitionType`). */
export function checkPartitionColumns(table: TableInfo, info: PartitionInfo): void {
  for (const name of info.columns ?? []) {
    const { Tp: tp } = findColumn(table, name.O)!.type;
    const never = isBlobType(tp) || tp === Tp.json || tp === Tp.vector || tp === Tp.geometry;
    const kind = evalKind(findColumn(table, name.O)!.type);
    const compared = kind === "int" || kind === "datetime" || kind === "duration" || isStringType(tp);
    const inColumns = compared && tp !== Tp.timestamp && tp !== Tp.bit && tp !== Tp.year;
    if (never || (info.type !== PartitionType.key && !inColumns)) {
      throw ddlError(1659, `Field '${name.O}' is of a not allowed type for this type of partitioning`);
    }
  }
}
