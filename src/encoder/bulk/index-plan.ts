/** Which indexes a bulk kernel takes, and how their entries are made: the decisions are those of `index-pairs.ts`. */
import { COMMON_HANDLE_MIN, type Collation, DatumFlag, decimalBinLength, encodedBytesLength } from "../../codec/mod.ts";
import { Flag } from "../../schema/mod.ts";
import type { ColumnLayout, HandleLayout, IndexLayout, IndexPart, TableLayout } from "../layout.ts";
import {
  ENTRY_HEADS,
  HANDLE_BYTES,
  INDEX_ROW_BYTES,
  INDEXES_MAX,
  NO_WEIGHT,
  PAIR_MAX,
  VALUE_MAX,
  WEIGHTS_MAX,
} from "./memory.ts";

/** How a value stands in a key; `column` is a position in `columns`. */
export type KeyPart =
  | { readonly kind: "number"; readonly column: number }
  /** A flag, then the bytes that are in the row. */
  | {
      readonly kind: "cell";
      readonly column: number;
      readonly flag: number;
      readonly size: number;
    }
  | {
      readonly kind: "text";
      readonly column: number;
      /** Length of the prefix, -1 = whole; of characters if `runes`, else of bytes. */
      readonly length: number;
      readonly runes: boolean;
      /** Blanks at the end do not count. */
      readonly trim: boolean;
      /** Position in `weights`, -1: the key is made of the bytes themselves. */
      readonly weights: number;
    };

/** A value beside a key that cannot be turned back into it: as in the row, cut to a prefix, or the number of blanks at its end. */
export interface RestoredCell {
  readonly column: number;
  readonly form: "value" | "unsigned blanks" | "signed blanks";
  readonly length: number;
  readonly runes: boolean;
}

/** A clustered key (`common_handle_version` 1). */
export interface ClusteredKey {
  readonly parts: readonly KeyPart[];
  readonly keyMax: number;
}

export interface BulkIndex {
  readonly id: number;
  readonly unique: boolean;
  readonly parts: readonly KeyPart[];
  /** The row that stands in the value, in the order of the columns. */
  readonly restored: readonly RestoredCell[] | undefined;
  /** Longest key and longest value. */
  readonly keyMax: number;
  readonly valueMax: number;
}

export interface PlannedIndexes {
  readonly clustered: ClusteredKey | undefined;
  readonly indexes: readonly BulkIndex[];
  /** Weights of the ASCII characters, by collation. */
  readonly weights: readonly Uint16Array[];
  /** Columns whose bytes are wanted, and columns whose texts have to be ASCII. */
  readonly located: ReadonlySet<number>;
  readonly weighted: ReadonlySet<number>;
}

/** Bytes before the values of a key. */
export const INDEX_PREFIX = 19;
const ASCII_COUNT = 128;
/** Longest value in a row that is no text: a decimal. */
const CELL_MAX = 32;
/** Of a character. */
const CHARACTER_BYTES = 4;

/** Undefined where a key has something that only the other paths know. */
export function planIndexes(layout: TableLayout): PlannedIndexes | undefined {
  if (layout.indexes.length > INDEXES_MAX) return undefined;
  const collected: Collected = { weights: [], collations: [], located: new Set(), weighted: new Set() };
  const clustered = layout.handle.kind === "common" ? planClustered(layout.handle, collected) : undefined;
  if (layout.handle.kind === "common" && clustered === undefined) return undefined;
  const indexes: BulkIndex[] = [];
  let rowBytes = 0;
  for (const index of layout.indexes) {
    const planned = planIndex(index, layout, clustered, collected);
    if (planned === undefined) return undefined;
    rowBytes += planned.keyMax + planned.valueMax + ENTRY_HEADS;
    indexes.push(planned);
  }
  return rowBytes > INDEX_ROW_BYTES ? undefined : { indexes, clustered, ...collected };
}

interface Collected {
  readonly weights: Uint16Array[];
  readonly collations: Collation[];
  readonly located: Set<number>;
  readonly weighted: Set<number>;
}

type CommonHandle = HandleLayout & { kind: "common" };

function planClustered({ version, parts }: CommonHandle, collected: Collected): ClusteredKey | undefined {
  if (version !== 1) return undefined;
  const planned = parts.map((part) => planPart(part, collected));
  if (!planned.every((part) => part !== undefined)) return undefined;
  const keyMax = Math.max(
    COMMON_HANDLE_MIN,
    planned.reduce((sum, part) => sum + part.keyMax, 0),
  );
  return keyMax > HANDLE_BYTES ? undefined : { parts: planned.map(({ part }) => part), keyMax };
}

