/** What an import must leave: every row encoded plainly, and put in as statements would, one after the other. */
import { LevinError, toHex } from "../../src/base/mod.ts";
import { newFields, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeSession } from "../../src/encoder/mod.ts";
import type { ImportOptions } from "../../src/importer/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";
import { ChunkReader, loadSource, planChunks } from "../../src/source/mod.ts";
import { storageOf } from "./source.ts";

/** Hex key → hex value. */
export type Pairs = ReadonlyMap<string, string>;

/** A row of the source, or of the target before the import. */
export interface NaiveRow {
  table: string;
  /** `file:row:byte`; undefined: it was there before. */
  place: string | undefined;
  pairs: Pairs;
}

export interface Expected {
  pairs: Map<string, string>;
  /** Table → largest id of any allocator that its rows use. */
  maxIds: Map<string, bigint>;
  /** Places of the rows of the source that are not there in the end, because another one has their key. */
  dropped: Set<string>;
  /** Rows of `before` that are not there any more; one of the source may have taken its place with the same pairs. */
  replaced: Set<Pairs>;
}

export interface NaiveInput {
  files: ReadonlyMap<string, Uint8Array>;
  models: ReadonlyMap<string, TableInfo>;
  session: EncodeSession;
  options: ImportOptions;
  /** Pairs of each row that was there before. */
  before: readonly Pairs[];
  /** What is added to the row ids of a table. */
  rowIdBases: ReadonlyMap<string, number>;
}

/** Without engines, workers, runs or resumption. */
export async function naiveImport(input: NaiveInput): Promise<Expected> {
  const rows: NaiveRow[] = input.before.map((pairs) => ({ table: "", place: undefined, pairs }));
  const maxIds = await encodeRows(input, rows);
  const strategy = input.options.conflict?.strategy ?? "";
  const owner = new Map<string, NaiveRow>();
  const dropped = new Set<string>();
  const replaced = new Set<Pairs>();
  for (const row of rows) {
    // Keys of other indexes hold the row's own key.
    const inTheWay = new Set([...row.pairs.keys()].flatMap((key) => owner.get(key) ?? []));
    if (inTheWay.size > 0 && strategy === "") throw new Error("the dump has equal keys, and no strategy was chosen");
    if (inTheWay.size > 0 && strategy !== "replace") {
      dropped.add(row.place!);
      // Every row that has another's key again is told, whether that one is to stay or not.
      if (strategy === "error") for (const key of row.pairs.keys()) if (!owner.has(key)) owner.set(key, row);
      continue;
    }
    for (const other of inTheWay) {
      for (const key of other.pairs.keys()) owner.delete(key);
      if (other.place === undefined) replaced.add(other.pairs);
      else dropped.add(other.place);
    }
    for (const key of row.pairs.keys()) owner.set(key, row);
  }
  const pairs = new Map([...owner].map(([key, row]) => [key, row.pairs.get(key)!]));
  return { pairs, maxIds, dropped, replaced };
}

/** Adds the rows of the source; the largest ids. `onRow` is told of every row in turn, without pairs where a value is bad. */
export async function encodeRows(
  { files, models, session, options, rowIdBases }: Omit<NaiveInput, "before">,
  rows: NaiveRow[],
  onRow: (path: string, byte: number, row: NaiveRow | undefined) => void = () => undefined,
): Promise<Map<string, bigint>> {
  const maxIds = new Map<string, bigint>();
  let pairs = new Map<string, string>();
  const sink: PairSink = {
    put(key, keyLength, value, valueLength) {
      pairs.set(toHex(key.slice(0, keyLength)), toHex(value.slice(0, valueLength)));
    },
  };
  const storage = storageOf(files, undefined);
  const source = await loadSource(storage, { dialect: options.csv, sqlMode: options.sqlMode });
  for (const { database, table, files: dataFiles } of source.tables) {
    const name = `${database}.${table}`;
    const info = models.get(name)!;
    const visible = info.cols.filter((column) => !column.hidden);
    const encoder = compileTable(info, { session, record: sink, index: sink, onWarning: () => undefined });
    const plan = { chunkBytes: options.chunkSizeBytes, columnCount: visible.length, sqlMode: options.sqlMode };
    for await (const chunk of planChunks(storage, dataFiles, plan)) {
      const reader = await ChunkReader.open(storage, chunk, {
        windowBytes: 1 << 16,
        columnCount: visible.length,
        columnNames: visible.map((column) => column.name.O),
        codings: new Map(),
        sqlMode: options.sqlMode,
        compatLightning: false,
      });
      const fields = newFields(16);
      let rowId = chunk.rowIdBase + (rowIdBases.get(name) ?? 0);
      encoder.startChunk(rowId);
      let version = -1;
      while (await reader.fill()) {
        while (reader.next(fields)) {
          if (version !== reader.scanner.columnsVersion) {
            version = reader.scanner.columnsVersion;
            encoder.bindColumns(reader.scanner.columns);
          }
          pairs = new Map();
          try {
            encoder.encodeRow(fields, ++rowId);
          } catch (thrown) {
            if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Encode:ErrValue") throw thrown;
            onRow(chunk.path, reader.rowPosition, undefined);
            continue;
          }
          const place = `${chunk.path}:${reader.scanner.rowNumber}:${reader.rowPosition}`;
          const row = { table: name, place, pairs };
          rows.push(row);
          onRow(chunk.path, reader.rowPosition, row);
        }
      }
      await reader.close();
    }
    let largest = 0n;
    for (const id of Object.values(encoder.autoIdMax)) if (id > largest) largest = id;
    if (largest > 0n) maxIds.set(table, largest);
  }
  return maxIds;
}
