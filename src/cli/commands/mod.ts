/** The table of commands; one file each. */
import type { CommandIo } from "../io.ts";
import { versionCommand } from "./version.ts";

export const commands = (io: CommandIo) => ({
  version: versionCommand(io),
});
