/** The real dumps of `test/data/dumps.tar.zst`, unpacked in memory. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { newFields } from "../../src/codec/mod.ts";
import {
  ChunkReader,
  type ChunkReaderOptions,
  charsetOfColumn,
  defaultCsvDialect,
  type LoadSourceOptions,
  loadSource,
  type PlanOptions,
  parseTableFilter,
  planChunks,
  type Source,
  type SourceTable,
} from "../../src/source/mod.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { type Cell, cellsOf } from "./scan.ts";

let unpacked: Map<string, Uint8Array> | undefined;

/** Files of the archive by path. */
export function archive(): Map<string, Uint8Array> {
  // A plain array: slices of a Buffer would share its memory.
  unpacked ??= untar(
    new Uint8Array(zstdDecompressSync(readFileSync(new URL("../data/dumps.tar.zst", import.meta.url).pathname))),
  );
  return unpacked;
}

/** The plain files of a POSIX or GNU tar archive. */
function untar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, size: number): string => {
    const end = bytes.indexOf(0, from);
    return new TextDecoder().decode(bytes.subarray(from, end >= 0 && end < from + size ? end : from + size));
  };
  let longName = "";
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    const type = text(at + 156, 1);
    const prefix = text(at + 345, 155);
    const content = bytes.slice(at + 512, at + 512 + size);
    if (type === "L") longName = new TextDecoder().decode(content).replace(/\0.*$/, "");
    else {
      const name = longName || (prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`);
      if (type === "0" || type === "") files.set(name, content);
      longName = "";
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** A storage with the files below a folder of the archive. */
export function folder(name: string): MemoryStorage {
  const files: Record<string, Uint8Array> = {};
  for (const [path, bytes] of archive()) {
    if (path.startsWith(`${name}/`) && !path.endsWith("/.gitkeep")) files[path.slice(name.length + 1)] = bytes;
  }
  return new MemoryStorage(files);
}

export function json<T>(path: string): T {
  return JSON.parse(new TextDecoder().decode(archive().get(path))) as T;
}

export interface FormOptions extends LoadSourceOptions, Pick<PlanOptions, "strictFormat"> {
  readonly compatLightning?: boolean;
}

/** Reads the options of a form as `truth.json` gives them: a few lines of TOML. */
export function formOptions(toml: string): FormOptions {
  const text = (key: string): string | undefined => {
    const found = new RegExp(`^${key} = (?:"((?:[^"\\\\]|\\\\.)*)"|'([^']*)')`, "m").exec(toml);
    if (found === null) return undefined;
    return found[2] ?? (JSON.parse(`"${found[1]}"`) as string);
  };
  const flag = (key: string): boolean | undefined => {
    const found = new RegExp(`^${key} = (true|false)`, "m").exec(toml);
    return found === null ? undefined : found[1] === "true";
  };
  const rules = [...toml.matchAll(/\[\[mydumper\.files\]\]\n((?:.+ = .+\n)+)/g)].map(([, body]) => {
    const value = (key: string): string => new RegExp(`^${key} = (?:'''|")(.*?)(?:'''|")$`, "m").exec(body!)?.[1] ?? "";
    const [pattern, schema, table, type, key] = ["pattern", "schema", "table", "type", "key"].map(value);
    return { pattern: pattern!, path: "", schema: schema!, table: table!, type: type!, key: key!, compression: "" };
  });
  const nulls = text("null");
  const filter = /^filter = \['(.*)'\]/m.exec(toml)?.[1];
  const charset = text("data-character-set");
  return {
    rules,
    defaultRules: flag("default-file-rules"),
    strictFormat: flag("strict-format"),
    filter: filter === undefined ? undefined : parseTableFilter([filter]),
    dataCharset: charset as LoadSourceOptions["dataCharset"],
    dialect: {
      ...defaultCsvDialect,
      separator: text("separator") ?? defaultCsvDialect.separator,
      delimiter: text("delimiter") ?? defaultCsvDialect.delimiter,
      terminator: text("terminator") ?? defaultCsvDialect.terminator,
      header: flag("header") ?? defaultCsvDialect.header,
      trimLastSeparator: flag("trim-last-separator") ?? false,
      escapedBy: flag("backslash-escape") === false ? "" : defaultCsvDialect.escapedBy,
      nulls: nulls === undefined ? defaultCsvDialect.nulls : [nulls],
    },
  };
}

