import type { PairSink } from "../../codec/mod.ts";
import { compileTable, type TableEncoder } from "../../encoder/mod.ts";
import { type Engine, openEngine, type PairArena } from "../../engine/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import type { Chunk } from "../../source/mod.ts";
import { ChunkRows, type ChunkRowsOptions, type Probes, TableEncoders } from "../encode/chunk-rows.ts";
import type { WarningCountMessage, WorkerTable } from "../encode/messages.ts";
import { isRowError } from "../encode/rejected-row.ts";
import { rowsPrefix } from "../engines.ts";
import { KeyTable } from "./key-table.ts";
import { probeTable } from "./probe-table.ts";
import { RowEntries } from "./row-entries.ts";

export interface RowMarkerOptions extends ChunkRowsOptions {
  kvdb: KvDb;
  tables: readonly WorkerTable[];
  arena: PairArena;
  typeErrorsMax: number;
  /** Keys that several rows have. */
  keys: SharedArrayBuffer;
  firstRun: number;
  onProgress(rows: number, sourceBytes: number): void;
}

/** Says whether one of a row's keys is looked for. */
class KeyProbe implements PairSink {
  hit = false;
  readonly #keys: KeyTable;

  constructor(keys: KeyTable) {
    this.#keys = keys;
  }

  put(key: Uint8Array, keyLength: number): void {
    this.hit ||= this.#keys.find(key, 0, keyLength) >= 0;
  }
}

/**
 * Reads chunks a second time, and writes down the rows that have one of the keys: their pairs, and where they stand. Of the other rows no more
 * is made than their unique keys.
 */
export class RowMarker {
  readonly #options: RowMarkerOptions;
  readonly #engine: Engine;
  readonly #entries: RowEntries;
  readonly #encoders: TableEncoders;
  readonly #probe: KeyProbe;
  readonly #probes: TableEncoders;
  /** By table, where rows are worth a look before they are encoded. */
  readonly #probed: (WorkerTable | undefined)[];
  #nextRun: number;

  private constructor(options: RowMarkerOptions, engine: Engine) {
    const keys = KeyTable.over(options.keys);
    this.#options = options;
    this.#engine = engine;
    this.#entries = new RowEntries((key, length) => keys.find(key, 0, length) >= 0);
    this.#nextRun = options.firstRun;
    const entries = { record: this.#entries, index: this.#entries };
    this.#encoders = new TableEncoders(options.session, ({ info }, session) =>
      compileTable(info, { session, ...entries }),
    );
    this.#probe = new KeyProbe(keys);
    this.#probes = new TableEncoders(options.session, ({ info }, session) =>
      compileTable(info, { session, record: this.#probe, index: this.#probe }),
    );
    this.#probed = options.tables.map(probeTable);
  }

  static async open(options: RowMarkerOptions): Promise<RowMarker> {
    const store = { kvdb: options.kvdb };
    return new RowMarker(options, await openEngine({ name: "rows", store, prefix: rowsPrefix, role: "writer" }));
  }

  async encode(id: number, chunk: Chunk): Promise<void> {
    const { tables } = this.#options;
    const number = tables.findIndex(({ name }) => name === `${chunk.database}.${chunk.table}`);
    const table = this.#probed[number];
    const probes: Probes | undefined = table && { table, encoders: this.#probes };
    const rows = await ChunkRows.open(this.#options, tables[number]!, chunk, this.#encoders, probes);
    try {
      await this.#mark(id, number, rows);
    } finally {
      await rows.close();
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

  async #mark(id: number, number: number, rows: ChunkRows): Promise<void> {
    const { arena, typeErrorsMax } = this.#options;
    const entries = this.#entries;
    const { reader } = rows;
    while (await rows.fill()) {
      while (rows.next()) {
        entries.begin();
        try {
          if (rows.probe !== undefined && !this.#isProbed(rows, rows.probe)) continue;
          rows.encoder!.encodeRow(rows.row, rows.rowId);
        } catch (thrown) {
          // It was left out by the first reading, and reported then.
          if (typeErrorsMax === 0 || !isRowError(thrown)) throw thrown;
          continue;
        }
        if (!entries.hit) continue;
        entries.keep(arena, number, rows.rowId, { chunk: id, row: reader.scanner.rowNumber, byte: reader.rowPosition });
        if (arena.full) await this.flush();
      }
    }
  }

  #isProbed({ row, rowId }: ChunkRows, encoder: TableEncoder): boolean {
    const probe = this.#probe;
    probe.hit = false;
    encoder.encodeRow(row, rowId);
    return probe.hit;
  }
}
