import type { LevinError } from "../base/mod.ts";
import { sqlErrno } from "../tidb/mod.ts";

/** A row is in the way of another: ER_DUP_ENTRY and its kin with and without the key's name. */
const DUPLICATE = new Set([1022, 1062, 1169, 1586]);

/**
 * What goes away when it is tried again: lock wait timeout, deadlock, record has changed (MariaDB 1020); TiDB's write conflicts, changed
 * schemas, busy or unreachable PD and TiKV.
 */
const RETRYABLE = new Set([
  1020, 1105, 1205, 1213, 1317, 2013, 8002, 8005, 8022, 8027, 8028, 8145, 9001, 9002, 9003, 9004, 9005, 9006, 9007,
  9008, 9010, 9011, 9012,
]);

/** 1105 is TiDB's number for whatever has none; only these texts of it are worth another try. */
const RETRYABLE_TEXT =
  /try again later|information schema is (?:changed|out of date)|Region is unavailable|region unavailable/i;

/** Faults of one row's values, which another row need not have. */
const ROW = new Set([
  // Columns: null, no default, wrong count of values.
  1048, 1364, 1136,
  // Values: numbers, times, texts, enum and set, JSON, geometry, bits.
  1264, 1265, 1292, 1365, 1366, 1406, 1411, 1416, 1426, 1441, 1525, 1690, 3140, 3141, 3146, 3150, 3157, 3819, 4025,
  4038, 8029, 1904, 1906,
  // Partitions, foreign keys, checks, triggers.
  1526, 1748, 1216, 1452, 1644,
  // Invalid characters; a value larger than the packet or the entry.
  1300, 3854, 1301, 8025,
]);

/** What a server's refusal of a statement with rows means. */
export type Fault = "duplicate" | "row" | "retry" | "lost" | "other";

export function faultOf(error: LevinError): Fault {
  if (error.code === "Levin:Tidb:ErrUnavailable") return "lost";
  const errno = sqlErrno(error);
  if (errno === undefined) return "other";
  if (DUPLICATE.has(errno)) return "duplicate";
  if (errno === 1105) return RETRYABLE_TEXT.test(error.message) ? "retry" : "other";
  if (RETRYABLE.has(errno)) return "retry";
  return ROW.has(errno) ? "row" : "other";
}

/** The server's own words, without what levin put around them. */
export function serverWords(error: LevinError): string {
  const cause = error.cause as { message?: unknown } | undefined;
  return typeof cause?.message === "string" ? cause.message : error.message;
}

/** The column that a refusal names; undefined where it names none. */
export function columnOf(words: string): string | undefined {
  const found = /[Cc]olumn:?\s+((?:`[^`]+`\.)*`[^`]+`|'[^']+'|"[^"]+")|Field ('[^']+')/.exec(words);
  const name = found?.[1] ?? found?.[2];
  return name?.replace(/^.*`\.(?=`)/, "").slice(1, -1);
}

/** Value and index of a duplicate entry as the server tells them. */
export function duplicateOf(words: string): { value: string; index: string } {
  const found = /Duplicate entry '([\s\S]*)' for key '(?:[^']*\.)?([^'.]+)'/.exec(words);
  return { value: found?.[1] ?? "", index: found?.[2] ?? "" };
}
