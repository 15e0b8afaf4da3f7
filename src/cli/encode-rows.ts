import { statSync } from "node:fs";
import { resolve } from "node:path";
import { compareBytes, LevinError, toHex } from "../base/mod.ts";
import { type Fields, KvChecksum, newFields } from "../codec/mod.ts";
import { compileTable, type EncodeSession, type EncodeWarning, type TableEncoder } from "../encoder/mod.ts";
import type { TableInfo } from "../schema/mod.ts";
import {
  type Chunk,
  ChunkReader,
  type Compression,
  type CsvDialect,
  openLocalStorage,
  SqlScanner,
} from "../source/mod.ts";
import type { OutputStream } from "./output/sinks.ts";
import { type Pair, PairList } from "./pair-list.ts";

export interface EncodeRequest {
  table: TableInfo;
  paths: string[];
  session: EncodeSession;
  csv: CsvDialect;
  compatLightning: boolean;
  /** A line per row in source order instead of the sorted pairs. */
  byRow: boolean;
  /** Seed of AUTO_RANDOM shards; Lightning: the largest row number before the chunk. */
  autoRandomSeed: number;
}

/** Pairs that the command keeps for sorting; beyond that it is a job for `levin import`. */
const PAIRS_MAX = 5_000_000;

const COMPRESSIONS: Record<string, Compression> = {
  gz: "gzip",
  gzip: "gzip",
  zst: "zstd",
  zstd: "zstd",
  snappy: "snappy",
  lz4: "lz4",
  xz: "xz",
};

/** Format and compression by the file's suffix. */
function wholeFile(path: string, sizeBytes: number, mtimeMs: number, request: EncodeRequest): Chunk {
  const match = /\.(sql|csv|tsv|txt)(?:\.(gz|gzip|zst|zstd|snappy|lz4|xz))?$/i.exec(path);
  if (match === null) {
    throw new LevinError(
      "Levin:Source:ErrUnknownFile",
      `Cannot read "${path}": its name ends in neither .sql nor .csv`,
      { fields: { file: path } },
    );
  }
  const compression = COMPRESSIONS[match[2]?.toLowerCase() ?? ""] ?? "none";
  const sql = match[1]!.toLowerCase() === "sql";
  return {
    path,
    database: "",
    table: request.table.name.O,
    insertNames: undefined,
    format: sql ? "sql" : "csv",
    compression,
    charset: "utf8",
    dialect: sql ? undefined : request.csv,
    start: 0,
    end: compression === "none" ? sizeBytes : Number.POSITIVE_INFINITY,
    endsInFile: false,
    sourceBytes: sizeBytes,
    fileSizeBytes: sizeBytes,
    fileMtimeMs: mtimeMs,
    columns: undefined,
    sql: undefined,
    extraColumns: [],
    rowsBefore: 0,
    rowIdBase: 0,
    rowCountMax: Number.MAX_SAFE_INTEGER,
  };
}

interface Row {
  number: number;
  pairs: Pair[];
  warnings: EncodeWarning[];
  error: LevinError | undefined;
  /** Of the row with an error. */
  place: { file: string; row: number; byte: number } | undefined;
}

