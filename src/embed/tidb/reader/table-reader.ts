import {
  ByteReader,
  type ColumnForm,
  columnForm,
  type Datum,
  decodeFlaggedDatum,
  decodeRow,
  recordPrefix,
  splitKey,
  type TimeZone,
} from "../../../codec/mod.ts";
import { type ColumnInfo, Flag, type IndexInfo, SchemaState, type TableInfo } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";
import { originDefault } from "./origin-default.ts";

/** Pseudo column of tables without an integer or clustered key. */
export const ROW_ID = "_tidb_rowid";

/** A row taken from its pair: values by column offset; virtual generated columns are absent. */
export interface StoredRow {
  values: (Datum | undefined)[];
  /** Set where the table has no key of its own. */
  rowId: bigint | undefined;
}

/** Compiles the virtual generated columns of a table into a function that fills them in; `zone` is the session's. */
export type EvaluateVirtual = (table: TableInfo, zone: string) => (values: (Datum | undefined)[]) => void;

/** Turns record pairs of one table back into rows. */
export class TableReader {
  readonly table: TableInfo;
  readonly columns: ColumnInfo[];
  readonly #forms = new Map<number, ColumnForm>();
  readonly #zone: TimeZone;
  /** Values of columns that are younger than a row, by column id. */
  readonly #origins = new Map<number, Datum>();
  readonly #primary: IndexInfo | undefined;
  readonly #fillVirtual: ((values: (Datum | undefined)[]) => void) | undefined;

  constructor(table: TableInfo, newCollations: boolean, zone: TimeZone, evaluateVirtual?: EvaluateVirtual) {
    this.table = table;
    this.#zone = zone;
    const virtual = table.cols.some((column) => column.generated_expr_string !== "" && !column.generated_stored);
    if (virtual) this.#fillVirtual = evaluateVirtual?.(table, zone.name);
    this.columns = table.cols.filter((column) => column.state === SchemaState.public);
    for (const column of table.cols) {
      const form = columnForm(column.type, newCollations, zone);
      if (form === undefined) throw new SqlError(1105, `column ${column.name.O} has a type that is not stored`);
      this.#forms.set(column.id, form);
    }
    this.#primary = table.is_common_handle ? (table.index_info ?? []).find((index) => index.is_primary) : undefined;
  }

  /** Physical ids: the partitions', or the table's own. */
  get physicalIds(): number[] {
    const partition = this.table.partition;
    return partition?.enable ? partition.definitions.map((definition) => definition.id) : [this.table.id];
  }

  /** Range of record keys of a physical table: [start, end). */
  recordRange(physicalId: number): { start: Uint8Array; end: Uint8Array } {
    const start = recordPrefix(physicalId);
    const end = start.slice();
    end[end.length - 1]!++;
    return { start, end };
  }

  decode(key: Uint8Array, value: Uint8Array): StoredRow {
    const parts = splitKey(key);
    if (parts.kind !== "record") throw new SqlError(1105, "not a record key");
    const stored = decodeRow(value, this.#forms);
    const values: (Datum | undefined)[] = this.table.cols.map((column) => stored.get(column.id));
    let rowId: bigint | undefined;
    if (parts.handle.kind === "common") this.#fromCommonHandle(parts.handle.bytes, values);
    else if (this.table.pk_is_handle) this.#fromIntHandle(parts.handle.value, values);
    else rowId = parts.handle.value;
    for (const column of this.table.cols) {
      if (values[column.offset] !== undefined) continue;
      if (column.generated_expr_string !== "" && !column.generated_stored) continue;
      values[column.offset] = this.#origin(column);
    }
    this.#fillVirtual?.(values);
    return { values, rowId };
  }

  #fromIntHandle(handle: bigint, values: (Datum | undefined)[]): void {
    const column = this.table.cols.find((one) => (one.type.Flag & Flag.priKey) !== 0);
    if (column === undefined) throw new SqlError(1105, `table ${this.table.name.O} has no primary key column`);
    const unsigned = (column.type.Flag & Flag.unsigned) !== 0;
    values[column.offset] = unsigned
      ? { kind: "uint", value: BigInt.asUintN(64, handle) }
      : { kind: "int", value: handle };
  }

  /** Values that the row itself leaves out because the key has them in full. */
  #fromCommonHandle(bytes: Uint8Array, values: (Datum | undefined)[]): void {
    const input = new ByteReader(bytes);
    for (const part of this.#primary?.idx_cols ?? []) {
      const column = this.table.cols[part.offset]!;
      const datum = decodeFlaggedDatum(input, this.#forms.get(column.id)!);
      if (values[part.offset] === undefined) values[part.offset] = datum;
    }
  }

  /** A column that the row does not mention: added after the row was written, or NULL by default. */
  #origin(column: ColumnInfo): Datum {
    const known = this.#origins.get(column.id);
    if (known !== undefined) return known;
    const value = originDefault(column, this.#forms.get(column.id)!, this.#zone);
    if (value === undefined)
      throw new SqlError(1105, `the sandbox cannot read the default of column ${column.name.O} that old rows have`);
    this.#origins.set(column.id, value);
    return value;
  }
}
