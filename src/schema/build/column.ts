import type { ColumnDef, Constraint, KeyPart } from "../ddl/ast.ts";
import { PLAIN_COLUMN } from "../plain-column.ts";
import { columnsOf, type Expr } from "../sql/expr.ts";
import { GENERATED_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type CIStr, type ColumnInfo, Flag, Tp } from "../table-info.ts";
import { isNow, nowPrecision, setColumnDefault } from "./default-value.ts";
import { buildFieldType } from "./field-type.ts";
import { checkRowFunctions } from "./function-rules.ts";
import type { DdlSession } from "./session.ts";

/** What the building of columns needs to know about the table. */
export interface ColumnContext {
  charset: string;
  collate: string;
  session: DdlSession;
  /** Text of the statement, for the places in errors. */
  sql: string;
}

/** A name with its lower-case form. */
export function ciStr(name: string): CIStr {
  return { O: name, L: name.toLowerCase() };
}

/** Lower case as TiDB compares names. */
export function sameName(a: CIStr, b: string): boolean {
  return a.L === b.toLowerCase();
}

/** A public column without default, at a place and with an id that the caller sets. */
export function emptyColumn(name: string): Omit<ColumnInfo, "type"> {
  return { id: 0, name: ciStr(name), offset: 0, ...PLAIN_COLUMN };
}

/**
 * A column of its definition, with the constraints that its options make (`pkg/ddl/add_column.go`, columnDefToCol). `primary`:
 * parts of the table's PRIMARY KEY clause.
 */
export function buildColumn(
  def: ColumnDef,
  context: ColumnContext,
  primary: readonly KeyPart[] = [],
): { column: ColumnInfo; constraints: Constraint[] } {
  if (def.name.toLowerCase() === "_tidb_rowid") throw ddlError(1166, `Incorrect column name '${def.name}'`);
  if ([...def.name].length > 64) throw ddlError(1059, `Identifier name '${def.name}' is too long`);
  const column: ColumnInfo = { ...emptyColumn(def.name), type: buildFieldType(def, context, context.session) };
  const constraints: Constraint[] = [];
  const state = { hasDefault: false, hasNull: false };
  for (const option of def.options) applyOption(column, def, option, context, constraints, state);
  setImplicitDefault(column, state.hasDefault);
  setNoDefaultFlag(column, state.hasDefault);
  if (primary.some((part) => part.column?.toLowerCase() === column.name.L)) column.type.Flag |= Flag.priKey;
  checkNullability(column, state.hasDefault, state.hasNull);
  checkElems(column);
  return { column, constraints };
}

type Option = ColumnDef["options"][number];

function applyOption(
  column: ColumnInfo,
  def: ColumnDef,
  option: Option,
  context: ColumnContext,
  constraints: Constraint[],
  state: { hasDefault: boolean; hasNull: boolean },
): void {
  const { type } = column;
  const parts: KeyPart[] = [{ at: option.at, column: def.name }];
  switch (option.kind) {
    case "notNull":
      type.Flag |= Flag.notNull;
      break;
    case "null":
      type.Flag &= ~Flag.notNull;
      state.hasNull = true;
      break;
    case "autoIncrement":
      type.Flag |= Flag.autoIncrement | Flag.notNull;
      break;
    case "primary":
      if (type.Flag & Flag.priKey) break;
      type.Flag |= Flag.priKey | Flag.notNull;
      constraints.push({ kind: "primary", at: option.at, parts, options: indexOptions(option) });
      break;
    case "unique":
      if (type.Flag & Flag.uniqueKey) break;
      type.Flag |= Flag.uniqueKey;
      constraints.push({ kind: "unique", at: option.at, parts, options: indexOptions(option) });
      break;
    case "default":
      state.hasDefault = setColumnDefault(column, option.expr, context.session, context.sql);
      break;
    case "onUpdate":
      if (!isUpdatable(column, option.expr)) throw ddlError(1294, `Invalid ON UPDATE clause for '${def.name}' column`);
      type.Flag |= Flag.onUpdateNow;
      break;
    case "comment":
      checkComment(option.text, def.name);
      column.comment = option.text;
      break;
    case "generated":
      setGenerated(column, option.expr, option.stored, context);
      break;
    case "check":
      if (context.session.checkConstraints) {
        constraints.push({
          kind: "check",
          at: option.at,
          expr: option.expr,
          enforced: option.enforced,
          ...(option.name !== undefined && { name: option.name }),
        });
      }
      break;
  }
}

