/**
 * Cuts the text of a date and time into its parts: numbers between separators, fraction, offset. Almost anything separates, and
 * whether a trailing `-01` is a day or an offset shows only when the parts are counted. TiDB `pkg/types/time.go`: GetTimezone,
 * GetFracIndex, splitDateTime, ParseDateFormat. Byte strings throughout.
 */
import { isDigit, isPunctuation, trimSpace } from "./bytes-text.ts";

export interface Offset {
  /** Where it starts, -1 if there is none. */
  readonly at: number;
  readonly sign: string;
  readonly hours: string;
  readonly separator: string;
  readonly minutes: string;
}

export interface TimeParts {
  parts: string[];
  fraction: string;
  offset: Offset;
  hasOffset: boolean;
  /** Something stands between the fraction and the end. */
  truncated: boolean;
}

const NO_OFFSET: Offset = { at: -1, sign: "", hours: "", separator: "", minutes: "" };

function isTwoDigits(text: string): boolean {
  return text.length === 2 && isDigit(text.charCodeAt(0)) && isDigit(text.charCodeAt(1));
}

/** Position of the last Z, and behind it of the last sign and the last colon; -1 for those missing. */
function marks(text: string): { z: number; sign: number; colon: number } {
  let sign = -1;
  let colon = -1;
  for (let i = text.length - 1; i >= 0; i--) {
    const c = text.charCodeAt(i);
    if (c === 0x5a) return { z: i, sign, colon };
    if (sign === -1 && (c === 0x2d || c === 0x2b)) sign = i;
    if (colon === -1 && c === 0x3a) colon = i;
  }
  return { z: -1, sign, colon };
}

/** The offset at the end of the text: `Z`, `+08`, `+0800` or `+08:00`. */
export function findOffset(text: string): Offset {
  const { z, sign, colon } = marks(text);
  const length = text.length;
  const fromSign = length - sign;
  const ends = {
    z: length - z === 1,
    short: fromSign === 3,
    plain: fromSign === 5,
    long: fromSign === 6,
    colon: length - colon === 3,
  };
  const forms = Number(ends.z) + Number(ends.short) + Number(ends.plain) + Number(ends.long);
  if (forms !== 1 || ends.colon !== ends.long) return NO_OFFSET;
  const hoursFrom = ends.short ? 2 : ends.plain ? 4 : 5;
  const hours = ends.z ? "" : text.slice(length - hoursFrom, length - hoursFrom + 2);
  const minutes = ends.plain || ends.long ? text.slice(length - 2) : "";
  if (!ends.z && !isTwoDigits(hours)) return NO_OFFSET;
  if (minutes !== "" && !isTwoDigits(minutes)) return NO_OFFSET;
  return {
    at: z !== -1 ? z : sign,
    sign: sign === -1 ? "" : text[sign]!,
    hours,
    separator: ends.colon ? ":" : "",
    minutes,
  };
}

/** Position of the point before the fraction: the last punctuation in front of the offset, if it is a point. -1 if it is not. */
export function fractionIndex(text: string): number {
  const offset = findOffset(text).at;
  for (let i = (offset === -1 ? text.length : offset) - 1; i >= 0; i--) {
    const c = text.charCodeAt(i);
    if (c === 0x2b || c === 0x2d || !isPunctuation(c)) continue;
    return c === 0x2e ? i : -1;
  }
  return -1;
}

/** Digits behind the point, at most 6. */
export function fspOfText(text: string): number {
  const at = fractionIndex(text);
  return at < 0 ? 0 : Math.min(text.length - at - 1, 6);
}

/** Punctuation separates anywhere; white space and T between date and time; anything but digits behind the fifth part. */
function isSeparator(c: number, partsBefore: number): boolean {
  if (isPunctuation(c)) return true;
  if (partsBefore === 2 && (c === 0x54 || c === 0x20 || (c >= 9 && c <= 13))) return true;
  return partsBefore > 4 && !isDigit(c);
}

/** The numbers; none if the text does not begin with a digit or has other characters. The last character is not looked at. */
function splitParts(source: string): string[] {
  const text = trimSpace(source);
  if (text.length === 0 || !isDigit(text.charCodeAt(0))) return [];
  const parts: string[] = [];
  let start = 0;
  for (let i = 1; i < text.length - 1; i++) {
    const c = text.charCodeAt(i);
    if (isSeparator(c, parts.length)) {
      const before = parts.length;
      parts.push(text.slice(start, i));
      start = i + 1;
      while (start < text.length && isSeparator(text.charCodeAt(start), before)) {
        start++;
        i++;
      }
    } else if (!isDigit(c)) {
      return [];
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Whether a text has a date only: three parts, or one number as long as a date (TiDB `IsDateFormat`). */
export function isDateOnlyText(text: string): boolean {
  const parts = splitParts(text);
  const { length } = trimSpace(text);
  return parts.length === 3 || (parts.length === 1 && (length === 8 || length === 6 || length === 5));
}

/** Cuts back over punctuation that ends at `end`. */
function skipBack(text: string, end: number): number {
  let at = end;
  while (at > 0 && isPunctuation(text.charCodeAt(at - 1))) at--;
  return at;
}

export function splitTime(source: string): TimeParts {
  let text = source;
  const offset = findOffset(text);
  const hasOffset = offset.at > 0;
  if (hasOffset) text = text.slice(0, skipBack(text, offset.at));
  const point = fractionIndex(text);
  let fraction = "";
  let truncated = false;
  if (point > 0) {
    let end = point + 1;
    while (end < text.length && isDigit(text.charCodeAt(end))) end++;
    truncated = end !== text.length;
    fraction = text.slice(point + 1, end);
    text = text.slice(0, skipBack(text, point));
  }
  return { parts: splitParts(text), fraction, offset, hasOffset, truncated };
}
