/** Which parser takes a column's text, with its parameters in typed arrays; one switch a field. */
import { utf8 } from "../../base/mod.ts";
import { copyBytes, DIGIT_BYTES, FieldKind, JsonEncoder, JsonError, type TimeZone } from "../../codec/mod.ts";
import { Flag, Tp } from "../../schema/mod.ts";
import type { ColumnLayout, TableLayout } from "../layout.ts";
import { BLOB_TYPES, INTEGER_BITS } from "../type-widths.ts";
import { parseDecimalField, parseFloatField, parseShortDecimal, parseYear } from "./parse-number.ts";
import { type Elements, NO_ROOM, parseBit, parseEnum, parseSet, parseText, TextMode } from "./parse-text.ts";
import { parseDateTime, parseDuration } from "./parse-time.ts";

/** Numbers of `ColumnParsers.parser`. */
export const Parser = {
  none: 0,
  integer: 1,
  year: 2,
  decimal: 3,
  float: 4,
  date: 5,
  dateTime: 6,
  timestamp: 7,
  duration: 8,
  text: 9,
  enum: 10,
  set: 11,
  bit: 12,
  json: 13,
} as const;

const bit = (...kinds: number[]): number => kinds.reduce((mask, kind) => mask | (1 << kind), 0);
/** Kinds whose bytes are digits; numbers with a point count as text. */
const NUMBERS = bit(FieldKind.string, FieldKind.int, FieldKind.uint, FieldKind.decimal);
const TEXTS = bit(FieldKind.string, FieldKind.decimal, FieldKind.float);

const CHARSETS = new Map<string, number>([
  ["binary", TextMode.binary],
  ["utf8mb4", TextMode.utf8mb4],
  ["utf8", TextMode.utf8],
  ["utf8mb3", TextMode.utf8],
]);

export class ColumnParsers {
  /** Kinds of fields that the column's parser takes, a bit each. */
  readonly accepts: Uint16Array;
  readonly slack: number;
  /** Bytes that the last JSON document takes, for NO_ROOM. */
  needed = 0;
  private readonly json = new JsonEncoder();
  readonly parser: Uint8Array;
  readonly unsigned: boolean[];
  /** Integers: the range's limit; strings: characters or bytes. */
  readonly limit: Float64Array;
  private readonly precision: Int32Array;
  private readonly scale: Int32Array;
  private readonly zeros: Int32Array;
  private readonly wholeDigits: Int32Array;
  private readonly wholeSize: Int32Array;
  private readonly fractionSize: Int32Array;
  private readonly single: boolean[];
  readonly mode: Uint8Array;
  private readonly elements: (Elements | undefined)[];
  private readonly zone: TimeZone;

  constructor(layout: TableLayout, slack: number) {
    const { columns } = layout;
    const size = columns.length;
    this.slack = slack;
    this.accepts = new Uint16Array(size);
    this.parser = new Uint8Array(size);
    this.limit = new Float64Array(size);
    this.precision = new Int32Array(size);
    this.scale = new Int32Array(size);
    this.zeros = new Int32Array(size);
    this.wholeDigits = new Int32Array(size);
    this.wholeSize = new Int32Array(size);
    this.fractionSize = new Int32Array(size);
    this.mode = new Uint8Array(size);
    this.unsigned = columns.map((c) => (c.info.type.Flag & Flag.unsigned) !== 0);
    this.single = columns.map((c) => c.info.type.Tp === Tp.float);
    this.elements = columns.map(() => undefined);
    this.zone = layout.zone;
    for (const column of columns) this.set(column);
  }

  private set(column: ColumnLayout): void {
    const at = column.offset;
    const { form } = column;
    const { Tp: tp, Flen: flen, Decimal: decimal } = column.info.type;
    this.accepts[at] = TEXTS;
    this.scale[at] = form.kind === "decimal" ? form.scale : form.fsp;
    this.precision[at] = form.precision;
    const bits = INTEGER_BITS.get(tp);
    if (bits !== undefined) {
      this.parser[at] = Parser.integer;
      this.accepts[at] = NUMBERS & ~bit(FieldKind.decimal);
      this.limit[at] = 2 ** (this.unsigned[at] ? bits : bits - 1);
    } else if (tp === Tp.year) {
      this.parser[at] = Parser.year;
      this.accepts[at] = bit(FieldKind.string, FieldKind.uint);
    } else if (tp === Tp.newdecimal && form.precision > 0 && form.scale <= form.precision) {
      this.setDecimal(at, form.precision, form.scale);
    } else if ((tp === Tp.float || tp === Tp.double) && decimal === -1) {
      this.parser[at] = Parser.float;
      this.accepts[at] = NUMBERS | bit(FieldKind.float);
    } else if (tp === Tp.date) this.parser[at] = Parser.date;
    else if (tp === Tp.datetime) this.parser[at] = Parser.dateTime;
    else if (tp === Tp.timestamp) this.parser[at] = Parser.timestamp;
    else if (tp === Tp.duration) this.parser[at] = Parser.duration;
    else if (tp === Tp.enum || tp === Tp.set) this.setElements(column, tp);
    else if (tp === Tp.bit) {
      this.parser[at] = Parser.bit;
      this.accepts[at] = bit(FieldKind.string, FieldKind.binary, FieldKind.hex, FieldKind.bit);
      this.precision[at] = flen;
    } else if (tp === Tp.json && column.info.type.Array !== true) this.parser[at] = Parser.json;
    else if (form.kind === "bytes") this.setText(column, flen);
    else this.accepts[at] = 0;
  }

