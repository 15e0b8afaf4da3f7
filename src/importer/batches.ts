import type { SourceTable } from "./source-plan.ts";

/** Tables of one batch: their pairs share the engines and are ingested together. */
export interface Batch {
  id: number;
  tables: SourceTable[];
  sizeBytes: number;
}

/** Small tables go together until a batch is this large. */
const BATCH_BYTES = 256 << 20;
const BATCH_TABLES_MAX = 512;

/** Cuts the list of tables, in order, into batches: a large table alone, small ones together. */
export function planBatches(tables: readonly SourceTable[], sizeBytesMax = BATCH_BYTES): Batch[] {
  const batches: Batch[] = [];
  let open: Batch | undefined;
  for (const table of tables) {
    const fits =
      open !== undefined && open.sizeBytes + table.sizeBytes <= sizeBytesMax && open.tables.length < BATCH_TABLES_MAX;
    if (!fits || open === undefined) {
      open = { id: batches.length, tables: [], sizeBytes: 0 };
      batches.push(open);
    }
    open.tables.push(table);
    open.sizeBytes += table.sizeBytes;
  }
  return batches;
}
