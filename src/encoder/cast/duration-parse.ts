/** TIME values from text (TiDB `pkg/types/time.go`, `matchDuration` and `ParseDuration`). */

import { Tp } from "../../schema/mod.ts";
import { byteString, isDigit, isSpaceByte, readable, trimSpace } from "./bytes-text.ts";
import { type Duration, MAX_DURATION, roundDuration } from "./duration-value.ts";
import { truncatedWrongValue } from "./fault.ts";
import type { CastSession } from "./session.ts";
import { checkTime } from "./time-check.ts";
import { parseDateTimeText, parseFraction } from "./time-parse.ts";
import { fspOfText } from "./time-split.ts";

const MAX_HOUR = 838;

/** A position in a text that is being matched. */
interface Cursor {
  readonly text: string;
  at: number;
}

function skipSpace(c: Cursor): boolean {
  const start = c.at;
  while (c.at < c.text.length && isSpaceByte(c.text.charCodeAt(c.at))) c.at++;
  return c.at > start;
}

/** Digits that fit 64 bits; null and no move if there are none. */
function number(c: Cursor): bigint | null {
  let end = c.at;
  while (end < c.text.length && isDigit(c.text.charCodeAt(end))) end++;
  if (end === c.at) return null;
  const value = BigInt(c.text.slice(c.at, end));
  if (value >= 1n << 63n) return null;
  c.at = end;
  return value;
}

interface Clock {
  hours: bigint;
  minutes: bigint;
  seconds: bigint;
}

/** `h`, `h:m` or `h:m:s` with spaces around the colons; null if it does not match, or has no colon where one is needed. */
function delimited(c: Cursor, needColon: boolean): Clock | null {
  const hours = number(c);
  if (hours === null) return null;
  const rest: bigint[] = [];
  while (rest.length < 2) {
    const probe: Cursor = { text: c.text, at: c.at };
    skipSpace(probe);
    if (c.text.charCodeAt(probe.at) !== 0x3a) {
      if (rest.length === 0 && needColon) return null;
      break;
    }
    probe.at++;
    skipSpace(probe);
    const value = number(probe);
    if (value === null) return null;
    rest.push(value);
    c.at = probe.at;
  }
  return { hours, minutes: rest[0] ?? 0n, seconds: rest[1] ?? 0n };
}

/** `d h:m:s`. */
function withDays(c: Cursor): Clock | null {
  const days = number(c);
  if (days === null || !skipSpace(c)) return null;
  const clock = delimited(c, false);
  if (clock !== null) clock.hours = BigInt.asIntN(64, clock.hours + 24n * days);
  return clock;
}

/** `hhmmss`. */
function compact(c: Cursor): Clock | null {
  const n = number(c);
  return n === null ? null : { hours: n / 10000n, minutes: (n / 100n) % 100n, seconds: n % 100n };
}

function match(text: string, start: number): { clock: Clock; end: number } | null {
  for (const form of [withDays, (c: Cursor) => delimited(c, true), compact]) {
    const c: Cursor = { text, at: start };
    const clock = form(c);
    if (clock !== null) return { clock, end: c.at };
  }
  return null;
}

interface Matched {
  readonly duration: Duration;
  /** Whether the whole text is a TIME within the limits. */
  readonly ok: boolean;
  /** It is none at all. */
  readonly isNone?: boolean;
}

function addSecond(clock: Clock): void {
  clock.seconds++;
  if (clock.seconds !== 60n) return;
  clock.seconds = 0n;
  clock.minutes++;
  if (clock.minutes !== 60n) return;
  clock.minutes = 0n;
  clock.hours++;
}

