/** Which indexes a bulk kernel takes, and how their entries are made: the decisions are those of `index-pairs.ts`. */
import { type Collation, DatumFlag, decimalBinLength, encodedBytesLength } from "../../codec/mod.ts";
import type { IndexLayout, IndexPart, TableLayout } from "../layout.ts";
import { INDEX_ROW_BYTES, INDEXES_MAX, VALUE_MAX, WEIGHTS_MAX } from "./memory.ts";

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

export interface BulkIndex {
  readonly id: number;
  readonly unique: boolean;
  readonly parts: readonly KeyPart[];
  /** The values of the parts stand in the value, too. */
  readonly restored: boolean;
  /** Longest key and longest value. */
  readonly keyMax: number;
  readonly valueMax: number;
}

export interface PlannedIndexes {
  readonly indexes: readonly BulkIndex[];
  /** Weights of the ASCII characters, by collation; 0 for none. */
  readonly weights: readonly Uint16Array[];
  /** Columns whose bytes are wanted, and columns whose texts have to be ASCII. */
  readonly located: ReadonlySet<number>;
  readonly weighted: ReadonlySet<number>;
}

/** Bytes before the values of a key. */
export const INDEX_PREFIX = 19;
/** Of an entry besides key and value. */
const ENTRY_HEADS = 10;
/** Lengths of pairs take two bytes at most. */
const PAIR_MAX = 16_000;
const ASCII_COUNT = 128;
/** Of a character. */
const CHARACTER_BYTES = 4;

/** Undefined where an index has something that only the other paths know. */
export function planIndexes(layout: TableLayout): PlannedIndexes | undefined {
  const plan = {
    indexes: [] as BulkIndex[],
    weights: [] as Uint16Array[],
    located: new Set<number>(),
    weighted: new Set<number>(),
    collations: [] as Collation[],
  };
  if (layout.indexes.length > INDEXES_MAX) return undefined;
  let rowBytes = 0;
  for (const index of layout.indexes) {
    const planned = planIndex(index, layout, plan);
    if (planned === undefined) return undefined;
    rowBytes += planned.keyMax + planned.valueMax + ENTRY_HEADS;
    plan.indexes.push(planned);
  }
  return rowBytes > INDEX_ROW_BYTES ? undefined : plan;
}

interface Collected {
  readonly weights: Uint16Array[];
  readonly collations: Collation[];
  readonly located: Set<number>;
  readonly weighted: Set<number>;
}

function planIndex(index: IndexLayout, { handle }: TableLayout, collected: Collected): BulkIndex | undefined {
  const { info, needsRestored } = index;
  if (index.global || index.arrayPart >= 0 || info.mv_index === true) return undefined;
  if ((info.partial_condition_expr_string ?? "") !== "") return undefined;
  const parts: KeyPart[] = [];
  let keyMax = INDEX_PREFIX + 9;
  let valueMax = 8;
  if (needsRestored) valueMax += 7 + 3 * index.parts.length;
  for (const part of index.parts) {
    const planned = planPart(part, collected);
    if (planned === undefined) return undefined;
    parts.push(planned.part);
    keyMax += planned.keyMax;
    if (!needsRestored) continue;
    valueMax += planned.cellMax;
    const { offset } = part.column;
    if (handle.kind !== "int" || handle.column.offset !== offset) collected.located.add(offset);
  }
  if (keyMax + valueMax + ENTRY_HEADS > PAIR_MAX) return undefined;
  return {
    id: info.id,
    unique: index.unique,
    parts,
    restored: needsRestored,
    keyMax,
    valueMax,
  };
}

interface PlannedPart {
  readonly part: KeyPart;
  /** Longest form in the key, and in a row. */
  readonly keyMax: number;
  readonly cellMax: number;
}

function planPart(part: IndexPart, collected: Collected): PlannedPart | undefined {
  const { form, offset } = part.column;
  switch (form.kind) {
    case "int":
    case "uint":
    case "time":
    case "enum":
      return part.length === -1 ? { part: { kind: "number", column: offset }, keyMax: 9, cellMax: 8 } : undefined;
    case "decimal": {
      const size = 2 + decimalBinLength(form.precision, form.scale);
      if (part.length !== -1) return undefined;
      collected.located.add(offset);
      return {
        part: { kind: "cell", column: offset, flag: DatumFlag.decimal, size },
        keyMax: 1 + size,
        cellMax: size,
      };
    }
    case "float": {
      if (part.length !== -1) return undefined;
      collected.located.add(offset);
      return { part: { kind: "cell", column: offset, flag: DatumFlag.float, size: 8 }, keyMax: 9, cellMax: 8 };
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
  const { Flen: flen } = column.info.type;
  const characters = Math.min(flen < 0 ? VALUE_MAX : flen, length < 0 ? VALUE_MAX : length, VALUE_MAX);
  const cellMax = Math.min(VALUE_MAX, CHARACTER_BYTES * characters);
  const sortMax = weights >= 0 ? 2 * characters : cellMax;
  return {
    part: {
      kind: "text",
      column: offset,
      length,
      runes: !prefixInBytes,
      trim: collation.padSpace,
      weights,
    },
    keyMax: 1 + encodedBytesLength(sortMax),
    cellMax,
  };
}

/** Position of the collation's weights; undefined where an ASCII character has several, or there is no room for another table. */
function weightsAt(collation: Collation, { collations, weights }: Collected): number | undefined {
  const known = collations.indexOf(collation);
  if (known >= 0) return known;
  const table = collation.weights?.();
  if (table === undefined || table.shortUnits || collations.length === WEIGHTS_MAX) return undefined;
  const entries = Uint32Array.from({ length: ASCII_COUNT }, (_, character) => table.entry(character));
  if (entries.some((entry) => entry >>> 24 > 1 || (entry >>> 24 === 1 && (entry & 0xffff) === 0))) return undefined;
  weights.push(Uint16Array.from(entries, (entry) => (entry >>> 24 === 0 ? 0 : entry & 0xffff)));
  return collations.push(collation) - 1;
}
