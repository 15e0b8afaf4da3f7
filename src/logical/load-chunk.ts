import { assert, LevinError, textOf } from "../base/mod.ts";
import { type Fields, newFields } from "../codec/mod.ts";
import { type Chunk, ChunkReader, type ColumnCoding, SqlScanner, type Storage } from "../source/mod.ts";
import { type Applied, type ApplyPolicy, applyRows, RowFault } from "./apply-rows.ts";
import { bindRow, type RowBinding, type Slot } from "./binding.ts";
import { InsertBuilder } from "./insert-builder.ts";
import type { Lane } from "./lane.ts";
import { rowInTheWay } from "./row-in-the-way.ts";
import { columnOf, duplicateOf, serverWords } from "./sql-faults.ts";
import type { LogicalTable } from "./table.ts";

export interface LogicalChunkTable {
  readonly info: LogicalTable;
  /** Columns that are coded in the source, by lower-case name. */
  readonly codings: ReadonlyMap<string, ColumnCoding>;
  /** Columns of the source that are left out, in lower case. */
  readonly ignored: ReadonlySet<string>;
}

/** Where a row stands in the source. */
export interface RowPlace {
  file: string;
  /** From 1, in its file or piece of a file. */
  row: number;
  /** Of its first byte in the decompressed file. */
  byte: number;
}

/** What was found at the rows of one statement, before it is committed. */
export interface StatementReport {
  /** Rows of the chunk up to and with this one are in when the statement is. */
  position: number;
  conflictCount: number;
  /** Rows in another's way, with the row's number in the chunk. */
  conflicts: { place: RowPlace; index: string; value: string }[];
  /** Rows that were left out. */
  refused: { place: RowPlace; column: string; error: string; text: string }[];
}

interface LoadChunkOptions {
  storage: Storage;
  lane: Lane;
  batchBytes: number;
  batchRows: number;
  sqlMode: string;
  /** Backslashes are plain characters in the literals of the target's session. */
  noBackslash: boolean;
  windowBytes: number;
  compatLightning: boolean;
  allowShortRows: boolean;
  invalidReplacement: string | undefined;
  signal: AbortSignal;
  policy(): ApplyPolicy;
  /** Rows of the chunk, by number from 1, that another one of the source keeps out; they are not sent. */
  leftOut?: (row: number) => boolean;
  /** The chunk goes on behind this row. */
  onBegin(position: number): Promise<void>;
  /** Durable when it resolves: the statement is committed afterwards. Called only where there is something to report. */
  onReport(report: StatementReport): Promise<void>;
  onProgress(rows: number, sourceBytes: number): void;
}

interface LoadedChunk {
  /** All rows that the chunk has. */
  rows: number;
  /** Those that `leftOut` names. */
  leftOut: number;
  shortRows: number;
  replacedCharacters: number;
  /** Values of rows that came in now which the server has changed, and the first of them. */
  changedValues: number;
  firstChange: string | undefined;
  /** Rows had come in before, so that there may be more such values. */
  isContinued: boolean;
}

/** Rows that wait to be sent, with their places. */
interface Pending {
  readonly builder: InsertBuilder;
  slots: readonly Slot[];
  rowNumbers: Float64Array;
  bytes: Float64Array;
  /** Rows of the chunk up to the last one of these, with those that were left out. */
  position: number;
}

const ROWS_MAX = 65536;

/**
 * Brings the rows of one chunk in, from the position on that the target knows. The next statement is made while one is under way.
 * Errors name file, row and byte.
 */
export class ChunkLoader {
  readonly #options: LoadChunkOptions;
  readonly #pending: [Pending, Pending];
  #turn = 0;
  #underWay: Promise<void> = Promise.resolve();
  readonly #fields: Fields = newFields(64);
  #changedValues = 0;
  #firstChange: string | undefined;

