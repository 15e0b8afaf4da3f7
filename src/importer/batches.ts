import type { BatchState } from "./job-state.ts";
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

/**
 * Cuts the list of tables, in order, into batches: a large table alone, small ones together. Batches that a journal knows stay as they are
 * there, with the ids of their engines.
 */
export function planBatches(
  tables: readonly SourceTable[],
  sizeBytesMax = BATCH_BYTES,
  known: readonly (Pick<BatchState, "id" | "tables"> | undefined)[] = [],
): Batch[] {
  const batches: Batch[] = [];
  const byName = new Map(tables.map((table) => [table.name, table]));
  for (const batch of known) {
    const own = (batch?.tables ?? []).flatMap((name) => byName.get(name) ?? []);
    for (const { name } of own) byName.delete(name);
    if (batch !== undefined && own.length > 0)
      batches.push({ id: batch.id, tables: own, sizeBytes: own.reduce((sum, table) => sum + table.sizeBytes, 0) });
  }
  let open: Batch | undefined;
  let nextId = known.length;
  for (const table of byName.values()) {
    const fits =
      open !== undefined && open.sizeBytes + table.sizeBytes <= sizeBytesMax && open.tables.length < BATCH_TABLES_MAX;
    if (!fits || open === undefined) {
      open = { id: nextId++, tables: [], sizeBytes: 0 };
      batches.push(open);
    }
    open.tables.push(table);
    open.sizeBytes += table.sizeBytes;
  }
  return batches;
}
