import { textOf } from "../base/mod.ts";
import { FieldKind, type Fields, newFields } from "../codec/mod.ts";
import { type Chunk, ChunkReader, type Storage } from "../source/mod.ts";
import { bindRow } from "./binding.ts";
import type { LogicalChunkTable, RowPlace } from "./load-chunk.ts";

export interface FindTwinOptions {
  storage: Storage;
  /** All chunks of the table, in order. */
  chunks: AsyncIterable<{ chunk: Chunk }>;
  table: LogicalChunkTable;
  /** The index that the server named. */
  index: string;
  /** Where the row stands that the server refused. */
  place: RowPlace;
  sqlMode: string;
  compatLightning: boolean;
  invalidReplacement: string | undefined;
  signal: AbortSignal;
}

/**
 * Finds the row of the source that is in the way of another one: the first one, other than that, whose values in the index's columns are the
 * same text but for case and spaces at the end. Undefined where there is none: the row is in the target, or is compared by rules of the
 * target's own.
 */
export async function findTwin(options: FindTwinOptions): Promise<RowPlace | undefined> {
  const { table, index, place } = options;
  const columns = table.info.uniqueKeys.find(({ name }) => name.toLowerCase() === index.toLowerCase())?.columns;
  if (columns === undefined || columns.includes(undefined)) return undefined;
  const names = columns.map((name) => name!.toLowerCase());
  /** Key → first row with it, for rows met before the refused one. */
  const before = new Map<string, RowPlace>();
  let wanted: string | undefined;
  for await (const { chunk } of options.chunks) {
    options.signal.throwIfAborted();
    const found = await eachKey(options, chunk, names, (key, row, byte) => {
      if (chunk.path === place.file && byte === place.byte && row === place.row) {
        wanted = key;
        return key === undefined ? undefined : before.get(key);
      }
      if (key === undefined) return undefined;
      const here = { file: chunk.path, row, byte };
      if (wanted === undefined) {
        if (before.size < KEYS_MAX && !before.has(key)) before.set(key, here);
      } else if (key === wanted) return here;
      return undefined;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Keys that are remembered; a row beyond them is not found. */
const KEYS_MAX = 1_000_000;

async function eachKey(
  options: FindTwinOptions,
  chunk: Chunk,
  names: readonly string[],
  show: (key: string | undefined, row: number, byte: number) => RowPlace | undefined,
): Promise<RowPlace | undefined> {
  const { storage, sqlMode, compatLightning, invalidReplacement } = options;
  const { info, codings, ignored } = options.table;
  const reader = await ChunkReader.open(storage, chunk, {
    columnCount: info.columns.length,
    columnNames: info.columns.map(({ name }) => name),
    codings: new Map(codings),
    sqlMode,
    compatLightning,
    ...(invalidReplacement === undefined ? {} : { invalidReplacement }),
  });
  const fields: Fields = newFields(64);
  let version = -1;
  let at: (number | undefined)[] = [];
  try {
    while (await reader.fill()) {
      while (reader.next(fields)) {
        if (version !== reader.scanner.columnsVersion) {
          version = reader.scanner.columnsVersion;
          const { slots } = bindRow(info, reader.scanner.columns, fields.count, {
            extras: chunk.extraColumns,
            ignored,
          });
          at = names.map((name) => slots.find((slot) => slot.name.toLowerCase() === name)?.field);
        }
        const found = show(keyOf(fields, at), reader.scanner.rowNumber, reader.rowPosition);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  } finally {
    await reader.close();
  }
}

/** Undefined where a value is NULL, or not in the source. */
function keyOf({ bytes, start, end, kind, count }: Fields, at: readonly (number | undefined)[]): string | undefined {
  let key = "";
  for (const field of at) {
    if (field === undefined || field < 0 || field >= count) return undefined;
    if (kind[field] === FieldKind.null || kind[field] === FieldKind.default) return undefined;
    key += `${textOf(bytes.subarray(start[field]!, end[field]!)).trimEnd().toLowerCase()}\0`;
  }
  return key;
}
