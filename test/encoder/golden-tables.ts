import { fromHex, toHex, utf8 } from "../../src/base/mod.ts";
import { KvChecksum, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeOptions, type TableEncoder } from "../../src/encoder/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";
import { readJsonLines } from "../codec/golden-file.ts";
import { readCsv, readInserts } from "./source-text.ts";

export interface PairsAndSum {
  pairs: [string, string][];
  checksum: { bytes: number; crc64xor: string; kvs: number };
}

type Lightning = "same" | PairsAndSum | { error: string };

export interface GoldenTable extends PairsAndSum {
  case: string;
  sqlMode: string;
  sessionVars: Record<string, string>;
  newCollation: boolean;
  tableInfo: TableInfo;
  columns: string[];
  sql: string;
  csv: string | null;
  csvHex?: string;
  sqlHasExpressions?: boolean;
  lightning?: { csv?: Lightning; sql?: Lightning };
  autoRandomSeed?: number;
  timestamp?: number;
  rows?: { rowId: number; pairs: [string, string][] }[];
}

export function goldenTables(): GoldenTable[] {
  return readJsonLines<GoldenTable>("tables.jsonl.gz");
}

/** Keeps pairs in their order and sums them up. */
export class Collector implements PairSink {
  pairs: [string, string][] = [];
  readonly sum = new KvChecksum();

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.pairs.push([toHex(key.subarray(0, keyLength)), toHex(value.subarray(0, valueLength))]);
    this.sum.add(key, keyLength, value, valueLength);
  }

  sorted(): [string, string][] {
    return [...this.pairs].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  }
}

export function encoderFor(
  table: GoldenTable,
  sink: PairSink,
  others: Pick<EncodeOptions, "expressions" | "plainOnly" | "onWarning">,
): TableEncoder {
  const vars = table.sessionVars;
  const seconds = Number(vars["timestamp"] ?? table.timestamp ?? 0);
  const encoder = compileTable(table.tableInfo, {
    ...others,
    session: {
      sqlMode: table.sqlMode,
      timeZone: vars["time_zone"]!,
      newCollations: table.newCollation,
      rowFormatVersion: vars["tidb_row_format_version"] === "1" ? 1 : 2,
      rowLevelChecksum: vars["tidb_enable_row_level_checksum"] === "1",
      nowMs: seconds * 1000,
      defaultWeekFormat: 0,
    },
    record: sink,
    index: sink,
  });
  encoder.bindColumns(table.columns);
  return encoder;
}

/** Encodes one text of the case; row ids are 1, 2, 3 … or those that the case gives. */
export function encodeText(table: GoldenTable, form: "sql" | "csv", encoder: TableEncoder): void {
  encoder.startChunk(table.autoRandomSeed ?? 0);
  let row = 0;
  const each = (fields: Parameters<TableEncoder["encodeRow"]>[0]): void => {
    encoder.encodeRow(fields, table.rows?.[row]?.rowId ?? row + 1);
    row++;
  };
  if (form === "sql") readInserts(table.sql, each);
  else readCsv(table.csvHex === undefined ? utf8(table.csv!) : fromHex(table.csvHex), each);
}

/** What the encoder should make of a text; undefined where the case has no such text. */
export function wanted(table: GoldenTable, form: "sql" | "csv"): PairsAndSum | { error: string } | undefined {
  if (form === "csv" && table.csv === null && table.csvHex === undefined) return undefined;
  if (table.sqlHasExpressions === true) return undefined;
  const other = table.lightning?.[form];
  return other === undefined || other === "same" ? table : other;
}
