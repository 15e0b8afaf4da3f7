import { assert, type Files, LevinError } from "../../base/mod.ts";
import { KvChecksum, type PackedBatch, type PackedSink, type PairSink } from "../../codec/mod.ts";
import { compileTable, type EncodeSession, type TableEncoder, WarningSummary } from "../../encoder/mod.ts";
import { type Engine, openEngine, type PairArena } from "../../engine/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { type Chunk, CsvScanner, SqlScanner } from "../../source/mod.ts";
import { type BlockStore, dataPrefix, engineStore, indexPrefix } from "../engines.ts";
import type { ChunkCounts, ChunkResult, EngineName, EngineRuns } from "../records.ts";
import { ChunkRows, type ChunkRowsOptions, TableEncoders } from "./chunk-rows.ts";
import type { WarningCountMessage, WorkerTable } from "./messages.ts";
import { isRowError, type RejectedRow, rejectedRow, tooManyTypeErrors } from "./rejected-row.ts";

export interface BatchEncoderOptions extends ChunkRowsOptions {
  kvdb: KvDb;
  /** The batch's directory. */
  dir: string;
  blocks: BlockStore;
  files: Files;
  data: PairArena;
  index: PairArena;
  /** Rows of a chunk that may be left out because a value cannot be cast; 0: the first one is an error. */
  typeErrorsMax: number;
  /** At a chunk's end an arena fuller than this becomes a run at once, so that the next chunk is not split. */
  flushBytes: { data: number; index: number };
  /** Index pairs go to the data engine too. */
  oneEngine: boolean;
  /** Run ids are this and the following ones. */
  firstRun: number;
  onProgress(rows: number, sourceBytes: number): void;
  onRejected(chunk: number, rows: RejectedRow[]): void;
  onFlushed(runs: EngineRuns, chunks: ChunkResult[]): void;
}

/** Rows between two looks at progress. */
export const PROGRESS_ROWS = 4096;

/** Adds what goes into an arena to the checksum of the chunk at hand. */
class CountedSink implements PairSink, PackedSink {
  readonly packed = this;
  readonly arena: PairArena;
  checksum = new KvChecksum();

  constructor(arena: PairArena) {
    this.arena = arena;
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.checksum.add(key, keyLength, value, valueLength);
    this.arena.put(key, keyLength, value, valueLength);
  }

  get roomBytes(): number {
    return this.arena.roomBytes;
  }

  get roomPairs(): number {
    return this.arena.roomPairs;
  }

  putPacked(batch: PackedBatch): void {
    this.arena.putPacked(batch);
  }
}

/**
 * Turns the chunks of one batch into committed runs. A run is reported together with the chunks that it completes, never before: when
 * an arena fills up in the middle of a chunk, its runs wait until the chunk has ended and its rest is on disk too.
 */
export class BatchEncoder {
  readonly #options: BatchEncoderOptions;
  readonly #data: Engine;
  readonly #index: Engine;
  readonly #record: CountedSink;
  readonly #entries: CountedSink;
  readonly #warnings = new Map<string, WarningSummary>();
  /** Of the chunk at hand. */
  #changedValues = 0;
  /** That of the last chunk. */
  #table: WorkerTable | undefined;
  readonly #encoders: TableEncoders;
  /** Written but not yet reported. */
  #runs: EngineRuns = { data: [], index: [] };
  /** Ended but not yet reported. */
  #chunks: ChunkResult[] = [];
  #nextRun: number;
  /** A chunk has pairs in runs that are on disk already. */
  #split = false;

  private constructor(options: BatchEncoderOptions, data: Engine, index: Engine) {
    this.#options = options;
    this.#data = data;
    this.#index = index;
    this.#record = new CountedSink(options.data);
    this.#entries = options.oneEngine ? this.#record : new CountedSink(options.index);
    this.#nextRun = options.firstRun;
    this.#encoders = new TableEncoders(options.session, (table, session) => this.#compile(table, session));
  }

  static async open(options: BatchEncoderOptions): Promise<BatchEncoder> {
    const { kvdb, dir, blocks, files } = options;
    const open = (name: EngineName, prefix: Uint8Array): Promise<Engine> =>
      openEngine({ name, store: engineStore(kvdb, dir, blocks, name, files), prefix, role: "writer" });
    const data = await open("data", dataPrefix);
    const index = await open("index", indexPrefix);
    return new BatchEncoder(options, data, index);
  }

