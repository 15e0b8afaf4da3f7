import { command } from "cmd-ts";
import { undoLeftovers } from "../../importer/mod.ts";
import { importEnvironment } from "../environment.ts";
import { configArgument, flagArguments, givenFlags } from "../import-flags.ts";
import { importOptions, loadImportConfig, NO_SOURCE } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { plainSink } from "../output/sinks.ts";

/** What says where the cluster is. */
const CLUSTER_FLAGS = ["tidb-host", "tidb-status", "pd-urls", "ca", "cert", "key", "log-file", "log-level"];

/** `levin restore-cluster`: undoes at once what a killed run left; all of it would end by itself after its time limit. */
export const restoreClusterCommand = (io: CommandIo) =>
  command({
    name: "restore-cluster",
    description:
      "Put in order what a killed import left in a cluster: stores leave import mode, PD schedules all regions again.",
    args: {
      config: configArgument(),
      // All of an import are taken, so that its command line can be said again.
      ...flagArguments(CLUSTER_FLAGS),
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
