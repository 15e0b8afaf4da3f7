import { existsSync } from "node:fs";
import { command, flag, optional, positional, string } from "cmd-ts";
import { joinPath, systemFiles } from "../../base/mod.ts";
import { demandIdle, resetTable } from "../../importer/mod.ts";
import type { CommandIo } from "../io.ts";
import { plainSink } from "../output/sinks.ts";
import { readStateDirectory } from "../state-dir.ts";

/** What a state directory may hold; nothing else is removed. */
const PARTS = ["journal", "engines", "reports", "stdin", "levin.log", "FORMAT"];

/** `levin reset DIR [TABLE]`: forgets an import, or one of its tables, so that the next run begins it anew. */
export const resetCommand = (io: CommandIo) =>
  command({
    name: "reset",
    description: "Forget the import of a state directory (what is in the cluster stays).",
    args: {
      dir: positional({ type: string, displayName: "STATE-DIR" }),
      table: positional({
        type: optional(string),
        displayName: "TABLE",
        description: "only this table of it, DB.TABLE",
      }),
      yes: flag({ long: "yes", description: "do it; without, only say what would be removed" }),
    },
    handler: async ({ dir, table, yes }) => {
      const { path } = await readStateDirectory("reset", dir);
      const { emit } = plainSink(io.stderr, io.clock);
      const env = { files: systemFiles, clock: io.clock, pid: io.pid, emit };
      if (table !== undefined) return resetOne(io, env, path, table, yes);
      await demandIdle(env, path);
      for (const part of PARTS.map((name) => joinPath(path, name)).filter((one) => existsSync(one))) {
        if (yes) await systemFiles.removeTree(part);
        io.stdout.write(`${yes ? "removed" : "would remove"} ${part}\n`);
      }
      if (!yes) io.stdout.write("nothing was removed: say --yes to do it\n");
      return 0;
    },
  });

async function resetOne(
  io: CommandIo,
  env: Parameters<typeof resetTable>[0],
  dir: string,
  table: string,
  yes: boolean,
): Promise<number> {
  if (!yes) {
    io.stdout.write(`would forget ${table}\nnothing was forgotten: say --yes to do it\n`);
    return 0;
  }
  const { encodedAgain, files } = await resetTable(env, dir, table);
  io.stdout.write(`forgotten: ${table}; empty the table in the target, then run the same import again\n`);
  if (files.length > 0) io.stdout.write(`its files may change until then: ${files.join(", ")}\n`);
  if (encodedAgain.length > 0) io.stdout.write(`encoded again with it: ${encodedAgain.join(", ")}\n`);
  return 0;
}
