import { dmCodes } from "./dm-codes.ts";
import type { ProcessError } from "./dm-error.ts";

/** Texts of TiDB about DDL that it will refuse again; compared with the lower-cased cause. */
const unsupportedDdl = [
  "can't drop column with index",
  "unsupported add column",
  "unsupported modify column",
  "unsupported modify charset",
  "unsupported modify collate",
  "unsupported drop integer primary key",
  "unsupported collation",
  "invalid default value for",
  "unsupported drop primary key",
  "with tidb_enable_change_multi_schema is disable",
  "error 1059",
  "error 1117",
  "error 1069",
];

/** Of statements on rows. */
const unsupportedDml = ["error 1062", "error 1406", "error 1366", "error 8025"];

/** Of the upstream's binlog. */
const replication = [
  "master has purged binary logs containing gtids that the slave requires",
  "the master has purged required binary logs",
];

const never = new Set<number>([
  dmCodes.LoadLightningRuntime.code,
  dmCodes.LoadLightningHasDup.code,
  dmCodes.LoadLightningChecksum.code,
]);

/** DM's own rule of what a task may be resumed after without a person: no failure of an import ever. */
export function isResumableError(error: ProcessError | undefined): boolean {
  if (error === undefined) return true;
  const cause = error.RawCause.toLowerCase();
  if ([...unsupportedDdl, ...unsupportedDml, ...replication].some((text) => cause.includes(text))) return false;
  return !never.has(error.ErrCode);
}
