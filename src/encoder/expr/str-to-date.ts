/** STR_TO_DATE's reading of a text by a format (TiDB `pkg/types/time.go`, strToDate). Byte strings throughout. */
import { type CoreTime, coreTime, fullYear, trimSpace } from "../cast/mod.ts";

interface Reading {
  readonly t: CoreTime;
  /** AM or PM, where the text has it. */
  half?: "am" | "pm";
  has24?: boolean;
  has12?: boolean;
}

/** Reads at the beginning of a text and returns what is left; null if it does not fit. */
type Read = (r: Reading, text: string) => string | null;

const skipSpace = (text: string): string => text.slice(text.length - trimSpace(`${text}x`).length + 1);

function digits(text: string, limit: number): { value: number; size: number } {
  let size = 0;
  while (size < limit && size < text.length && text[size]! >= "0" && text[size]! <= "9") size++;
  return { value: size === 0 ? 0 : Number(text.slice(0, size)), size };
}

function number(limit: number, low: number, high: number, set: (r: Reading, value: number) => void): Read {
  return (r, text) => {
    const { value, size } = digits(text, limit);
    if (size === 0 || value < low || value > high) return null;
    set(r, value);
    return text.slice(size);
  };
}

function year(limit: number): Read {
  return (r, text) => {
    const { value, size } = digits(text, limit);
    if (size === 0) return null;
    r.t.year = size <= 2 ? fullYear(value) : value;
    return text.slice(size);
  };
}

const MONTHS = "january february march april may june july august september october november december".split(" ");

function monthName(abbreviated: boolean): Read {
  return (r, text) => {
    const lower = text.toLowerCase();
    const at = MONTHS.findIndex((name) => lower.startsWith(abbreviated ? name.slice(0, 3) : name));
    if (at < 0) return null;
    r.t.month = at + 1;
    return text.slice(abbreviated ? 3 : MONTHS[at]!.length);
  };
}

function micros(r: Reading, text: string): string {
  const { value, size } = digits(text, 6);
  r.t.micro = size === 0 ? 0 : value * 10 ** (6 - size);
  return text.slice(size);
}

function half(r: Reading, text: string): string | null {
  const word = text.slice(0, 2).toLowerCase();
  if (word !== "am" && word !== "pm") return null;
  r.half = word;
  return text.slice(2);
}

/** The colon between parts of a time; `end` if nothing follows. */
function separator(text: string): { rest: string; state: "ok" | "end" | "fail" } {
  const before = skipSpace(text);
  if (before === "") return { rest: "", state: "end" };
  if (!before.startsWith(":")) return { rest: before, state: "fail" };
  const rest = skipSpace(before.slice(1));
  return { rest, state: rest === "" ? "end" : "ok" };
}

/** `hh:mm:ss`, of which the end may be missing. */
function clock(isTwelve: boolean): Read {
  return (r, text) => {
    const hour = digits(text, 2);
    if (hour.size === 0 || hour.value > (isTwelve ? 12 : 23) || (isTwelve && hour.value === 0)) return null;
    r.t.hour = isTwelve ? hour.value % 12 : hour.value;
    let rest = text.slice(hour.size);
    for (const field of ["minute", "second"] as const) {
      const found = separator(rest);
      if (found.state !== "ok") return found.state === "end" ? found.rest : null;
      const n = digits(found.rest, 2);
      if (n.size === 0 || n.value > 59) return null;
      r.t[field] = n.value;
      rest = found.rest.slice(n.size);
    }
    return isTwelve ? clockHalf(r, rest) : rest;
  };
}

function clockHalf(r: Reading, text: string): string | null {
  const rest = skipSpace(text);
  if (rest === "") return rest;
  const word = rest.slice(0, 2).toUpperCase();
  if (word === "PM") r.t.hour += 12;
  return word === "AM" || word === "PM" ? rest.slice(2) : null;
}

function skip(pattern: RegExp): Read {
  return (_r, text) => text.replace(pattern, "");
}

const hour12 = number(2, 1, 12, (r, v) => {
  r.t.hour = v;
  r.has12 = true;
});
const hour24 = number(2, 0, 23, (r, v) => {
  r.t.hour = v;
  r.has24 = true;
});
const day = number(2, 0, 31, (r, v) => {
  r.t.day = v;
});
const month = number(2, 0, 12, (r, v) => {
  r.t.month = v;
});
const second = number(2, 0, 59, (r, v) => {
  r.t.second = v;
});

const READERS: Record<string, Read> = {
  "%b": monthName(true),
  "%c": month,
  "%d": day,
  "%e": day,
  "%f": micros,
  "%h": hour12,
  "%H": hour24,
  "%I": hour12,
  "%i": number(2, 0, 59, (r, v) => {
    r.t.minute = v;
  }),
  "%j": number(3, 1, 999, () => {}),
  "%k": hour24,
  "%l": hour12,
  "%M": monthName(false),
  "%m": month,
  "%p": half,
  "%r": clock(true),
  "%s": second,
  "%S": second,
  "%T": clock(false),
  "%Y": year(4),
  "%#": skip(/^[0-9]+/),
  "%.": skip(/^[!-/:-@[-`{-~]+/),
  "%@": skip(/^[A-Za-z]+/),
  "%y": year(2),
};

/** `%d`, or one character; undefined for a single `%` at the end. */
function tokenOf(format: string): string | undefined {
  if (format.startsWith("%")) return format.length === 1 ? undefined : format.slice(0, 2);
  return format.slice(0, 1);
}

/** The hours with AM and PM counted in; false if they make no sense. */
function fix(r: Reading): boolean {
  if (r.half === undefined) {
    if (r.has12 === true && r.t.hour === 12) r.t.hour = 0;
    return true;
  }
  if (r.has24 === true || r.t.hour === 0) return false;
  if (r.t.hour === 12) r.t.hour = r.half === "am" ? 0 : 12;
  else if (r.half === "pm") r.t.hour += 12;
  return true;
}

export interface ParsedDate {
  readonly t: CoreTime;
  /** The text has more than the format. */
  readonly truncated: boolean;
}

/** Null if the text does not fit. The result is not checked against the calendar. */
export function strToDate(source: string, format: string): ParsedDate | null {
  const r: Reading = { t: coreTime(0, 0, 0) };
  let text = source;
  let rest = format;
  for (;;) {
    text = skipSpace(text);
    rest = skipSpace(rest);
    const token = tokenOf(rest);
    if (token === undefined) return null;
    if (token === "" || text === "") {
      noteEmpty(r, token, text);
      return fix(r) ? { t: r.t, truncated: token === "" && text !== "" } : null;
    }
    rest = rest.slice(token.length);
    const read = READERS[token];
    const left = read !== undefined ? read(r, text) : text.startsWith(token) ? text.slice(token.length) : null;
    if (left === null) return null;
    text = left;
  }
}

/** A text that ends before its format: the next field counts as read. */
function noteEmpty(r: Reading, token: string, text: string): void {
  if (text !== "") return;
  if (token === "%H") r.has24 = true;
  if (token === "%h") r.has12 = true;
}

/** What a format gives: parts of a date, of a time of day, or both. */
export function formatKind(format: string): { hasDate: boolean; hasTime: boolean } {
  let hasDate = false;
  let hasTime = false;
  for (const token of format.match(/%[\s\S]/g) ?? []) {
    if ("hHiIsSklfrT".includes(token[1]!)) hasTime = true;
    if ("yYmMcbDde".includes(token[1]!)) hasDate = true;
  }
  return { hasDate, hasTime };
}
