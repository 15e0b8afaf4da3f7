import { fromHex, LevinError, toHex } from "../base/mod.ts";
import {
  ByteReader,
  type ColumnForm,
  columnForm,
  type Datum,
  decodeBytes,
  decodeFlaggedDatum,
  decodeRow,
  type Handle,
  splitIndexValue,
  splitKey,
  TimeZone,
} from "../codec/mod.ts";
import type { ColumnInfo, IndexInfo, TableInfo } from "../schema/mod.ts";
import { datumToText } from "./cast/mod.ts";

export interface DescribeSession {
  newCollations: boolean;
  timeZone: string;
}

/** Says in words, a line each, what a pair of a table is. Throws `Levin:Codec:ErrCorrupt` where it is none. */
export function describePair(
  table: TableInfo,
  keyHex: string,
  valueHex: string | undefined,
  session: DescribeSession,
): string[] {
  const given = bytesOf("KEY", keyHex);
  const value = valueHex === undefined ? undefined : bytesOf("VALUE", valueHex);
  const key = splitKey(given).kind === "other" ? plainKey(given) : given;
  const parts = key === undefined ? undefined : splitKey(key);
  if (key === undefined || parts === undefined || parts.kind === "other") {
    const message = "Cannot decode KEY: it is no key of table data, which begins with t, a table's id, and _r or _i";
    throw new LevinError("Levin:Codec:ErrCorrupt", message, { fields: { key: keyHex } });
  }
  const view = new TableView(table, session);
  const lines = key === given ? [] : [`encoded as at the borders of regions; plain: ${toHex(key)}`];
  lines.push(view.tableLine(Number(parts.tableId)));
  if (parts.kind === "record") {
    lines.push(`record, handle ${view.handleText(parts.handle)}`);
    if (value !== undefined) lines.push(...ofValue(() => view.recordLines(value)));
    return lines;
  }
  const index = (table.index_info ?? []).find((one) => one.id === Number(parts.indexId));
  if (index === undefined) return [...lines, `index ${parts.indexId}, which the table does not have`];
  lines.push(
    `index "${index.idx_name.O}" (id ${index.id}${index.is_unique ? ", unique" : ""}${index.is_global ? ", global" : ""})`,
  );
  const { columns, hasHandle } = view.indexKeyLines(index, parts.rest);
  lines.push(...columns);
  if (value !== undefined) lines.push(...ofValue(() => view.indexValueLines(value)));
  else if (!hasHandle) lines.push("  the handle is in the value: give VALUE to see it");
  return lines;
}

/** Bytes that end too early say which of the two given ones they are. */
function ofValue(read: () => string[]): string[] {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Codec:ErrCorrupt") throw thrown;
    const message = thrown.message.replace(/^Cannot decode bytes:/, "Cannot decode VALUE:");
    throw new LevinError(thrown.code, message, { cause: thrown, fields: thrown.fields });
  }
}

