/** DATE, DATETIME and TIMESTAMP values (TiDB `pkg/types/time.go`, `Time`). */
import { type Datum, type Decimal, packTime, type TimeParts, unpackTime } from "../../codec/mod.ts";
import { Tp } from "../../schema/mod.ts";
import { coreTime, formatTime, fromUnix, isZeroTime, toUnix } from "./core-time.ts";
import { wrongValue } from "./fault.ts";
import type { CastSession } from "./session.ts";

export type TimeDatum = Extract<Datum, { kind: "time" }>;

export function timeDatum(t: TimeParts, tp: number, fsp: number): TimeDatum {
  return { kind: "time", packed: packTime(t), tp, fsp: tp === Tp.date ? 0 : fsp };
}

/** `2020-01-02 03:04:05.6`. */
export function formatTimeDatum(d: TimeDatum): string {
  return formatTime(unpackTime(d.packed), d.tp === Tp.date, d.fsp);
}

/** 2020-01-02 03:04:05.6 -> 20200102030405.6, a DATE -> 20200102. */
export function timeToDecimal(d: TimeDatum): Decimal {
  const t = unpackTime(d.packed);
  const date = t.year * 10000 + t.month * 100 + t.day;
  if (d.tp === Tp.date || isZeroTime(t)) return { negative: false, unscaled: BigInt(date), scale: 0 };
  const whole = BigInt(date) * 1000000n + BigInt(t.hour * 10000 + t.minute * 100 + t.second);
  const fraction = BigInt(Math.floor(t.micro / 10 ** (6 - d.fsp)));
  return { negative: false, unscaled: whole * BigInt(10 ** d.fsp) + fraction, scale: d.fsp };
}

/** Microseconds rounded half up; 1000000 if that makes a full second. */
function roundMicro(micro: number, fsp: number): number {
  const unit = 10 ** (6 - fsp);
  return Math.floor((micro + unit / 2) / unit) * unit;
}

/** Rounded to fsp digits with carry; a failure if the carry would change a date with zero parts. */
export function roundTimeDatum(session: CastSession, d: TimeDatum, fsp: number): TimeDatum {
  if (d.tp === Tp.date || d.packed === 0n || fsp === d.fsp) return d;
  const t = unpackTime(d.packed);
  const micro = roundMicro(t.micro, fsp);
  const carry = micro === 1000000 ? 1 : 0;
  const unix = toUnix(t, session.zone);
  if (!Number.isNaN(unix)) return timeDatum(fromUnix(unix + carry, carry === 1 ? 0 : micro, session.zone), d.tp, fsp);
  const seconds = t.hour * 3600 + t.minute * 60 + t.second + carry;
  if (seconds >= 86400) {
    session.raise(wrongValue("time", formatTimeDatum(d)));
    return d;
  }
  const hour = Math.floor(seconds / 3600);
  const minute = Math.floor(seconds / 60) % 60;
  return timeDatum(coreTime(t.year, t.month, t.day, hour, minute, seconds % 60, carry === 1 ? 0 : micro), d.tp, fsp);
}
