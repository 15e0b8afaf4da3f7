import { isIntegerType, isStringType } from "../build/field-type.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type ColumnInfo, type FieldTypeInfo, Flag, Tp } from "../table-info.ts";

/** Bytes of integer types, to see which is wider. */
const WIDTH: Record<number, number> = { [Tp.tiny]: 1, [Tp.short]: 2, [Tp.int24]: 3, [Tp.long]: 4, [Tp.longlong]: 8 };

/**
 * True where MODIFY COLUMN has to rewrite the stored values, and the column therefore gets a new id
 * (`pkg/ddl/modify_column.go`, needChangeColumnData).
 */
export function needsRewrite(old: FieldTypeInfo, to: FieldTypeInfo): boolean {
  const signChanges = ((old.Flag ^ to.Flag) & Flag.unsigned) !== 0;
  const shrinks = (to.Flen > 0 && (to.Flen < old.Flen || to.Decimal < old.Decimal)) || signChanges;
  if (old.Tp === to.Tp) {
    if (old.Tp === Tp.newdecimal) return old.Flen !== to.Flen || old.Decimal !== to.Decimal || signChanges;
    if (old.Tp === Tp.enum || old.Tp === Tp.set) return elemsChange(old.Elems ?? [], to.Elems ?? []);
    if (isIntegerType(old.Tp)) return signChanges;
    if (old.Tp === Tp.string && old.Charset === "binary") return old.Flen !== to.Flen;
    if (old.Tp === Tp.vector) return to.Flen !== -1 && old.Flen !== to.Flen;
    return shrinks;
  }
  if ((old.Tp === Tp.string) !== (to.Tp === Tp.string) && isCharType(old.Tp) && isCharType(to.Tp)) return true;
  if (isStringType(old.Tp) && isStringType(to.Tp)) return shrinks;
  if (isIntegerType(old.Tp) && isIntegerType(to.Tp)) return WIDTH[to.Tp]! < WIDTH[old.Tp]! || signChanges;
  if (isFloatType(old.Tp) && isFloatType(to.Tp)) return shrinks;
  return true;
}

const isCharType = (tp: number): boolean => tp === Tp.string || tp === Tp.varchar || tp === Tp.varstring;
const isFloatType = (tp: number): boolean => tp === Tp.float || tp === Tp.double;

/** Elements may be added at the end, nothing else. */
function elemsChange(old: readonly string[], to: readonly string[]): boolean {
  return to.length < old.length || old.some((elem, i) => to[i] !== elem);
}

/** Character sets that may be changed without a rewrite: to utf8mb4 from what is a part of it. */
export function checkCharsetChange(old: ColumnInfo, to: ColumnInfo): void {
  const { Charset: from } = old.type;
  const { Charset: target } = to.type;
  if (from === target || !isStringType(old.type.Tp) || !isStringType(to.type.Tp)) return;
  if (target === "utf8mb4" && (from === "utf8" || from === "ascii" || from === "latin1")) return;
  if (target === "utf8" && from === "ascii") return;
  throw ddlError(8200, `Unsupported modify charset from ${from} to ${target}`);
}
