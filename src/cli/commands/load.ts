import { subcommands } from "cmd-ts";
import type { CommandIo } from "../io.ts";
import { pauseCommand, resumeCommand, statusCommand, stopCommand, updateCommand } from "../load/control.ts";
import { metadataCommand } from "../load/metadata.ts";
import { runCommand } from "../load/run.ts";

/** `levin load`: DM's load unit without DM. */
export const loadCommand = (io: CommandIo) =>
  subcommands({
    name: "load",
    description: "Load the dump of one source of a DM task; pause, resume and watch it.",
    cmds: {
      run: runCommand(io),
      status: statusCommand(io),
      pause: pauseCommand(io),
      resume: resumeCommand(io),
      stop: stopCommand(io),
      update: updateCommand(io),
      metadata: metadataCommand(io),
    },
  });
