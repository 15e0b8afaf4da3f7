import { command, flag, option, optional, positional, string } from "cmd-ts";
import { booleanOption, configArgument, flagArguments } from "../import-flags.ts";
import type { CommandIo } from "../io.ts";

/** `levin import DIR`: brings a dump into a cluster. */
export const importCommand = (io: CommandIo) =>
  command({
    name: "import",
    description: "Import a dump directory into TiDB; the same command after a failure continues.",
    args: {
      source: positional({
        type: optional(string),
        displayName: "SOURCE",
        description: "directory of the dump, one file, or - for standard input",
      }),
      config: configArgument(),
      sandbox: option({
        type: optional(string),
        long: "sandbox",
        description: "import into an embedded cluster kept in this directory",
      }),
      stores: option({ type: optional(string), long: "stores", description: "stores of a new sandbox, default 1" }),
      fresh: flag({ long: "fresh", description: "forget what an earlier run has done" }),
      json: flag({ long: "json", description: "events as JSON lines on standard output" }),
      printConfig: flag({ long: "print-config", description: "show every option with its value and origin, and stop" }),
      strictConfig: booleanOption("strict-config", "unknown keys of the file are errors"),
      ...flagArguments(),
    },
    // What carries an import out is most of the program; help needs none of it.
    handler: async (args) => (await import("../run-import.ts")).runImportCommand(io, args),
  });
