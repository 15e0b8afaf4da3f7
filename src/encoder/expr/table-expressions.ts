/** The expressions of a table as the encoder takes them. */
import type { Datum } from "../../codec/mod.ts";
import {
  type ColumnInfo,
  type Expr,
  type FieldTypeInfo,
  type IndexInfo,
  parseExpr,
  parseSqlMode,
  type SqlMode,
  type TableInfo,
} from "../../schema/mod.ts";
import { CastError, type CastSession, castDatum } from "../cast/mod.ts";
import type { TableExpressions } from "../options.ts";
import { compile } from "./compile.ts";
import { ExprContext } from "./context.ts";
import { columnValue } from "./datum.ts";
import { isStringType } from "./field-types.ts";
import type { Node } from "./node.ts";
import { truthOf } from "./truth.ts";
import type { Row } from "./value.ts";

export interface ExpressionSession {
  /** Conversions and where warnings go. */
  readonly cast: CastSession;
  /** Comma-separated `sql_mode`. */
  readonly sqlMode: string;
  readonly defaultWeekFormat: number;
}

/** The expressions of tables under a session. */
export function tableExpressions(session: ExpressionSession): Required<TableExpressions> {
  const mode = parseSqlMode(session.sqlMode);
  const contextOf = (table: TableInfo): ExprContext =>
    new ExprContext(table, session.cast, { mode, defaultWeekFormat: session.defaultWeekFormat });
  return {
    generated: (table, column) => generated(contextOf(table), mode, column),
    defaultValue: (table, column) => defaultValue(contextOf(table), mode, column),
    partition: (table) => {
      throw contextOf(table).unsupported("it is partitioned");
    },
    condition: (table, index) => condition(contextOf(table), mode, index),
  };
}

/** Parses and compiles a text of the table's metadata; what TiDB itself would refuse is refused too. */
export function compileText(ctx: ExprContext, text: string, mode: SqlMode, what: string): Node {
  const expr: Expr = parseExpr(text, mode);
  try {
    return compile(ctx, expr);
  } catch (thrown) {
    if (!(thrown instanceof CastError)) throw thrown;
    throw ctx.unsupported(`${what} is ${text}, of which TiDB says "${thrown.message}" (MySQL error ${thrown.code})`);
  }
}

function castTo(ctx: ExprContext, node: Node, column: ColumnInfo): (row: Row) => Datum {
  const evaluate = columnValue(node, isStringType(column.type.Tp));
  const from: FieldTypeInfo = node.type;
  return (row) => castDatum(ctx.session, evaluate(row), column.type, column.name.O, from);
}

function generated(ctx: ExprContext, mode: SqlMode, column: ColumnInfo): (row: Row) => Datum {
  const what = `the expression of generated column "${column.name.O}"`;
  return castTo(ctx, compileText(ctx, column.generated_expr_string, mode, what), column);
}

function defaultValue(ctx: ExprContext, mode: SqlMode, column: ColumnInfo): () => Datum {
  const what = `the default of column "${column.name.O}"`;
  const evaluate = castTo(ctx, compileText(ctx, String(column.default), mode, what), column);
  return () => evaluate([]);
}

function condition(ctx: ExprContext, mode: SqlMode, index: IndexInfo): (row: Row) => boolean {
  const text = index.partial_condition_expr_string ?? "";
  const node = compileText(ctx, text, mode, `the condition of index "${index.idx_name.O}"`);
  const truth = truthOf(ctx, node);
  return (row) => truth(row) === true;
}