  /** `told` comes where the chunk before was of another table. */
  async encode(id: number, chunk: Chunk, told?: WorkerTable): Promise<void> {
    const name = `${chunk.database}.${chunk.table}`;
    if (told !== undefined) this.#table = told;
    const table = this.#table;
    assert(table?.name === name, `the worker was told of table ${name}`);
    const checksum = new KvChecksum();
    this.#record.checksum = checksum;
    this.#entries.checksum = checksum;
    const rows = await ChunkRows.open(this.#options, table, chunk, this.#encoders);
    const rejected: RejectedRow[] = [];
    this.#changedValues = 0;
    let count: number;
    try {
      count = await this.#encodeRows(rows, table, chunk, rejected);
    } finally {
      if (rejected.length > 0) this.#options.onRejected(id, rejected);
      await rows.close();
    }
    const max = rows.autoIdMax();
    const { crc64xor, kvs, bytes } = checksum.result();
    this.#chunks.push({
      chunk: id,
      table: name,
      rows: count,
      kvs: Number(kvs),
      bytes: Number(bytes),
      crc: crc64xor.toString(),
      autoIncrementMax: String(max.autoIncrement),
      autoRandomMax: String(max.autoRandom),
      rowIdMax: String(max.rowId),
      counts: countsOf(rows, rejected, this.#changedValues),
    });
    const { data, index, flushBytes } = this.#options;
    if (this.#split || data.usedBytes > flushBytes.data || index.usedBytes > flushBytes.index) await this.flush();
  }

  /** Everything encoded so far is on disk and reported when it resolves. */
  async flush(): Promise<void> {
    await this.#writeRuns((arena) => arena.count > 0);
    this.#split = false;
    if (this.#chunks.length === 0) return;
    this.#options.onFlushed(this.#runs, this.#chunks);
    this.#runs = { data: [], index: [] };
    this.#chunks = [];
  }

  warnings(): WarningCountMessage[] {
    return [...this.#warnings].flatMap(([table, summary]) =>
      summary.list().map(({ column, mysqlCode, count, example }) => ({
        table,
        column,
        mysqlCode,
        count,
        example: example.message,
      })),
    );
  }

  async #encodeRows(rows: ChunkRows, table: WorkerTable, chunk: Chunk, rejected: RejectedRow[]): Promise<number> {
    const { data, index, onProgress } = this.#options;
    const { reader } = rows;
    const sizeBytes = Math.max(1, chunk.end - chunk.start);
    let count = 0;
    let reportedRows = 0;
    let reportedBytes = 0;
    const report = (): void => {
      const share = Number.isFinite(sizeBytes) ? Math.min(1, (reader.position - chunk.start) / sizeBytes) : 0;
      const bytes = Math.floor(chunk.sourceBytes * share);
      onProgress(count - reportedRows, bytes - reportedBytes);
      reportedRows = count;
      reportedBytes = bytes;
    };
    try {
      while (await rows.fill()) {
        while (rows.next()) {
          try {
            rows.encoder!.encodeRow(rows.row, rows.rowId);
            count++;
          } catch (thrown) {
            this.#reject(thrown, table, chunk, rows, rejected);
          }
          for (let many = -1; many !== 0; ) {
            if (data.full || index.full) {
              await this.#writeRuns((arena) => arena.full);
              this.#split = true;
            }
            many = rows.encodeMany();
            count += many;
          }
          if (count - reportedRows >= PROGRESS_ROWS) report();
        }
      }
      rows.drain();
    } catch (thrown) {
      throw placed(thrown, chunk, reader.scanner.rowNumber, reader.rowPosition);
    }
    assert(count + rejected.length <= chunk.rowCountMax, "a chunk has no more rows than its ids allow");
    onProgress(count - reportedRows, chunk.sourceBytes - reportedBytes);
    return count;
  }

  /** Takes a row that cannot be cast into the report, or throws. */
  #reject(
    thrown: unknown,
    { name, info }: WorkerTable,
    chunk: Chunk,
    { reader, row, shape }: ChunkRows,
    rejected: RejectedRow[],
  ): void {
    const { typeErrorsMax } = this.#options;
    if (typeErrorsMax === 0 || !isRowError(thrown)) throw thrown;
    const place = {
      table: name,
      file: chunk.path,
      row: reader.scanner.rowNumber,
      byte: reader.rowPosition,
    };
    rejected.push(rejectedRow(thrown, place, row, shape.names, info));
    if (rejected.length > typeErrorsMax) {
      const { file, row, byte } = place;
      const last = `the last is row ${row} of "${file}", byte ${byte}: ${thrown.message}`;
      throw tooManyTypeErrors(typeErrorsMax, rejected.length, last);
    }
  }

  #compile(table: WorkerTable, session: EncodeSession): TableEncoder {
    let warnings = this.#warnings.get(table.name);
    if (warnings === undefined) {
      warnings = new WarningSummary();
      this.#warnings.set(table.name, warnings);
    }
    return compileTable(table.info, {
      session,
      record: this.#record,
      index: this.#entries,
      onWarning: (warning) => {
        this.#changedValues++;
        warnings.add(warning);
      },
    });
  }

  async #writeRuns(ripe: (arena: PairArena) => boolean): Promise<void> {
    const { data, index } = this.#options;
    for (const [arena, engine, runs] of [
      [data, this.#data, this.#runs.data],
      [index, this.#index, this.#runs.index],
    ] as const) {
      if (!ripe(arena)) continue;
      const runId = this.#nextRun++;
      await engine.writeRun(arena, { runId });
      arena.clear();
      runs.push(runId);
    }
  }
}

/** What the summary tells of a chunk beside its rows; without those that are 0. */
function countsOf({ reader, shape }: ChunkRows, rejected: readonly RejectedRow[], changedValues: number): ChunkCounts {
  const csv = reader.scanner instanceof CsvScanner ? reader.scanner : undefined;
  const counts = {
    rejectedRows: rejected.length,
    shortRows: shape.shortRows,
    quotedNulls: csv?.quotedNullCount ?? 0,
    lightningLiterals: reader.scanner instanceof SqlScanner ? reader.scanner.lightningLiteralCount : 0,
    replacedCharacters: reader.replacedCount,
    changedValues,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Adds file, row and byte to an error of the encoder; the source's own errors have them already. */
function placed(thrown: unknown, chunk: Chunk, row: number, byte: number): unknown {
  if (!(thrown instanceof LevinError) || thrown.fields["file"] !== undefined) return thrown;
  return new LevinError(thrown.code, `${thrown.message} (file "${chunk.path}", row ${row}, byte ${byte})`, {
    cause: thrown,
    fields: { ...thrown.fields, file: chunk.path, row, byte },
  });
}
