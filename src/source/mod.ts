/**
 * Where the rows come from: storages, the file router, decompression, chunk cutting, and the scanners for dump SQL and CSV.
 *
 * Invariants:
 * 1. Every file of a source has one verdict; none is passed over in silence.
 * 2. A chunk begins and ends at row boundaries that were proved by scanning, and its reader fails unless its last row ends
 *    exactly at its end.
 * 3. Scanners never give a row whose end they have not seen; bytes are changed in place only in complete rows.
 * 4. What is ambiguous is an error with file, row, column and byte, or is counted; it is never guessed.
 */
export { type Charset, invalidUtf8At, requireCharset } from "./charset.ts";
export * from "./chunk.ts";
export { ChunkReader, type ChunkReaderOptions } from "./chunk-reader.ts";
export { type CsvDialect, defaultCsvDialect } from "./csv-dialect.ts";
export { CsvScanner } from "./csv-scanner.ts";
export { decompressed } from "./decompress.ts";
export { type Detection, detectFile, detectionToml } from "./detect.ts";
export type { ColumnCoding } from "./field-coding.ts";
export { type Compression, compareSortKeys, parseFileName } from "./file-name.ts";
export { compileFileRule, type FileRule } from "./file-rules.ts";
export { type IgnoreColumnsRule, ignoredColumns } from "./ignore-columns.ts";
export { type LoadSourceOptions, loadSource, type TableSettings } from "./load-source.ts";
export { openLocalStorage } from "./local-storage.ts";
export { objectSource, openSource } from "./object-source.ts";
export { PlainStreams } from "./plain-streams.ts";
export type { PlainSyntax } from "./plain-syntax.ts";
export { type PlanOptions, planChunks } from "./plan.ts";
export { assertAllKnown, type DataFile, type FileVerdict, routeFiles } from "./router.ts";
export { type ExtraColumn, parseRoutes, type RouteRule } from "./routes.ts";
export { type RowScanner, Scan } from "./row-scanner.ts";
export { retarget } from "./schema-text.ts";
export * from "./source-model.ts";
export { SpareBuffers } from "./spare-buffers.ts";
export type { SchemaStatement } from "./sql-dump.ts";
export { SqlScanner, type SqlScannerOptions } from "./sql-scanner.ts";
export { newSqlSession } from "./sql-session.ts";
export * from "./storage.ts";
export {
  type BlackWhiteList,
  blackWhiteFilter,
  defaultFilterRules,
  parseTableFilter,
  type TableFilter,
} from "./table-filter.ts";
export { Window } from "./window.ts";
