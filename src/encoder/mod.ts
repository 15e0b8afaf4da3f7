/**
 * Rows → key-value pairs, compiled once per table. Two paths that agree: the plain path (`row-values.ts`, `row-pairs.ts`) makes a
 * datum of every value and is right for every table; it is the oracle of the fast path (`fast/`), which parses fields straight into
 * rows and keys. `cast/` turns source values into column values, `expr/` evaluates the table's expressions. What a table cannot do is
 * refused when it is compiled, never guessed.
 *
 * Invariants: a row's pairs are written all or none, the record first; automatic ids count for written rows only; nothing is allocated a
 * row on the fast path unless a field is not plain. It lacks: columns whose type a running ALTER TABLE changes, indexes that are being
 * added, defaults from sequences.
 */
export type { AutoIdMax } from "./auto-id.ts";
export type { BulkEncoder } from "./bulk/bulk-encoder.ts";

export { type DescribeSession, describePair } from "./describe-pair.ts";
export { type HandleLiteral, handleLiterals } from "./handle-literals.ts";
export type { EncodeOptions, EncodeSession, EncodeWarning, TableExpressions } from "./options.ts";
export { RowShape } from "./row-shape.ts";
export { compileTable, type TableEncoder } from "./table-encoder.ts";
export { compileVirtualColumns } from "./virtual-columns.ts";
export { type WarningCount, WarningSummary } from "./warnings.ts";