/** The key inside groups of eight bytes, as PD shows regions' borders and TiKV stores it, there with a timestamp behind. */
function plainKey(encoded: Uint8Array): Uint8Array | undefined {
  try {
    const input = new ByteReader(encoded);
    const key = decodeBytes(input);
    return input.left === 0 || input.left === 8 ? key : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(what: string, hex: string): Uint8Array {
  try {
    return fromHex(hex);
  } catch (error) {
    throw new LevinError("Levin:Command:ErrUsage", `Cannot decode ${what}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

class TableView {
  readonly #table: TableInfo;
  readonly #forms = new Map<number, ColumnForm>();

  constructor(table: TableInfo, { newCollations, timeZone }: DescribeSession) {
    this.#table = table;
    const zone = TimeZone.find(timeZone) ?? TimeZone.utc;
    for (const column of table.cols) {
      const form = columnForm(column.type, newCollations, zone);
      if (form !== undefined) this.#forms.set(column.id, form);
    }
  }

  tableLine(id: number): string {
    const name = this.#table.name.O;
    if (id === this.#table.id) return `table "${name}" (id ${id})`;
    const partition = this.#table.partition?.definitions.find((one) => one.id === id);
    if (partition !== undefined) return `table "${name}", partition "${partition.name.O}" (id ${id})`;
    return `table id ${id}, not that of "${name}" (${this.#table.id})`;
  }

  handleText(handle: Handle): string {
    if (handle.kind === "int") return String(handle.value);
    const primary = (this.#table.index_info ?? []).find((index) => index.is_primary);
    const input = new ByteReader(handle.bytes);
    const values = (primary?.idx_cols ?? []).map(({ offset }) => this.#keyDatum(input, this.#table.cols[offset]!));
    return `(${values.join(", ")})`;
  }

  recordLines(value: Uint8Array): string[] {
    const stored = decodeRow(value, this.#forms);
    return this.#table.cols.map((column) => {
      const datum = stored.get(column.id);
      const text = datum === undefined ? this.#absentText(column) : this.#text(datum, column);
      return `  column "${column.name.O}" (id ${column.id}): ${text}`;
    });
  }

  #absentText(column: ColumnInfo): string {
    if (column.generated_expr_string !== "" && !column.generated_stored) return "virtual, not stored";
    if ((column.type.Flag & 2) !== 0 && (this.#table.pk_is_handle || this.#table.is_common_handle))
      return "in the handle";
    return "not in the row: NULL, or the column's original default";
  }

  /** The handle is in the key unless the index is unique and no value NULL. */
  indexKeyLines(index: IndexInfo, rest: Uint8Array): { columns: string[]; hasHandle: boolean } {
    const input = new ByteReader(rest);
    const columns = index.idx_cols.map(({ offset }) => {
      const column = this.#table.cols[offset]!;
      return `  column "${column.name.O}": ${this.#keyDatum(input, column)}`;
    });
    const hasHandle = input.left > 0;
    if (hasHandle) columns.push(`  then the handle: ${this.#restHandle(input)}`);
    return { columns, hasHandle };
  }

  #restHandle(input: ByteReader): string {
    const rest = input.rest();
    if (this.#table.is_common_handle) return this.handleText({ kind: "common", bytes: rest });
    const form = columnForm(
      { Tp: 8, Flag: 0, Flen: 20, Decimal: 0, Charset: "binary", Collate: "binary" },
      true,
      TimeZone.utc,
    )!;
    const datum = decodeFlaggedDatum(new ByteReader(rest), form);
    return datum.kind === "int" ? String(datum.value) : toHex(rest);
  }

  indexValueLines(value: Uint8Array): string[] {
    const { handle, partitionId, restored } = splitIndexValue(value);
    const lines: string[] = [];
    if (handle !== undefined) lines.push(`  value: handle ${this.handleText(handle)}`);
    if (partitionId !== undefined) lines.push(`  value: partition id ${partitionId}`);
    if (restored !== undefined) {
      lines.push(
        `  value: restored data of ${restored.length} bytes, for columns that the key cannot give back: ${toHex(restored)}`,
      );
    }
    if (lines.length === 0) lines.push("  value: nothing of its own");
    return lines;
  }

  /** A datum of a key; strings under a collation that is not bytewise show as their sort key. */
  #keyDatum(input: ByteReader, column: ColumnInfo): string {
    const form = this.#forms.get(column.id)!;
    const datum = decodeFlaggedDatum(input, form);
    if (
      datum.kind === "bytes" &&
      form.collation !== undefined &&
      !form.collation.bin &&
      column.type.Charset !== "binary"
    ) {
      return `sort key ${toHex(datum.value)} (${column.type.Collate})`;
    }
    return this.#text(datum, column);
  }

  #text(datum: Datum, column: ColumnInfo): string {
    if (datum.kind === "null") return "NULL";
    if (datum.kind === "bit" || (datum.kind === "bytes" && column.type.Charset === "binary")) {
      return datum.kind === "bit" ? `b'${datum.value.toString(2)}'` : `x'${toHex(datum.value)}'`;
    }
    const text = datumToText(datum, column.type) ?? "NULL";
    return datum.kind === "int" || datum.kind === "uint" || datum.kind === "float" || datum.kind === "decimal"
      ? text
      : JSON.stringify(text);
  }
}
