import { toHex } from "../../../base/mod.ts";
import { dateTimeText, TimeZone } from "../../../codec/mod.ts";
import { parseDateTime } from "../reader/mod.ts";
import { SqlError } from "../wire/mod.ts";
import type { Scope } from "./evaluate.ts";
import { extreme } from "./numbers.ts";
import {
  bytesOf,
  compareValues,
  double,
  exactNumber,
  integerOf,
  NULL_VALUE,
  number,
  numberOf,
  plain,
  stringOf,
  truth,
  type Value,
} from "./values.ts";

const NOT_NULL =
  /^(now|current_timestamp|localtime|localtimestamp|sysdate|utc_timestamp|curdate|current_date|curtime|current_time|unix_timestamp|concat_ws)$/;

function intOf(args: readonly Value[], i: number): number {
  return args[i] === undefined ? 0 : Number(integerOf(args[i]));
}

function text(args: readonly Value[], i: number): string {
  return stringOf(args[i]!.text!);
}

type Work = (args: readonly Value[], scope: Scope) => Value;

const strings: Record<string, Work> = {
  hex: ([a]) =>
    a!.numeric ? plain(integerOf(a!).toString(16).toUpperCase()) : plain(toHex(bytesOf(a!.text!)).toUpperCase()),
  length: ([a]) => number(String(bytesOf(a!.text!).length)),
  octet_length: ([a]) => number(String(bytesOf(a!.text!).length)),
  char_length: (args) => number(String([...text(args, 0)].length)),
  lower: (args) => plain(text(args, 0).toLowerCase()),
  upper: (args) => plain(text(args, 0).toUpperCase()),
  trim: (args) => plain(text(args, 0).replace(/^ +| +$/g, "")),
  concat: (args) => plain(args.map((_, i) => text(args, i)).join("")),
  concat_ws: (args) =>
    args[0]!.text === null
      ? NULL_VALUE
      : plain(
          args
            .slice(1)
            .filter((arg) => arg.text !== null)
            .map((arg) => stringOf(arg.text!))
            .join(text(args, 0)),
        ),
  repeat: (args) => plain(text(args, 0).repeat(Math.min(1 << 20, Math.max(0, intOf(args, 1))))),
  replace: (args) => plain(text(args, 0).replaceAll(text(args, 1), text(args, 2))),
  left: (args) => plain([...text(args, 0)].slice(0, Math.max(0, intOf(args, 1))).join("")),
  substr: (args) => substring(args),
  substring: (args) => substring(args),
  cast_char: (args) => plain(args[0]!.text),
  cast_binary: ([a]) => plain(bytesOf(a!.text!)),
};

function substring(args: readonly Value[]): Value {
  const chars = [...text(args, 0)];
  const at = intOf(args, 1);
  const from = at > 0 ? at - 1 : at < 0 ? chars.length + at : chars.length;
  const count = args[2] === undefined ? chars.length : Math.max(0, intOf(args, 2));
  return plain(from < 0 ? "" : chars.slice(from, from + count).join(""));
}

const numbers: Record<string, Work> = {
  greatest: (args) => extreme(args, compareValues),
  least: (args) => extreme(args, (a, b) => compareValues(b, a)),
  abs: ([a]) => (stringOf(a!.text!).startsWith("-") ? number(stringOf(a!.text!).slice(1)) : a!),
  nullif: ([a, b]) => (compareValues(a!, b!) === 0 ? NULL_VALUE : a!),
  cast_signed: ([a]) => number(String(BigInt.asIntN(64, integerOf(a!)))),
  cast_unsigned: ([a]) => number(String(BigInt.asUintN(64, integerOf(a!)))),
  cast_decimal: ([a]) => exactNumber(integerOf(a!), 0),
  cast_double: ([a]) => {
    const found = numberOf(a!);
    return double("double" in found ? found.double : Number(stringOf(a!.text!)));
  },
  sleep: () => number("0"),
  isnull: ([a]) => truth(a!.text === null),
};

function now(scope: Scope, zone: string, fsp: number): string {
  const found = TimeZone.find(zone) ?? TimeZone.utc;
  const seconds = Math.floor(scope.nowMs / 1000);
  return dateTimeText(found.toLocal(seconds, Math.round(scope.nowMs - seconds * 1000) * 1000), fsp);
}

const nowIn =
  (part: "both" | "date" | "time", utc = false): Work =>
  (args, scope) => {
    const full = now(scope, utc ? "UTC" : scope.timeZone, Math.min(6, intOf(args, 0)));
    return plain(part === "both" ? full : part === "date" ? full.slice(0, 10) : full.slice(11));
  };

