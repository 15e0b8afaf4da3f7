import { array, command, flag, multioption, option, optional, restPositionals, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import type { EncodeSession } from "../../encoder/mod.ts";
import { jsonDoublesOf } from "../../tidb/mod.ts";
import { type EncodeRequest, printByRow, printSorted } from "../encode-rows.ts";
import { configArgument } from "../import-flags.ts";
import { loadImportConfig, sqlModeOf } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { readSchemaFile, readTable, wholeNumber } from "../read-table.ts";
import { csvDialect } from "../source-options.ts";

const EXIT_BAD_DATA = 4;

/** `levin encode`: what rows become, as JSON lines. */
export const encodeCommand = (io: CommandIo) =>
  command({
    name: "encode",
    description: "Print the key-value pairs that the rows of data files become, as JSON lines.",
    args: {
      schema: option({ type: string, long: "schema", description: "CREATE TABLE (.sql) or TableInfo (.json)" }),
      data: multioption({ type: array(string), long: "data", description: "SQL or CSV data file; may be repeated" }),
      more: restPositionals({ type: string, displayName: "PATH", description: "further data files" }),
      tableId: option({
        type: optional(string),
        long: "table-id",
        description: "id of the table; with .sql default 1",
      }),
      table: option({
        type: optional(string),
        long: "table",
        description: "which table, when the schema makes several",
      }),
      config: configArgument(),
      sqlMode: option({ type: optional(string), long: "sql-mode", description: "SQL mode; default: strict" }),
      timeZone: option({ type: optional(string), long: "time-zone", description: "session time zone; default UTC" }),
      sessionVar: multioption({
        type: array(string),
        long: "session-var",
        description: "NAME=VALUE of a variable that changes the bytes",
      }),
      autoRandomSeed: option({
        type: optional(string),
        long: "auto-random-seed",
        description: "seed of AUTO_RANDOM shards, default 0",
      }),
      byRow: flag({ long: "by-row", description: "a line per row in source order, going on after errors" }),
    },
    handler: async (args) => {
      const given = new Map<string, string>();
      if (args.sqlMode !== undefined) given.set("tidb.sql-mode", args.sqlMode);
      if (args.timeZone !== undefined) given.set("levin.time-zone", args.timeZone);
      const config = loadImportConfig(io, args.config, given, false);
      const session = sessionOf(io, sqlModeOf(config), config.get("levin.time-zone") as string, args.sessionVar);
      const table = readTable(
        {
          path: args.schema,
          text: readSchemaFile(args.schema),
          tableId: args.tableId === undefined ? undefined : wholeNumber("--table-id", args.tableId),
          table: args.table,
          clusteredIndex: clusteredIndexOf(args.sessionVar),
        },
        session,
      );
      const paths = [...args.data, ...args.more];
      if (paths.length === 0)
        throw new LevinError("Levin:Command:ErrUsage", "Cannot encode: no data file; say --data PATH");
      const request: EncodeRequest = {
        table,
        paths,
        session,
        csv: csvDialect(config),
        compatLightning: config.get("levin.compat") === "lightning",
        byRow: args.byRow,
        autoRandomSeed: wholeNumber("--auto-random-seed", args.autoRandomSeed ?? "0"),
      };
      if (!args.byRow) {
        await printSorted(request, io.stdout, (text) => io.stderr.write(`note: ${text}\n`));
        return 0;
      }
      return (await printByRow(request, io.stdout)) === 0 ? 0 : EXIT_BAD_DATA;
    },
  });

const on = (text: string): boolean => /^(1|on|true)$/i.test(text);

/** The session's settings with the variables given as NAME=VALUE. */
function sessionOf(io: CommandIo, sqlMode: string, timeZone: string, variables: readonly string[]): EncodeSession {
  let session: EncodeSession = {
    sqlMode,
    timeZone: timeZone === "" ? "UTC" : timeZone,
    newCollations: true,
    rowFormatVersion: 2,
    rowLevelChecksum: false,
    nowMs: io.clock.nowMs(),
    defaultWeekFormat: 0,
  };
  for (const given of variables) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
    if (name === undefined || value === undefined)
      throw new LevinError("Levin:Command:ErrUsage", `Cannot use --session-var ${given}: it must be NAME=VALUE`);
    switch (name.toLowerCase()) {
      case "tidb_row_format_version":
        session = { ...session, rowFormatVersion: value === "1" ? 1 : 2 };
        break;
      case "tidb_enable_row_level_checksum":
        session = { ...session, rowLevelChecksum: on(value) };
        break;
      case "new_collations_enabled":
        session = { ...session, newCollations: on(value) };
        break;
      case "timestamp":
        if (Number(value) > 0) session = { ...session, nowMs: Number(value) * 1000 };
        break;
      case "default_week_format":
        session = { ...session, defaultWeekFormat: Number(value) };
        break;
      case "time_zone":
        session = { ...session, timeZone: /^system$/i.test(value) ? "UTC" : value };
        break;
      case "sql_mode":
        session = { ...session, sqlMode: value };
        break;
      case "version":
        session = { ...session, jsonDoubles: jsonDoublesOf(value) };
        break;
      case "tidb_enable_clustered_index":
        break;
      default:
        throw new LevinError(
          "Levin:Command:ErrUsage",
          `Cannot use --session-var ${name}: it does not change what a row becomes`,
        );
    }
  }
  return session;
}

function clusteredIndexOf(variables: readonly string[]): "on" | "off" | "int_only" {
  const given = variables
    .map((one) => /^tidb_enable_clustered_index=(.*)$/i.exec(one)?.[1]?.toLowerCase())
    .find((one) => one !== undefined);
  return given === "int_only" ? "int_only" : given === "off" || given === "0" ? "off" : "on";
}
