import { type Fields, newFields } from "../../codec/mod.ts";
import { compileTable, type EncodeSession, RowShape, type TableEncoder } from "../../encoder/mod.ts";
import { type Engine, openEngine, type PairArena } from "../../engine/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { type Chunk, ChunkReader, SqlScanner, type Storage } from "../../source/mod.ts";
import type { WarningCountMessage, WorkerTable } from "../encode/messages.ts";
import { isRowError } from "../encode/rejected-row.ts";
import { rowsPrefix } from "../engines.ts";
import { KeyTable } from "./key-table.ts";
import { RowEntries } from "./row-entries.ts";

export interface RowMarkerOptions {
  storage: Storage;
  kvdb: KvDb;
  tables: readonly WorkerTable[];
  session: EncodeSession;
  arena: PairArena;
  windowBytes: number;
  compatLightning: boolean;
  invalidReplacement: string | undefined;
  allowShortRows: boolean;
  typeErrorsMax: number;
  /** Keys that several rows have. */
  keys: SharedArrayBuffer;
  firstRun: number;
  onProgress(rows: number, sourceBytes: number): void;
}

interface OpenTable {
  encoder: TableEncoder;
  columnsVersion: number;
}

/** Reads chunks a second time, and writes down the rows that have one of the keys: their pairs, and where they stand. */
export class RowMarker {
  readonly #options: RowMarkerOptions;
  readonly #engine: Engine;
  readonly #entries: RowEntries;
  readonly #encoders = new Map<string, OpenTable>();
  readonly #fields: Fields = newFields(64);
  #nextRun: number;

  private constructor(options: RowMarkerOptions, engine: Engine) {
    const keys = KeyTable.over(options.keys);
    this.#options = options;
    this.#engine = engine;
    this.#entries = new RowEntries((key, length) => keys.find(key, 0, length) >= 0);
    this.#nextRun = options.firstRun;
  }

  static async open(options: RowMarkerOptions): Promise<RowMarker> {
    const store = { kvdb: options.kvdb };
    return new RowMarker(options, await openEngine({ name: "rows", store, prefix: rowsPrefix, role: "writer" }));
  }

  async encode(id: number, chunk: Chunk): Promise<void> {
    const { compatLightning, invalidReplacement, storage, tables, windowBytes, session } = this.#options;
    const number = tables.findIndex(({ name }) => name === `${chunk.database}.${chunk.table}`);
    const table = tables[number]!;
    const visible = table.info.cols.filter((column) => !column.hidden);
    const reader = await ChunkReader.open(storage, chunk, {
      windowBytes,
      columnCount: visible.length,
      columnNames: visible.map((column) => column.name.O),
      codings: table.codings,
      sqlMode: session.sqlMode,
      compatLightning,
      ...(invalidReplacement === undefined ? {} : { invalidReplacement }),
    });
    try {
      await this.#rows(id, number, table, chunk, reader);
    } finally {
      await reader.close();
    }
    this.#options.onProgress(0, chunk.sourceBytes);
  }

  async flush(): Promise<void> {
    const { arena } = this.#options;
    if (arena.count === 0) return;
    await this.#engine.writeRun(arena, { runId: this.#nextRun++ });
    arena.clear();
  }

  /** The first reading has told them. */
  warnings(): WarningCountMessage[] {
    return [];
  }

  async #rows(id: number, number: number, table: WorkerTable, chunk: Chunk, reader: ChunkReader): Promise<void> {
    const { arena, allowShortRows, typeErrorsMax } = this.#options;
    const entries = this.#entries;
    const fields = this.#fields;
    const { scanner } = reader;
    const sql = scanner instanceof SqlScanner ? scanner : undefined;
    const shape = new RowShape(table.info, chunk.extraColumns, allowShortRows);
    let zone: string | undefined;
    let open: OpenTable | undefined;
    let rowId = chunk.rowIdBase;
    while (await reader.fill()) {
      while (reader.next(fields)) {
        if (open === undefined || sql?.session.timeZone !== zone) {
          zone = sql?.session.timeZone;
          open = this.#openTable(table, zone);
          open.encoder.startChunk(chunk.rowIdBase);
          open.columnsVersion = -1;
        }
        if (open.columnsVersion !== scanner.columnsVersion) {
          open.columnsVersion = scanner.columnsVersion;
          shape.begin(scanner.columns, fields.count);
          open.encoder.bindColumns(shape.names, table.ignored);
        }
        entries.begin();
        rowId++;
        try {
          open.encoder.encodeRow(shape.active ? shape.apply(fields) : fields, rowId);
        } catch (thrown) {
          // It was left out by the first reading, and reported then.
          if (typeErrorsMax === 0 || !isRowError(thrown)) throw thrown;
          continue;
        }
        if (!entries.hit) continue;
        entries.keep(arena, number, rowId, { chunk: id, row: scanner.rowNumber, byte: reader.rowPosition });
        if (arena.full) await this.flush();
      }
    }
  }

  #openTable(table: WorkerTable, zone: string | undefined): OpenTable {
    const key = `${table.name}\n${zone ?? ""}`;
    let open = this.#encoders.get(key);
    if (open === undefined) {
      const { session } = this.#options;
      const encoder = compileTable(table.info, {
        session: zone === undefined ? session : { ...session, timeZone: zone },
        record: this.#entries,
        index: this.#entries,
      });
      open = { encoder, columnsVersion: -1 };
      this.#encoders.set(key, open);
    }
    return open;
  }
}
