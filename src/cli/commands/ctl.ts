import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { command, flag, option, optional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import {
  type CheckpointsModel,
  destroyErrors,
  dumpCsv,
  ignoreErrors,
  selectTables,
  tablesWithLocalFiles,
} from "../../checkpoint/mod.ts";
import {
  type CheckpointOptions,
  compactStores,
  type ImportEnvironment,
  openCheckpointHome,
  type StoreAnswer,
  storeModes,
  switchModes,
} from "../../importer/mod.ts";
import { connectTidb } from "../../tidb/mod.ts";
import { importEnvironment } from "../environment.ts";
import { configArgument, flagArguments, givenFlags } from "../import-flags.ts";
import { importOptions, loadImportConfig, NO_SOURCE } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { plainSink } from "../output/sinks.ts";

const tableFlag = (long: string, description: string) => option({ type: optional(string), long, description });

/** `levin ctl`, and the program itself by the name tidb-lightning-ctl: its flags, one of them at a time. */
export const ctlCommand = (io: CommandIo) =>
  command({
    name: "ctl",
    description: "tidb-lightning-ctl's operations on the stores and on Lightning's checkpoints.",
    args: {
      config: configArgument(),
      compact: flag({ long: "compact", description: "compact all data of all stores" }),
      switchMode: option({
        type: optional(string),
        long: "switch-mode",
        description: "import or normal, for all stores",
      }),
      fetchMode: flag({ long: "fetch-mode", description: "the mode of each store" }),
      remove: tableFlag("checkpoint-remove", "forget a table's checkpoint; all, or `db`.`table`"),
      ignore: tableFlag("checkpoint-error-ignore", "count a table's failure as if it had not been"),
      destroy: tableFlag("checkpoint-error-destroy", "drop a table that failed, and forget it"),
      dump: tableFlag("checkpoint-dump", "directory for the checkpoints as three CSV files"),
      checkLocal: flag({ long: "check-local-storage", description: "tables that need intermediate files" }),
      ...flagArguments(),
    },
    handler: async (args) => {
      const config = loadImportConfig(io, args.config, givenFlags(args), false);
      const options = importOptions(io, config, NO_SOURCE, false);
      const env = importEnvironment(io, plainSink(io.stderr, io.clock).emit);
      if (args.compact) return sayStores(io, await compactStores(options, env));
      if (args.fetchMode) return sayStores(io, await storeModes(options, env));
      if (args.switchMode !== undefined) {
        const mode = args.switchMode;
        if (mode !== "import" && mode !== "normal") throw usage(`--switch-mode ${mode}: it must be import or normal`);
        return sayStores(io, await switchModes(mode, options, env));
      }
      const checkpoints = options.checkpoints ?? defaultCheckpoints();
      const run = (use: (model: CheckpointsModel) => Promise<boolean>) => withCheckpoints(checkpoints, env, use);
      const { remove, ignore, destroy, dump } = args;
      if (remove !== undefined) return removeCheckpoints(io, checkpoints, env, remove);
      if (ignore !== undefined) {
        return run(async (model) => {
          const changed = ignoreErrors(model, chosen(model, ignore));
          io.stdout.write(changed.length === 0 ? "no table had failed\n" : `pending again: ${changed.join(", ")}\n`);
          return changed.length > 0;
        });
      }
      if (destroy !== undefined) {
        return run(async (model) => {
          const failed = destroyErrors(model, chosen(model, destroy));
          const tidb = await connectTidb(options.tidb);
          try {
            for (const table of failed) {
              await tidb.query(`DROP TABLE IF EXISTS ${table}`);
              io.stdout.write(`dropped and forgotten: ${table}\n`);
            }
          } finally {
            await tidb.close();
          }
          if (failed.length === 0) io.stdout.write("no table had failed\n");
          return failed.length > 0;
        });
      }
      if (dump !== undefined) {
        return run(async (model) => {
          mkdirSync(resolve(dump), { recursive: true });
          for (const [name, text] of Object.entries(dumpCsv(model))) writeFileSync(join(resolve(dump), name), text);
          io.stdout.write(`written to ${resolve(dump)}: tables.csv, engines.csv, chunks.csv\n`);
          return false;
        });
      }
      if (args.checkLocal) {
        return run(async (model) => {
          const tables = tablesWithLocalFiles(model);
          io.stdout.write(tables.length === 0 ? "no table needs intermediate files\n" : `${tables.join("\n")}\n`);
          return false;
        });
      }
      throw usage("no operation is named, such as --switch-mode normal");
    },
  });

function usage(what: string): LevinError {
  return new LevinError("Levin:Command:ErrUsage", `Cannot run ctl: ${what}`);
}

/** Lightning's own default, for those who ask without a configuration. */
function defaultCheckpoints(): CheckpointOptions {
  return {
    home: { driver: "file", path: "/tmp/tidb_lightning_checkpoint.pb" },
    keepAfterSuccess: "origin",
    fresh: false,
  };
}

function sayStores(io: CommandIo, answers: readonly StoreAnswer[]): number {
  for (const { address, text, failed } of answers)
    io.stdout.write(`${address.padEnd(30)} | ${failed ? "Error: " : ""}${text}\n`);
  return answers.some(({ failed }) => failed) ? 1 : 0;
}

/** Tables by name; a name that is none of them is an error, where Lightning does nothing in silence. */
function chosen(model: CheckpointsModel, which: string): string[] {
  const tables = selectTables(model, which);
  if (tables.length > 0 || which === "all") return tables;
  const known = Object.keys(model.checkpoints).sort().slice(0, 5).join(", ");
  throw usage(`there is no checkpoint of ${which}; there are ${known === "" ? "none" : known}`);
}

/** Reads the checkpoints, lets `use` change them, and saves them where it did. */
async function withCheckpoints(
  options: CheckpointOptions,
  env: ImportEnvironment,
  use: (model: CheckpointsModel) => Promise<boolean>,
): Promise<number> {
  const home = await openCheckpointHome(options, env);
  try {
    const model = await home.load();
    if (model === undefined) throw usage(`there are no checkpoints in ${home.name}`);
    if (await use(model)) await home.save(model);
    return 0;
  } finally {
    await home.close();
  }
}

async function removeCheckpoints(
  io: CommandIo,
  options: CheckpointOptions,
  env: ImportEnvironment,
  which: string,
): Promise<number> {
  if (which !== "all") {
    return withCheckpoints(options, env, async (model) => {
      for (const table of chosen(model, which)) {
        delete model.checkpoints[table];
        io.stdout.write(`forgotten: ${table}\n`);
      }
      return true;
    });
  }
  const home = await openCheckpointHome(options, env);
  try {
    // Those that cannot be read are there all the same.
    const isThere = await home.load().then(
      (model) => model !== undefined,
      (thrown) => {
        if (thrown instanceof LevinError && thrown.code === "Levin:State:ErrFormat") return true;
        throw thrown;
      },
    );
    if (isThere) await home.remove();
    io.stdout.write(
      isThere ? `removed: ${home.name}\n` : `nothing to remove: there are no checkpoints in ${home.name}\n`,
    );
    return 0;
  } finally {
    await home.close();
  }
}
