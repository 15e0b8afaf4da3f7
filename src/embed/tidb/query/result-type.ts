import type { Expr } from "../../../schema/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import type { ResultColumn } from "../wire/mod.ts";

/** How TiDB announces the columns of a SELECT that are no columns of a table. */
type Type = Omit<ResultColumn, "name">;

const NOT_NULL = 1;
const UNSIGNED = 32;
const BINARY = 128;

const integer = (length: number, flags: number): Type => ({
  type: Tp.longlong,
  collation: 63,
  length,
  decimals: 0,
  flags: BINARY | flags,
});
const text = (length: number, flags: number): Type => ({
  type: Tp.varstring,
  collation: 46,
  length,
  decimals: 31,
  flags,
});
const double = (length: number, flags = NOT_NULL): Type => ({
  type: Tp.double,
  collation: 63,
  length,
  decimals: 31,
  flags: BINARY | flags,
});
const decimal = (length: number, decimals: number, flags = NOT_NULL): Type => ({
  type: Tp.newdecimal,
  collation: 63,
  length,
  decimals,
  flags: BINARY | flags,
});
const datetime = (flags = NOT_NULL): Type => ({
  type: Tp.datetime,
  collation: 63,
  length: 19,
  decimals: 0,
  flags: BINARY | flags,
});

const FUNCTIONS: Record<string, Type> = {
  version: text(256, NOT_NULL),
  tidb_version: text(844, NOT_NULL),
  database: text(256, 0),
  schema: text(256, 0),
  user: text(256, NOT_NULL),
  current_user: text(256, NOT_NULL),
  connection_id: integer(20, NOT_NULL | UNSIGNED),
  last_insert_id: integer(20, NOT_NULL | UNSIGNED),
  tidb_is_ddl_owner: integer(20, NOT_NULL),
  nextval: integer(10, 0),
  lastval: integer(10, 0),
  setval: integer(3, 0),
  sleep: integer(21, 0),
  get_lock: integer(1, NOT_NULL),
  release_lock: integer(1, NOT_NULL),
  release_all_locks: integer(21, NOT_NULL),
  is_free_lock: integer(1, NOT_NULL),
  is_used_lock: integer(21, UNSIGNED),
  now: datetime(),
  current_timestamp: datetime(),
  from_unixtime: datetime(),
  count: integer(21, NOT_NULL),
  unix_timestamp: integer(20, NOT_NULL),
};

const TRUTHS = new Set(
  "or xor and not eq nulleq ne lt le gt ge istrue isfalse isnull in between like ilike regexp".split(" "),
);
const BITS = new Set("bitor bitand bitxor leftshift rightshift bitneg".split(" "));
const NUMBERS = new Set("plus minus mul unaryminus unaryplus mod intdiv div sum min max".split(" "));

/** Type of an expression; `columnType` knows columns and variables. */
export function resultType(expr: Expr, columnType: (expr: Expr) => Type | undefined): Type {
  const known = columnType(expr);
  if (known !== undefined) return known;
  switch (expr.kind) {
    case "null":
      return { type: Tp.null, collation: 63, length: 0, decimals: 0, flags: BINARY };
    case "int":
      return integer(String(expr.value).length, NOT_NULL | (expr.value > 0x7fffffffffffffffn ? UNSIGNED : 0));
    case "bool":
      return integer(1, NOT_NULL);
    case "decimal":
      return decimal(expr.text.length + 3, expr.text.split(".")[1]?.length ?? 0);
    case "float":
      return double(expr.text.length + 1);
    case "string":
      return text(4 * [...expr.text].length, NOT_NULL);
    case "hex":
    case "bit":
      return { ...text(expr.bytes.length, BINARY | NOT_NULL), collation: 63 };
    case "cast":
      if (expr.to.type === "binary") return { ...text(0, BINARY | NOT_NULL), collation: 63 };
      if (expr.to.type === "signed" || expr.to.type === "unsigned")
        return integer(22, expr.to.type === "unsigned" ? UNSIGNED : 0);
      return text(0, 0);
    case "call":
      return callType(expr, columnType);
    default:
      return text(0, 0);
  }
}

function callType(expr: Extract<Expr, { kind: "call" }>, columnType: (expr: Expr) => Type | undefined): Type {
  const { name, args } = expr;
  const fixed = FUNCTIONS[name];
  if (fixed !== undefined) return fixed;
  if (TRUTHS.has(name)) return integer(1, name === "isnull" ? NOT_NULL : 0);
  if (BITS.has(name)) return integer(20, UNSIGNED);
  const types = args.map((arg) => resultType(arg, columnType));
  if (name === "unaryminus" && args[0]?.kind === "int") return integer(String(args[0].value).length + 1, NOT_NULL);
  if (NUMBERS.has(name)) {
    if (name === "min" || name === "max") return { ...types[0]!, flags: (types[0]!.flags ?? 0) & ~NOT_NULL };
    if (types.some(({ type }) => type === Tp.double || type === Tp.float || type === Tp.varstring)) return double(0);
    if (name === "sum" || name === "div" || types.some(({ type }) => type === Tp.newdecimal)) return decimal(32, 4, 0);
    return integer(20, 0);
  }
  return text(0, 0);
}
