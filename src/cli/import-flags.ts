import { array, multioption, option, optional, string } from "cmd-ts";
import { LevinError } from "../base/mod.ts";
import { booleanOptions, parseBoolean } from "./argv.ts";

/** A flag of `levin import` (and of tidb-lightning) and the configuration key it sets. */
interface ImportFlag {
  flag: string;
  short?: string;
  path: string;
  doc: string;
}

export const importFlags: readonly ImportFlag[] = [
  { flag: "tidb-host", path: "tidb.host", doc: "TiDB's host" },
  { flag: "tidb-port", path: "tidb.port", doc: "TiDB's MySQL port" },
  { flag: "tidb-status", path: "tidb.status-port", doc: "TiDB's status port" },
  { flag: "tidb-user", path: "tidb.user", doc: "user" },
  { flag: "tidb-password", path: "tidb.password", doc: "password (better: the variable LEVIN_TIDB_PASSWORD)" },
  { flag: "pd-urls", path: "tidb.pd-addr", doc: "PD addresses, comma separated; default: as TiDB says" },
  { flag: "state-dir", path: "levin.state-dir", doc: "directory of the job's state" },
  { flag: "sorted-kv-dir", path: "tikv-importer.sorted-kv-dir", doc: "directory of the sorted pairs" },
  { flag: "memory", path: "levin.memory", doc: "memory to plan with, for example 1GiB" },
  { flag: "workers", path: "levin.workers", doc: "encode workers; default: one a core" },
  { flag: "ingest-threads", path: "levin.ingest-threads", doc: "threads that write to the stores; default: by cores" },
  { flag: "block-store", path: "levin.block-store", doc: "files (default) or level" },
  { flag: "sql-mode", path: "tidb.sql-mode", doc: "SQL mode of casts; default: strict" },
  { flag: "time-zone", path: "levin.time-zone", doc: "session time zone; default: the server's" },
  { flag: "backend", path: "tikv-importer.backend", doc: "local (pairs into TiKV) or tidb (SQL statements)" },
  { flag: "checksum", path: "post-restore.checksum", doc: "required, optional or off" },
  { flag: "analyze", path: "post-restore.analyze", doc: "required, optional or off" },
  {
    flag: "check-requirements",
    path: "lightning.check-requirements",
    doc: "default true; false leaves the checks out",
  },
  { flag: "no-schema", path: "mydumper.no-schema", doc: "the tables exist" },
  { flag: "enable-checkpoint", path: "checkpoint.enable", doc: "false: none of Lightning's own checkpoints" },
  { flag: "ignore-unmatched", path: "levin.ignore-unmatched", doc: "go on with files that fit no rule" },
  { flag: "table", path: "levin.table", doc: "every file of the source holds rows of this table, DB.TABLE" },
  { flag: "database", path: "levin.database", doc: "what unqualified names in SQL dumps stand in" },
  { flag: "compat", path: "levin.compat", doc: "lightning: Lightning's defaults" },
  { flag: "ca", path: "security.ca-path", doc: "CA certificate" },
  { flag: "cert", path: "security.cert-path", doc: "client certificate" },
  { flag: "key", path: "security.key-path", doc: "client key" },
  { flag: "redact-info-log", path: "security.redact-info-log", doc: "leave row data out of logs" },
  { flag: "log-file", path: "lightning.file", doc: "a log file beside levin.log in the state directory" },
  { flag: "log-level", short: "L", path: "lightning.level", doc: "debug, info, warn or error" },
  { flag: "importer", path: "tikv-importer.addr", doc: "accepted; the importer backend is gone" },
  { flag: "server-mode", path: "lightning.server-mode", doc: "take tasks over HTTP, as levin server" },
  { flag: "status-addr", path: "lightning.status-addr", doc: "address of the HTTP server" },
  { flag: "data-source-dir", short: "d", path: "mydumper.data-source-dir", doc: "directory of the dump" },
];

/** The configuration file, of every command that takes one. */
export function configArgument(description = "TOML file as tidb-lightning's") {
  return option({ type: optional(string), long: "config", short: "c", description });
}

/** A boolean option; undefined where it is not given. `booleanValue` reads it. */
export function booleanOption(long: string, description: string) {
  const plain = option({ type: optional(string), long, description });
  const helpTopics = (): ReturnType<typeof plain.helpTopics> =>
    plain.helpTopics().map((topic) => ({ ...topic, usage: `--${long}[=true|false]` }));
  return { ...plain, helpTopics };
}

export function booleanValue(long: string, given: string | undefined, fallback: boolean): boolean {
  const value = given === undefined ? fallback : parseBoolean(given);
  if (value !== undefined) return value;
  throw new LevinError("Levin:Command:ErrUsage", `Cannot use --${long}=${given}: it must be true or false`);
}

/** cmd-ts arguments of all flags, by flag name; those that are not `shown` are taken too, but not in the help. */
export function flagArguments(shown?: readonly string[]) {
  const single = Object.fromEntries(
    importFlags.map(({ flag, short, doc }) => {
      const quiet = shown === undefined || shown.includes(flag) ? {} : { helpTopics: () => [] };
      const described = { long: flag, ...(short === undefined ? {} : { short }), description: doc };
      return [
        flag,
        {
          ...(booleanOptions.has(flag) ? booleanOption(flag, doc) : option({ type: optional(string), ...described })),
          ...quiet,
        },
      ];
    }),
  );
  const filter = multioption({
    type: array(string),
    long: "filter",
    short: "f",
    description: "table filter rule such as 'db.*' or '!db.t'; may be repeated",
  });
  return { ...single, filter: shown === undefined ? filter : { ...filter, helpTopics: () => [] } };
}

/** The flags that were given, by configuration key. */
export function givenFlags(values: Readonly<Record<string, unknown>>): Map<string, string | readonly string[]> {
  const out = new Map<string, string | readonly string[]>();
  for (const { flag, path } of importFlags) {
    const value = values[flag];
    if (typeof value === "string") out.set(path, value);
  }
  const filter = values["filter"];
  if (Array.isArray(filter) && filter.length > 0) out.set("mydumper.filter", filter as string[]);
  return out;
}
