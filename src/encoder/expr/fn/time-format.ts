/** DATE_FORMAT, TIME_FORMAT, STR_TO_DATE, GET_FORMAT (TiDB `pkg/types/time.go`). */
import { textOf, utf8 } from "../../../base/mod.ts";
import type { TimeParts } from "../../../codec/mod.ts";
import { CastError, durationParts } from "../../cast/mod.ts";
import { dayOfYear, weekday, weekOf, yearWeek } from "../calendar.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { textConst } from "../cast.ts";
import { timeText } from "../cast-text.ts";
import { lift2, type Node } from "../node.ts";
import { hasZeroPart, MONTHS } from "./time-part.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const pad = (n: number, size: number): string => String(n).padStart(size, "0");
const twelve = (hour: number): number => (hour % 12 === 0 ? 12 : hour % 12);
const half = (hour: number): string => (Math.trunc(hour / 12) % 2 === 0 ? "AM" : "PM");

function suffix(day: number): string {
  if (day === 1 || day === 21 || day === 31) return "st";
  if (day === 2 || day === 22) return "nd";
  return day === 3 || day === 23 ? "rd" : "th";
}

interface Clock {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micro: number;
}

function clockPart(c: string, t: Clock): string | undefined {
  switch (c) {
    case "H":
      return pad(t.hour, 2);
    case "k":
      return String(t.hour);
    case "h":
    case "I":
      return pad(twelve(t.hour), 2);
    case "l":
      return String(twelve(t.hour));
    case "i":
      return pad(t.minute, 2);
    case "p":
      return half(t.hour);
    case "r":
      return `${pad(twelve(t.hour % 24), 2)}:${pad(t.minute, 2)}:${pad(t.second, 2)} ${half(t.hour % 24)}`;
    case "T":
      return `${pad(t.hour, 2)}:${pad(t.minute, 2)}:${pad(t.second, 2)}`;
    case "S":
    case "s":
      return pad(t.second, 2);
    case "f":
      return pad(t.micro, 6);
    default:
      return undefined;
  }
}

/** Years before 0 come out as TiDB's unsigned number. */
const weekYear = (year: number): string => (year < 0 ? "4294967295" : pad(year, 4));

function datePart(c: string, t: TimeParts): string | undefined {
  switch (c) {
    case "b":
      return MONTHS[t.month - 1]!.slice(0, 3);
    case "M":
      return MONTHS[t.month - 1]!;
    case "m":
      return pad(t.month, 2);
    case "c":
      return String(t.month);
    case "D":
      return t.day + suffix(t.day);
    case "d":
      return pad(t.day, 2);
    case "e":
      return String(t.day);
    case "j":
      return pad(dayOfYear(t), 3);
    case "U":
      return pad(weekOf(t, 0), 2);
    case "u":
      return pad(weekOf(t, 1), 2);
    case "V":
      return pad(weekOf(t, 2), 2);
    case "v":
      return pad(yearWeek(t, 3).week, 2);
    case "a":
      return DAYS[weekday(t)]!.slice(0, 3);
    case "W":
      return DAYS[weekday(t)]!;
    case "w":
      return String(weekday(t));
    case "X":
      return weekYear(yearWeek(t, 2).year);
    case "x":
      return weekYear(yearWeek(t, 3).year);
    case "Y":
      return pad(t.year, 4);
    case "y":
      return pad(t.year, 4).slice(2);
    default:
      return undefined;
  }
}

/** The format with each `%c` replaced; one that is not known stands for its letter. */
function formatted(format: string, part: (c: string) => string | undefined): Uint8Array {
  let out = "";
  let inPart = false;
  for (const c of format) {
    if (inPart) {
      out += part(c) ?? c;
      inPart = false;
    } else if (c === "%") inPart = true;
    else out += c;
  }
  return utf8(out);
}

export function formatDate(t: TimeParts, format: string): Uint8Array {
  return formatted(format, (c) => clockPart(c, t) ?? datePart(c, t));
}

function formatLength(format: Node): { Flen: number } {
  return { Flen: Math.trunc((format.type.Flen + 1) / 2) * 11 };
}

function dateFormat(call: Call): Node {
  const [t, format] = call.cast("string", "time", "string");
  const { ctx } = call;
  return call.string(
    lift2(t.eval, format.eval, (v, f) => {
      const text = textOf(f);
      if (text === "0") return f;
      if (!hasZeroPart(v)) return formatDate(v, text);
      const isNumberZero = v.year === 0 && v.month === 0 && v.day === 0 && v.hour + v.minute + v.second === 0;
      return isNumberZero && v.fsp === 0 ? null : ctx.invalidTime(timeText(v));
    }),
    formatLength(format),
  );
}

function timeFormat(call: Call): Node {
  const [d, format] = call.cast("string", "duration", "string");
  return call.string(
    lift2(d.eval, format.eval, (v, f) => {
      const { hours, minutes, seconds, micro } = durationParts(v.nanos);
      const clock = { hour: hours, minute: minutes, second: seconds, micro };
      return formatted(textOf(f), (c) => clockPart(c, clock));
    }),
    formatLength(format),
  );
}

const FORMATS: Record<string, Record<string, string>> = {
  DATE: { USA: "%m.%d.%Y", JIS: "%Y-%m-%d", ISO: "%Y-%m-%d", EUR: "%d.%m.%Y", INTERNAL: "%Y%m%d" },
  DATETIME: {
    USA: "%Y-%m-%d %H.%i.%s",
    JIS: "%Y-%m-%d %H:%i:%s",
    ISO: "%Y-%m-%d %H:%i:%s",
    EUR: "%Y-%m-%d %H.%i.%s",
    INTERNAL: "%Y%m%d%H%i%s",
  },
  TIME: { USA: "%h:%i:%s %p", JIS: "%H:%i:%s", ISO: "%H:%i:%s", EUR: "%H.%i.%s", INTERNAL: "%H%i%s" },
};

/** GET_FORMAT(DATE, 'USA') */
function getFormat(call: Call): Node {
  const word = call.exprs[0];
  const type = word?.kind === "keyword" ? word.word : "";
  const formats = FORMATS[type === "TIMESTAMP" ? "DATETIME" : type];
  if (formats === undefined) throw new CastError(1064, "GET_FORMAT takes DATE, TIME or DATETIME");
  call.args = [textConst(type), ...call.args];
  const [, region] = call.cast("string", "string", "string");
  return call.string(
    (row) => {
      const v = region.eval(row);
      return v === null ? null : utf8(formats[textOf(v)] ?? "");
    },
    { Flen: 17 },
  );
}

export const timeFormats: FunctionTable = {
  date_format: fn(dateFormat, 2),
  time_format: fn(timeFormat, 2),
  get_format: fn(getFormat, 1),
};
