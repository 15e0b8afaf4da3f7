/** The common type of several values (TiDB `pkg/types/field_type.go`: AggFieldType, AggregateEvalType). */
import { type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import { hasFlag, isBlob, isInteger, isStringKind, isStringType, isTemporal, kindOf } from "./field-types.ts";
import type { Kind } from "./value.ts";

const INTEGERS: readonly number[] = [Tp.tiny, Tp.short, Tp.int24, Tp.long, Tp.longlong];
const BLOBS: readonly number[] = [Tp.tinyblob, Tp.blob, Tp.mediumblob, Tp.longblob];

function mergeNumbers(a: number, b: number): number {
  if (a === Tp.year || b === Tp.year) {
    const other = a === Tp.year ? b : a;
    return other;
  }
  if (a === Tp.bit || b === Tp.bit) {
    const other = a === Tp.bit ? b : a;
    return isInteger(other) ? Tp.longlong : other;
  }
  const rankA = INTEGERS.indexOf(a);
  const rankB = INTEGERS.indexOf(b);
  if (rankA >= 0 && rankB >= 0) return INTEGERS[Math.max(rankA, rankB)]!;
  if (a === Tp.double || b === Tp.double) return Tp.double;
  if (a === Tp.float || b === Tp.float) {
    const other = a === Tp.float ? b : a;
    return other === Tp.newdecimal || other === Tp.long ? Tp.double : Tp.float;
  }
  return Tp.newdecimal;
}

function isNumber(tp: number): boolean {
  return isInteger(tp) || tp === Tp.bit || tp === Tp.float || tp === Tp.double || tp === Tp.newdecimal;
}

/** Type code of two together (MySQL's `field_types_merge_rules`). */
export function mergeTypes(a: number, b: number): number {
  if (a === Tp.null) return b;
  if (b === Tp.null) return a;
  if (a === b) return a === Tp.enum || a === Tp.set || a === Tp.varstring ? Tp.varchar : a;
  if (isNumber(a) && isNumber(b)) return mergeNumbers(a, b);
  if (isTemporal(a) && isTemporal(b)) return Tp.datetime;
  const blobs = [a, b].filter(isBlob);
  if (blobs.length > 0) {
    if (a === Tp.json || b === Tp.json) return Tp.longblob;
    return BLOBS[Math.max(...blobs.map((tp) => BLOBS.indexOf(tp)))]!;
  }
  if (a === Tp.json || b === Tp.json) return Tp.varchar;
  if (a === Tp.string || b === Tp.string) {
    const other = a === Tp.string ? b : a;
    return other === Tp.varchar || other === Tp.varstring ? Tp.varchar : Tp.string;
  }
  return Tp.varchar;
}

/** The flags, length and the rest are those of the first. */
export function aggregateType(types: readonly FieldTypeInfo[]): FieldTypeInfo {
  const merged: FieldTypeInfo = { ...types[0]! };
  let mixed = false;
  for (const type of types.slice(1)) {
    mixed ||= hasFlag(merged, Flag.unsigned) !== hasFlag(type, Flag.unsigned);
    merged.Tp = mergeTypes(merged.Tp, type.Tp);
    merged.Flag &= (type.Flag & (Flag.notNull | Flag.unsigned)) | ~(Flag.notNull | Flag.unsigned);
  }
  if (!mixed || !isInteger(merged.Tp)) return merged;
  const widest = types.some((type) => hasFlag(type, Flag.unsigned) && (type.Tp === merged.Tp || type.Tp === Tp.bit));
  const rank = INTEGERS.indexOf(merged.Tp);
  if (widest && rank >= 0) merged.Tp = INTEGERS[rank + 1] ?? Tp.newdecimal;
  return merged;
}

function mergeKind(a: Kind, b: Kind, unsignedA: boolean, unsignedB: boolean): Kind {
  if (isStringKind(a) || isStringKind(b)) return "string";
  if (a === "real" || b === "real") return "real";
  return a === "decimal" || b === "decimal" || unsignedA !== unsignedB ? "decimal" : "int";
}

/** The kind that several values have in common, and the flags of such a result. */
export function aggregateKind(types: readonly FieldTypeInfo[]): { kind: Kind; flag: number } {
  let kind: Kind | undefined;
  let unsigned = false;
  let binaryString = false;
  for (const type of types) {
    if (type.Tp === Tp.null) continue;
    if (isStringType(type.Tp) && hasFlag(type, Flag.binary)) binaryString = true;
    const own = hasFlag(type, Flag.unsigned);
    if (kind === undefined) {
      kind = kindOf(type);
      unsigned = own;
    } else {
      kind = mergeKind(kind, kindOf(type), unsigned, own);
      unsigned &&= own;
    }
  }
  const result = kind ?? "string";
  const flag = (unsigned ? Flag.unsigned : 0) | (!isStringKind(result) || binaryString ? Flag.binary : 0);
  return { kind: result, flag };
}