  constructor(options: LoadChunkOptions) {
    this.#options = options;
    const rows = Math.min(ROWS_MAX, options.batchRows);
    const pending = (): Pending => ({
      builder: new InsertBuilder(options.batchBytes),
      slots: [],
      rowNumbers: new Float64Array(rows),
      bytes: new Float64Array(rows),
      position: 0,
    });
    this.#pending = [pending(), pending()];
  }

  async load(batch: number, id: number, chunk: Chunk, table: LogicalChunkTable): Promise<LoadedChunk> {
    const { storage, lane, sqlMode, windowBytes, compatLightning, invalidReplacement } = this.#options;
    const { info } = table;
    const skip = await lane.begin(batch, id, chunk);
    await this.#options.onBegin(skip);
    const reader = await ChunkReader.open(storage, chunk, {
      windowBytes,
      columnCount: info.columns.length,
      columnNames: info.columns.map(({ name }) => name),
      codings: new Map(table.codings),
      sqlMode,
      compatLightning,
      ...(invalidReplacement === undefined ? {} : { invalidReplacement }),
    });
    this.#underWay = Promise.resolve();
    try {
      this.#changedValues = 0;
      this.#firstChange = undefined;
      const loaded = await this.#rows(chunk, table, reader, skip);
      await this.#underWay;
      return { ...loaded, changedValues: this.#changedValues, firstChange: this.#firstChange, isContinued: skip > 0 };
    } finally {
      await this.#underWay.catch(() => undefined);
      await reader.close();
    }
  }

  async #rows(chunk: Chunk, table: LogicalChunkTable, reader: ChunkReader, skip: number) {
    const { batchBytes, batchRows, leftOut, lane, onProgress, noBackslash, signal, allowShortRows } = this.#options;
    const rowsMax = Math.min(ROWS_MAX, batchRows);
    const fields = this.#fields;
    const { scanner } = reader;
    const sql = scanner instanceof SqlScanner ? scanner : undefined;
    const bindings = new Bindings(chunk, table, allowShortRows);
    const progress = new ChunkProgress(chunk, reader, onProgress);
    let zone: string | undefined;
    let row = 0;
    let shortRows = 0;
    let leftOutRows = 0;
    let pending = this.#next(undefined, noBackslash);
    let head: RowBinding | undefined;
    const send = async (position: number): Promise<void> => {
      pending.position = position;
      await this.#send(pending, chunk, table);
      progress.report(row);
      pending = this.#next(head, noBackslash);
    };
    try {
      while (await reader.fill()) {
        while (reader.next(fields)) {
          row++;
          if (leftOut?.(row)) {
            leftOutRows++;
            continue;
          }
          if (row <= skip) continue;
          const binding = bindings.of(scanner, fields);
          if (binding !== head || sql?.session.timeZone !== zone) {
            if (pending.builder.rows > 0) await send(row - 1);
            head = binding;
            if (sql?.session.timeZone !== zone) {
              await this.#underWay;
              zone = sql?.session.timeZone;
              await lane.useTimeZone(zone);
            }
            pending = this.#next(head, noBackslash);
          }
          if (fields.count < binding.fieldCount) shortRows++;
          const { builder } = pending;
          pending.rowNumbers[builder.rows] = scanner.rowNumber;
          pending.bytes[builder.rows] = reader.rowPosition;
          builder.add(fields, binding.slots);
          if (builder.sizeBytes >= batchBytes || builder.rows >= rowsMax) {
            signal.throwIfAborted();
            await send(row);
          }
        }
      }
      // Where no row follows a header, its names must be columns all the same: it may be a row that was taken for one.
      if (row === 0 && sql === undefined && scanner.columns !== undefined) bindings.demand(scanner.columns);
      if (pending.builder.rows > 0) await send(row);
    } catch (thrown) {
      throw placed(thrown, chunk, scanner.rowNumber, reader.rowPosition);
    }
    progress.end(row);
    return { rows: row, leftOut: leftOutRows, shortRows, replacedCharacters: reader.replacedCount };
  }

