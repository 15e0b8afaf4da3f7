import { statSync } from "node:fs";
import { command, positional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { detectFile, detectionToml, openLocalStorage } from "../../source/mod.ts";
import type { CommandIo } from "../io.ts";
import { textTable } from "../output/text-table.ts";

const ROWS_SHOWN = 8;
const CELL_MAX = 30;

/** `levin detect FILE`: how a data file seems to be written, with a sample and the lines of configuration. */
export const detectCommand = (io: CommandIo) =>
  command({
    name: "detect",
    description: "Guess how a CSV file is written; prints a sample and the configuration to copy.",
    args: { file: positional({ type: string, displayName: "FILE" }) },
    handler: async ({ file }) => {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
        const message = `Cannot tell how "${file}" is written: it is a directory; name one of its files`;
        throw new LevinError("Levin:Command:ErrUsage", message, { fields: { file } });
      }
      const storage = await openLocalStorage(file);
      const files = await storage.list(io.signal);
      const found = await detectFile(storage, files[0]!);
      const { format, compression, charset, columns, rows, notes } = found;
      if (found.garbage !== undefined) {
        const message = `Cannot tell how "${file}" is written: ${found.garbage}`;
        throw new LevinError("Levin:Source:ErrSyntax", message, { fields: { file } });
      }
      if (format !== "sql" && rows.length === 0 && columns.length === 0) {
        const message = `Cannot tell how "${file}" is written: it has no row`;
        throw new LevinError("Levin:Source:ErrSyntax", message, { fields: { file } });
      }
      for (const note of notes) io.stderr.write(`note: ${note}\n`);
      const packed = compression === "none" ? "" : `, ${compression}`;
      if (format === "sql") {
        io.stdout.write(`SQL statements, ${charset}${packed}\n`);
        return 0;
      }
      const cells = rows.slice(0, ROWS_SHOWN).map((row) => row.map((cell) => cut(cell ?? "NULL")));
      const sample = textTable(columns.map(cut), cells, []);
      io.stdout.write(`CSV, ${charset}${packed}\n\n${sample}\n${detectionToml(found)}\n`);
      return 0;
    },
  });

const cut = (text: string): string => (text.length <= CELL_MAX ? text : `${text.slice(0, CELL_MAX - 1)}…`);
