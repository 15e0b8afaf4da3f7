import { compareBytes, equalBytes, textOf } from "../../../base/mod.ts";
import { type Datum, NULL_DATUM, recordKey, splitIndexValue, splitKey, TimeZone } from "../../../codec/mod.ts";
import { type ColumnInfo, type IndexInfo, SchemaState, type TableInfo } from "../../../schema/mod.ts";
import { ROW_ID, type StoredRow, TableReader, valueText } from "../reader/mod.ts";
import type { Front } from "../session/front.ts";
import type { Pair, ReadView } from "../store/mod.ts";
import { type ResultValue, SqlError } from "../wire/mod.ts";
import type { EncodedRow, RowEncoder, RowSession } from "./encoder.ts";
import { type Cell, cellOfDatum, fieldsOf, intCell } from "./fields.ts";

/** Settings under which a stored row is encoded again without a complaint. */
const LENIENT_MODE = "ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO";

/** A key that only one row may have. */
export interface UniqueKey {
  key: Uint8Array;
  /** Undefined for the record key. */
  index: IndexInfo | undefined;
}

/** Rows of one table between their pairs, their values and the cells that make them again. */
export class TableRows {
  readonly table: TableInfo;
  readonly db: string;
  /** Shown columns. */
  readonly columns: ColumnInfo[];
  /** Columns that a statement may give. */
  readonly writable: ColumnInfo[];
  readonly hasRowId: boolean;
  /** Reads TIMESTAMP in the session's zone: what a person sees. */
  readonly #reader: TableReader;
  /** Reads TIMESTAMP in UTC, so that encoding again in UTC changes nothing. */
  readonly #exact: TableReader;
  readonly #front: Front;
  readonly #session: RowSession;
  #again: RowEncoder | undefined;

  constructor(front: Front, db: string, table: TableInfo, session: RowSession) {
    this.#front = front;
    this.db = db;
    this.table = table;
    this.#session = session;
    const zone = TimeZone.find(session.timeZone) ?? TimeZone.utc;
    this.#reader = new TableReader(table, front.newCollations, zone, front.evaluateVirtual);
    this.#exact = new TableReader(table, front.newCollations, TimeZone.utc, front.evaluateVirtual);
    this.columns = table.cols.filter(({ hidden, state }) => !hidden && state === SchemaState.public);
    this.writable = this.columns.filter(({ generated_expr_string: text }) => text === "");
    this.hasRowId = !table.pk_is_handle && !table.is_common_handle;
  }

