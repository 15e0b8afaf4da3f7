/** Compression of a whole file, from its name's last part. */
export type Compression = "none" | "gzip" | "zstd" | "snappy" | "lz4" | "xz";

/** Compression suffixes, lower case, as Lightning, Dumpling and mydumper write them. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  gz: "gzip",
  gzip: "gzip",
  zst: "zstd",
  zstd: "zstd",
  snappy: "snappy",
  lz4: "lz4",
  xz: "xz",
};

export type DataFormat = "sql" | "csv";

/** What a file's name says about it. Names are as written in the file name, percent signs included. */
export type FileKind =
  | { readonly kind: "database-schema"; readonly database: string }
  | {
      readonly kind: "table-schema" | "view-schema" | "sequence-schema";
      readonly database: string;
      readonly table: string;
    }
  | {
      readonly kind: "data";
      readonly database: string;
      readonly table: string;
      /** Digits that order the files of a table; empty: none. */
      readonly sortKey: string;
      readonly format: DataFormat;
    }
  | { readonly kind: "ignored"; readonly reason: string }
  /** `sql`: a SQL file that may hold anything. */
  | { readonly kind: "unknown"; readonly reason: string; readonly sql: boolean };

export interface FileName {
  readonly kind: FileKind;
  readonly compression: Compression;
}

/** Ends of names that an importer has no use for, with the reason that `levin check` prints. */
const IGNORED: readonly (readonly [RegExp, string])[] = [
  [/-schema-triggers?\.sql$/, "triggers: TiDB has none"],
  [/-schema-post\.sql$/, "procedures, functions and events: TiDB has none"],
  [/-schema-(?:procedures?|functions?|events?|routines?)\.sql$/, "procedures, functions and events: TiDB has none"],
  [/-schema-tablespace\.sql$/, "tablespaces: TiDB has none"],
  [/-placement-policy-create\.sql$/, "placement policies are the target's own"],
  [/\.(?:sql|csv|parquet)(?:\.[a-z0-9]+)?\.bak$/, "a backup copy by its name"],
  [/-checksum$/, "mydumper's checksum of a table"],
  [/-schema(?:-[a-z]+)?-checksum$/, "mydumper's checksum of a schema"],
  [/-metadata$/, "mydumper's row count of a table"],
];

/** Whole names that an importer has no use for. */
const IGNORED_NAMES: Readonly<Record<string, string>> = {
  metadata: "the export tool's notes",
  "tidb_lightning_checkpoint.pb": "Lightning's checkpoint, which DM keeps beside the dump",
  "tidb_lightning_checkpoint.pb.tmp": "what a killed run left of Lightning's checkpoint",
  "metadata.partial": "the notes of an export that did not end",
  "metadata.header": "mydumper's notes",
  ".gitkeep": "not part of a dump",
  ".ds_store": "not part of a dump",
  "thumbs.db": "not part of a dump",
};

/**
 * What the built-in rules say about a path: those of Lightning (lightning.md §1.4), in its order and in any case, and the files
 * of mydumper and Dumpling that Lightning's rules miss. Directories do not count.
 */
export function parseFileName(path: string): FileName {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const { stem, compression } = stripCompression(name);
  const lower = stem.toLowerCase();
  const whole = IGNORED_NAMES[name.toLowerCase()];
  if (whole !== undefined) return { kind: { kind: "ignored", reason: whole }, compression: "none" };
  for (const [pattern, reason] of IGNORED) {
    if (pattern.test(lower)) return { kind: { kind: "ignored", reason }, compression };
  }
  return { kind: parseStem(stem, name), compression };
}

/** A name without its compression suffix. */
export function stripCompression(name: string): { stem: string; compression: Compression } {
  const dot = name.lastIndexOf(".");
  const compression = COMPRESSIONS[name.slice(dot + 1).toLowerCase()];
  if (dot <= 0 || compression === undefined) return { stem: name, compression: "none" };
  return { stem: name.slice(0, dot), compression };
}

function parseStem(stem: string, name: string): FileKind {
  const schema = /^(.+)-schema-create\.sql$/i.exec(stem);
  if (schema !== null) return { kind: "database-schema", database: schema[1]! };
  for (const [suffix, kind] of SCHEMA_SUFFIXES) {
    const parts = suffix.exec(stem);
    if (parts !== null) return { kind, database: parts[1]!, table: parts[2]! };
  }
  const data = /^([^.]+)\.(.*?)(?:\.([0-9]+))?\.(sql|csv)$/i.exec(stem);
  if (data !== null && data[2] !== "") {
    return {
      kind: "data",
      database: data[1]!,
      table: data[2]!,
      sortKey: data[3] ?? "",
      format: data[4]!.toLowerCase() as DataFormat,
    };
  }
  if (/\.parquet$/i.test(stem)) return { kind: "unknown", reason: "Parquet files are not supported", sql: false };
  if (/\.lzo$/i.test(name)) return { kind: "unknown", reason: "lzo compression is not supported", sql: false };
  return { kind: "unknown", reason: "its name fits no rule", sql: /\.sql$/i.test(stem) };
}

const SCHEMA_SUFFIXES = [
  [/^([^.]+)\.(.+)-schema\.sql$/i, "table-schema"],
  [/^([^.]+)\.(.+)-schema-view\.sql$/i, "view-schema"],
  [/^([^.]+)\.(.+)-schema-sequence\.sql$/i, "sequence-schema"],
] as const;

/** Decodes `%2E` and the like as UTF-8 bytes; text with an invalid escape is left as it is. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Order of a table's data files: by number, then by path. Keys are digits of any length. */
export function compareSortKeys(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
