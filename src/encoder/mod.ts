/**
 * Rows → key-value pairs, compiled once per table. Two paths that agree: the plain path (`row-values.ts`, `row-pairs.ts`) makes a
 * datum of every value and is right for every table; it is the oracle of the fast path. What a table cannot do is refused when it is
 * compiled, never guessed.
 */
export type { AutoIdMax } from "./auto-id.ts";
export { ROW_ID_COLUMN } from "./binding.ts";
export { datumToText } from "./cast/mod.ts";
export type {
  EncodeOptions,
  EncodeSession,
  EncodeWarning,
  TableExpressions,
} from "./options.ts";
export { compileTable, type TableEncoder } from "./table-encoder.ts";
export { type WarningCount, WarningSummary } from "./warnings.ts";
