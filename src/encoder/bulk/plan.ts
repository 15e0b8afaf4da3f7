/** Which tables and rows the bulk path takes, and what its kernel must know of them. */
import { equalBytes, utf8 } from "../../base/mod.ts";
import type { TimeZone } from "../../codec/mod.ts";
import { Flag, Tp } from "../../schema/mod.ts";
import type { PlainSyntax } from "../../source/mod.ts";
import type { Binding } from "../binding.ts";
import type { ColumnLayout, TableLayout } from "../layout.ts";
import type { EncodeOptions } from "../options.ts";
import { BLOB_TYPES, INTEGER_BITS } from "../type-widths.ts";
import { type BulkIndex, type ClusteredKey, type PlannedIndexes, planIndexes } from "./index-plan.ts";

/** How a field's text becomes a value. */
export type FieldForm =
  | { readonly kind: "int"; readonly bits: number; readonly unsigned: boolean }
  | {
      readonly kind: "decimal";
      readonly precision: number;
      readonly scale: number;
      readonly unsigned: boolean;
    }
  | {
      readonly kind: "time";
      readonly clock: boolean;
      readonly fsp: number;
      readonly years: readonly [number, number];
    }
  | { readonly kind: "year" }
  | { readonly kind: "float"; readonly single: boolean; readonly unsigned: boolean }
  /** The bytes of each element, and its number; those that this kernel does not take are left out. */
  | { readonly kind: "enum"; readonly elements: readonly (readonly [name: Uint8Array, value: number])[] }
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
  /** Its value is in the row; else in the record's key alone. */
  readonly stored: boolean;
  /** NULL is left out of the row instead of being listed. */
  readonly nullLeftOut: boolean;
  /** Keys or index entries need the place of its value: in the row, or beside it where it is not stored. */
  readonly located: boolean;
  /** Its automatic id is to be noted. */
  readonly noted: boolean;
}

export interface BulkPlan {
  readonly tableId: number;
  readonly columns: readonly BulkColumn[];
  readonly indexes: readonly BulkIndex[];
  /** Position in `columns` of the handle, -1 for `_tidb_rowid` and clustered keys. */
  readonly handle: number;
  readonly clustered: ClusteredKey | undefined;
  readonly syntax: PlainSyntax;
  /** Of the ASCII characters, by collation. */
  readonly weights: readonly Uint16Array[];
}

/** Nulls are bits of one number. */
const COLUMNS_MAX = 64;
/** An ENUM's elements are compared one by one, eight bytes at a time. */
const ELEMENTS_MAX = 64;
const ELEMENT_BYTES_MAX = 64;
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
  if (info.ShardRowIDBits !== 0) return undefined;
  if (layout.columns.length > COLUMNS_MAX || binding.fieldCount !== layout.columns.length) return undefined;
  const keys = planIndexes(layout);
  if (keys === undefined) return undefined;
  const columns: BulkColumn[] = [];
  for (const column of layout.columns) {
    const isHandle = handle.kind === "int" && handle.column === column;
    const planned = planColumn(column, layout.zone, isHandle, keys, syntax);
    // Values lie in the row in the order of the ids; fields are written as they come.
    const inOrder = binding.fieldOf[column.offset] === columns.length && column.info.id > (columns.at(-1)?.id ?? 0);
    if (planned === undefined || !inOrder || column.info.id > 255) return undefined;
    columns.push(planned);
  }
  if (!columns.some(({ stored }) => stored)) return undefined;
  const handleAt = handle.kind === "int" ? handle.column.offset : -1;
  const { indexes, weights, clustered } = keys;
  return {
    tableId: info.id,
    columns,
    indexes,
    handle: handleAt,
    clustered,
    syntax,
    weights,
  };
}

function planColumn(
  column: ColumnLayout,
  zone: TimeZone,
  isHandle: boolean,
  keys: PlannedIndexes,
  syntax: PlainSyntax,
): BulkColumn | undefined {
  const form = fieldForm(column, zone, keys.weighted.has(column.offset), syntax);
  const { beingAdded, generated, neverStored, autoRandom, autoIncrement } = column;
  if (form === undefined || beingAdded || generated !== "no" || autoRandom) return undefined;
  const inKey = isHandle || keys.clustered?.parts.some((part) => part.column === column.offset) === true;
  if ((neverStored && !inKey) || (inKey && !column.notNull)) return undefined;
  // NULL asks for the next number there.
  if (autoIncrement && (form.kind !== "int" || !column.notNull)) return undefined;
  if (isHandle && (form.kind !== "int" || !neverStored)) return undefined;
  return {
    id: column.info.id,
    form,
    notNull: column.notNull,
    stored: !neverStored,
    nullLeftOut: column.nullLeftOut,
    located: keys.located.has(column.offset),
    noted: autoIncrement,
  };
}

/** `ascii`: other characters are left to the other paths. */
function fieldForm(column: ColumnLayout, zone: TimeZone, ascii: boolean, syntax: PlainSyntax): FieldForm | undefined {
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
  if (tp === Tp.year) return { kind: "year" };
  // FLOAT(M,D) rounds.
  if (tp === Tp.float || tp === Tp.double) {
    return info.type.Decimal === -1 ? { kind: "float", single: tp === Tp.float, unsigned } : undefined;
  }
  if (tp === Tp.enum) return enumForm(column, syntax);
  if (tp === Tp.date) return { kind: "time", clock: false, fsp: 0, years: [1000, 9999] };
  if (tp === Tp.datetime) return { kind: "time", clock: true, fsp: form.fsp, years: [1000, 9999] };
  // The years at the ends of TIMESTAMP's range are left to the other paths.
  if (tp === Tp.timestamp && zone.fixedOffset === 0) {
    return { kind: "time", clock: true, fsp: form.fsp, years: [1971, 2037] };
  }
  const isText = form.kind === "bytes" && TEXT_CHARSETS.has(charset);
  if (!isText || tp === Tp.set || tp === Tp.json) return undefined;
  return {
    kind: "text",
    limit: flen < 0 ? 0x7fffffff : flen,
    inBytes: BLOB_TYPES.has(tp),
    trim: tp === Tp.string,
    characterBytes: ascii ? 1 : TEXT_CHARSETS.get(charset)!,
  };
}

/** Elements whose bytes are neither NULL nor tokens of the source. */
function enumForm({ info }: ColumnLayout, syntax: PlainSyntax): FieldForm | undefined {
  const { Elems: elems, ElemsIsBinaryLit: binary } = info.type;
  if (elems == null || elems.length > ELEMENTS_MAX || binary?.some((yes) => yes)) return undefined;
  const tokens = new Set([syntax.quote, syntax.escapedBy, syntax.separator, ...syntax.rowEnds]);
  const elements = elems
    .map((name, i) => [utf8(name), i + 1] as const)
    .filter(([name]) => name.length <= ELEMENT_BYTES_MAX && !name.some((byte) => tokens.has(byte)))
    .filter(([name]) => !syntax.nulls.some((marker) => equalBytes(marker, name)));
  return { kind: "enum", elements };
}
