/**
 * The table model: TiDB's TableInfo, read from its JSON or made from DDL, SQL expressions as trees, and scripts cut into
 * statements. `sql/` lexer, expressions; `ddl/` statements as trees; `build/` trees to TableInfo; `catalog/` statements executed.
 *
 * Invariants: what DDL gives is what TiDB would have stored, texts of expressions and ids included; a TableInfo that was handed
 * out never changes; text from outside leads to a LevinError or a result, never to anything else; what is not known is refused
 * with its place, never guessed.
 *
 * The SQL parser is our own: node-sql-parser and its kin give no TiDB comments, partitions or AUTO_RANDOM, lose source offsets
 * and the exact form of literals, and weigh more than all of levin.
 *
 * It lacks: queries (the SELECT of a view is kept as text), spatial, columnar and partial indexes, ALTER CHECK, LAST PARTITION.
 * The types of expression indexes are known for the functions in `build/expr-function-types.ts`.
 */
export type { DdlSession } from "./build/session.ts";
export { type EvalKind, evalKind } from "./build/value-type.ts";
export {
  Catalog,
  type Database,
  type ExecuteResult,
  type IdPurpose,
  type Rebase,
  type TableChange,
} from "./catalog/catalog.ts";
export { runScript } from "./catalog/run-script.ts";
export type { Statement } from "./ddl/ast.ts";
export { parseStatement } from "./ddl/parser.ts";
export { parseLosslessJson, stringifyLossless } from "./lossless-json.ts";
export { PLAIN_COLUMN } from "./plain-column.ts";
export { type NamedPlace, retarget, type ScriptStatement, type StatementClass, splitScript } from "./script.ts";
export { type ShowCreateOptions, showCreateDatabase, showCreateTable } from "./show-create.ts";
export { typeText } from "./show-type.ts";
export * from "./sql/expr.ts";
export { parseExpr } from "./sql/expr-parser.ts";
export { PARTITION_STYLE, type PrintStyle, printExpr } from "./sql/expr-print.ts";
export { type Token, type TokenKind, tokenize } from "./sql/lexer.ts";
export { DEFAULT_SQL_MODE, isStrict, parseSqlMode, SQL_MODES, type SqlMode } from "./sql/sql-mode.ts";
export * from "./table-info.ts";
export { parseTableInfo } from "./table-info-json.ts";
