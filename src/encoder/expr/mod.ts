/**
 * SQL expressions of a table, compiled once to closures over a row: generated columns, expression defaults, partitions, conditions of
 * partial indexes. Types, NULLs, collations, warnings and errors are those of TiDB's expression package.
 *
 * Invariants: synchronous; nothing but CastError is thrown for a row; a function that is not known is refused when it is compiled,
 * with `Levin:Schema:ErrUnsupported`. It lacks what TiDB refuses in tables: subqueries, variables, functions of the session.
 */
export { tableExpressions } from "./table-expressions.ts";
