import { command, option, optional, positional, string } from "cmd-ts";
import { describePair } from "../../encoder/mod.ts";
import { booleanOption, booleanValue } from "../import-flags.ts";
import type { CommandIo } from "../io.ts";
import { readSchemaFile, readTable, wholeNumber } from "../read-table.ts";

/** `levin decode`: explains one pair in words. */
export const decodeCommand = (io: CommandIo) =>
  command({
    name: "decode",
    description: "Explain a key-value pair of a table in words.",
    args: {
      schema: option({ type: string, long: "schema", description: "CREATE TABLE (.sql) or TableInfo (.json)" }),
      table: option({
        type: optional(string),
        long: "table",
        description: "which table, when the schema makes several",
      }),
      tableId: option({
        type: optional(string),
        long: "table-id",
        description: "id of the table; with .sql default 1",
      }),
      timeZone: option({
        type: optional(string),
        long: "time-zone",
        description: "zone in which TIMESTAMP is shown; default UTC",
      }),
      collations: booleanOption("new-collations", "whether the cluster has the new collations; default true"),
      key: positional({ type: string, displayName: "KEY", description: "in hex, raw (as `levin encode` prints it)" }),
      value: positional({ type: optional(string), displayName: "VALUE", description: "in hex" }),
    },
    handler: async (args) => {
      const newCollations = booleanValue("new-collations", args.collations, true);
      const timeZone = args.timeZone ?? "UTC";
      const table = readTable(
        {
          path: args.schema,
          text: readSchemaFile(args.schema),
          tableId: args.tableId === undefined ? undefined : wholeNumber("--table-id", args.tableId),
          table: args.table,
          clusteredIndex: "on",
        },
        {
          sqlMode: "",
          timeZone,
          newCollations,
          rowFormatVersion: 2,
          rowLevelChecksum: false,
          nowMs: 0,
          defaultWeekFormat: 0,
        },
      );
      for (const line of describePair(table, args.key, args.value, { newCollations, timeZone }))
        io.stdout.write(`${line}\n`);
      return 0;
    },
  });
