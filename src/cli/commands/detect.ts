import { open } from "node:fs/promises";
import { command, positional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { detectCsv, dialectToml } from "../detect-csv.ts";
import type { CommandIo } from "../io.ts";
import { textTable } from "../output/text-table.ts";

const SAMPLE_BYTES = 256 << 10;
const ROWS_SHOWN = 8;
const CELL_MAX = 30;

/** `levin detect FILE`: how a CSV file seems to be written, with a sample and the lines of configuration. */
export const detectCommand = (io: CommandIo) =>
  command({
    name: "detect",
    description: "Guess how a CSV file is written; prints a sample and the configuration to copy.",
    args: { file: positional({ type: string, displayName: "FILE" }) },
    handler: async ({ file }) => {
      const { sample, isWhole } = await head(file);
      const found = detectCsv(sample, isWhole);
      if (found === undefined) {
        throw new LevinError(
          "Levin:Source:ErrSyntax",
          `Cannot tell how "${file}" is written: no dialect gives rows of two or more fields`,
          {
            fields: { file },
          },
        );
      }
      const { columns, rows, dialect } = found;
      const width = Math.max(...rows.map((row) => row.length), columns?.length ?? 0);
      const heads = columns ?? Array.from({ length: width }, (_, k) => `#${k + 1}`);
      const cells = rows.slice(0, ROWS_SHOWN).map((row) => row.map((cell) => cut(cell ?? "NULL")));
      io.stdout.write(`${textTable(heads, cells, [])}\n${dialectToml(dialect)}`);
      return 0;
    },
  });

const cut = (text: string): string => (text.length <= CELL_MAX ? text : `${text.slice(0, CELL_MAX - 1)}…`);

async function head(file: string): Promise<{ sample: Uint8Array; isWhole: boolean }> {
  try {
    const handle = await open(file, "r");
    try {
      const into = new Uint8Array(SAMPLE_BYTES);
      const { bytesRead } = await handle.read(into, 0, into.length, 0);
      return { sample: into.subarray(0, bytesRead), isWhole: bytesRead < into.length };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${file}": ${(error as Error).message}`, {
      cause: error,
      fields: { file },
    });
  }
}
