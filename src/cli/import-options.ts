import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import { basename, join, resolve } from "node:path";
import { LevinError, systemWords } from "../base/mod.ts";
import { keysByPath, type LoadedConfig, loadConfig } from "../config/mod.ts";
import { defaultMemoryBytes, type ImportOptions } from "../importer/mod.ts";
import { SQL_MODES } from "../schema/mod.ts";
import { type BucketAccess, parseS3Address } from "../storage/mod.ts";
import { analyzeVariables, clusterSettings } from "./cluster-settings.ts";
import { conflictOptions } from "./conflict-options.ts";
import type { CommandIo } from "./io.ts";
import { checkpointOptions } from "./lightning-checkpoints.ts";
import { addressList } from "./ports.ts";
import { csvDialect, ignoreRules, invalidReplacement, isCompat, loadOptions } from "./source-options.ts";
import { clusterTls, tidbTls } from "./tls-options.ts";

/** levin's own default: strict, as a server's. */
const STRICT_SQL_MODE =
  "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";
/** Lightning's. */
const LIGHTNING_SQL_MODE = "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER";

/** Environment variables for what should not stand on a command line. */
const ENVIRONMENT: Record<string, string> = {
  LEVIN_TIDB_PASSWORD: "tidb.password",
  LEVIN_TIDB_USER: "tidb.user",
  LEVIN_STATUS_TOKEN: "levin.status-token",
};

export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new LevinError("Levin:Config:ErrUnreadable", `Cannot read ${what} "${path}": ${systemWords(error)}`, {
      cause: error,
      fields: { file: path },
    });
  }
}

/** A file of JSON; `what` names it in errors. */
export function readJson(path: string, what: string): unknown {
  const text = readText(path, what);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `Cannot read ${what} "${path}": ${(cause as Error).message}`;
    throw new LevinError("Levin:Config:ErrInvalid", message, { cause });
  }
}

/** Merges file, environment and flags. */
export function loadImportConfig(
  io: CommandIo,
  configPath: string | undefined,
  flags: ReadonlyMap<string, string | readonly string[]>,
  strict: boolean,
): LoadedConfig {
  const environment = new Map<string, string>();
  for (const [name, path] of Object.entries(ENVIRONMENT)) {
    const value = io.environment[name];
    if (value !== undefined) environment.set(path, value);
  }
  const file =
    configPath === undefined
      ? {}
      : { file: { path: configPath, text: readText(configPath, "the configuration file") } };
  return loadConfig({ ...file, flags, environment, strict });
}

/** `required`, `optional` or `off`; true and false as older files have them. */
function level(config: LoadedConfig, path: string): "required" | "optional" | "off" {
  const value = config.get(path);
  if (value === true) return "required";
  if (value === false) return "off";
  if (value === "required" || value === "optional" || value === "off") return value;
  throw new LevinError(
    "Levin:Config:ErrInvalid",
    `Cannot use ${path} = ${JSON.stringify(value)} (${config.origin(path)}): it must be required, optional or off`,
  );
}

/** Directory of the job's state: that of standard input has a name of its own. */
export function inputStateDir(config: LoadedConfig): string {
  return stateDirOf(config, "stdin");
}

/** Directory of the job's state: configured, else named after the source, below the working directory. */
function stateDirOf(config: LoadedConfig, sourceDir: string): string {
  const given = config.get("levin.state-dir") as string;
  return resolve(given === "" ? join("levin-state", basename(sourceDir).replace(/[^\w.-]+/g, "_") || "job") : given);
}

function checkedSqlMode(config: LoadedConfig): string {
  const given = config.get("tidb.sql-mode") as string;
  const unknown = given
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "" && !SQL_MODES.has(word.toUpperCase()));
  if (unknown.length > 0) {
    const message = `Cannot use tidb.sql-mode = "${given}" (${config.origin("tidb.sql-mode")}): "${unknown[0]}" is no SQL mode`;
    throw new LevinError("Levin:Config:ErrInvalid", message);
  }
  return given;
}

/** The SQL mode of casts: as configured, else strict, or Lightning's where its behaviour is asked for. */
export function sqlModeOf(config: LoadedConfig): string {
  if (config.isSet("tidb.sql-mode")) return checkedSqlMode(config);
  return isCompat(config) ? LIGHTNING_SQL_MODE : STRICT_SQL_MODE;
}

/** `max-error = 5` or `max-error = { type = 5 }`. */
function typeErrorsMax(config: LoadedConfig): number {
  const path = "lightning.max-error";
  const given = config.get(path);
  const max = typeof given === "object" && given !== null ? ((given as Record<string, unknown>)["type"] ?? 0) : given;
  if (typeof max === "number" && Number.isSafeInteger(max) && max >= 0) return max;
  throw new LevinError(
    "Levin:Config:ErrInvalid",
    `Cannot use ${path} = ${JSON.stringify(given)} (${config.origin(path)}): it must be a whole number of at least 0, or a table with type`,
  );
}

