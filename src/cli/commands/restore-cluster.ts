import { command } from "cmd-ts";
import { undoLeftovers } from "../../importer/mod.ts";
import { importEnvironment } from "../environment.ts";
import { configArgument, flagArguments, givenFlags } from "../import-flags.ts";
import { importOptions, loadImportConfig, NO_SOURCE } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { plainSink } from "../output/sinks.ts";

/** `levin restore-cluster`: undoes at once what a killed run left; all of it would end by itself after its time limit. */
export const restoreClusterCommand = (io: CommandIo) =>
  command({
    name: "restore-cluster",
    description: "Undo what a killed run left in a cluster: import mode, paused scheduling.",
    args: {
      config: configArgument(),
      ...flagArguments(),
    },
    handler: async (args) => {
      const config = loadImportConfig(io, args.config, givenFlags(args), false);
      const options = importOptions(io, config, NO_SOURCE, false);
      const sink = plainSink(io.stderr, io.clock);
      const { rules, schedulers } = await undoLeftovers(options, importEnvironment(io, sink.emit));
      io.stdout.write("all stores are told to be in normal mode\n");
      io.stdout.write(
        rules.length === 0 ? "PD had no label rule of levin\n" : `removed from PD: ${rules.join(", ")}\n`,
      );
      if (schedulers.length > 0) io.stdout.write(`resumed: ${schedulers.join(", ")}\n`);
      return 0;
    },
  });
