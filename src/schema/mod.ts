/**
 * The table model: TiDB's TableInfo, read from its JSON or made from DDL, and SQL expressions as trees.
 *
 * The SQL parser is our own: node-sql-parser and its kin give no TiDB comments, partitions or hints, lose source offsets and the
 * exact form of literals, and weigh more than all of levin; what is parsed here has to come out as TiDB would have stored it.
 */
export type { DdlSession } from "./build/session.ts";
export {
  Catalog,
  type Database,
  type ExecuteResult,
  type IdPurpose,
  type Rebase,
  type TableChange,
} from "./catalog/catalog.ts";
export type { Statement } from "./ddl/ast.ts";
export { parseStatement } from "./ddl/parser.ts";
export { parseLosslessJson, stringifyLossless } from "./lossless-json.ts";
export {
  type NamedPlace,
  retarget,
  type ScriptStatement,
  type StatementClass,
  splitScript,
} from "./script.ts";
export { type ShowCreateOptions, showCreateDatabase, showCreateTable } from "./show-create.ts";
export { typeText } from "./show-type.ts";
export * from "./sql/expr.ts";
export { parseExpr } from "./sql/expr-parser.ts";
export {
  DEFAULT_STYLE,
  GENERATED_STYLE,
  PARTITION_STYLE,
  type PrintStyle,
  printExpr,
  quoteName,
  quoteString,
} from "./sql/expr-print.ts";
export { Lexer, type Token, type TokenKind, tokenize } from "./sql/lexer.ts";
export { DEFAULT_SQL_MODE, isStrict, parseSqlMode, type SqlMode } from "./sql/sql-mode.ts";
export * from "./table-info.ts";
export { parseTableInfo, tableInfoOf } from "./table-info-json.ts";