/** Given settings of sections that say how the source is read. */
function sourceSettings(config: LoadedConfig): Record<string, string> {
  const decisive = /^(mydumper\.|routes$|black-white-list\.|levin\.(table|database|compat)$)/;
  const paths = [...keysByPath.keys()].filter(
    (path) => decisive.test(path) && path !== "mydumper.data-source-dir" && config.isSet(path),
  );
  return Object.fromEntries(paths.map((path) => [path, JSON.stringify(config.get(path))]));
}

/** A tolerance that Lightning has always: as configured, else on where Lightning's behaviour is asked for. */
function optionOrCompat(config: LoadedConfig, path: string): boolean {
  return config.isSet(path) ? (config.get(path) as boolean) : isCompat(config);
}

/** The password, asked for where a user is named, no password is given, and somebody can be asked. */
export async function askPassword(io: CommandIo, config: LoadedConfig, options: ImportOptions): Promise<ImportOptions> {
  if (!config.isSet("tidb.user") || config.isSet("tidb.password") || io.askSecret === undefined) return options;
  const { user, host } = options.tidb;
  return { ...options, tidb: { ...options.tidb, password: await io.askSecret(`Password of ${user} at ${host}: `) } };
}

/** An engine below that is ingested before a thread has started to pay. */
const THREADS_FROM_BYTES = 32 << 20;
/** On fewer there is nothing to share: threads take no less CPU time and no less wall time there (measured on two). */
const CORES_MIN = 4;
const WRITERS_MAX = 8;

/**
 * As configured, whatever the size of the import; else a share of the cores, for what is worth a thread, where the default memory is not cut by
 * what the machine has.
 */
function ingestThreads(config: LoadedConfig, workers: number): { count: number; fromBytes: number } {
  const path = "levin.ingest-threads";
  if (config.isSet(path)) return { count: config.get(path) as number, fromBytes: 0 };
  const cores = os.availableParallelism();
  const share = Math.min(WRITERS_MAX, Math.floor(cores / 2));
  const isTight = defaultMemoryBytes(os.totalmem(), workers, share) < defaultMemoryBytes(Infinity, workers, share);
  return { count: cores < CORES_MIN || isTight ? 0 : share, fromBytes: THREADS_FROM_BYTES };
}

/** Stands for the source of commands that have none. */
export const NO_SOURCE = "/dev/null";

/** What a source is wanted for, and where the user names one. */
const WHERE_TO_SAY = {
  import: "say `levin import DIR`, or mydumper.data-source-dir in the configuration",
  check: "say `levin check DIR`, or mydumper.data-source-dir in the configuration",
  load: "the task names no directory",
};
export type SourceVerb = keyof typeof WHERE_TO_SAY;

