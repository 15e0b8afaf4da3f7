import { resolve } from "node:path";
import { command, flag, positional, string } from "cmd-ts";
import { joinPath, LevinError, systemFiles } from "../../base/mod.ts";
import { readJob } from "../../importer/mod.ts";
import type { CommandIo } from "../io.ts";

/** What a state directory may hold; nothing else is removed. */
const PARTS = ["journal", "engines", "reports", "levin.log", "FORMAT"];

/** `levin reset DIR`: forgets an import, so that the next run begins anew. */
export const resetCommand = (io: CommandIo) =>
  command({
    name: "reset",
    description: "Forget the import of a state directory (what is in the cluster stays).",
    args: {
      dir: positional({ type: string, displayName: "STATE-DIR" }),
      yes: flag({ long: "yes", description: "do it; without, only say what would be removed" }),
    },
    handler: async ({ dir, yes }) => {
      const path = resolve(dir);
      if ((await readJob(systemFiles, path)) === undefined)
        throw new LevinError("Levin:Command:ErrUsage", `Cannot reset "${dir}": it holds no import`);
      if ((await systemFiles.read(joinPath(path, "LOCK"))) !== undefined) {
        throw new LevinError(
          "Levin:State:ErrLocked",
          `Cannot reset "${dir}": a run holds it, or was killed; if none runs, remove ${joinPath(path, "LOCK")}`,
        );
      }
      for (const part of PARTS) {
        io.stdout.write(`${yes ? "removed" : "would remove"} ${joinPath(path, part)}\n`);
        if (yes) await systemFiles.removeTree(joinPath(path, part));
      }
      if (!yes) io.stdout.write("nothing was removed: say --yes to do it\n");
      return 0;
    },
  });