  #next(head: RowBinding | undefined, noBackslash: boolean): Pending {
    const pending = this.#pending[this.#turn]!;
    pending.builder.begin(head?.head ?? "", noBackslash);
    pending.slots = head?.slots ?? [];
    return pending;
  }

  /** Begins to send, when what was sent before is in; the other builder is free then. */
  async #send(pending: Pending, chunk: Chunk, table: LogicalChunkTable): Promise<void> {
    await this.#underWay;
    this.#turn = 1 - this.#turn;
    this.#underWay = this.#apply(pending, chunk, table);
    // Noticed by the next one who waits for it.
    this.#underWay.catch(() => undefined);
  }

  async #apply(pending: Pending, chunk: Chunk, { info }: LogicalChunkTable): Promise<void> {
    const { lane, onReport } = this.#options;
    const policy = this.#options.policy();
    const { packetBytes } = policy;
    const { builder, position } = pending;
    const placeOf = (row: number): RowPlace => ({
      file: chunk.path,
      row: pending.rowNumbers[row]!,
      byte: pending.bytes[row]!,
    });
    for (let row = 0; builder.sizeBytes > packetBytes && row < builder.rows; row++) {
      if (builder.sizeOf(row, row + 1) > packetBytes)
        throw tooLarge(placeOf(row), builder.sizeOf(row, row + 1), packetBytes, info);
    }
    let inTheWay: string | undefined;
    try {
      const { changedValues, firstChange } = await lane.move(position, async (link) => {
        const applied = await applyRows(link, builder, policy).catch(async (thrown: unknown) => {
          // While the transaction stands: the row may have come with it.
          if (thrown instanceof RowFault && thrown.kind === "duplicate") {
            const { index } = duplicateOf(serverWords(thrown.error));
            inTheWay = await rowInTheWay(link, info, index, pending.slots, builder.rowText(thrown.row));
          }
          throw thrown;
        });
        if (applied.conflictCount + applied.refused.length > 0) await onReport(reportOf(applied, pending, placeOf));
        return applied;
      });
      this.#changedValues += changedValues;
      if (firstChange !== undefined) {
        const { row, text } = firstChange;
        this.#firstChange ??= row === undefined ? text : changeWords(text, placeOf(row));
      }
    } catch (thrown) {
      if (!(thrown instanceof RowFault)) throw thrown;
      throw rowError(thrown, placeOf(thrown.row), info, inTheWay);
    }
  }
}

function reportOf(applied: Applied, pending: Pending, placeOf: (row: number) => RowPlace): StatementReport {
  return {
    position: pending.position,
    conflictCount: applied.conflictCount,
    conflicts: applied.conflicts.map(({ row, index, value }) => ({
      place: placeOf(row),
      index,
      value,
    })),
    refused: applied.refused.map(({ row, column, error }) => ({
      place: placeOf(row),
      column,
      error,
      text: textOf(pending.builder.rowText(row).subarray(0, 4096)),
    })),
  };
}

const changeWords = (text: string, { file, row, byte }: RowPlace): string =>
  `${text}, file "${file}", row ${row}, byte ${byte}`;

/** Bindings of a chunk's rows: one for each list of columns and number of fields. */
class Bindings {
  readonly #chunk: Chunk;
  readonly #table: LogicalChunkTable;
  readonly #allowShort: boolean;
  #version = -1;
  #binding: RowBinding | undefined;
  #count = -1;

  constructor(chunk: Chunk, table: LogicalChunkTable, allowShort: boolean) {
    this.#chunk = chunk;
    this.#table = table;
    this.#allowShort = allowShort;
  }

