import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LevinError, systemWords } from "../base/mod.ts";

/** What standard input holds, by its first bytes; compressed streams keep their suffix so that they are read as such. */
function suffixOf(head: Uint8Array, format: "sql" | "csv"): string {
  const magic = Buffer.from(head.subarray(0, 6)).toString("hex");
  const compression = magic.startsWith("1f8b")
    ? ".gz"
    : magic.startsWith("28b52ffd")
      ? ".zst"
      : magic.startsWith("fd377a585a00")
        ? ".xz"
        : magic.startsWith("04224d18")
          ? ".lz4"
          : magic.startsWith("ff060000")
            ? ".snappy"
            : "";
  return `.${format}${compression}`;
}

/** A dump begins with a comment or a statement; anything else is CSV. Compressed input counts as a dump unless a table is named. */
function formatOf(head: Uint8Array, table: boolean): "sql" | "csv" {
  const text = new TextDecoder()
    .decode(head)
    .replace(/^\ufeff/, "")
    .trimStart();
  if (/^(--|#|\/\*|(insert|replace|create|set|use|drop|lock|begin|start|alter)\b)/i.test(text)) return "sql";
  return table ? "csv" : "sql";
}

export interface SpoolOptions {
  /** A table is named, so that what is no dump is CSV. */
  table: boolean;
  /** An import has begun with what is kept: other bytes are refused. */
  begun: boolean;
  /** Of this process, so that two runs do not write into one file. */
  pid: number;
}

/**
 * Writes standard input to `stdin` in the state directory; the file's path. A second run with the same bytes keeps the first one's file, so
 * that it continues; other bytes never take the place of those that an import has begun with (`Levin:State:ErrChanged`).
 */
export async function spoolInput(
  input: AsyncIterable<Uint8Array>,
  stateDir: string,
  options: SpoolOptions,
): Promise<string> {
  const dir = join(stateDir, "stdin");
  const part = join(stateDir, `stdin.${options.pid}.part`);
  try {
    mkdirSync(dir, { recursive: true });
    const { head, digest } = await writePart(input, part);
    if (head.length === 0)
      throw new LevinError("Levin:Source:ErrUnreadable", "Cannot import standard input: it is empty", {
        fields: { file: "-" },
      });
    const path = join(dir, `input${suffixOf(head, formatOf(head, options.table))}`);
    const kept = await readdir(dir);
    if (existsSync(path) && (await digestOf(path)) === digest) return path;
    if (options.begun && kept.length > 0) {
      const message = `Cannot continue the import in "${stateDir}": standard input is not what it began with, which stays in "${join(dir, kept[0]!)}"`;
      throw new LevinError("Levin:State:ErrChanged", message, { fields: { dir: stateDir } });
    }
    for (const name of kept) rmSync(join(dir, name));
    renameSync(part, path);
    return path;
  } catch (error) {
    if (error instanceof LevinError) throw error;
    throw new LevinError("Levin:State:ErrDisk", `Cannot keep standard input in "${stateDir}": ${systemWords(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(part, { force: true, recursive: true });
  }
}

/** First bytes and SHA-256 of what was written. */
async function writePart(
  input: AsyncIterable<Uint8Array>,
  path: string,
): Promise<{ head: Uint8Array; digest: string }> {
  const hash = createHash("sha256");
  let head = new Uint8Array(0);
  const look = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of pieces) {
      if (head.length < 512) head = new Uint8Array(Buffer.concat([head, bytes.subarray(0, 512)]));
      hash.update(bytes);
      yield bytes;
    }
  };
  await pipeline(input, look, createWriteStream(path));
  return { head, digest: hash.digest("hex") };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest("hex");
}
