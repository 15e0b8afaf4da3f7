/** What a column's type means for its stored form. */
import { type Collation, findCollation, rawCollation } from "./collation.ts";
import type { Datum } from "./datum.ts";
import type { TimeZone } from "./time-zone.ts";

/** The members of TiDB's FieldType that matter here; `FieldTypeInfo` of the schema fits. */
export interface FieldTypeLike {
  readonly Tp: number;
  readonly Flag: number;
  readonly Flen: number;
  readonly Decimal: number;
  readonly Charset: string;
  readonly Collate: string;
}

/** Kind of datum that a column holds when it is not NULL. */
export type ValueKind = Exclude<Datum["kind"], "null">;

export interface ColumnForm {
  readonly kind: ValueKind;
  /** Type code. */
  readonly tp: number;
  /** DECIMAL: digits and scale of the column; precision 0 = the value's own. */
  readonly precision: number;
  readonly scale: number;
  /** Fractional digits of date and time types. */
  readonly fsp: number;
  /** Name of the column's collation; "binary" for everything that is no text. */
  readonly collationName: string;
  /** How keys sort: `rawCollation` with new collations switched off. Undefined where TiDB has no such collation. */
  readonly collation: Collation | undefined;
  /** Zone of TIMESTAMP datums. */
  readonly zone: TimeZone;
  /**
   * A key of this column cannot be turned back into its value, so that the value is stored beside it (`NeedRestoredData`).
   */
  readonly needsRestored: boolean;
}

const UNSIGNED = 32;
const TIMESTAMP = 7;
const VARCHAR = 15;
const VAR_STRING = 253;

const KINDS = new Map<number, ValueKind>([
  [1, "int"],
  [2, "int"],
  [3, "int"],
  [4, "float"],
  [5, "float"],
  [TIMESTAMP, "time"],
  [8, "int"],
  [9, "int"],
  [10, "time"],
  [11, "duration"],
  [12, "time"],
  [13, "int"],
  [14, "time"],
  [VARCHAR, "bytes"],
  [16, "bit"],
  [225, "vector"],
  [245, "json"],
  [246, "decimal"],
  [247, "enum"],
  [248, "set"],
  [249, "bytes"],
  [250, "bytes"],
  [251, "bytes"],
  [252, "bytes"],
  [VAR_STRING, "bytes"],
  [254, "bytes"],
]);

const YEAR = 13;

/** Undefined for a type that has no stored form (GEOMETRY, NULL). */
export function columnForm(type: FieldTypeLike, newCollations: boolean, zone: TimeZone): ColumnForm | undefined {
  let kind = KINDS.get(type.Tp);
  if (kind === undefined) return undefined;
  if (kind === "int" && (type.Flag & UNSIGNED) !== 0 && type.Tp !== YEAR) kind = "uint";
  const decimal = Math.max(0, type.Decimal);
  const text = kind === "bytes";
  const collation = newCollations && text ? findCollation(type.Collate) : rawCollation;
  return {
    kind,
    tp: type.Tp,
    precision: kind === "decimal" ? Math.max(0, type.Flen) : 0,
    scale: kind === "decimal" ? decimal : 0,
    fsp: kind === "time" || kind === "duration" ? decimal : 0,
    collationName: text ? type.Collate : "binary",
    collation,
    zone,
    needsRestored: newCollations && text && needsRestored(type, collation),
  };
}

function needsRestored(type: FieldTypeLike, collation: Collation | undefined): boolean {
  if (type.Collate === "binary" || type.Collate === "utf8mb4_0900_bin") return false;
  const bin = collation?.bin ?? false;
  return !bin || type.Tp === VARCHAR || type.Tp === VAR_STRING;
}
