import { command } from "cmd-ts";
import { configJsonSchema } from "../../config/mod.ts";
import type { CommandIo } from "../io.ts";

/** `levin config-schema`: for editors. */
export const configSchemaCommand = (io: CommandIo) =>
  command({
    name: "config-schema",
    description: "Print the JSON schema of the configuration file.",
    args: {},
    handler: async () => {
      io.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      return 0;
    },
  });
