import { parseSqlMode, SQL_MODES } from "../schema/mod.ts";
import type { SubTask } from "./subtask.ts";

/** What a strict upstream would refuse on the way in, though it has it already. */
const REMOVED = new Set([
  "NO_ZERO_IN_DATE",
  "NO_ZERO_DATE",
  "ERROR_FOR_DIVISION_BY_ZERO",
  "NO_AUTO_CREATE_USER",
  "STRICT_TRANS_TABLES",
  "STRICT_ALL_TABLES",
  // A server reads it as all of the above; its other members are listed beside it.
  "TRADITIONAL",
]);
const ADDED = ["IGNORE_SPACE", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES"];

/** A session variable by its name in any case. */
export function sessionVariable(session: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(session).find(([key]) => key.toLowerCase() === name)?.[1];
}

/**
 * The modes that an upstream's mode becomes for a load, in order of their names, so that a resumed load has the same text; undefined where
 * a word of it is no mode.
 */
export function loosenSqlMode(mode: string): string | undefined {
  const words = [...parseSqlMode(mode)];
  if (words.some((word) => !SQL_MODES.has(word))) return undefined;
  return [...new Set([...words.filter((word) => !REMOVED.has(word)), ...ADDED])].sort().join(",");
}

/**
 * The SQL mode of a load: the one of the target's session variables, else the upstream's, loosened. One that no parser knows is kept as it
 * is; `warn` is told.
 */
export function resolveSqlMode({ to, loader }: SubTask, warn: (message: string) => void): string {
  const given = sessionVariable(to.session, "sql_mode");
  if (given !== undefined && given !== "") return given;
  const loosened = loosenSqlMode(loader.sqlMode);
  if (loosened === undefined) warn(`cannot adjust the upstream's sql_mode "${loader.sqlMode}"; it is used as it is`);
  return loosened ?? loader.sqlMode;
}

/** What DM asks for the offset of a server's session time zone. */
export const TIME_ZONE_QUERY = "SELECT cast(TIMEDIFF(NOW(6), UTC_TIMESTAMP(6)) as time);";

/** `+HH:MM` or `-HH:MM` out of the answer, such as `01:00:00`, `-05:30:00` or `00:00:00.000000`; undefined when it is none. */
export function timeZoneOffset(answer: string | null | undefined): string | undefined {
  const match = /^(-?)(\d{2,3}):(\d{2}):(\d{2})(\.\d+)?$/.exec(answer ?? "");
  return match === null ? undefined : `${match[1] === "-" ? "-" : "+"}${match[2]}:${match[3]}`;
}