  private setDecimal(at: number, precision: number, scale: number): void {
    const whole = precision - scale;
    // The short way takes one word on each side of the point.
    this.wholeDigits[at] = scale > 9 ? -1 : Math.min(9, whole);
    const lead = whole % 9;
    this.wholeSize[at] = whole >= 9 ? 4 : DIGIT_BYTES[lead]!;
    this.zeros[at] = whole >= 9 ? DIGIT_BYTES[lead]! + 4 * (Math.floor(whole / 9) - 1) : 0;
    this.fractionSize[at] = DIGIT_BYTES[Math.min(9, scale)]!;
    this.parser[at] = Parser.decimal;
    this.accepts[at] = NUMBERS;
  }

  private setElements(column: ColumnLayout, tp: number): void {
    const names = column.info.type.Elems ?? [];
    const parts = names.map((name) => utf8(name));
    const offsets = new Int32Array(parts.length + 1);
    parts.forEach((part, i) => {
      offsets[i + 1] = offsets[i]! + part.length;
    });
    const bytes = new Uint8Array(offsets[parts.length]!);
    parts.forEach((part, i) => {
      bytes.set(part, offsets[i]);
    });
    // Binary literals among the elements are not their bytes in JSON.
    if (column.info.type.ElemsIsBinaryLit?.some((yes) => yes)) this.accepts[column.offset] = 0;
    this.elements[column.offset] = { bytes, offsets };
    this.parser[column.offset] = tp === Tp.enum ? Parser.enum : Parser.set;
  }

  private setText(column: ColumnLayout, flen: number): void {
    const at = column.offset;
    const { Tp: tp, Charset: charset } = column.info.type;
    this.parser[at] = Parser.text;
    let mode = CHARSETS.get(charset) ?? TextMode.other;
    this.limit[at] = flen < 0 ? Number.POSITIVE_INFINITY : flen;
    if (BLOB_TYPES.has(tp) || charset === "binary") mode |= TextMode.inBytes;
    if (tp === Tp.string) mode |= charset === "binary" ? TextMode.pad : TextMode.trim;
    this.mode[at] = mode;
    if (charset === "binary") this.accepts[at] = TEXTS | bit(FieldKind.binary, FieldKind.hex);
  }

  /**
   * For all parsers but integer and date, which callers call themselves: parses `b[start, end)` and writes its stored form at `at` of `out`. Returns the offset behind it, -1 where the text is not plain
   * enough, NO_ROOM where `out` is too small. The field's kind must be accepted.
   */
  parse(column: number, b: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    switch (this.parser[column]) {
      case Parser.decimal: {
        const next = parseShortDecimal(
          b,
          start,
          end,
          out,
          at,
          this.precision[column]!,
          this.scale[column]!,
          this.zeros[column]!,
          this.wholeDigits[column]!,
          this.wholeSize[column]!,
          this.fractionSize[column]!,
        );
        return next >= 0 ? next : this.parseDecimal(column, b, start, end, out, at);
      }
      case Parser.dateTime:
        return parseDateTime(b, start, end, out, at, this.scale[column]!, undefined);
      case Parser.timestamp:
        return parseDateTime(b, start, end, out, at, this.scale[column]!, this.zone);
      case Parser.float:
        return parseFloatField(b, start, end, out, at, this.single[column]!, this.unsigned[column]!);
      case Parser.enum:
        return parseEnum(b, start, end, out, at, this.elements[column]!);
      case Parser.set:
        return parseSet(b, start, end, out, at, this.elements[column]!);
      case Parser.text:
        return parseText(b, start, end, out, at, this.mode[column]!, this.limit[column]!, this.slack);
      case Parser.json:
        return this.parseJson(b, start, end, out, at);
      case Parser.bit:
        return parseBit(b, start, end, out, at, this.precision[column]!);
      case Parser.duration:
        return parseDuration(b, start, end, out, at, this.scale[column]!);
      case Parser.year:
        return parseYear(b, start, end, out, at);
      default:
        return -1;
    }
  }

  private parseJson(b: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const json = this.json.out;
    try {
      this.json.encode(b, start, end);
    } catch (thrown) {
      if (thrown instanceof JsonError) return -1;
      throw thrown;
    }
    this.needed = json.length;
    if (json.length > out.length - at - this.slack) return NO_ROOM;
    copyBytes(json.bytes, 0, json.length, out, at);
    return at + json.length;
  }

  private parseDecimal(column: number, b: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const precision = this.precision[column]!;
    return parseDecimalField(b, start, end, out, at, precision, this.scale[column]!, this.unsigned[column]!);
  }
}