/** A URL that is none of a file, or the beginning of one. */
function isRemote(source: string): boolean {
  if (/^s3:/i.test(source) && !existsSync(source)) return true;
  return /^(?!file:|local:)[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

/** An address as it may be shown: what stands behind `?` may be a secret. */
function withoutQuery(address: string): string {
  return address.replace(/\/*(?:\?.*)?$/s, "");
}

/** The S3-compatible store that a source is in; what its address does not say comes from the AWS_ variables. */
function bucketOf(io: CommandIo, source: string): BucketAccess | undefined {
  if (!/^s3:\/\//i.test(source)) return undefined;
  const bundle = io.environment["AWS_CA_BUNDLE"] ?? "";
  const ca = bundle === "" ? undefined : readText(bundle, "the certificates of AWS_CA_BUNDLE");
  return { ...parseS3Address(source, io.environment), ca };
}

/** The error of a source in an object store of a kind that levin does not know. */
export function remoteSource(verb: SourceVerb, source: string): LevinError {
  const shown = withoutQuery(source);
  const known = verb === "load" ? "directories of this machine" : "directories, files and s3://BUCKET/PREFIX";
  const message = `Cannot ${verb} "${shown}": levin reads ${known}`;
  return new LevinError("Levin:Source:ErrRemote", message, { fields: { source: shown } });
}

/** Turns configuration into the importer's options; checks what only the whole can tell. */
export function importOptions(
  io: CommandIo,
  config: LoadedConfig,
  source: string | undefined,
  fresh: boolean,
  verb: SourceVerb = "import",
): ImportOptions {
  const given = source ?? (config.get("mydumper.data-source-dir") as string);
  if (given === "") throw new LevinError("Levin:Command:ErrUsage", `Cannot ${verb}: no source; ${WHERE_TO_SAY[verb]}`);
  const bucket = bucketOf(io, given);
  if (bucket === undefined && isRemote(given)) throw remoteSource(verb, given);
  const sourceDir = bucket === undefined ? resolve(given.replace(/^(file|local):\/\//, "")) : withoutQuery(given);
  const backend = (config.get("tikv-importer.backend") as string).toLowerCase() as "local" | "tidb";
  const intoRows = config.get("tikv-importer.incremental-import") === true;
  const stateDir = stateDirOf(config, sourceDir);
  if (verb !== "check" && bucket === undefined && `${stateDir}/`.startsWith(`${sourceDir}/`)) {
    const message = `Cannot keep the state in "${stateDir}": it lies inside the source "${sourceDir}"; say --state-dir`;
    throw new LevinError("Levin:Config:ErrInvalid", message);
  }
  const sortedKvDir = config.get("tikv-importer.sorted-kv-dir") as string;
  const number = (path: string) => config.get(path) as number;
  const workers =
    number("levin.workers") || number("lightning.region-concurrency") || Math.max(1, os.availableParallelism());
  const threads = ingestThreads(config, workers);
  const host = config.get("tidb.host") as string;
  const timeZone = config.get("levin.time-zone") as string;
  const tls = clusterTls(config);
  const sqlTls = tidbTls(config, tls);
  const pd = config.get("tidb.pd-addr") as string;
  const tidb = {
    host,
    port: number("tidb.port"),
    user: config.get("tidb.user") as string,
    password: config.get("tidb.password") as string,
    connectionsMax: 8,
    connectTimeoutMs: 10_000,
    anyServer: backend === "tidb",
    ...(sqlTls === undefined ? {} : { tls: sqlTls }),
    sessionVariables: {
      ...(backend === "local" ? analyzeVariables(config) : {}),
      ...(config.get("tidb.session-vars") as Record<string, string | number>),
    },
  };
  const checkpoints = checkpointOptions(config, tidb, fresh);
  return {
    backend,
    conflict: conflictOptions(config, backend, intoRows),
    intoRows,
    logical: {
      batchBytes: config.isSet("tikv-importer.logical-import-batch-size")
        ? number("tikv-importer.logical-import-batch-size")
        : 0,
      batchRows: number("tikv-importer.logical-import-batch-rows"),
      packetBytes: number("tidb.max-allowed-packet"),
      metaSchema: config.get("lightning.meta-schema-name") as string,
    },
    sourceDir,
    bucket,
    csv: csvDialect(config),
    load: loadOptions(config),
    ignoreColumns: ignoreRules(config),
    sourceSettings: sourceSettings(config),
    caseSensitive: config.get("mydumper.case-sensitive") as boolean,
    strictFormat: config.get("mydumper.strict-format") as boolean,
    allowShortRows: optionOrCompat(config, "mydumper.allow-short-rows"),
    typeErrorsMax: typeErrorsMax(config),
    invalidReplacement: invalidReplacement(config),
    compatLightning: isCompat(config),
    stateDir,
    sortedKvDir: resolve(sortedKvDir === "" ? join(stateDir, "engines") : sortedKvDir),
    tidb,
    statusPort: {
      host,
      port: number("tidb.status-port"),
      timeoutMs: 60_000,
      ...(tls === undefined ? {} : { tls: { ...tls, verify: true } }),
    },
    pdAddresses: addressList(pd, `tidb.pd-addr = "${pd}" (${config.origin("tidb.pd-addr")})`),
    clusterTls: tls,
    sqlMode: sqlModeOf(config),
    timeZone: timeZone === "" ? undefined : timeZone,
    workers,
    memoryBytes: number("levin.memory") || defaultMemoryBytes(os.totalmem(), workers, threads.count),
    blockStore: config.get("levin.block-store") as "level" | "files",
    chunkSizeBytes: Math.min(number("mydumper.max-region-size"), 64 << 20),
    diskQuotaBytes: number("tikv-importer.disk-quota"),
    rangeSizeBytes: number("tikv-importer.region-split-size") || 96 << 20,
    rangeKeys: number("tikv-importer.region-split-keys") || 960_000,
    clusterSettings: clusterSettings(config),
    ingestThreads: threads,
    ingestConcurrency: Math.min(number("tikv-importer.range-concurrency"), 8),
    checksum: level(config, "post-restore.checksum"),
    analyze: level(config, "post-restore.analyze"),
    noSchema: config.get("mydumper.no-schema") as boolean,
    checkRequirements: config.get("lightning.check-requirements") as boolean,
    ignoreUnmatched: optionOrCompat(config, "levin.ignore-unmatched"),
    importModeRenewMs: number("cron.switch-mode"),
    retryDeadlineMs: number("levin.timeout"),
    fresh,
    version: io.version,
    ...(checkpoints === undefined ? {} : { checkpoints }),
  };
}
