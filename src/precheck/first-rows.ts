import { type Fields, newFields } from "../codec/mod.ts";
import { ChunkReader, type DataFile, planChunks } from "../source/mod.ts";
import type { CheckedTable, CheckInput } from "./check.ts";

const WINDOW_BYTES = 64 << 10;
const CHUNK_BYTES = 1 << 20;

/** Gives the first row of a file, with the columns that its fields stand for, to `take`; false when the file has none. */
export async function firstRow(
  input: CheckInput,
  table: CheckedTable,
  file: DataFile,
  take: (fields: Fields, columns: readonly string[] | undefined, row: number, byte: number) => void,
): Promise<boolean> {
  const visible = table.info?.cols.filter((column) => !column.hidden);
  const { signal, compatLightning, invalidReplacement } = input;
  const replacement = invalidReplacement === undefined ? {} : { invalidReplacement };
  const known = visible === undefined ? {} : { columnCount: visible.length };
  const { sqlMode } = input.session;
  const fields = newFields(16);
  // The cutter looks through a large file from its begin; its first piece is enough.
  const chunks = planChunks(input.storage, [file], {
    chunkBytes: CHUNK_BYTES,
    sqlMode,
    streams: input.streams,
    signal,
    ...known,
    ...replacement,
  });
  for await (const chunk of chunks) {
    const reader = await ChunkReader.open(input.storage, chunk, {
      windowBytes: WINDOW_BYTES,
      compatLightning,
      sqlMode,
      codings: table.codings,
      ...(visible === undefined ? {} : { columnNames: visible.map((column) => column.name.O) }),
      ...known,
      ...replacement,
    });
    try {
      while (await reader.fill()) {
        if (!reader.next(fields)) continue;
        take(fields, reader.scanner.columns, reader.scanner.rowNumber, reader.rowPosition);
        return true;
      }
    } finally {
      await reader.close();
    }
  }
  return false;
}
