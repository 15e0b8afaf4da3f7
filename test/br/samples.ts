/** What the real package wrote: `test/golden/br-checkpoint/samples.tar.zst`, unpacked into a temporary directory for the process's life. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";

const decoder = new TextDecoder();
let entries: Map<string, Uint8Array> | undefined;

/** Files of the archive by path. */
export function sampleFiles(): Map<string, Uint8Array> {
  if (entries !== undefined) return entries;
  const archive = new URL("../golden/br-checkpoint/samples.tar.zst", import.meta.url);
  const bytes = zstdDecompressSync(readFileSync(archive));
  entries = new Map();
  const text = (from: number, size: number): string =>
    decoder.decode(bytes.subarray(from, from + size)).split("\0")[0]!;
  let longName = "";
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    const type = text(at + 156, 1);
    const content = bytes.subarray(at + 512, at + 512 + size);
    if (type === "L") longName = decoder.decode(content).replace(/\0.*$/, "");
    else {
      const prefix = text(at + 345, 155);
      const name = longName || (prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`);
      if (type === "0" || type === "") entries.set(name.replace(/^\.\//, ""), new Uint8Array(content));
      longName = "";
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

export function sampleJson<T>(path: string): T {
  const bytes = sampleFiles().get(path);
  if (bytes === undefined) throw new Error(`no sample ${path}`);
  return JSON.parse(decoder.decode(bytes)) as T;
}

/** Names of the folders below a folder. */
export function sampleFolders(folder: string): string[] {
  const names = new Set<string>();
  for (const path of sampleFiles().keys()) {
    const rest = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split("/") : [];
    if (rest.length > 1) names.add(rest[0]!);
  }
  return [...names].sort();
}

let root: string | undefined;

/** A new temporary directory; all are removed when the process ends. */
export function newDir(): string {
  if (root === undefined) {
    root = mkdtempSync(join(tmpdir(), "levin-br-"));
    const made = root;
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return mkdtempSync(join(root, "d-"));
}

/** The files below a folder of the archive, written into a new directory. */
export function unpackTree(folder: string): string {
  const dir = newDir();
  for (const [path, bytes] of sampleFiles()) {
    if (!path.startsWith(`${folder}/`)) continue;
    const to = join(dir, path.slice(folder.length + 1));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
  }
  return dir;
}
