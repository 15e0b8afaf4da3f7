/** The sandbox's own reader: rows are decoded from the stored pairs, with nothing of the importer but the byte codecs. */
export { ROW_ID, type StoredRow, TableReader } from "./table-reader.ts";
export { valueText } from "./value-text.ts";
