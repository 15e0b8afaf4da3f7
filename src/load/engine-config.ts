import { checkpointSchemaName, taskInfoSchemaName } from "./names.ts";
import { isLocalPath, localPath } from "./storage-path.ts";
import type { SubTask } from "./subtask.ts";
import type { Table } from "./table-reader.ts";

/** What the unit adds to a subtask at init. */
export interface ResolvedSession {
  sqlMode: string;
  timeZone: string;
  /** False: MySQL or MariaDB, which does not take TiDB's variables. Undefined: it was not asked. */
  isTidb?: boolean;
}

/** What else decides the engine's configuration. */
export interface EngineSettings {
  stateDir: string;
  /** The dump lies in a storage that was handed over. */
  externalStorage?: boolean;
  /** How many sources load into the same tables. */
  sources: number;
}

/** Session variables that a load needs whatever the user says. */
const FIXED_SESSION = { tidb_txn_mode: "optimistic", foreign_key_checks: "0" };

/**
 * The engine's configuration of a subtask, with tidb-lightning's keys, as DM's `GetLightningConfig` fills them. Other than in DM the
 * target's session variables are kept: the fixed ones win for their own names only.
 */
export function engineConfig(subtask: SubTask, session: ResolvedSession, settings: EngineSettings): Table {
  const { to, loader } = subtask;
  const physical = loader.importMode === "physical";
  return {
    lightning: {
      "region-concurrency": loader.poolSize,
      "check-requirements": true,
      ...(physical && loader.onDuplicatePhysical === "manual"
        ? { "task-info-schema-name": taskInfoSchemaName(subtask.metaSchema, subtask.name) }
        : {}),
    },
    levin: { "state-dir": settings.stateDir, "time-zone": session.timeZone },
    checkpoint: checkpointSection(subtask, settings),
    "tikv-importer": {
      backend: physical ? "local" : "tidb",
      ...(physical ? physicalSection(subtask) : { "on-duplicate": loader.onDuplicateLogical }),
      ...(loader.rangeConcurrency > 0 ? { "range-concurrency": loader.rangeConcurrency } : {}),
      ...(loader.compressKvPairs === "" ? {} : { "compress-kv-pairs": loader.compressKvPairs }),
    },
    mydumper: {
      "data-source-dir": isLocalPath(loader.dir) ? localPath(loader.dir) : loader.dir,
      "source-id": subtask.sourceId,
      "case-sensitive": subtask.caseSensitive,
    },
    tidb: {
      host: to.host,
      port: to.port,
      user: to.user,
      password: to.password,
      "status-port": to.statusPort,
      ...(loader.pdAddr === "" ? {} : { "pd-addr": loader.pdAddr }),
      "sql-mode": session.sqlMode,
      "session-vars": sessionVars(subtask, session),
    },
    ...securitySection(subtask),
    "post-restore": {
      // The comparison of several sources' tables is made by the last of them, over the sum of all.
      checksum: physical && settings.sources === 1 ? loader.checksumPhysical : "off",
      analyze: physical ? loader.analyze : "off",
    },
    ...(subtask.routes.length === 0 ? {} : { routes: subtask.routes }),
    ...(subtask.filter === undefined ? {} : { "black-white-list": subtask.filter }),
  };
}

function physicalSection({ loader }: SubTask): Table {
  return {
    "sorted-kv-dir": loader.sortingDirPhysical,
    "incremental-import": true,
    ...(loader.diskQuotaPhysical > 0 ? { "disk-quota": loader.diskQuotaPhysical } : {}),
    "duplicate-resolution": loader.onDuplicatePhysical === "manual" ? "replace" : "none",
  };
}

function checkpointSection(subtask: SubTask, settings: EngineSettings): Table {
  const { dir } = subtask.loader;
  const always = { enable: true, "keep-after-success": "remove" };
  if (settings.externalStorage !== true && isLocalPath(dir)) {
    return { ...always, driver: "file", dsn: `${dir.replace(/\/+$/, "")}/tidb_lightning_checkpoint.pb` };
  }
  const { host, port, user } = subtask.to;
  return {
    ...always,
    driver: "mysql",
    schema: checkpointSchemaName(subtask.name, subtask.sourceId),
    // The password stands with the target's; it is not repeated in a text that is shown.
    dsn: `${user}@tcp(${host}:${port})/`,
  };
}

function sessionVars({ to }: SubTask, session: ResolvedSession): Table {
  const given = Object.entries(to.session).filter(([name]) => !/^(sql_mode|time_zone)$/i.test(name));
  const all = {
    ...Object.fromEntries(given.filter(([name]) => !(name.toLowerCase() in FIXED_SESSION))),
    ...FIXED_SESSION,
    time_zone: session.timeZone,
  };
  if (session.isTidb !== false) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !/^tidb_/i.test(name)));
}

function securitySection({ to }: SubTask): Table {
  if (to.security === undefined) return {};
  const { caPath, certPath, keyPath, caBytes, certBytes, keyBytes, certAllowedCn } = to.security;
  const given: [string, string][] = [
    ["ca-path", caPath],
    ["cert-path", certPath],
    ["key-path", keyPath],
    ["ca-bytes", caBytes],
    ["cert-bytes", certBytes],
    ["key-bytes", keyBytes],
  ];
  return {
    security: {
      ...Object.fromEntries(given.filter(([, value]) => value !== "")),
      ...(certAllowedCn.length === 0 ? {} : { "cert-allowed-cn": certAllowedCn }),
    },
  };
}
