import { type Fields, newFields } from "../../codec/mod.ts";
import {
  type AutoIdMax,
  type BulkEncoder,
  type EncodeSession,
  RowShape,
  type TableEncoder,
} from "../../encoder/mod.ts";
import {
  type Chunk,
  ChunkReader,
  type PlainSyntax,
  type SpareBuffers,
  SqlScanner,
  type Storage,
} from "../../source/mod.ts";
import type { WorkerTable } from "./messages.ts";

export interface ChunkRowsOptions {
  storage: Storage;
  session: EncodeSession;
  windowBytes: number;
  compatLightning: boolean;
  invalidReplacement: string | undefined;
  allowShortRows: boolean;
  /** Of the worker. */
  spare?: SpareBuffers;
  /** Ends the reading at its next piece. */
  signal?: AbortSignal;
  /** Tables of which a worker has seen this much may be encoded many rows at a time; `BULK_BYTES_MIN` if absent. */
  bulkBytesMin?: number;
}

/** Below, making a kernel takes longer than it saves. */
const BULK_BYTES_MIN = 4 << 20;

/**
 * Encoders that are kept. Chunks come table after table, so those of earlier tables are hardly needed again, and of hundreds of small tables
 * they are tens of megabytes.
 */
const ENCODERS_MAX = 4;

/** The encoders of a batch, one for each table and time zone. */
export class TableEncoders {
  readonly #session: EncodeSession;
  readonly #compile: (table: WorkerTable, session: EncodeSession) => TableEncoder;
  readonly #open = new Map<string, TableEncoder>();
  readonly #bytes = new Map<string, number>();
  #bulk: TableEncoder | undefined;

  constructor(session: EncodeSession, compile: (table: WorkerTable, session: EncodeSession) => TableEncoder) {
    this.#session = session;
    this.#compile = compile;
  }

