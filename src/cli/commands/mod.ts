/** The table of commands; one file each. */
import type { CommandIo } from "../io.ts";
import { encodeCommand } from "./encode.ts";
import { importCommand } from "./import.ts";
import { sandboxCommand } from "./sandbox.ts";
import { statusCommand } from "./status.ts";
import { versionCommand } from "./version.ts";

export const commands = (io: CommandIo) => ({
  import: importCommand(io),
  encode: encodeCommand(io),
  sandbox: sandboxCommand(io),
  status: statusCommand(io),
  version: versionCommand(io),
});
