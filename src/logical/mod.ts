/**
 * The logical backend: rows of a source → INSERT and REPLACE statements into whatever speaks MySQL's protocol. Knows how to bring in one
 * chunk; the order of chunks is the importer's.
 *
 * Invariants: a statement's rows and the position behind them are committed together, so that what was applied is known after any crash
 * or lost answer; a statement is repeated only when the target said that it was not applied; a row that the server refuses is named with
 * file, row and byte; nothing is left to the server's silent conversions (INSERT IGNORE) that its warnings do not account for.
 *
 * It lacks: exactly-once rows in tables of engines without transactions (MyISAM, Aria): there the statement that was under way may be
 * applied twice.
 */
export type { ApplyPolicy, ConflictStrategy } from "./apply-rows.ts";
export type { Claim, ClaimedTable } from "./claims.ts";
export { findTwin } from "./find-twin.ts";
export { JobHold } from "./job-hold.ts";
export { Lane } from "./lane.ts";
export { ChunkLoader, type LogicalChunkTable, type StatementReport } from "./load-chunk.ts";
export { ForgottenError, PositionTable } from "./position-table.ts";
export { type LogicalTable, readLogicalTables, unknownTable } from "./table.ts";
