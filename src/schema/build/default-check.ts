import { equalBytes, type LevinError, utf8 } from "../../base/mod.ts";
import { appendSortKey, ByteWriter, findCollation, parseDecimal } from "../../codec/mod.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type ColumnInfo, Flag, Tp } from "../table-info.ts";
import { uintOfBytes } from "./bytes-text.ts";
import { type Constant, plainNumber, textOfConstant } from "./const-eval.ts";
import { isIntegerType } from "./field-type.ts";

/** 1067. */
export function invalidDefault(column: ColumnInfo): LevinError {
  return ddlError(1067, `Invalid default value for '${column.name.O}'`);
}

const BITS: Record<number, bigint> = {
  [Tp.tiny]: 8n,
  [Tp.short]: 16n,
  [Tp.int24]: 24n,
  [Tp.long]: 32n,
  [Tp.longlong]: 64n,
};

/** Standard text of a number for an integer or float column: `'1.50'` is 2 and 1.5. */
export function numberDefault(column: ColumnInfo, value: Constant): string {
  const text = textOfConstant(value)!.trim();
  if (isIntegerType(column.type.Tp)) {
    const rounded = roundedInteger(text);
    return rounded === undefined ? text : `${rounded}`;
  }
  const number = Number(text);
  if (text === "" || Number.isNaN(number)) return text;
  const single = column.type.Tp === Tp.float ? Math.fround(number) : number;
  // The shortest text that gives the same single is the number as written, unless it has digits that a single has not.
  return plainNumber(column.type.Tp === Tp.float ? shortestSingle(single, number) : number);
}

function shortestSingle(single: number, written: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return written;
}

/** Integer of a number's text, rounded half away from zero; undefined where it is no number. */
function roundedInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (!match || `${match[2]}${match[3] ?? ""}` === "") return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const kept = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const next = point < 0 ? "0" : (digits[point] ?? "0");
  const value = BigInt(kept) + (next >= "5" ? 1n : 0n);
  return sign === "-" ? -value : value;
}

/** Element of an ENUM by number or name (names without regard to case under `_ci`, as the collation does for ASCII). */
export function enumDefault(column: ColumnInfo, value: Constant): string {
  const elems = column.type.Elems ?? [];
  if (value.kind === "int") {
    const elem = value.value >= 1n ? elems[Number(value.value) - 1] : undefined;
    if (elem === undefined) throw invalidDefault(column);
    return elem;
  }
  const text = textOfConstant(value)!.replace(/ +$/, "");
  const found = findElem(column, text);
  const elem = found >= 0 ? elems[found] : elems[Number(numberOf(text) ?? 0n) - 1];
  if (elem === undefined) throw invalidDefault(column);
  return elem;
}

/** A number in place of names, as TiDB takes it (`types.ParseEnumName`, `ParseSetName`). */
function numberOf(text: string): bigint | undefined {
  return /^[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** Elements of a SET in the order of the type. */
export function setDefault(column: ColumnInfo, value: Constant): string {
  const elems = column.type.Elems ?? [];
  let mask = 0n;
  if (value.kind === "int") {
    mask = value.value;
    if (mask < 1n || mask >= 1n << BigInt(elems.length)) throw invalidDefault(column);
  } else {
    const text = textOfConstant(value)!;
    if (text === "") return "";
    const found = text.split(",").map((part) => findElem(column, part));
    const number = numberOf(text);
    if (found.every((at) => at >= 0)) for (const at of found) mask |= 1n << BigInt(at);
    else if (number !== undefined && number < 1n << BigInt(elems.length)) mask = number;
    else throw invalidDefault(column);
  }
  return elems.filter((_, i) => (mask >> BigInt(i)) & 1n).join(",");
}

/** Names are the same if their sort keys are. */
function findElem(column: ColumnInfo, text: string): number {
  const elems = column.type.Elems ?? [];
  const exact = elems.indexOf(text);
  const collation = findCollation(column.type.Collate);
  if (exact >= 0 || collation === undefined) return exact;
  const key = (name: string): Uint8Array => {
    const out = new ByteWriter();
    const bytes = utf8(name);
    appendSortKey(out, collation, bytes, 0, bytes.length);
    return out.toBytes();
  };
  const wanted = key(text);
  return elems.findIndex((elem) => equalBytes(key(elem), wanted));
}

/** Throws 1067 where the column could not hold the default. */
export function checkLiteralDefault(column: ColumnInfo, stored: string | Uint8Array): void {
  const { Tp: tp, Flen: flen, Flag: flag, Charset: charset } = column.type;
  if (tp === Tp.bit) {
    const bytes = typeof stored === "string" ? utf8(stored) : stored;
    if (bytes.length > 8 || uintOfBytes(bytes) >= 1n << BigInt(flen)) throw invalidDefault(column);
    return;
  }
  const text = typeof stored === "string" ? stored : undefined;
  if (tp === Tp.string || tp === Tp.varchar) {
    const size = charset === "binary" || text === undefined ? sizeOf(stored) : [...text].length;
    // Trailing spaces that do not fit are cut.
    const needed = text === undefined || charset === "binary" ? size : [...text.replace(/ +$/, "")].length;
    if (Math.min(size, Math.max(needed, 0)) > flen) throw invalidDefault(column);
  } else if (isIntegerType(tp)) {
    checkInteger(column, text ?? "", tp, (flag & Flag.unsigned) !== 0);
  } else if (tp === Tp.newdecimal) {
    checkDecimal(column, text ?? "");
  } else if (tp === Tp.float || tp === Tp.double) {
    if (text === undefined || text.trim() === "" || Number.isNaN(Number(text))) throw invalidDefault(column);
  } else if (tp === Tp.year) {
    const year = Number(text);
    const good = /^\d{1,4}$/.test(text ?? "") && (year === 0 || year <= 99 || (year >= 1901 && year <= 2155));
    if (!good) throw invalidDefault(column);
  }
}

function sizeOf(stored: string | Uint8Array): number {
  return typeof stored === "string" ? utf8(stored).length : stored.length;
}

function checkInteger(column: ColumnInfo, text: string, tp: number, unsigned: boolean): void {
  if (!/^[+-]?\d+$/.test(text)) throw invalidDefault(column);
  const value = BigInt(text.replace(/^\+/, ""));
  const bits = BITS[tp]!;
  const low = unsigned ? 0n : -(1n << (bits - 1n));
  const high = unsigned ? (1n << bits) - 1n : (1n << (bits - 1n)) - 1n;
  if (value < low || value > high) throw invalidDefault(column);
}

function checkDecimal(column: ColumnInfo, text: string): void {
  const trimmed = text.trim();
  const value = parseDecimal(trimmed);
  if (value === undefined) throw invalidDefault(column);
  const whole = (/^[+-]?0*(\d*)/.exec(trimmed)?.[1] ?? "").length;
  if (!/[eE]/.test(trimmed) && whole > column.type.Flen - Math.max(0, column.type.Decimal))
    throw invalidDefault(column);
}
