import { subcommands } from "cmd-ts";
import type { CommandIo } from "../io.ts";
import { metadataCommand } from "../load/metadata.ts";

/** `levin load`: DM's load unit without DM. */
export const loadCommand = (io: CommandIo) =>
  subcommands({
    name: "load",
    description: "Load the dump of one source of a DM task; pause, resume and watch it.",
    cmds: {
      metadata: metadataCommand(io),
    },
  });
