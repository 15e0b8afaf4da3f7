import { LevinError } from "../base/mod.ts";
import { dmError } from "./dm-error.ts";
import {
  adjustDirs,
  defaultLoaderConfig,
  type LoaderConfig,
  readLoaderConfig,
  type TaskMode,
  withSortingDir,
} from "./loader-config.ts";
import { type Table, TableReader } from "./table-reader.ts";
import { unknownTaskKeys } from "./task-keys.ts";

/** TLS of the target: PEM texts or paths of PEM files. */
export interface TargetSecurity {
  caPath: string;
  certPath: string;
  keyPath: string;
  caBytes: string;
  certBytes: string;
  keyBytes: string;
  certAllowedCn: string[];
}

export interface TargetDatabase {
  host: string;
  port: number;
  /** TiDB's status port; DM has no key for it and means 10080. */
  statusPort: number;
  user: string;
  password: string;
  /** Session variables. */
  session: Record<string, string>;
  security: TargetSecurity | undefined;
}

/** One source of one task: what a load unit is made of. */
export interface SubTask {
  name: string;
  sourceId: string;
  mode: TaskMode;
  metaSchema: string;
  /** Empty: the target's. */
  timezone: string;
  caseSensitive: boolean;
  cleanDumpFile: boolean;
  to: TargetDatabase;
  loader: LoaderConfig;
  /** `[[routes]]` of the engine. */
  routes: Table[];
  /** `[black-white-list]` of the engine; undefined: everything. */
  filter: Table | undefined;
  /** All sources of the task, in the order of its file; only this one where the file says no more. */
  sources: string[];
}

const MODES: readonly TaskMode[] = ["full", "all", "load&sync", "load", "dump", "incremental"];

function modeOf(given: string): TaskMode {
  const mode = MODES.find((one) => one === given);
  if (mode === undefined) throw dmError("ConfigInvalidTaskMode");
  return mode;
}

/**
 * A subtask out of DM's task file (`mysql-instances`, YAML as DM's users have it) or out of DM's subtask file (`source-id` at the top).
 * `source` picks one of several sources. `notes` collects what the user should know. `cleanByDefault` stands where the file does not
 * say `clean-dump-file`: true in DM, whose dump unit made the dump. Errors: DM's configuration codes and `Levin:Config:ErrInvalid`.
 */
export function readSubTask(
  document: Table,
  where: string,
  source: string | undefined,
  notes: string[],
  cleanByDefault = true,
): SubTask {
  const top = new TableReader(document, where);
  notes.push(...unknownTaskKeys(document, where));
  const isTask = ["mysql-instances", "task-mode", "target-database"].some((key) => top.has(key));
  const read = isTask ? fromTask(top, source, notes) : fromSubTask(top, source, notes);
  const task = { ...read, cleanDumpFile: top.flag("clean-dump-file", cleanByDefault) };
  if (task.name === "") throw dmError("ConfigNeedUniqueTaskName");
  return { ...task, loader: withSortingDir(adjustDirs(task.loader, task.mode, task.name, task.sourceId), task.name) };
}

/** All but what every form of a file says alike. */
type ReadTask = Omit<SubTask, "cleanDumpFile">;

function fromTask(top: TableReader, source: string | undefined, notes: string[]): ReadTask {
  const instances = top.tables("mysql-instances");
  if (instances.length === 0) throw dmError("ConfigMySQLInstsAtLeastOne");
  const sources = instances.map((one) => one.text("source-id"));
  const loaders = instances.map((one, i) => loaderOf(top, one, i, notes));
  const modes = new Set(loaders.map((loader) => loader.importMode));
  if (modes.size > 1) throw dmError("ConfigMixedLoadModes", [...modes]);
  const at = pick(sources, source);
  const instance = instances[at]!;
  return {
    ...common(top, "task-mode"),
    sourceId: sources[at]!,
    sources,
    to: targetOf(top.table("target-database")),
    loader: loaders[at]!,
    routes: routesOf(top.table("routes"), instance.texts("route-rules")),
    filter: filterOf(listOf(top, instance)),
  };
}

function pick(sources: readonly string[], source: string | undefined): number {
  const bad = (what: string) =>
    new LevinError("Levin:Command:ErrUsage", `Cannot load: ${what}; its sources are ${sources.join(", ")}`);
  if (source === undefined) {
    if (sources.length > 1) throw bad("the task has several sources, say --source");
    return 0;
  }
  const at = sources.indexOf(source);
  if (at < 0) throw bad(`the task has no source "${source}"`);
  return at;
}

