import { command } from "cmd-ts";
import type { CommandIo } from "../io.ts";

export const versionCommand = (io: CommandIo) =>
  command({
    name: "version",
    description: "Print levin's version.",
    args: {},
    handler: async () => {
      io.stdout.write(`levin ${io.version}\n`);
      return 0;
    },
  });