function planIndex(
  index: IndexLayout,
  { handle }: TableLayout,
  clustered: ClusteredKey | undefined,
  collected: Collected,
): BulkIndex | undefined {
  const { info } = index;
  if (index.global || index.arrayPart >= 0 || info.mv_index === true) return undefined;
  if ((info.partial_condition_expr_string ?? "") !== "") return undefined;
  const planned = index.parts.map((part) => planPart(part, collected));
  if (!planned.every((part) => part !== undefined)) return undefined;
  const handleMax = clustered?.keyMax ?? 9;
  const keyMax = planned.reduce((sum, part) => sum + part.keyMax, INDEX_PREFIX + handleMax);
  const cells = handle.kind === "common" ? restoredV1(index, handle) : restoredV0(index);
  let valueMax = 6 + handleMax;
  for (const { column, form, length } of cells ?? []) {
    const isHandle = handle.kind === "int" && handle.column === column;
    if (!isHandle) collected.located.add(column.offset);
    valueMax += 3 + (form !== "value" ? 2 : column.form.kind === "bytes" ? textMax(column, length) : CELL_MAX);
  }
  if (cells !== undefined) valueMax += 6;
  if (keyMax + valueMax + ENTRY_HEADS > PAIR_MAX) return undefined;
  const restored = cells
    ?.map(({ column, ...cell }) => ({ ...cell, column: column.offset }))
    .sort((a, b) => a.column - b.column);
  return { id: info.id, unique: index.unique, parts: planned.map(({ part }) => part), restored, keyMax, valueMax };
}

type Cell = Omit<RestoredCell, "column"> & { readonly column: ColumnLayout };

function cellOf({ column, prefixInBytes }: IndexPart, form: RestoredCell["form"], length: number): Cell {
  return { column, form, length, runes: !prefixInBytes };
}

/** One column that needs it brings all columns of the index along. */
function restoredV0(index: IndexLayout): Cell[] | undefined {
  return index.needsRestored ? index.parts.map((part) => cellOf(part, "value", part.length)) : undefined;
}

/** The columns that need it, then those of the clustered key. */
function restoredV1(index: IndexLayout, handle: CommonHandle): Cell[] | undefined {
  const needs = ({ column }: IndexPart): boolean => column.form.needsRestored;
  const isBin = ({ column }: IndexPart): boolean => column.form.collation?.bin === true;
  const own = index.parts
    .filter((part) => needs(part) && (part.column.info.type.Flag & Flag.priKey) === 0)
    .map((part) => cellOf(part, isBin(part) ? "unsigned blanks" : "value", part.length));
  const ofKey = handle.parts.filter(needs).map((part) => {
    const same = index.parts.find(({ column }) => column === part.column);
    const whole = part.length === -1 || same?.length === -1;
    const length = whole ? -1 : Math.max(part.length, same?.length ?? 0);
    return cellOf(part, isBin(part) ? "signed blanks" : "value", length);
  });
  return index.needsRestored || ofKey.length > 0 ? [...own, ...ofKey] : undefined;
}

interface PlannedPart {
  readonly part: KeyPart;
  /** Longest form in the key. */
  readonly keyMax: number;
}

function planPart(part: IndexPart, collected: Collected): PlannedPart | undefined {
  const { form, offset } = part.column;
  switch (form.kind) {
    case "int":
    case "uint":
    case "time":
    case "enum":
      return part.length === -1 ? { part: { kind: "number", column: offset }, keyMax: 9 } : undefined;
    case "decimal": {
      const size = 2 + decimalBinLength(form.precision, form.scale);
      if (part.length !== -1) return undefined;
      collected.located.add(offset);
      return {
        part: { kind: "cell", column: offset, flag: DatumFlag.decimal, size },
        keyMax: 1 + size,
      };
    }
    case "float": {
      if (part.length !== -1) return undefined;
      collected.located.add(offset);
      return { part: { kind: "cell", column: offset, flag: DatumFlag.float, size: 8 }, keyMax: 9 };
    }
    case "bytes":
      return planText(part, collected);
    default:
      return undefined;
  }
}

function planText({ column, length, prefixInBytes }: IndexPart, collected: Collected): PlannedPart | undefined {
  const { form, offset } = column;
  const { collation } = form;
  if (collation === undefined) return undefined;
  const weights = collation.bytewise ? -1 : weightsAt(collation, collected);
  if (weights === undefined) return undefined;
  collected.located.add(offset);
  if (weights >= 0) collected.weighted.add(offset);
  const sortMax = weights >= 0 ? 2 * charactersMax(column, length) : textMax(column, length);
  return {
    part: { kind: "text", column: offset, length, runes: !prefixInBytes, trim: collation.padSpace, weights },
    keyMax: 1 + encodedBytesLength(sortMax),
  };
}

function charactersMax({ info }: ColumnLayout, length: number): number {
  const { Flen: flen } = info.type;
  return Math.min(flen < 0 ? VALUE_MAX : flen, length < 0 ? VALUE_MAX : length, VALUE_MAX);
}

/** Bytes of a text's prefix. */
function textMax(column: ColumnLayout, length: number): number {
  return Math.min(VALUE_MAX, CHARACTER_BYTES * charactersMax(column, length));
}

/** Position of the collation's weights; undefined where an ASCII character has several, or there is no room for another table. */
function weightsAt(collation: Collation, { collations, weights }: Collected): number | undefined {
  const known = collations.indexOf(collation);
  if (known >= 0) return known;
  const table = collation.weights?.();
  if (table === undefined || table.shortUnits || collations.length === WEIGHTS_MAX) return undefined;
  const entries = Uint32Array.from({ length: ASCII_COUNT }, (_, character) => table.entry(character));
  if (entries.some((entry) => entry >>> 24 > 1 || (entry & 0xffff) === NO_WEIGHT)) return undefined;
  weights.push(Uint16Array.from(entries, (entry) => (entry >>> 24 === 0 ? NO_WEIGHT : entry & 0xffff)));
  return collations.push(collation) - 1;
}