  /** Bytes of the table's chunks so far, with one that begins. */
  weigh(table: WorkerTable, bytes: number): number {
    const sum = (this.#bytes.get(table.name) ?? 0) + bytes;
    this.#bytes.set(table.name, sum);
    return sum;
  }

  /** What encodes many rows at a time; that of another table is given up, so that a worker has memory for one. */
  bulkOf(encoder: TableEncoder, syntax: PlainSyntax): BulkEncoder | undefined {
    if (this.#bulk !== encoder) this.#bulk?.dropBulk();
    this.#bulk = encoder;
    return encoder.bulkEncoder(syntax);
  }

  /** `zone` is what the dump says itself; undefined: the session's. */
  of(table: WorkerTable, zone: string | undefined): TableEncoder {
    const key = `${table.name}\n${zone ?? ""}`;
    let encoder = this.#open.get(key);
    if (encoder === undefined) {
      encoder = this.#compile(table, zone === undefined ? this.#session : { ...this.#session, timeZone: zone });
      const [longestUnused] = this.#open.keys();
      if (longestUnused !== undefined && this.#open.size >= ENCODERS_MAX) this.#open.delete(longestUnused);
    } else this.#open.delete(key);
    this.#open.set(key, encoder);
    return encoder;
  }
}

/** Encoders that look at rows before those of the table do. */
export interface Probes {
  readonly table: WorkerTable;
  readonly encoders: TableEncoders;
}

/**
 * The rows of one chunk, each with the encoder that takes it: that of the time zone at hand, bound to the columns at hand. `while (await
 * rows.fill()) while (rows.next()) rows.encoder.encodeRow(rows.row, rows.rowId)`.
 */
export class ChunkRows {
  readonly reader: ChunkReader;
  readonly shape: RowShape;
  /** Of the row at hand. */
  row: Fields = newFields(64);
  rowId: number;
  readonly #fields: Fields = this.row;
  readonly #sql: SqlScanner | undefined;
  readonly #table: WorkerTable;
  readonly #encoders: TableEncoders;
  readonly #rowIdBase: number;
  readonly #probes: Probes | undefined;
  readonly #signal: AbortSignal | undefined;
  #encoder: TableEncoder | undefined;
  /** One for each time zone of the chunk. */
  readonly #used = new Set<TableEncoder>();
  /** As `encoder`, of the probes. */
  probe: TableEncoder | undefined;
  #zone: string | undefined;
  #columnsVersion = -1;
  /** The table is large enough for a kernel to be made. */
  readonly #bulk: boolean;
  #bulkEncoder: BulkEncoder | undefined;

  private constructor(
    reader: ChunkReader,
    shape: RowShape,
    table: WorkerTable,
    chunk: Chunk,
    encoders: TableEncoders,
    { bulkBytesMin = BULK_BYTES_MIN, signal }: ChunkRowsOptions,
    probes: Probes | undefined,
  ) {
    this.reader = reader;
    this.#signal = signal;
    this.#probes = probes;
    const bytes = Number.isFinite(chunk.end) ? chunk.end - chunk.start : chunk.sourceBytes;
    this.#bulk = encoders.weigh(table, bytes) >= bulkBytesMin;
    this.shape = shape;
    this.rowId = chunk.rowIdBase;
    this.#rowIdBase = chunk.rowIdBase;
    this.#sql = reader.scanner instanceof SqlScanner ? reader.scanner : undefined;
    this.#table = table;
    this.#encoders = encoders;
  }

  /** To be closed. */
  static async open(
    options: ChunkRowsOptions,
    table: WorkerTable,
    chunk: Chunk,
    encoders: TableEncoders,
    probes?: Probes,
  ): Promise<ChunkRows> {
    const { windowBytes, compatLightning, invalidReplacement } = options;
    const visible = table.info.cols.filter((column) => !column.hidden);
    const reader = await ChunkReader.open(options.storage, chunk, {
      windowBytes,
      spare: options.spare,
      columnCount: visible.length,
      columnNames: visible.map((column) => column.name.O),
      codings: table.codings,
      sqlMode: options.session.sqlMode,
      compatLightning,
      ...(invalidReplacement === undefined ? {} : { invalidReplacement }),
    });
    const shape = new RowShape(table.info, chunk.extraColumns, options.allowShortRows);
    return new ChunkRows(reader, shape, table, chunk, encoders, options, probes);
  }

  /** That of the row at hand; undefined before the first one. */
  get encoder(): TableEncoder | undefined {
    return this.#encoder;
  }

  /** False at the chunk's end. */
  async fill(): Promise<boolean> {
    this.#signal?.throwIfAborted();
    if (await this.reader.fill()) return true;
    this.#demandHeader();
    return false;
  }

  /** Where no row follows a header, its names must be columns all the same: the only line of a file may be a row that was taken for one. */
  #demandHeader(): void {
    const { columns } = this.reader.scanner;
    if (this.#encoder !== undefined || columns === undefined || this.#sql !== undefined) return;
    this.shape.begin(columns, columns.length);
    this.#encoders.of(this.#table, undefined).bindColumns(this.shape.names, this.#table.ignored);
  }

  /**
   * Encodes rows behind the one at hand, many at a time, where they and the table are plain; gives their number. The first row of a
   * chunk, and each row that this leaves, comes from `next`.
   */
  encodeMany(): number {
    const { reader } = this;
    if (this.#encoder === undefined || !this.#bulk || this.shape.active) return 0;
    const syntax = reader.plainSyntax();
    if (syntax === undefined || this.#columnsVersion !== reader.scanner.columnsVersion) return 0;
    if (this.#sql !== undefined && this.#sql.session.timeZone !== this.#zone) return 0;
    const bulk = this.#encoders.bulkOf(this.#encoder, syntax);
    if (bulk === undefined) return 0;
    // It may be that of the chunk before.
    if (bulk !== this.#bulkEncoder) bulk.forgetInput();
    this.#bulkEncoder = bulk;
    const rows = bulk.encode(reader.window, reader.scanner, this.rowId + 1);
    this.rowId += rows;
    return rows;
  }

  /** Largest automatic ids of the chunk's rows, or of the encoders' chunks before. */
  autoIdMax(): AutoIdMax {
    const max = { autoIncrement: 0n, autoRandom: 0n, rowId: 0n };
    for (const { autoIdMax } of this.#used) {
      for (const name of ["autoIncrement", "autoRandom", "rowId"] as const)
        if (autoIdMax[name] > max[name]) max[name] = autoIdMax[name];
    }
    return max;
  }

  /** Brings the checksums of the sinks up to date. */
  drain(): void {
    this.#encoder?.drain();
  }

  /** False where `fill` is to be called. */
  next(): boolean {
    if (!this.reader.next(this.#fields)) return false;
    const zone = this.#sql?.session.timeZone;
    if (this.#encoder === undefined || zone !== this.#zone) {
      this.#zone = zone;
      this.drain();
      this.#encoder = this.#encoders.of(this.#table, zone);
      this.#used.add(this.#encoder);
      this.#encoder.startChunk(this.#rowIdBase);
      this.probe = this.#probes?.encoders.of(this.#probes.table, zone);
      this.probe?.startChunk(this.#rowIdBase);
      this.#columnsVersion = -1;
    }
    const { scanner } = this.reader;
    if (this.#columnsVersion !== scanner.columnsVersion) {
      this.#columnsVersion = scanner.columnsVersion;
      this.shape.begin(scanner.columns, this.#fields.count);
      this.#encoder.bindColumns(this.shape.names, this.#table.ignored);
      this.probe?.bindColumns(this.shape.names, this.#probes!.table.ignored);
    }
    this.row = this.shape.active ? this.shape.apply(this.#fields) : this.#fields;
    this.rowId++;
    return true;
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
