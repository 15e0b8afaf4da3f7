/** Whether a date and time may be stored in a type (TiDB `pkg/types/time.go`, `Check`), before the column's mode is looked at. */
import { Tp } from "../../schema/mod.ts";
import { type CoreTime, daysInMonth, formatTime, isZeroTime, toUnix } from "./core-time.ts";
import { wrongValue } from "./fault.ts";
import type { CastSession } from "./session.ts";

const MAX_TIMESTAMP = 2147483647;

function isDate(session: CastSession, t: CoreTime): boolean {
  if (t.year === 0 && t.month === 0 && t.day === 0) return true;
  if (!session.allowZeroInDate && (t.month === 0 || t.day === 0)) return false;
  if (t.year > 9999 || t.month > 12) return false;
  if (session.allowInvalidDates || t.month === 0) return t.day <= 31;
  // Year 0 counts as a leap year.
  return t.day <= daysInMonth(t.year, t.month);
}

/** TIMESTAMP: an instant of 1970-01-01 00:00:01 .. 2038-01-19 03:14:07.999999 UTC, or zero. */
function isTimestamp(session: CastSession, t: CoreTime): boolean {
  if (isZeroTime(t)) return true;
  const unix = toUnix(t, session.zone);
  return unix >= 1 && unix <= MAX_TIMESTAMP;
}

/** False, and the failure raised, if the type cannot hold the time. */
export function checkTime(session: CastSession, t: CoreTime, tp: number): boolean {
  const ok =
    tp === Tp.timestamp ? isTimestamp(session, t) : isDate(session, t) && t.hour < 24 && t.minute < 60 && t.second < 60;
  if (!ok) session.raise(wrongValue("time", formatTime(t, false, 6)));
  return ok;
}
