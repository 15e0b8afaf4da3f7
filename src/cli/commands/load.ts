import { subcommands } from "cmd-ts";
import type { CommandIo } from "../io.ts";
import { checkCommand, configCommand } from "../load/check.ts";
import { pauseCommand, resumeCommand, statusCommand, stopCommand, updateCommand } from "../load/control.ts";
import { metadataCommand } from "../load/metadata.ts";
import { runCommand } from "../load/run.ts";
import { checkpointCommand, errorsCommand, resetCommand } from "../load/state.ts";

/** `levin load`: DM's load unit without DM. */
export const loadCommand = (io: CommandIo) =>
  subcommands({
    name: "load",
    description: "Load the dump of one source of a DM task; pause, resume and watch it.",
    cmds: {
      run: runCommand(io),
      check: checkCommand(io),
      config: configCommand(io),
      status: statusCommand(io),
      pause: pauseCommand(io),
      resume: resumeCommand(io),
      stop: stopCommand(io),
      update: updateCommand(io),
      errors: errorsCommand(io),
      checkpoint: checkpointCommand(io),
      reset: resetCommand(io),
      metadata: metadataCommand(io),
    },
  });
