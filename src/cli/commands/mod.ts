/** The table of commands; one file each. */
import type { CommandIo } from "../io.ts";
import { checkCommand } from "./check.ts";
import { checkpointCommand } from "./checkpoint.ts";
import { configSchemaCommand } from "./config-schema.ts";
import { ctlCommand } from "./ctl.ts";
import { decodeCommand } from "./decode.ts";
import { detectCommand } from "./detect.ts";
import { encodeCommand } from "./encode.ts";
import { importCommand } from "./import.ts";
import { loadCommand } from "./load.ts";
import { resetCommand } from "./reset.ts";
import { restoreClusterCommand } from "./restore-cluster.ts";
import { sandboxCommand } from "./sandbox.ts";
import { serverCommand } from "./server.ts";
import { statusCommand } from "./status.ts";
import { versionCommand } from "./version.ts";

export const commands = (io: CommandIo) => ({
  import: importCommand(io),
  check: checkCommand(io),
  detect: detectCommand(io),
  "config-schema": configSchemaCommand(io),
  checkpoint: checkpointCommand(io),
  ctl: ctlCommand(io),
  decode: decodeCommand(io),
  encode: encodeCommand(io),
  load: loadCommand(io),
  reset: resetCommand(io),
  "restore-cluster": restoreClusterCommand(io),
  sandbox: sandboxCommand(io),
  server: serverCommand(io),
  status: statusCommand(io),
  version: versionCommand(io),
});
