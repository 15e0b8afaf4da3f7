import type { JsonDoubles } from "../codec/mod.ts";
import type { Tidb } from "./connection.ts";

/** What the server says that decides which bytes a row becomes. */
export interface ServerVariables {
  /** As `SELECT VERSION()` gives it, for example `8.0.11-TiDB-v8.5.0`. */
  version: string;
  /** True when the server is TiDB. */
  isTidb: boolean;
  newCollations: boolean;
  rowFormatVersion: 1 | 2;
  rowLevelChecksum: boolean;
  /** IANA name or offset; SYSTEM is resolved to the server's `system_time_zone`. */
  timeZone: string;
  sqlMode: string;
  maxAllowedPacket: number;
  defaultWeekFormat: number;
  /** How it writes doubles when JSON becomes text (see `jsonText`). */
  jsonDoubles: JsonDoubles;
}

const names = [
  "tidb_row_format_version",
  "tidb_enable_row_level_checksum",
  "time_zone",
  "system_time_zone",
  "sql_mode",
  "max_allowed_packet",
  "default_week_format",
];

/** Which server it is. */
export async function readVersion(tidb: Pick<Tidb, "query">): Promise<Pick<ServerVariables, "version" | "isTidb">> {
  const version = (await tidb.query("SELECT VERSION()")).rows[0]?.[0] ?? "";
  return { version, isTidb: /-tidb-/i.test(version) };
}

/** Reads them; a server that lacks one (an old TiDB, MySQL) gets that one's documented default. */
export async function readServerVariables(tidb: Tidb): Promise<ServerVariables> {
  const { version, isTidb } = await readVersion(tidb);
  const list = names.map((name) => `'${name}'`).join(", ");
  const found = new Map<string, string>();
  for (const row of (await tidb.query(`SHOW VARIABLES WHERE Variable_name IN (${list})`)).rows) {
    found.set((row[0] ?? "").toLowerCase(), row[1] ?? "");
  }
  const on = (name: string) => /^(1|on)$/i.test(found.get(name) ?? "");
  const zone = found.get("time_zone") ?? "SYSTEM";
  let newCollations = false;
  if (isTidb) {
    const answer = await tidb.query(
      "SELECT variable_value FROM mysql.tidb WHERE variable_name = 'new_collation_enabled'",
    );
    newCollations = /^true$/i.test(answer.rows[0]?.[0] ?? "");
  }
  return {
    version,
    isTidb,
    newCollations,
    rowFormatVersion: found.get("tidb_row_format_version") === "1" ? 1 : 2,
    rowLevelChecksum: on("tidb_enable_row_level_checksum"),
    timeZone: zone.toUpperCase() === "SYSTEM" ? (found.get("system_time_zone") ?? "UTC") : zone,
    sqlMode: found.get("sql_mode") ?? "",
    maxAllowedPacket: Number(found.get("max_allowed_packet") ?? 67108864),
    defaultWeekFormat: Number(found.get("default_week_format") ?? 0),
    jsonDoubles: jsonDoublesOf(version),
  };
}

/** TiDB before 9.0 writes JSON's doubles as Go does; builds of its main branch between call themselves a placeholder of 8.4. */
export function jsonDoublesOf(version: string): JsonDoubles {
  const major = /-TiDB-v?(\d+)\./i.exec(version)?.[1];
  return major === undefined || Number(major) >= 9 || version.includes("placeholder") ? "point" : "go";
}
