import { textOf, toHex } from "../base/mod.ts";
import {
  ByteReader,
  type ColumnForm,
  columnForm,
  type Datum,
  decodeFlaggedDatum,
  decodeRow,
  type Handle,
  TimeZone,
} from "../codec/mod.ts";
import { Flag, type TableInfo, Tp } from "../schema/mod.ts";
import { ROW_ID_COLUMN } from "./binding.ts";
import { datumToBytes } from "./cast/mod.ts";

/** A column and the literal that it equals. */
export interface HandleLiteral {
  readonly column: string;
  readonly literal: string;
}

/**
 * The columns that name the row with this handle in a WHERE clause. Text under a collation that is not bytewise, and columns of which only
 * a part is in the key, need the row's `record`. Undefined where that is missing, and for TIMESTAMP, whose literals depend on a session.
 */
export function handleLiterals(table: TableInfo, handle: Handle, record?: Uint8Array): HandleLiteral[] | undefined {
  if (handle.kind === "int") {
    const key = table.pk_is_handle ? table.cols.find(({ type }) => (type.Flag & Flag.priKey) !== 0) : undefined;
    const unsigned = key !== undefined && (key.type.Flag & Flag.unsigned) !== 0;
    const literal = String(unsigned ? BigInt.asUintN(64, handle.value) : handle.value);
    return [{ column: key?.name.O ?? ROW_ID_COLUMN, literal }];
  }
  const primary = (table.index_info ?? []).find((index) => index.is_primary);
  const parts = (primary?.idx_cols ?? []).map(({ offset, length }) => ({ column: table.cols[offset]!, length }));
  const forms = new Map<number, ColumnForm>();
  for (const { column } of parts) {
    const form = columnForm(column.type, true, TimeZone.utc);
    if (form === undefined || column.type.Tp === Tp.timestamp) return undefined;
    forms.set(column.id, form);
  }
  const stored = record === undefined ? undefined : decodeRow(record, forms);
  const input = new ByteReader(handle.bytes);
  const out: HandleLiteral[] = [];
  for (const { column, length } of parts) {
    const form = forms.get(column.id)!;
    const inKey = decodeFlaggedDatum(input, form);
    const sortKey = form.collation !== undefined && !form.collation.bin && column.type.Charset !== "binary";
    const datum = sortKey || length !== -1 ? stored?.get(column.id) : inKey;
    if (datum === undefined) return undefined;
    out.push({ column: column.name.O, literal: literalOf(datum, column) });
  }
  return out;
}

function literalOf(datum: Datum, { type }: TableInfo["cols"][number]): string {
  const bytes = datumToBytes(datum, type);
  if (bytes === null) return "NULL";
  const text = textOf(bytes);
  if (datum.kind === "int" || datum.kind === "uint" || datum.kind === "decimal" || datum.kind === "float") return text;
  // Types that are no strings have the character set binary too.
  const isBinary = datum.kind === "bit" || (datum.kind === "bytes" && type.Charset === "binary");
  if (isBinary) return bytes.length === 0 ? "''" : `0x${toHex(bytes)}`;
  // What a backslash in quotes means is the session's SQL mode's.
  return text.includes("\\") ? `_utf8mb4 0x${toHex(bytes)}` : `'${text.replaceAll("'", "''")}'`;
}
