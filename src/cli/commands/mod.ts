/** The table of commands; one file each, which is loaded when its command is asked for: most of the program is behind `import`. */
import type { CommandIo } from "../io.ts";

/** For the list of commands; the same as in the command's own file. */
export const descriptions = {
  import: "Import a dump directory into TiDB; the same command after a failure continues.",
  check: "Show what every file of a source is taken for, and run the checks before an import.",
  detect: "Guess how a CSV file is written; prints a sample and the configuration to copy.",
  "config-schema": "Print the JSON schema of the configuration file.",
  checkpoint: "Look at, check, export and remove checkpoints of BR's backups and restores.",
  ctl: "tidb-lightning-ctl's operations on the stores and on Lightning's checkpoints.",
  decode: "Explain a key-value pair of a table in words.",
  encode: "Print the key-value pairs that the rows of data files become, as JSON lines.",
  load: "Load the dump of one source of a DM task; pause, resume and watch it.",
  reset: "Forget the import of a state directory (what is in the cluster stays).",
  "restore-cluster":
    "Put in order what a killed import left in a cluster: stores leave import mode, PD schedules all regions again.",
  sandbox: "Start PD, TiKV stores and a TiDB front on loopback; runs until it is interrupted.",
  server: "Take import tasks over HTTP (POST /tasks with a TOML file) and run them one after the other.",
  status: "Show how far the import of a state directory is.",
  version: "Print levin's version.",
};

export type CommandName = keyof typeof descriptions;

export function isCommandName(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(descriptions, word);
}

const loaders = {
  import: async (io: CommandIo) => (await import("./import.ts")).importCommand(io),
  check: async (io: CommandIo) => (await import("./check.ts")).checkCommand(io),
  detect: async (io: CommandIo) => (await import("./detect.ts")).detectCommand(io),
  "config-schema": async (io: CommandIo) => (await import("./config-schema.ts")).configSchemaCommand(io),
  checkpoint: async (io: CommandIo) => (await import("./checkpoint.ts")).checkpointCommand(io),
  ctl: async (io: CommandIo) => (await import("./ctl.ts")).ctlCommand(io),
  decode: async (io: CommandIo) => (await import("./decode.ts")).decodeCommand(io),
  encode: async (io: CommandIo) => (await import("./encode.ts")).encodeCommand(io),
  load: async (io: CommandIo) => (await import("./load.ts")).loadCommand(io),
  reset: async (io: CommandIo) => (await import("./reset.ts")).resetCommand(io),
  "restore-cluster": async (io: CommandIo) => (await import("./restore-cluster.ts")).restoreClusterCommand(io),
  sandbox: async (io: CommandIo) => (await import("./sandbox.ts")).sandboxCommand(io),
  server: async (io: CommandIo) => (await import("./server.ts")).serverCommand(io),
  status: async (io: CommandIo) => (await import("./status.ts")).statusCommand(io),
  version: async (io: CommandIo) => (await import("./version.ts")).versionCommand(io),
} satisfies Record<CommandName, unknown>;

export function loadCommand(name: CommandName, io: CommandIo) {
  return loaders[name](io);
}