/** Between two times of one kind, as `[-]HH:MM:SS.ffffff`; null where one is neither date and time nor time. */
function difference(a: string, b: string): string | null {
  const [first, second] = [microsOf(a), microsOf(b)];
  return first === undefined || second === undefined ? null : timeText(first - second);
}

function microsOf(value: string): bigint | undefined {
  const parts = parseDateTime(value);
  if (parts !== undefined) {
    const { year, month, day, hour, minute, second, micro } = parts;
    return BigInt(Date.UTC(year, month - 1, day, hour, minute, second)) * 1000n + BigInt(micro);
  }
  const time = /^(-?)(\d{2,3}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?$/.exec(value);
  if (time === null) return undefined;
  const seconds = Number(time[2]) * 3600 + Number(time[3]) * 60 + Number(time[4]);
  const micros = BigInt(seconds) * 1000000n + BigInt((time[5] ?? "").padEnd(6, "0"));
  return time[1] === "-" ? -micros : micros;
}

function timeText(micros: bigint): string {
  const sign = micros < 0n ? "-" : "";
  const whole = Number((micros < 0n ? -micros : micros) / 1000000n);
  const two = (value: number): string => String(value).padStart(2, "0");
  const fraction = String((micros < 0n ? -micros : micros) % 1000000n).padStart(6, "0");
  return `${sign}${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${fraction}`;
}

/** CAST to TIME rounds to the second. */
function wholeSeconds(value: string): string | null {
  const micros = microsOf(value.includes(" ") ? value.slice(value.indexOf(" ") + 1) : value);
  if (micros === undefined) return null;
  const half = micros < 0n ? -500000n : 500000n;
  return timeText(((micros + half) / 1000000n) * 1000000n).replace(/\.\d+$/, "");
}

const times: Record<string, Work> = {
  now: nowIn("both"),
  current_timestamp: nowIn("both"),
  localtime: nowIn("both"),
  localtimestamp: nowIn("both"),
  sysdate: nowIn("both"),
  utc_timestamp: nowIn("both", true),
  curdate: nowIn("date"),
  current_date: nowIn("date"),
  curtime: nowIn("time"),
  current_time: nowIn("time"),
  from_unixtime: ([a], scope) => {
    const zone = TimeZone.find(scope.timeZone) ?? TimeZone.utc;
    const found = numberOf(a!);
    const exact = "exact" in found ? Number(found.exact.unscaled) / 10 ** found.exact.scale : found.double;
    const fsp = "exact" in found ? Math.min(6, found.exact.scale) : Number.isInteger(exact) ? 0 : 6;
    const seconds = Math.floor(exact);
    return plain(dateTimeText(zone.toLocal(seconds, Math.round((exact - seconds) * 1e6)), fsp));
  },
  unix_timestamp: ([a], scope) => {
    if (a === undefined) return number(String(Math.floor(scope.nowMs / 1000)));
    if (a.text === null) return NULL_VALUE;
    const zone = TimeZone.find(scope.timeZone) ?? TimeZone.utc;
    const parts = parseDateTime(stringOf(a.text));
    if (parts === undefined || parts.year === 0) return number("0");
    const fsp = Math.min(6, /\.(\d+)$/.exec(stringOf(a.text))?.[1]?.length ?? 0);
    const micros = BigInt(zone.afterGap(parts)) * 1000000n + BigInt(parts.micro);
    return exactNumber(micros / 10n ** BigInt(6 - fsp), fsp);
  },
  timediff: ([a, b]) => plain(difference(stringOf(a!.text!), stringOf(b!.text!))),
  cast_time: (args) => plain(wholeSeconds(text(args, 0))),
  cast_datetime: ([a]) => plain(a!.text),
  cast_date: (args) => plain(text(args, 0).slice(0, 10)),
  cast_json: ([a]) => plain(a!.text),
};

/** A function of values; `name` is lower case. Error 1305 for one that the sandbox does not know. */
export function callFunction(name: string, args: Value[], scope: Scope): Value {
  const known = scope.functions[name];
  if (known !== undefined) {
    const result = known(args);
    return { text: result, numeric: result !== null && /^-?\d+$/.test(result), caseless: false };
  }
  const work = strings[name] ?? numbers[name] ?? times[name];
  if (work === undefined) {
    const shown = name.startsWith("cast_") ? `CAST to ${name.slice(5)}` : `${name}()`;
    throw new SqlError(1305, `the sandbox does not know ${shown} in an expression`, "42000");
  }
  if (!NOT_NULL.test(name) && name !== "isnull" && args.some((arg) => arg.text === null)) return NULL_VALUE;
  return work(args, scope);
}
