/**
 * Pure synchronous byte codecs: nothing here waits, reads a clock or knows a table. Layouts follow `pkg/util/codec`,
 * `pkg/util/rowcodec` and `pkg/tablecodec` of TiDB.
 */
export * from "./byte-reader.ts";
export * from "./byte-writer.ts";
export * from "./collation.ts";
export type { WeightTable } from "./collation-weights.ts";
export * from "./column-form.ts";
export * from "./comparable.ts";
export * from "./crc32.ts";
export { Crc64, crc64 } from "./crc64.ts";
export * from "./datum.ts";
export * from "./datum-codec.ts";
export * from "./decimal.ts";
export * from "./fields.ts";
export * from "./index-value.ts";
export * from "./json-binary.ts";
export { JsonError } from "./json-error.ts";
export * from "./json-parse.ts";
export * from "./json-print.ts";
export * from "./key-layout.ts";
export * from "./kv-checksum.ts";
export * from "./pair-sink.ts";
export * from "./row.ts";
export * from "./time.ts";
export * from "./time-zone.ts";
export * from "./utf8.ts";
export * from "./vector.ts";
