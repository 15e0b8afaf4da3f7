import { parseSize } from "../config/mod.ts";
import { dmError } from "./dm-error.ts";
import { appendToPath, isLocalPath, isS3Path, localPath } from "./storage-path.ts";
import type { TableReader } from "./table-reader.ts";

export type ImportMode = "logical" | "physical";
export type TaskMode = "full" | "all" | "load&sync" | "load" | "dump" | "incremental";

/** The options of a loader as they are used: checked, with DM's defaults. */
export interface LoaderConfig {
  poolSize: number;
  /** Where the dump lies: a path or URL, with DM's suffix after `adjustDirs`. */
  dir: string;
  importMode: ImportMode;
  onDuplicateLogical: "replace" | "error" | "ignore";
  onDuplicatePhysical: "none" | "manual";
  sortingDirPhysical: string;
  /** Bytes; 0: the engine's default. */
  diskQuotaPhysical: number;
  checksumPhysical: "required" | "optional" | "off";
  analyze: "required" | "optional" | "off";
  /** 0: the engine's default. */
  rangeConcurrency: number;
  compressKvPairs: "" | "gzip" | "gz";
  pdAddr: string;
  /** The upstream's SQL mode, which the dump unit leaves here. */
  sqlMode: string;
}

export const defaultLoaderConfig: LoaderConfig = {
  poolSize: 16,
  dir: "./dumped_data",
  importMode: "logical",
  onDuplicateLogical: "replace",
  onDuplicatePhysical: "none",
  sortingDirPhysical: "",
  diskQuotaPhysical: 0,
  checksumPhysical: "required",
  analyze: "optional",
  rangeConcurrency: 0,
  compressKvPairs: "",
  pdAddr: "",
  sqlMode: "",
};

const MODES: Record<string, ImportMode> = {
  "": "logical",
  logical: "logical",
  sql: "logical",
  loader: "logical",
  physical: "physical",
};

/** One of the choices, in any case; the default for the empty text. */
function choice<const T extends string>(
  given: string,
  choices: readonly T[],
  fallback: T,
  bad: (given: string) => Error,
): T {
  const low = given.toLowerCase();
  if (low === "") return fallback;
  const found = choices.find((one) => one === low);
  if (found === undefined) throw bad(given);
  return found;
}

/** Reads the options out of a document's table. `notes` collects what the user should know; errors are DM's 20053 to 20065. */
export function readLoaderConfig(table: TableReader, notes: string[]): LoaderConfig {
  const mode = table.text("import-mode");
  const importMode = MODES[mode.toLowerCase()];
  if (importMode === undefined) throw dmError("ConfigInvalidLoadMode", [mode]);
  const dir = table.text("dir") || defaultLoaderConfig.dir;
  if (mode === "loader" && isS3Path(dir)) throw dmError("ConfigLoaderS3NotSupport", [dir]);
  const badLogical = (given: string) => dmError("ConfigInvalidLoadDuplicateResolution", [given]);
  const logical = ["replace", "error", "ignore"] as const;
  let onDuplicateLogical = choice(table.text("on-duplicate-logical"), logical, "replace", badLogical);
  const older = table.text("on-duplicate");
  if (older !== "") {
    if (table.text("on-duplicate-logical") === "") onDuplicateLogical = choice(older, logical, "replace", badLogical);
    notes.push(
      `on-duplicate = "${older}" is the old name of on-duplicate-logical${table.text("on-duplicate-logical") === "" ? "" : ", which stands"}`,
    );
  }
  const level = ["required", "optional", "off"] as const;
  const quota = table.value("disk-quota-physical");
  const compress = choice(table.text("compress-kv-pairs"), ["gzip", "gz"] as const, "" as "gzip", (given) =>
    table.error(
      "compress-kv-pairs",
      `invalid compression-type '${given}', please choose valid option between ['gzip']`,
    ),
  );
  const config: LoaderConfig = {
    poolSize: table.integer("pool-size") || defaultLoaderConfig.poolSize,
    dir,
    importMode,
    onDuplicateLogical,
    onDuplicatePhysical: choice(table.text("on-duplicate-physical"), ["none", "manual"] as const, "none", (given) =>
      dmError("ConfigInvalidLoadPhysicalDuplicateResolution", [given]),
    ),
    sortingDirPhysical: table.text("sorting-dir-physical"),
    diskQuotaPhysical: quotaBytes(quota, table),
    checksumPhysical: choice(table.text("checksum-physical"), level, "required", (given) =>
      dmError("ConfigInvalidLoadPhysicalChecksum", [given]),
    ),
    analyze: choice(table.text("analyze"), level, "optional", (given) => dmError("ConfigInvalidLoadAnalyze", [given])),
    rangeConcurrency: table.integer("range-concurrency"),
    compressKvPairs: compress,
    pdAddr: table.text("pd-addr"),
    sqlMode: "",
  };
  if (importMode === "logical" && config.onDuplicatePhysical === "manual") {
    throw table.error(
      "on-duplicate-physical",
      "tikv-importer.on-duplicate cannot be used with tikv-importer.duplicate-resolution: manual belongs to import-mode physical",
    );
  }
  return config;
}

function quotaBytes(given: unknown, table: TableReader): number {
  if (given === undefined || given === "") return 0;
  const bytes = typeof given === "number" ? given : parseSize(String(given));
  if (bytes === undefined || !Number.isFinite(bytes) || bytes < 0)
    throw table.error("disk-quota-physical", `"${String(given)}" is not a size`);
  return bytes;
}

const LOADS: ReadonlySet<TaskMode> = new Set(["full", "all", "load"]);

/**
 * DM's directories: `<dir>.<task>`, in S3 `<dir>/<task>.<source>`, and for the sorted pairs `<dir>.sorting` or, beside a remote dump,
 * `./sorting.<task>`. Modes without a dump of their own keep what is given. Throws DM's 20058.
 */
export function adjustDirs(config: LoaderConfig, mode: TaskMode, task: string, source: string): LoaderConfig {
  if (!LOADS.has(mode)) return config;
  const dir = appendToPath(config.dir, isS3Path(config.dir) ? `/${task}.${source}` : `.${task}`);
  if (dir === undefined) throw dmError("ConfigLoaderDirInvalid", [config.dir]);
  return withSortingDir({ ...config, dir }, task);
}

/** With a directory for sorted pairs, where none is given. A `file://` dump has it beside its plain path. */
export function withSortingDir(config: LoaderConfig, task: string): LoaderConfig {
  if (config.sortingDirPhysical !== "") return config;
  const sorting = isLocalPath(config.dir) ? `${localPath(config.dir)}.sorting` : `./sorting.${queryEscape(task)}`;
  return { ...config, sortingDirPhysical: sorting };
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
