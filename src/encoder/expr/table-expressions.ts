/** The expressions of a table as the encoder takes them. */
import type { Datum } from "../../codec/mod.ts";
import {
  type ColumnInfo,
  type FieldTypeInfo,
  type IndexInfo,
  parseSqlMode,
  type SqlMode,
  type TableInfo,
} from "../../schema/mod.ts";
import { type CastSession, castDatum } from "../cast/mod.ts";
import type { EncodeSession, TableExpressions } from "../options.ts";
import { compileText } from "./compile-text.ts";
import { ExprContext } from "./context.ts";
import { columnValue, datumEval } from "./datum.ts";
import type { Node } from "./node.ts";
import { partitionLocator } from "./partition.ts";
import { truthOf } from "./truth.ts";
import type { Row } from "./value.ts";

/** The expressions of tables, with the encoder's casts: their modes, time zone and warnings. */
export function tableExpressions(
  casts: CastSession,
  session: Pick<EncodeSession, "sqlMode" | "defaultWeekFormat">,
): Required<TableExpressions> {
  const mode = parseSqlMode(session.sqlMode);
  // TiDB reads the texts of its metadata without the session's mode (`pkg/util/generatedexpr`).
  const syntax = parseSqlMode("");
  const contextOf = (table: TableInfo): ExprContext =>
    new ExprContext(table, casts, { mode, defaultWeekFormat: session.defaultWeekFormat });
  return {
    generated: (table, column) => generated(contextOf(table), syntax, column),
    defaultValue: (table, column) => defaultValue(contextOf(table), syntax, column),
    partition: (table) => partitionLocator(contextOf(table), table.partition!),
    condition: (table, index) => condition(contextOf(table), syntax, index),
  };
}

function castTo(ctx: ExprContext, node: Node, column: ColumnInfo): (row: Row) => Datum {
  if (column.type.Array === true) return datumEval(node);
  const evaluate = columnValue(node, column.type);
  const from: FieldTypeInfo = node.type;
  return (row) => castDatum(ctx.session, evaluate(row), column.type, column.name.O, from);
}

function generated(ctx: ExprContext, mode: SqlMode, column: ColumnInfo): (row: Row) => Datum {
  const text = column.generated_expr_string;
  for (const index of ctx.table.index_info ?? []) {
    if (index.idx_cols.some((part) => part.offset === column.offset)) ctx.indexName = index.idx_name.O;
  }
  const what = `generated column "${column.name.O}" has the expression ${text}`;
  return castTo(ctx, compileText(ctx, text, mode, what), column);
}

function defaultValue(ctx: ExprContext, mode: SqlMode, column: ColumnInfo): () => Datum {
  const text = String(column.default);
  const what = `column "${column.name.O}" has the default (${text})`;
  const evaluate = castTo(ctx, compileText(ctx, text, mode, what), column);
  return () => evaluate([]);
}

function condition(ctx: ExprContext, mode: SqlMode, index: IndexInfo): (row: Row) => boolean {
  const text = index.partial_condition_expr_string ?? "";
  const node = compileText(ctx, text, mode, `index "${index.idx_name.O}" has the condition ${text}`);
  const truth = truthOf(ctx, node);
  return (row) => truth(row) === true;
}
