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
export * from "./chunk.ts";
export { ChunkReader, type ChunkReaderOptions } from "./chunk-reader.ts";
export { type CsvDialect, checkCsvDialect, defaultCsvDialect } from "./csv-dialect.ts";
export { CsvScanner, type CsvScannerOptions } from "./csv-scanner.ts";
export { decompressed } from "./decompress.ts";
export {
  type Compression,
  compareSortKeys,
  type DataFormat,
  decodePercent,
  type FileKind,
  type FileName,
  parseFileName,
} from "./file-name.ts";
export { openLocalStorage } from "./local-storage.ts";
export { type PlanOptions, planChunks } from "./plan.ts";
export {
  assertAllKnown,
  type DataFile,
  type FileVerdict,
  routeFiles,
  type SchemaFile,
  sortDataFiles,
} from "./router.ts";
export { type RowScanner, Scan } from "./row-scanner.ts";
export { classify, type SqlStatementHead, type SqlStatementKind } from "./sql-classify.ts";
export { SqlScanner, type SqlScannerOptions } from "./sql-scanner.ts";
export { copySqlSession, newSqlSession, type SqlSession } from "./sql-session.ts";
export * from "./storage.ts";
export { Window } from "./window.ts";