/** Reads a trimmed text; a text beyond the limits gives the limit, other bad ones zero. */
function matchDuration(text: string, fsp: number): Matched {
  const bad: Matched = { duration: { nanos: 0n, fsp: 0 }, ok: false, isNone: true };
  const c: Cursor = { text, at: 0 };
  const negative = text.startsWith("-");
  if (negative) c.at = 1;
  skipSpace(c);
  const length = text.length - c.at;
  const matched = text.length === 0 ? null : match(text, c.at);
  if (matched === null) return bad;
  const { clock } = matched;
  c.at = matched.end;
  skipSpace(c);
  let fraction = { micro: 0, carry: false };
  if (text.charCodeAt(c.at) === 0x2e) {
    const start = ++c.at;
    while (c.at < text.length && isDigit(text.charCodeAt(c.at))) c.at++;
    fraction = parseFraction(text.slice(start, c.at), fsp);
  }
  const excess = c.at < text.length;
  if (excess && length >= 12) return bad;
  if (fraction.carry) addSecond(clock);
  if (clock.minutes >= 60n || clock.seconds >= 60n) return bad;
  if (clock.hours > MAX_HOUR) return { duration: { nanos: negative ? -MAX_DURATION : MAX_DURATION, fsp }, ok: false };
  const seconds = BigInt.asIntN(64, clock.hours * 3600n + clock.minutes * 60n + clock.seconds);
  const size = BigInt.asIntN(64, seconds * 1000000000n + BigInt(fraction.micro) * 1000n);
  const nanos = negative ? -size : size;
  if (nanos > MAX_DURATION) return { duration: { nanos: MAX_DURATION, fsp }, ok: false };
  if (nanos < -MAX_DURATION) return { duration: { nanos: -MAX_DURATION, fsp }, ok: false };
  return { duration: { nanos, fsp }, ok: !excess };
}

/** Latin-1 punctuation as Go's `unicode.IsPunct` has it: no symbols such as + or =. */
function isPunct(c: number): boolean {
  return "!\"#%&'()*,-./:;?@[\\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf".includes(String.fromCharCode(c));
}

/** Whether a text that is no TIME starts like a date and time, whose time of day then counts. */
function looksLikeDateTime(text: string): boolean {
  const digits = (at: number): number => {
    let end = at;
    while (end < text.length && isDigit(text.charCodeAt(end))) end++;
    return end;
  };
  let at = digits(0);
  if (at === 0) return false;
  if (at === 12 || at === 14) return true;
  for (let part = 0; part < 2; part++) {
    if (at >= text.length || !isPunct(text.charCodeAt(at))) return false;
    const end = digits(at + 1);
    if (end === at + 1) return false;
    at = end;
  }
  return text[at] === " " || text[at] === "T";
}

/** Canonical `hh:mm:ss`; NaN for other texts. */
function plainSeconds(bytes: Uint8Array): number {
  if (bytes.length !== 8 || bytes[2] !== 0x3a || bytes[5] !== 0x3a) return Number.NaN;
  const two = (at: number): number => {
    const high = bytes[at]! - 48;
    const low = bytes[at + 1]! - 48;
    return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN;
  };
  const minutes = two(3);
  const seconds = two(6);
  return minutes < 60 && seconds < 60 ? two(0) * 3600 + minutes * 60 + seconds : Number.NaN;
}

/** A TIME from bytes, see `parseDurationText`. */
export function parseDuration(session: CastSession, bytes: Uint8Array, fsp: number): Duration {
  const seconds = plainSeconds(bytes);
  if (!Number.isNaN(seconds)) return { nanos: BigInt(seconds * 1e9), fsp };
  return parseDurationText(session, byteString(bytes), fsp);
}

const NOTHING: Duration = { nanos: 0n, fsp: 0 };

/** A TIME from a byte string, rounded to fsp digits. What is wrong is raised; the value is then the limit or zero. */
export function parseDurationText(session: CastSession, source: string, fsp: number): Duration {
  return parseDurationOrNull(session, source, fsp) ?? NOTHING;
}

/** As `parseDurationText`, but null for a text that is no TIME at all. */
export function parseDurationOrNull(session: CastSession, source: string, fsp: number): Duration | null {
  const text = trimSpace(source);
  const matched = matchDuration(text, fsp);
  if (matched.ok) return matched.duration;
  const fault = truncatedWrongValue("time", readable(source));
  const earlier = session.take();
  if (!looksLikeDateTime(text)) {
    session.raise(earlier ?? fault);
    return matched.isNone === true ? null : matched.duration;
  }
  const textFsp = fspOfText(text);
  const time = parseDateTimeText(session, text, textFsp, false);
  const ok = time !== null && checkTime(session, time, Tp.datetime);
  session.fault = earlier;
  if (!ok) {
    session.raise(fault);
    return null;
  }
  const seconds = time.hour * 3600 + time.minute * 60 + time.second;
  const nanos = BigInt(seconds) * 1000000000n + BigInt(time.micro) * 1000n;
  return roundDuration({ nanos, fsp: textFsp }, fsp);
}
