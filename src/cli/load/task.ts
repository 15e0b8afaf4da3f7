import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { flag, option, optional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { parseDuration, readDocument } from "../../config/mod.ts";
import {
  DmError,
  dmPassword,
  isLocalPath,
  localPath,
  parseSecretKey,
  readSubTask,
  type SubTask,
  type Table,
  withSortingDir,
} from "../../load/mod.ts";
import { readText, remoteSource } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { addressList, portOf } from "../ports.ts";

const text = (long: string, description: string, short?: string) =>
  option({ type: optional(string), long, description, ...(short === undefined ? {} : { short }) });

/** What says which load is meant: a task file, or flags alone. */
export const taskArgs = {
  config: text("config", "DM's task file (YAML) or subtask file (TOML)", "c"),
  source: text("source", "source-id, where the task has several"),
  task: text("task", "name of the task; default: as the file says, else the dump's directory"),
  dir: text("dir", "directory of the dump, as it is (a file's dir gets DM's suffix .TASK)"),
  mode: text("mode", "full, all, load&sync or load"),
  importMode: text("import-mode", "physical or logical (default)"),
  onDuplicateLogical: text("on-duplicate-logical", "replace (default), error or ignore"),
  onDuplicatePhysical: text("on-duplicate-physical", "none (default) or manual"),
  poolSize: text("pool-size", "encode workers or connections, default 16"),
  sortingDir: text("sorting-dir-physical", "directory of the sorted pairs"),
  checksum: text("checksum-physical", "required (default), optional or off"),
  analyze: text("analyze", "required, optional (default) or off"),
  metaSchema: text("meta-schema", "schema of the task's tables in the target, default dm_meta"),
  timeZone: text("time-zone", "default: the target's"),
  upstreamSqlMode: text("upstream-sql-mode", "the upstream's global sql_mode"),
  host: text("tidb-host", "target's host"),
  port: text("tidb-port", "target's MySQL port"),
  statusPort: text("tidb-status", "TiDB's status port"),
  user: text("tidb-user", "target's user"),
  password: text("tidb-password", "password (better: the variable LEVIN_TIDB_PASSWORD)"),
  secretKey: text("secret-key-path", "DM's key file, for a password that dmctl has encrypted"),
  pd: text("pd-urls", "PD addresses; default: as TiDB says"),
  stateDir: text("state-dir", "directory of the load's state"),
};

export const coordArgs = {
  etcd: text("etcd", "endpoints of DM's etcd, comma separated"),
  etcdCa: text("etcd-ca", "CA certificate of etcd"),
  etcdCert: text("etcd-cert", "client certificate for etcd"),
  etcdKey: text("etcd-key", "client key for etcd"),
  coord: text("coord", "where sources meet without etcd: table (in the target), dir:PATH, or none (default)"),
  expectSources: text("expect-sources", "how many sources meet; default: as many as the task has"),
  worker: text("worker", "this worker's name; default: the host's"),
  barrierTimeout: text("barrier-timeout", "ceiling of waiting for other sources, default 24h"),
};

const statusArg = {
  statusAddr: text("status-addr", "address of the HTTP server: progress, pause, metrics, as of levin import"),
};

export const runArgs = {
  ...statusArg,
  cleanDump: flag({ long: "clean-dump", description: "remove the dump after success" }),
  keepDump: flag({ long: "keep-dump", description: "keep the dump, whatever the file says" }),
  stay: flag({ long: "stay", description: "after an error wait for resume or stop, as DM does, instead of ending" }),
  noAutoResume: flag({ long: "no-auto-resume", description: "do not resume by itself after what may pass" }),
  json: flag({ long: "json", description: "events as JSON lines on standard output" }),
};

export type TaskArgs = { [K in keyof typeof taskArgs]: string | undefined };
export type CoordArgs = { [K in keyof typeof coordArgs]: string | undefined };
export type RunFlags = { [K in Exclude<keyof typeof runArgs, "statusAddr">]: boolean } & {
  statusAddr?: string | undefined;
};

export interface LoadTask {
  subtask: SubTask;
  stateDir: string;
  /** What the user should know before it begins. */
  notes: string[];
  configPath: string | undefined;
}

const OPTIONS: [keyof TaskArgs, string][] = [
  ["importMode", "import-mode"],
  ["onDuplicateLogical", "on-duplicate-logical"],
  ["onDuplicatePhysical", "on-duplicate-physical"],
  ["sortingDir", "sorting-dir-physical"],
  ["checksum", "checksum-physical"],
  ["analyze", "analyze"],
];

/** The load that flags and file mean. Errors of the task are `Levin:Load:ErrConfig` with DM's text. */
export function loadTask(io: CommandIo, args: TaskArgs, clean?: { cleanDump: boolean; keepDump: boolean }): LoadTask {
  const notes: string[] = [];
  try {
    const found = args.config === undefined ? fromFlags(args, notes) : fromFile(args, args.config, notes);
    const subtask = withFlags(io, found, args, passwordOf(io, found, args, notes));
    if (clean?.cleanDump) subtask.cleanDumpFile = true;
    if (clean?.keepDump) subtask.cleanDumpFile = false;
    if (subtask.cleanDumpFile && clean !== undefined)
      notes.push(`the dump in ${subtask.loader.dir} is removed after success`);
    addressList(subtask.loader.pdAddr, `pd-addr = "${subtask.loader.pdAddr}"`);
    if (!isLocalPath(subtask.loader.dir)) throw remoteSource("load", subtask.loader.dir);
    const stateDir = resolve(args.stateDir ?? defaultStateDir(subtask));
    return { subtask, stateDir, notes, configPath: args.config === undefined ? undefined : resolve(args.config) };
  } catch (thrown) {
    if (!(thrown instanceof DmError)) throw thrown;
    throw new LevinError("Levin:Load:ErrConfig", `Cannot use ${args.config ?? "the flags"}: ${thrown.message}`, {
      cause: thrown,
    });
  }
}

function fromFile(args: TaskArgs, path: string, notes: string[]): SubTask {
  const document = withTaskFlags(readDocument(path, readText(path, "the task file")), args);
  return readSubTask(document, path, args.source, notes, false);
}

/** What decides names of directories has to be there before they are made. */
function withTaskFlags(document: Table, args: TaskArgs): Table {
  const out: Record<string, unknown> = { ...document };
  if (args.task !== undefined) out["name"] = args.task;
  if (args.metaSchema !== undefined) out["meta-schema"] = args.metaSchema;
  if (args.mode !== undefined) out["mysql-instances" in document ? "task-mode" : "mode"] = args.mode;
  if (args.timeZone !== undefined) out["timezone"] = args.timeZone;
  return out;
}

function fromFlags(args: TaskArgs, notes: string[]): SubTask {
  if (args.dir === undefined) {
    throw new LevinError(
      "Levin:Command:ErrUsage",
      "Cannot find the load: neither a task file (-c) nor a dump (--dir) is named",
    );
  }
  const loader = Object.fromEntries(
    OPTIONS.flatMap(([name, key]) => (args[name] === undefined ? [] : [[key, args[name]]])),
  );
  const document = {
    name: args.task ?? basename(resolve(localPath(args.dir))),
    mode: args.mode ?? "load",
    "source-id": args.source ?? "source-1",
    ...loader,
  };
  return readSubTask(withTaskFlags(document, args), "flags", args.source, notes, false);
}

/** As flag or environment say it, else as the file, where it may be encrypted. */
function passwordOf(io: CommandIo, { to }: SubTask, args: TaskArgs, notes: string[]): string {
  const given = args.password ?? io.environment["LEVIN_TIDB_PASSWORD"];
  if (given !== undefined) return given;
  const { secretKey } = args;
  const key = secretKey === undefined ? undefined : parseSecretKey(readText(secretKey, "DM's key"), secretKey);
  const { text: password, note } = dmPassword(to.password, key);
  if (note !== undefined) notes.push(note);
  return password;
}

function withFlags(io: CommandIo, found: SubTask, args: TaskArgs, password: string): SubTask {
  const { to } = found;
  const subtask: SubTask = {
    ...found,
    to: {
      ...to,
      password,
      host: args.host ?? to.host,
      port: args.port === undefined ? to.port : portOf("tidb-port", args.port),
      statusPort: args.statusPort === undefined ? to.statusPort : portOf("tidb-status", args.statusPort),
      user: args.user ?? io.environment["LEVIN_TIDB_USER"] ?? to.user,
    },
    loader: { ...found.loader, poolSize: number("pool-size", args.poolSize) ?? found.loader.poolSize },
  };
  const { loader } = subtask;
  if (args.pd !== undefined) loader.pdAddr = args.pd;
  if (args.upstreamSqlMode !== undefined) loader.sqlMode = args.upstreamSqlMode;
  if (args.dir !== undefined) {
    const sorting = args.sortingDir ?? "";
    subtask.loader = withSortingDir({ ...loader, dir: args.dir, sortingDirPhysical: sorting }, subtask.name);
  }
  return subtask;
}

export function number(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new LevinError("Levin:Command:ErrUsage", `Cannot use --${name} ${given}: it must be a whole number above 0`);
}

export function duration(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const ms = parseDuration(given);
  if (ms !== undefined) return ms;
  throw new LevinError(
    "Levin:Command:ErrUsage",
    `Cannot use --${name} ${given}: it must be a duration such as 30s or 2h`,
  );
}

/** One a task and source; names that are no file names are told apart by a hash. */
function defaultStateDir({ name, sourceId }: SubTask): string {
  const plain = `load-${name}-${sourceId}`;
  const safe = plain.replace(/[^\w.-]+/g, "_");
  if (safe === plain) return join("levin-state", safe);
  return join(
    "levin-state",
    `${safe}-${createHash("sha256").update(`${name}\0${sourceId}`).digest("hex").slice(0, 8)}`,
  );
}

export function workerName(given: string | undefined): string {
  return given ?? hostname();
}