/** Encodes all rows of the files, one after the other; row numbers go on from file to file. */
async function forEachRow(request: EncodeRequest, take: (row: Row) => void): Promise<void> {
  const collector = new PairList();
  let warnings: EncodeWarning[] = [];
  const encoders = new Map<string | undefined, TableEncoder>();
  const encoderIn = (zone: string | undefined): TableEncoder => {
    let encoder = encoders.get(zone);
    if (encoder === undefined) {
      const session = zone === undefined ? request.session : { ...request.session, timeZone: zone };
      encoder = compileTable(request.table, {
        session,
        record: collector,
        index: collector,
        onWarning: (warning) => void warnings.push(warning),
      });
      encoder.startChunk(request.autoRandomSeed);
      encoders.set(zone, encoder);
    }
    return encoder;
  };
  encoderIn(undefined);
  const fields: Fields = newFields(64);
  let number = 0;
  for (const path of request.paths) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new LevinError("Levin:Command:ErrUsage", `Cannot encode "${path}": it is a directory; name its data files`);
    const storage = await openLocalStorage(resolve(path));
    const [file] = await storage.list();
    if (file === undefined)
      throw new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": there is no such file`, {
        fields: { file: path },
      });
    const chunk = wholeFile(file.path, file.sizeBytes, file.mtimeMs, request);
    const columnCount = request.table.cols.filter((column) => !column.hidden).length;
    const reader = await ChunkReader.open(storage, chunk, {
      columnCount,
      sqlMode: request.session.sqlMode,
      compatLightning: request.compatLightning,
    });
    const { scanner } = reader;
    let bound: { encoder: TableEncoder; version: number } | undefined;
    try {
      while (await reader.fill()) {
        while (reader.next(fields)) {
          const encoder = encoderIn(scanner instanceof SqlScanner ? scanner.session.timeZone : undefined);
          if (bound?.encoder !== encoder || bound.version !== scanner.columnsVersion) {
            encoder.bindColumns(scanner.columns);
            bound = { encoder, version: scanner.columnsVersion };
          }
          collector.pairs = [];
          warnings = [];
          number++;
          let error: LevinError | undefined;
          let place: Row["place"];
          try {
            encoder.encodeRow(fields, number);
          } catch (thrown) {
            error = LevinError.from(thrown);
            if (error.facts.exit !== 4) throw thrown;
            place = { file: path, row: scanner.rowNumber, byte: reader.rowPosition };
          }
          take({ number, pairs: collector.pairs, warnings, error, place });
        }
      }
    } finally {
      await reader.close();
    }
  }
}

function errorOf(error: LevinError): Record<string, unknown> {
  const cause = error.cause instanceof Error ? error.cause.message : error.message;
  const { mysqlCode, column } = error.fields;
  return { code: mysqlCode ?? 0, message: cause, ...(column === undefined ? {} : { column }) };
}

/** One line a row; the number of rows with an error comes back. */
export async function printByRow(request: EncodeRequest, out: OutputStream): Promise<number> {
  let failed = 0;
  await forEachRow(request, ({ number, pairs, warnings, error }) => {
    if (error !== undefined) {
      failed++;
      out.write(`${JSON.stringify({ row: number, error: errorOf(error) })}\n`);
      return;
    }
    const shown = warnings.map(({ mysqlCode, message, column }) => ({ code: mysqlCode, message, column }));
    out.write(
      `${JSON.stringify({ row: number, pairs: pairs.map(({ key, value }) => [toHex(key), toHex(value)]), warnings: shown })}\n`,
    );
  });
  return failed;
}

/**
 * All pairs sorted by key, then checksum and rows; `note` takes what an import would stumble over: no row at all, several pairs of
 * one key. Throws the first row's error.
 */
export async function printSorted(
  request: EncodeRequest,
  out: OutputStream,
  note: (text: string) => void,
): Promise<void> {
  const all: Pair[] = [];
  let rows = 0;
  await forEachRow(request, ({ pairs, error, place }) => {
    if (error !== undefined) {
      const where = place === undefined ? "" : ` (file "${place.file}", row ${place.row}, byte ${place.byte})`;
      throw new LevinError(error.code, `${error.message}${where}`, {
        cause: error,
        fields: { ...error.fields, ...place },
      });
    }
    rows++;
    all.push(...pairs);
    if (all.length > PAIRS_MAX) {
      throw new LevinError(
        "Levin:Command:ErrUsage",
        `Cannot print more than ${PAIRS_MAX} pairs: give fewer rows, or use --by-row`,
      );
    }
  });
  all.sort((a, b) => compareBytes(a.key, b.key));
  const sum = new KvChecksum();
  const twice = all.filter(({ key }, k) => k > 0 && compareBytes(all[k - 1]!.key, key) === 0);
  for (const { key, value } of all) {
    sum.add(key, key.length, value, value.length);
    out.write(`{"key":"${toHex(key)}","value":"${toHex(value)}"}\n`);
  }
  const { crc64xor, kvs, bytes } = sum.result();
  out.write(`{"checksum":{"crc64xor":"${crc64xor}","kvs":${kvs},"bytes":${bytes}},"rows":${rows}}\n`);
  if (rows === 0) note(`no row in ${request.paths.map((path) => `"${path}"`).join(", ")}`);
  if (twice.length > 0)
    note(
      `${twice.length} pairs have a key that is there already, the first is ${toHex(twice[0]!.key)}: an import refuses such rows`,
    );
}
