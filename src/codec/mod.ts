/**
 * Pure synchronous byte codecs: nothing here waits, reads a clock or knows a table. Layouts follow `pkg/util/codec`,
 * `pkg/util/rowcodec` and `pkg/tablecodec` of TiDB.
 */
export * from "./datum.ts";
export * from "./fields.ts";
export * from "./pair-sink.ts";