/** Column names of a table in order, with their character sets, out of the text of its CREATE TABLE. */
export function columnsOf(table: SourceTable): { name: string; charset: string }[] {
  const { text } = table.create!;
  const fallback = /\) .*(?:CHARSET|CHARACTER SET)[= ](\w+)/i.exec(text)?.[1] ?? "utf8mb4";
  const out: { name: string; charset: string }[] = [];
  for (const [, quoted, ansi, rest] of text.matchAll(/^\s+(?:`((?:[^`]|``)+)`|"((?:[^"]|"")+)") (.*)$/gm)) {
    const isText = /^(?:var)?char|^\w*text|^enum|^set/i.test(rest!);
    const isBinary = /binary|blob|^bit/i.test(rest!);
    const charset = isText ? (/CHARACTER SET (\w+)/i.exec(rest!)?.[1] ?? fallback) : isBinary ? "binary" : "ascii";
    out.push({ name: (quoted?.replaceAll("``", "`") ?? ansi?.replaceAll('""', '"'))!, charset });
  }
  return out;
}

/** Rows of a table with the columns in force. */
export async function readTable(
  storage: MemoryStorage,
  table: SourceTable,
  options: PlanOptions & ChunkReaderOptions = {},
): Promise<{ cells: Cell[]; columns: readonly string[] | undefined }[]> {
  const rows: { cells: Cell[]; columns: readonly string[] | undefined }[] = [];
  const fields = newFields(4);
  const columns = table.create === undefined ? [] : columnsOf(table);
  const binaryFormat = table.files[0]?.dialect?.binaryFormat ?? "raw";
  const codings = new Map(
    columns.flatMap(({ name, charset }) => {
      const binary = charset === "binary" && binaryFormat !== "raw" ? binaryFormat : undefined;
      const own = binary ?? charsetOfColumn(table.columnText, charset);
      return own === undefined ? [] : [[name.toLowerCase(), own] as const];
    }),
  );
  const columnNames = columns.map(({ name }) => name);
  for await (const chunk of planChunks(storage, table.files, options)) {
    const reader = await ChunkReader.open(storage, structuredClone(chunk), { ...options, codings, columnNames });
    try {
      let count = 0;
      while (await reader.fill()) {
        while (reader.next(fields)) {
          rows.push({ cells: cellsOf(fields), columns: reader.scanner.columns });
          count++;
        }
      }
      if (count > chunk.rowCountMax) throw new Error(`${count} rows in a chunk of at most ${chunk.rowCountMax}`);
    } finally {
      await reader.close();
    }
  }
  return rows;
}

/** The digest that `truth.json` has of a table, over what the source's fields say; undefined where columns are missing. */
export function digestOf(
  rows: readonly { cells: Cell[]; columns: readonly string[] | undefined }[],
  names: readonly string[],
): string | undefined {
  const lines: string[] = [];
  for (const { cells, columns } of rows) {
    const order = columns?.map((name) => name.toLowerCase());
    const texts: string[] = [];
    for (const [k, name] of names.entries()) {
      const cell = cells[order === undefined ? k : order.indexOf(name.toLowerCase())];
      if (cell === undefined) return undefined;
      texts.push(cell[0] === "null" ? "\\N" : Buffer.from(cell[1], "latin1").toString("hex"));
    }
    lines.push(texts.join(","));
  }
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

export function load(storage: MemoryStorage, options: LoadSourceOptions = {}): Promise<Source> {
  return loadSource(storage, options);
}