function loaderOf(top: TableReader, instance: TableReader, at: number, notes: string[]): LoaderConfig {
  const name = instance.text("loader-config-name");
  if (name !== "" && instance.has("loader")) throw dmError("ConfigLoaderCfgConflict");
  const named = top.table("loaders");
  if (name !== "" && !named.has(name)) throw dmError("ConfigLoaderCfgNotFound", [at, name]);
  const given = name === "" ? instance.table("loader") : named.table(name);
  const threads = instance.integer("loader-thread");
  const loader = given.keys.length === 0 ? { ...defaultLoaderConfig } : readLoaderConfig(given, notes);
  return threads > 0 ? { ...loader, poolSize: threads } : loader;
}

function common(
  top: TableReader,
  mode: string,
): Pick<SubTask, "name" | "mode" | "metaSchema" | "timezone" | "caseSensitive"> {
  return {
    name: top.text("name"),
    mode: modeOf(top.text(mode) || "full"),
    metaSchema: top.text("meta-schema") || "dm_meta",
    timezone: top.text("timezone"),
    caseSensitive: top.flag("case-sensitive", false),
  };
}

function fromSubTask(top: TableReader, source: string | undefined, notes: string[]): ReadTask {
  const sourceId = top.text("source-id");
  if (sourceId === "") throw top.error("source-id", "it must not be empty");
  pick([sourceId], source ?? sourceId);
  const list = top.has("block-allow-list") ? top.table("block-allow-list") : top.table("black-white-list");
  return {
    ...common(top, "mode"),
    sourceId,
    sources: [sourceId],
    to: targetOf(top.table("to")),
    loader: readLoaderConfig(top, notes),
    routes: top.tables("route-rules").map(routeOf),
    filter: filterOf(list),
  };
}

function targetOf(table: TableReader): TargetDatabase {
  const session = table.table("session");
  return {
    host: table.text("host") || "127.0.0.1",
    port: table.port("port", 4000),
    statusPort: table.port("status-port", 10080),
    user: table.text("user") || "root",
    password: table.text("password"),
    session: Object.fromEntries(session.keys.map((key) => [key, session.text(key)])),
    security: table.has("security") ? securityOf(table.table("security")) : undefined,
  };
}

function securityOf(table: TableReader): TargetSecurity {
  return {
    caPath: table.text("ssl-ca"),
    certPath: table.text("ssl-cert"),
    keyPath: table.text("ssl-key"),
    caBytes: pemOf(table, "ca"),
    certBytes: pemOf(table, "cert"),
    keyBytes: pemOf(table, "key"),
    certAllowedCn: table.texts("cert-allowed-cn"),
  };
}

/** A PEM text inside the file, as it is or in base64. */
function pemOf(table: TableReader, what: "ca" | "cert" | "key"): string {
  const plain = table.text(`ssl-${what}-bytes`);
  return plain !== "" ? plain : Buffer.from(table.text(`ssl-${what}-base64`), "base64").toString();
}

function routesOf(rules: TableReader, names: readonly string[]): Table[] {
  return names.map((name) => {
    if (!rules.has(name)) throw rules.error(name, "a mysql-instance names this route, and there is none");
    return routeOf(rules.table(name));
  });
}

/** DM's route rules have the keys of the engine's. */
function routeOf(rule: TableReader): Table {
  const out: Record<string, unknown> = {};
  for (const key of ["schema-pattern", "table-pattern", "target-schema", "target-table"]) {
    if (rule.has(key)) out[key] = rule.text(key);
  }
  for (const what of ["table", "schema", "source"]) {
    const key = `extract-${what}`;
    if (!rule.has(key)) continue;
    const extract = rule.table(key);
    out[key] = { [`${what}-regexp`]: extract.text(`${what}-regexp`), "target-column": extract.text("target-column") };
  }
  return out;
}

function listOf(top: TableReader, instance: TableReader): TableReader | undefined {
  const name = instance.text("block-allow-list") || instance.text("black-white-list");
  if (name === "") return undefined;
  const lists = top.has("block-allow-list") ? top.table("block-allow-list") : top.table("black-white-list");
  if (!lists.has(name)) throw lists.error(name, "a mysql-instance names this list, and there is none");
  return lists.table(name);
}

function filterOf(list: TableReader | undefined): Table | undefined {
  if (list === undefined || list.keys.length === 0) return undefined;
  const pairs = (key: string) =>
    list.tables(key).map((one) => ({ "db-name": one.text("db-name"), "tbl-name": one.text("tbl-name") }));
  return {
    "do-dbs": list.texts("do-dbs"),
    "ignore-dbs": list.texts("ignore-dbs"),
    "do-tables": pairs("do-tables"),
    "ignore-tables": pairs("ignore-tables"),
  };
}
