/** Which tables and rows the bulk path takes, and what its kernel must know of them. */
import type { TimeZone } from "../../codec/mod.ts";
import { Flag, Tp } from "../../schema/mod.ts";
import type { PlainSyntax } from "../../source/mod.ts";
import type { Binding } from "../binding.ts";
import type { ColumnLayout, IndexLayout, TableLayout } from "../layout.ts";
import type { EncodeOptions } from "../options.ts";
import { BLOB_TYPES, INTEGER_BITS } from "../type-widths.ts";
import { INDEXES_MAX } from "./memory.ts";

/** How a field's text becomes a value. */
export type FieldForm =
  | { readonly kind: "int"; readonly bits: number; readonly unsigned: boolean }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number; readonly unsigned: boolean }
  | { readonly kind: "time"; readonly clock: boolean; readonly fsp: number; readonly years: readonly [number, number] }
  | {
      readonly kind: "text";
      /** Of characters, or of bytes. */
      readonly limit: number;
      readonly inBytes: boolean;
      readonly trim: boolean;
      /** Longest character; 1: ASCII only, others are converted elsewhere. */
      readonly characterBytes: number;
    };

/** A column in the order of the fields, which is that of the column ids. */
export interface BulkColumn {
  readonly id: number;
  readonly form: FieldForm;
  readonly notNull: boolean;
  /** Its value is in the row; else it is the handle. */
  readonly stored: boolean;
  /** NULL is left out of the row instead of being listed. */
  readonly nullLeftOut: boolean;
  /** Keys need its value. */
  readonly inKey: boolean;
  /** Its automatic id is to be noted. */
  readonly noted: boolean;
}

export interface BulkIndex {
  readonly id: number;
  readonly unique: boolean;
  /** Positions in `columns`. */
  readonly parts: readonly number[];
}

export interface BulkPlan {
  readonly tableId: number;
  readonly columns: readonly BulkColumn[];
  readonly indexes: readonly BulkIndex[];
  /** Position in `columns` of the handle, -1 for `_tidb_rowid`. */
  readonly handle: number;
  readonly syntax: PlainSyntax;
}

/** Nulls are bits of one number. */
const COLUMNS_MAX = 64;
/** Of an index key with its handle, so that lengths take one byte. */
const PARTS_MAX = 7;
/** Longest character that a kernel takes. */
const TEXT_CHARSETS = new Map([
  ["utf8mb4", 4],
  ["utf8", 3],
  ["utf8mb3", 3],
  ["ascii", 1],
  ["latin1", 1],
]);
/** Undefined where the table, its session or the binding has something that only the other paths know. */
export function planBulk(
  layout: TableLayout,
  options: EncodeOptions,
  bindings: readonly Binding[],
  syntax: PlainSyntax,
): BulkPlan | undefined {
  const { info, handle } = layout;
  const binding = bindings[0];
  if (options.plainOnly || binding === undefined || bindings.length !== 1 || binding.rowIdField >= 0) return undefined;
  if (options.session.rowFormatVersion !== 2 || options.session.rowLevelChecksum || layout.partitioned)
    return undefined;
  if (handle.kind === "common" || info.ShardRowIDBits !== 0) return undefined;
  if (layout.columns.length > COLUMNS_MAX || binding.fieldCount !== layout.columns.length) return undefined;
  const columns: BulkColumn[] = [];
  const keyColumns = new Set(layout.indexes.flatMap((index) => index.parts).map((part) => part.column));
  for (const column of layout.columns) {
    const isHandle = handle.kind === "int" && handle.column === column;
    const planned = planColumn(column, layout.zone, isHandle, keyColumns.has(column));
    // Values lie in the row in the order of the ids; fields are written as they come.
    const inOrder = binding.fieldOf[column.offset] === columns.length && column.info.id > (columns.at(-1)?.id ?? 0);
    if (planned === undefined || !inOrder || column.info.id > 255) return undefined;
    columns.push(planned);
  }
  if (!columns.some(({ stored }) => stored) || layout.indexes.length > INDEXES_MAX) return undefined;
  const indexes = layout.indexes.map((index) => planIndex(index, columns));
  if (!indexes.every((index) => index !== undefined)) return undefined;
  const handleAt = handle.kind === "int" ? handle.column.offset : -1;
  return { tableId: info.id, columns, indexes, handle: handleAt, syntax };
}

function planColumn(column: ColumnLayout, zone: TimeZone, isHandle: boolean, inIndex: boolean): BulkColumn | undefined {
  const form = fieldForm(column, zone);
  const { beingAdded, generated, neverStored, autoRandom, autoIncrement } = column;
  if (form === undefined || beingAdded || generated !== "no" || autoRandom) return undefined;
  if (neverStored !== isHandle || (inIndex && form.kind !== "int" && form.kind !== "time")) return undefined;
  // NULL asks for the next number there.
  if (autoIncrement && (form.kind !== "int" || !column.notNull || !isHandle)) return undefined;
  if (isHandle && !column.notNull) return undefined;
  return {
    id: column.info.id,
    form,
    notNull: column.notNull,
    stored: !neverStored,
    nullLeftOut: column.nullLeftOut,
    inKey: isHandle || inIndex,
    noted: autoIncrement,
  };
}

function fieldForm(column: ColumnLayout, zone: TimeZone): FieldForm | undefined {
  const { form, info } = column;
  const { Tp: tp, Flag: flags, Flen: flen, Charset: charset, Array: array } = info.type;
  const unsigned = (flags & Flag.unsigned) !== 0;
  if (array === true) return undefined;
  const bits = INTEGER_BITS.get(tp);
  if (bits !== undefined) return { kind: "int", bits, unsigned };
  if (tp === Tp.newdecimal) {
    const { precision, scale } = form;
    const fits = precision > 0 && scale <= 9 && scale <= precision && precision - scale <= 18;
    return fits ? { kind: "decimal", precision, scale, unsigned } : undefined;
  }
  if (tp === Tp.date) return { kind: "time", clock: false, fsp: 0, years: [1000, 9999] };
  if (tp === Tp.datetime) return { kind: "time", clock: true, fsp: form.fsp, years: [1000, 9999] };
  // The years at the ends of TIMESTAMP's range are left to the other paths.
  if (tp === Tp.timestamp && zone.fixedOffset === 0) {
    return { kind: "time", clock: true, fsp: form.fsp, years: [1971, 2037] };
  }
  const isText = form.kind === "bytes" && TEXT_CHARSETS.has(charset);
  if (!isText || tp === Tp.enum || tp === Tp.set || tp === Tp.json) return undefined;
  return {
    kind: "text",
    limit: flen < 0 ? 0x7fffffff : flen,
    inBytes: BLOB_TYPES.has(tp),
    trim: tp === Tp.string,
    characterBytes: TEXT_CHARSETS.get(charset)!,
  };
}

function planIndex(index: IndexLayout, columns: readonly BulkColumn[]): BulkIndex | undefined {
  const { info, parts } = index;
  if (index.global || index.needsRestored || index.arrayPart >= 0 || info.mv_index === true) return undefined;
  if (parts.length > PARTS_MAX || (info.partial_condition_expr_string ?? "") !== "") return undefined;
  if (!parts.every(({ column, length }) => length === -1 && columns[column.offset]?.inKey === true)) return undefined;
  return { id: info.id, unique: index.unique, parts: parts.map(({ column }) => column.offset) };
}