function indexOptions(option: { clustered?: boolean; global?: boolean }): { clustered?: boolean; global?: boolean } {
  return {
    ...(option.clustered !== undefined && { clustered: option.clustered }),
    ...(option.global && { global: true }),
  };
}

/** Comments of columns hold up to 1024 characters. */
function checkComment(text: string, name: string): void {
  if ([...text].length > 1024) throw ddlError(1629, `Comment for field '${name}' is too long (max = 1024)`);
}

function isUpdatable(column: ColumnInfo, expr: Expr): boolean {
  const { Tp: tp, Decimal: fsp } = column.type;
  return (tp === Tp.timestamp || tp === Tp.datetime) && isNow(expr) && nowPrecision(expr) === Math.max(0, fsp);
}

function setGenerated(column: ColumnInfo, expr: Expr, stored: boolean, context: ColumnContext): void {
  checkRowFunctions(expr, column.name.O, "generated column");
  column.generated_expr_string = printExpr(expr, {
    ...GENERATED_STYLE,
    charset: context.session.connectionCharset ?? "utf8mb4",
  });
  column.generated_stored = stored;
  column.dependences = dependencesOf(expr);
}

/** Lower-case names of the columns that an expression reads, sorted as Go writes maps. */
export function dependencesOf(expr: Expr): Record<string, unknown> {
  const names = new Set(columnsOf(expr).map(({ name }) => name.toLowerCase()));
  return Object.fromEntries([...names].sort().map((name) => [name, {}]));
}

/** NOT NULL YEAR without default gets 0000. */
function setImplicitDefault(column: ColumnInfo, hasDefault: boolean): void {
  if (!hasDefault && column.type.Tp === Tp.year && column.type.Flag & Flag.notNull) column.default = "0000";
}

export function setNoDefaultFlag(column: ColumnInfo, hasDefault: boolean): void {
  const { Flag: flag } = column.type;
  if (!hasDefault && flag & Flag.notNull && !(flag & Flag.autoIncrement)) column.type.Flag |= Flag.noDefaultValue;
}

function checkNullability(column: ColumnInfo, hasDefault: boolean, hasNull: boolean): void {
  const { Flag: flag } = column.type;
  if (flag & Flag.priKey && hasDefault && column.default === null) {
    throw ddlError(1067, `Invalid default value for '${column.name.O}'`);
  }
  if (flag & Flag.priKey && hasNull) {
    throw ddlError(1171, "All parts of a PRIMARY KEY must be NOT NULL; if you need NULL in a key, use UNIQUE instead");
  }
  if (hasDefault && column.default === null && flag & Flag.notNull) {
    throw ddlError(1067, `Invalid default value for '${column.name.O}'`);
  }
  if (column.default_is_expr && flag & Flag.autoIncrement) {
    throw ddlError(1067, `Invalid default value for '${column.name.O}'`);
  }
}

/** Elements of ENUM and SET must differ under the collation (for ASCII letters; others are compared as they are). */
function checkElems(column: ColumnInfo): void {
  const { Elems: elems, Collate: collate, Tp: tp } = column.type;
  if (!elems) return;
  const seen = new Set<string>();
  for (const elem of elems) {
    const key = collate.endsWith("_ci") ? elem.toLowerCase() : elem;
    if (seen.has(key)) {
      const type = tp === Tp.set ? "SET" : "ENUM";
      throw ddlError(1291, `Column '${column.name.O}' has duplicated value '${elem}' in ${type}`);
    }
    seen.add(key);
  }
}