  /** Another table as this session sees it. */
  sibling(db: string, table: string): TableRows | undefined {
    const found = this.#front.catalog.table(db, table);
    return found && new TableRows(this.#front, db, found, this.#session);
  }

  /** All records, partition by partition. */
  async *scan(view: ReadView): AsyncGenerator<Pair[]> {
    for (const id of this.#reader.physicalIds) {
      const { start, end } = this.#reader.recordRange(id);
      yield* view.scan(start, end);
    }
  }

  encoder(columns: readonly string[], sqlMode: string): RowEncoder {
    return this.#front.makeRowEncoder(this.table, columns, { ...this.#session, sqlMode });
  }

  /** Values by column offset as texts, with the row id behind them. */
  texts(pair: Pair): { values: ResultValue[]; rowId: string | null } {
    const row = this.#reader.decode(pair.key, pair.value);
    const values = this.table.cols.map((column) => textOfDatum(row.values[column.offset], column));
    return { values, rowId: row.rowId === undefined ? null : String(row.rowId) };
  }

  exact(pair: Pair): StoredRow {
    return this.#exact.decode(pair.key, pair.value);
  }

  /** The pairs that a row with these exact values has. */
  pairsOf(row: StoredRow): EncodedRow {
    const names = this.writable.map(({ name }) => name.O);
    const cells = this.writable.map((column) => cellOfDatum(row.values[column.offset] ?? NULL_DATUM, column.type));
    if (this.hasRowId) {
      names.push(ROW_ID);
      cells.push(intCell(row.rowId!));
    }
    this.#again ??= this.#front.makeRowEncoder(this.table, names, {
      ...this.#session,
      sqlMode: LENIENT_MODE,
      timeZone: "UTC",
    });
    return this.#again.encode(fieldsOf(cells));
  }

  encodeCells(encoder: RowEncoder, cells: readonly Cell[]): EncodedRow {
    return encoder.encode(fieldsOf(cells));
  }

  /** Keys of a row that no other row may have: the record's, then those of unique indexes in their order. */
  uniqueKeys(row: EncodedRow): UniqueKey[] {
    const out: UniqueKey[] = [{ key: row.record.key, index: undefined }];
    const indexes = this.table.index_info ?? [];
    const found: { order: number; unique: UniqueKey }[] = [];
    for (const { key } of row.index) {
      const parts = splitKey(key);
      if (parts.kind !== "index") continue;
      const order = indexes.findIndex(({ id }) => BigInt(id) === parts.indexId);
      const index = indexes[order];
      if (index?.is_unique || index?.is_primary) found.push({ order, unique: { key, index } });
    }
    found.sort((a, b) => a.order - b.order || compareBytes(a.unique.key, b.unique.key));
    return [...out, ...found.map(({ unique }) => unique)];
  }

  /** Record key of the row that an entry of a unique index points to. */
  recordOf({ key, index }: UniqueKey, value: Uint8Array): Uint8Array {
    if (index === undefined) return key;
    const parts = splitKey(key);
    const { handle, partitionId } = splitIndexValue(value);
    if (parts.kind !== "index" || handle === undefined)
      throw new SqlError(1105, `an entry of index ${index.idx_name.O} has no handle`);
    return recordKey(partitionId ?? parts.tableId, handle);
  }

  /** `Duplicate entry 'a-b' for key 't.ua'`. */
  duplicate({ index }: UniqueKey, row: EncodedRow): SqlError {
    const { values, rowId } = this.texts(row.record);
    let parts: (ResultValue | undefined)[];
    let name = "PRIMARY";
    const primary = index ?? this.table.index_info?.find((one) => one.is_primary && this.table.is_common_handle);
    if (primary !== undefined) {
      name = primary.is_primary ? "PRIMARY" : primary.idx_name.O;
      parts = primary.idx_cols.map(({ offset, length }) => prefixOf(values[offset] ?? null, length));
    } else if (this.table.pk_is_handle) {
      parts = this.table.cols.flatMap((column, i) => ((column.type.Flag & 2) !== 0 ? [values[i]] : []));
    } else parts = [rowId];
    const entry = parts.map((part) => (part === null || part === undefined ? "NULL" : shown(part))).join("-");
    const text = [...entry].slice(0, 64).join("");
    return new SqlError(1062, `Duplicate entry '${text}' for key '${this.table.name.O}.${name}'`, "23000");
  }

  /** Whether two rows hold the same values. */
  same(a: StoredRow, b: StoredRow): boolean {
    return this.writable.every((column) => {
      const [x, y] = [a.values[column.offset] ?? NULL_DATUM, b.values[column.offset] ?? NULL_DATUM];
      const [p, q] = [cellOfDatum(x, column.type), cellOfDatum(y, column.type)];
      return p.kind === q.kind && equalBytes(p.bytes, q.bytes);
    });
  }
}

const shown = (value: string | Uint8Array): string => (typeof value === "string" ? value : textOf(value));

function prefixOf(value: ResultValue, length: number): ResultValue {
  if (value === null || length < 0) return value;
  return [...shown(value)].slice(0, length).join("");
}

export function textOfDatum(datum: Datum | undefined, column: ColumnInfo): ResultValue {
  return datum === undefined ? null : valueText(datum, column.type);
}
