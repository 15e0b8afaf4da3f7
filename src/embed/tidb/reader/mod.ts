/** The sandbox's own reader: rows are decoded from the stored pairs, with nothing of the importer but the byte codecs. */
export { parseDateTime } from "./origin-default.ts";
export { type EvaluateVirtual, ROW_ID, type StoredRow, TableReader } from "./table-reader.ts";
export { valueText, vectorText } from "./value-text.ts";