  demand(columns: readonly string[]): void {
    const { info, ignored } = this.#table;
    bindRow(info, columns, columns.length, { extras: this.#chunk.extraColumns, ignored });
  }

  of(scanner: ChunkReader["scanner"], { count }: Fields): RowBinding {
    if (this.#binding !== undefined && this.#version === scanner.columnsVersion && this.#count === count)
      return this.#binding;
    const { extraColumns: extras } = this.#chunk;
    const { info, ignored } = this.#table;
    const binding = bindRow(info, scanner.columns, count, { extras, ignored });
    const tooShort = count < binding.fieldCount;
    if (count > binding.fieldCount || (tooShort && !this.#allowShort)) {
      const message = `Cannot read row of table "${info.table}": expected ${binding.fieldCount} columns, found ${count}`;
      throw new LevinError("Levin:Source:ErrFieldCount", message, {
        fields: {
          table: info.table,
          expected: binding.fieldCount,
          found: count,
        },
      });
    }
    this.#version = scanner.columnsVersion;
    this.#count = count;
    if (this.#binding?.head !== binding.head || this.#binding.fieldCount !== binding.fieldCount)
      this.#binding = binding;
    return this.#binding;
  }
}

/** Says how far a chunk is, in rows and in bytes of its source. */
class ChunkProgress {
  readonly #chunk: Chunk;
  readonly #reader: ChunkReader;
  readonly #say: (rows: number, sourceBytes: number) => void;
  #rows = 0;
  #bytes = 0;

  constructor(chunk: Chunk, reader: ChunkReader, say: (rows: number, sourceBytes: number) => void) {
    this.#chunk = chunk;
    this.#reader = reader;
    this.#say = say;
  }

  report(rows: number): void {
    const { start, end, sourceBytes } = this.#chunk;
    const size = Math.max(1, end - start);
    const share = Number.isFinite(size) ? Math.min(1, (this.#reader.position - start) / size) : 0;
    this.#to(rows, Math.floor(sourceBytes * share));
  }

  end(rows: number): void {
    this.#to(rows, this.#chunk.sourceBytes);
  }

  #to(rows: number, bytes: number): void {
    this.#say(rows - this.#rows, bytes - this.#bytes);
    this.#rows = rows;
    this.#bytes = bytes;
  }
}

/** Adds file, row and byte to an error that has none. */
function placed(thrown: unknown, chunk: Chunk, row: number, byte: number): unknown {
  if (!(thrown instanceof LevinError) || thrown.fields["file"] !== undefined) return thrown;
  const { code, message } = thrown;
  if (!/^Levin:(?:Encode:|Source:Err(?:FieldCount|UnknownColumn)$)/.test(code)) return thrown;
  return new LevinError(code, `${message} (file "${chunk.path}", row ${row}, byte ${byte})`, {
    cause: thrown,
    fields: { ...thrown.fields, file: chunk.path, row, byte },
  });
}

function rowError(
  { kind, error }: RowFault,
  place: RowPlace,
  { table }: LogicalTable,
  inTheWay: string | undefined,
): LevinError {
  const words = serverWords(error);
  const where = `file "${place.file}", row ${place.row}, byte ${place.byte}`;
  const errno = error.fields["errno"];
  if (kind === "duplicate") {
    const { index, value } = duplicateOf(words);
    const what = `index ${index || "of the server"}, value ${value}`;
    const message = `Cannot import into table "${table}": a row is in the way of another: ${what} (${where})`;
    return new LevinError("Levin:Encode:ErrDuplicateKey", message, {
      cause: error,
      fields: { table, index, value, ...place, inTheWay, errno },
    });
  }
  const column = columnOf(words);
  const into = column === undefined ? "Cannot store row" : `Cannot store value in column "${column}"`;
  return new LevinError(
    "Levin:Encode:ErrValue",
    `${into} of table "${table}": ${words} (MySQL error ${errno}; ${where})`,
    {
      cause: error,
      fields: { table, column, ...place, mysqlCode: errno },
    },
  );
}

function tooLarge(place: RowPlace, bytes: number, max: number, { table }: LogicalTable): LevinError {
  assert(bytes > max, "the row is too large");
  const message =
    `Cannot send row: its statement has ${bytes} bytes, tidb.max-allowed-packet and the server's max_allowed_packet allow ${max} ` +
    `(file "${place.file}", row ${place.row}, byte ${place.byte})`;
  return new LevinError("Levin:Encode:ErrValue", message, {
    fields: { table, ...place },
  });
}
