import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { command, flag, positional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { type BinlogLocation, DmError, MetadataFormatError, parseMetadata, positionText } from "../../load/mod.ts";
import { readText } from "../import-options.ts";
import type { CommandIo } from "../io.ts";

/** `levin load metadata DIR`: where replication goes on after a dump. */
export const metadataCommand = (io: CommandIo) =>
  command({
    name: "metadata",
    description: "Show the binlog position and GTID set of a dump, for a replication tool.",
    args: {
      path: positional({
        type: string,
        displayName: "DIR",
        description: "directory of the dump, or its metadata file",
      }),
      json: flag({ long: "json", description: "as one JSON line" }),
    },
    handler: async ({ path, json }) => {
      const file = fileOf(resolve(path));
      let found: ReturnType<typeof parseMetadata>;
      try {
        found = parseMetadata(readText(file, "the metadata file"), file);
      } catch (thrown) {
        const isItsFault =
          thrown instanceof DmError || thrown instanceof MetadataFormatError || thrown instanceof LevinError;
        if (!isItsFault) throw thrown;
        // What the system says of the file names it.
        if (thrown instanceof LevinError)
          throw new LevinError("Levin:Load:ErrMetadata", thrown.message, { cause: thrown });
        const text = thrown instanceof DmError ? thrown.text : thrown.message;
        throw new LevinError("Levin:Load:ErrMetadata", `Cannot read the metadata of "${path}": ${text}`, {
          cause: thrown,
        });
      }
      const { location, afterConnect, startedAt, finishedAt, form } = found;
      if (json) {
        const line = {
          form,
          ...plain(location),
          ...(afterConnect === undefined ? {} : { afterConnect: plain(afterConnect) }),
          ...(startedAt === undefined ? {} : { startedAt }),
          ...(finishedAt === undefined ? {} : { finishedAt }),
        };
        io.stdout.write(`${JSON.stringify(line)}\n`);
        return 0;
      }
      const lines = [`position ${positionText(location)}`, `gtid     ${location.gtid || "(none)"}`];
      if (afterConnect !== undefined) {
        lines.push(
          `after all connections: position ${positionText(afterConnect)}, gtid ${afterConnect.gtid || "(none)"}`,
        );
      }
      io.stdout.write(`${lines.join("\n")}\n`);
      return 0;
    },
  });

function fileOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, "metadata") : path;
  } catch {
    return path;
  }
}

/** The position as text: a snapshot of TiDB has 64 bits. */
function plain({ file, position, gtid }: BinlogLocation): { file: string; position: string; gtid: string } {
  return { file, position: String(position), gtid };
}
