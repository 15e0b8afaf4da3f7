/** Dates and times from numbers such as 20200102030405 (TiDB `pkg/types/time.go`, `parseDateTimeFromNum`). */

import { Tp } from "../../schema/mod.ts";
import { type CoreTime, coreTime, fitsFields, zeroTime } from "./core-time.ts";
import { wrongValue } from "./fault.ts";
import type { CastSession } from "./session.ts";
import { checkTime } from "./time-check.ts";

/** YYYYMMDDHHMMSS, completed from the shorter forms; null for numbers that are none of them. */
function complete(n: bigint): bigint | null {
  if (n >= 10000101000000n) return n;
  if (n < 101n) return null;
  if (n <= 691231n) return (n + 20000000n) * 1000000n;
  if (n < 700101n) return null;
  if (n <= 991231n) return (n + 19000000n) * 1000000n;
  if (n <= 99991231n) return n * 1000000n;
  if (n < 101000000n) return null;
  if (n <= 691231235959n) return n + 20000000000000n;
  if (n < 700101000000n) return null;
  if (n <= 991231235959n) return n + 19000000000000n;
  return n;
}

/** The date and time that a number stands for, checked as a DATETIME; null after a failure, which is raised. Zero is the zero date. */
export function timeFromNumber(session: CastSession, value: bigint): CoreTime | null {
  if (value === 0n) return zeroTime();
  const full = complete(value);
  const fault = wrongValue("time", String(value));
  if (full === null || full >= 163840000000000n) {
    session.raise(fault);
    return null;
  }
  const n = Number(full);
  const date = Math.floor(n / 1000000);
  const time = n % 1000000;
  const result = coreTime(
    Math.floor(date / 10000),
    Math.floor(date / 100) % 100,
    date % 100,
    Math.floor(time / 10000),
    Math.floor(time / 100) % 100,
    time % 100,
  );
  if (!fitsFields(result)) {
    session.raise(fault);
    return null;
  }
  return checkTime(session, result, Tp.datetime) ? result : null;
}
