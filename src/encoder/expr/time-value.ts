/** Times of expressions from and to datums. */
import { packTime, type TimeParts, unpackTime } from "../../codec/mod.ts";
import { Tp } from "../../schema/mod.ts";
import type { TimeDatum } from "../cast/mod.ts";
import type { Time } from "./value.ts";

export function time(t: TimeParts, tp: number, fsp: number): Time {
  return {
    year: t.year,
    month: t.month,
    day: t.day,
    hour: t.hour,
    minute: t.minute,
    second: t.second,
    micro: t.micro,
    tp,
    fsp: tp === Tp.date ? 0 : fsp,
  };
}

export function timeOfDatum(d: TimeDatum): Time {
  return time(unpackTime(d.packed), d.tp, d.fsp);
}

export function datumOfTime(t: Time): TimeDatum {
  return { kind: "time", packed: packTime(t), tp: t.tp, fsp: t.fsp };
}

/** The date alone, as a DATE. */
export function dateOf(t: TimeParts): Time {
  return time({ ...t, hour: 0, minute: 0, second: 0, micro: 0 }, Tp.date, 0);
}

export function isZero(t: TimeParts): boolean {
  return (
    t.year === 0 && t.month === 0 && t.day === 0 && t.hour === 0 && t.minute === 0 && t.second === 0 && t.micro === 0
  );
}

export function compareTimes(a: TimeParts, b: TimeParts): number {
  return (
    a.year - b.year ||
    a.month - b.month ||
    a.day - b.day ||
    a.hour - b.hour ||
    a.minute - b.minute ||
    a.second - b.second ||
    a.micro - b.micro
  );
}
