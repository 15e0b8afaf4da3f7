/** Small random dumps in memory, and the pairs that they must become: everything encoded plainly and sorted. */
import { LevinError, type Random, toHex, utf8 } from "../../src/base/mod.ts";
import { newFields, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeSession } from "../../src/encoder/mod.ts";
import type { ImportOptions } from "../../src/importer/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";
import { ChunkReader, loadSource, planChunks, type Storage } from "../../src/source/mod.ts";
import type { Life } from "./life.ts";

/** Definition, and one row as the fields of a CSV line. */
interface TableShape {
  columns: string;
  /** What follows the columns. */
  options?: string;
  row(id: number, text: () => string): (string | number)[];
  /** Field that a number belongs into. */
  number: number;
}

const shapes: TableShape[] = [
  {
    columns: "id INT PRIMARY KEY CLUSTERED, v VARCHAR(60), KEY k (v)",
    row: (id, text) => [id * 3, text()],
    number: 0,
  },
  {
    columns: "a VARCHAR(20), b BIGINT, c DECIMAL(10,2), PRIMARY KEY (a, b) CLUSTERED, UNIQUE KEY u (b)",
    row: (id, text) => [text().slice(0, 20), id, `${id}.25`],
    number: 1,
  },
  { columns: "a INT, t TEXT, KEY k (a)", number: 0, row: (id, text) => [id % 7, text()] },
  {
    columns: "id BIGINT AUTO_INCREMENT PRIMARY KEY NONCLUSTERED, d DATETIME, v VARCHAR(40)",
    row: (id, text) => [1000 - id, "2024-02-29 12:13:14", text()],
    number: 0,
  },
  {
    columns: "id BIGINT PRIMARY KEY CLUSTERED, v VARCHAR(40)",
    options: " PARTITION BY HASH (id) PARTITIONS 3",
    row: (id, text) => [id, text()],
    number: 0,
  },
  {
    columns: "id BIGINT AUTO_RANDOM(5) PRIMARY KEY CLUSTERED, v VARCHAR(60)",
    number: 0,
    row: (id, text) => [id + 1, text()],
  },
];

const letters = "abcdefghijklmnopqrstuvwxyz0123456789 ";

export const sourceDir = "/dump";

export interface Dump {
  /** By path. */
  files: ReadonlyMap<string, Uint8Array>;
  rows: number;
  /** Of them: rows with a value that no column takes; they must be left out and reported. */
  badRows: number;
}

/** Most dumps are small: what goes wrong does so with few rows too, and more runs are made. */
export function randomDump(random: Random): Dump {
  const below = (n: number): number => Math.floor(random.next() * n);
  const text = (): string => Array.from({ length: 4 + below(36) }, () => letters[below(letters.length)]).join("");
  const files = new Map<string, Uint8Array>();
  files.set("d-schema-create.sql", utf8("CREATE DATABASE d;"));
  const isSmall = random.next() < 0.6;
  const tables = 1 + below(isSmall ? 2 : 3);
  const badShare = random.next() < 0.25 ? 0.1 : 0;
  let rowCount = 0;
  let badRows = 0;
  const first = below(shapes.length);
  for (let i = 0; i < tables; i++) {
    const shape = shapes[(first + i) % shapes.length]!;
    files.set(`d.t${i}-schema.sql`, utf8(`CREATE TABLE t${i} (${shape.columns})${shape.options ?? ""};`));
    const rows = Array.from({ length: isSmall ? 2 + below(14) : 3 + below(45) }, (_, id) => shape.row(id, text));
    rowCount += rows.length;
    for (const row of rows) {
      if (random.next() >= badShare) continue;
      row[shape.number] = "none";
      badRows++;
    }
    const lines = rows.map((row) => row.map((value) => `'${value}'`).join(","));
    if (below(2) === 0)
      files.set(`d.t${i}.csv`, utf8(`${lines.map((line) => line.replaceAll("'", '"')).join("\n")}\n`));
    else files.set(`d.t${i}.sql`, utf8(`INSERT INTO t${i} VALUES\n(${lines.join("),\n(")});\n`));
  }
  return { files, rows: rowCount, badRows };
}

/** The dump as a storage of one process. */
export function storageOf(files: ReadonlyMap<string, Uint8Array>, life: Life | undefined): Storage {
  const step = <T>(what: string, path: string, run: () => T): Promise<T> => {
    if (life === undefined) return Promise.resolve(run());
    const failure = () => new LevinError("Levin:Source:ErrUnreadable", `Cannot ${what} "${path}": EIO: i/o error`);
    return life.step("source", what, async () => run(), failure);
  };
  return {
    name: sourceDir,
    list: () =>
      step("list", sourceDir, () =>
        [...files]
          .map(([path, bytes]) => ({ path, sizeBytes: bytes.length, mtimeMs: 1_600_000_000_000 }))
          .sort((a, b) => (a.path < b.path ? -1 : 1)),
      ),
    open: (path) =>
      step("open", path, () => {
        const bytes = files.get(path);
        if (bytes === undefined) throw new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": ENOENT`);
        return {
          sizeBytes: bytes.length,
          read: (into, position) =>
            step("read", path, () => {
              const part = bytes.subarray(position, position + into.length);
              into.set(part);
              return part.length;
            }),
          close: () => Promise.resolve(),
        };
      }),
  };
}

export interface Expected {
  /** Hex key → hex value. */
  pairs: Map<string, string>;
  /** Table → largest id of any allocator that its rows use. */
  maxIds: Map<string, bigint>;
}

/** What an import of the dump must leave, without engines, workers, runs or resumption. */
export async function naiveImport(
  files: ReadonlyMap<string, Uint8Array>,
  models: ReadonlyMap<string, TableInfo>,
  session: EncodeSession,
  options: ImportOptions,
): Promise<Expected> {
  const pairs = new Map<string, string>();
  const maxIds = new Map<string, bigint>();
  const sink: PairSink = {
    put(key, keyLength, value, valueLength) {
      pairs.set(toHex(key.slice(0, keyLength)), toHex(value.slice(0, valueLength)));
    },
  };
  const storage = storageOf(files, undefined);
  const source = await loadSource(storage, { dialect: options.csv, sqlMode: options.sqlMode });
  for (const { database, table, files: dataFiles } of source.tables) {
    const info = models.get(`${database}.${table}`)!;
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
      let rowId = chunk.rowIdBase;
      encoder.startChunk(chunk.rowIdBase);
      let version = -1;
      while (await reader.fill()) {
        while (reader.next(fields)) {
          if (version !== reader.scanner.columnsVersion) {
            version = reader.scanner.columnsVersion;
            encoder.bindColumns(reader.scanner.columns);
          }
          try {
            encoder.encodeRow(fields, ++rowId);
          } catch (thrown) {
            if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Encode:ErrValue") throw thrown;
          }
        }
      }
      await reader.close();
    }
    let largest = 0n;
    for (const id of Object.values(encoder.autoIdMax)) if (id > largest) largest = id;
    if (largest > 0n) maxIds.set(table, largest);
  }
  return { pairs, maxIds };
}
