/** One of DM's error codes, as its error list has it (pkg/terror). `%s` and `%d` of a message are filled in order. */
export interface DmCode {
  readonly code: number;
  readonly errClass: "functional" | "config" | "load-unit" | "ha" | "not-set";
  readonly scope: "not-set" | "upstream" | "downstream" | "internal";
  readonly level: "low" | "medium" | "high";
  readonly message: string;
  readonly workaround: string;
}

type Class = DmCode["errClass"];
type Level = DmCode["level"];

const internal = (code: number, errClass: Class, level: Level, message: string, workaround = ""): DmCode => ({
  code,
  errClass,
  scope: "internal",
  level,
  message,
  workaround,
});

const choices = (list: string, orEmpty: boolean): string =>
  `Please choose a valid value in [${list}]${orEmpty ? " or leave it empty." : ""}`;

const legacyLoad = [
  "generate create schema file",
  "corresponding file of %s has an invalid ending",
  "parse quote values error",
  "do column mapping error",
  "read schema file error",
  "parse statement error",
  "not a create table statement",
  "dispatch sql of %s",
  "invalid insert sql",
  "generate table router error",
  "generate column mapping error",
  "invalid data sql file, cannot find db",
  "invalid data sql file, cannot find table",
  "%s does not exist or it's not a dir",
  "invalid table schema file, duplicated item",
  "generate block allow list error",
];

/** The codes that the load unit and its configuration give, by DM's names. */
export const dmCodes = {
  NotSet: { code: 20000, errClass: "not-set", scope: "not-set", level: "high", message: "%s", workaround: "" },
  ParseMydumperMeta: internal(11001, "functional", "high", "parse mydumper metadata error: %s, metadata: %s"),
  MetadataNoBinlogLoc: {
    code: 11123,
    errClass: "functional",
    scope: "upstream",
    level: "low",
    message: "didn't found binlog location in dumped metadata file %s",
    workaround: "Please check log of dump unit, there maybe errors when read upstream binlog status",
  },
  ConfigNeedUniqueTaskName: internal(20005, "config", "medium", "must specify a unique task name"),
  ConfigInvalidTaskMode: internal(
    20006,
    "config",
    "medium",
    "please specify right task-mode, support `full`, `incremental`, `all`",
  ),
  ConfigMySQLInstsAtLeastOne: internal(20011, "config", "medium", "must specify at least one mysql-instances"),
  ConfigLoaderCfgConflict: internal(20016, "config", "medium", "loader-config-name and loader should only specify one"),
  ConfigLoaderCfgNotFound: internal(
    20029,
    "config",
    "medium",
    "mysql-instance(%d)'s loader config %s not exist in loaders",
  ),
  ConfigInvalidLoadMode: internal(
    20053,
    "config",
    "medium",
    "invalid load mode '%s'",
    choices("'logical', 'physical'", false),
  ),
  ConfigMixedLoadModes: internal(
    20053,
    "config",
    "medium",
    "found two import-mode %s and %s in task config, DM only supports one value",
    choices("'logical', 'physical'", false),
  ),
  ConfigInvalidLoadDuplicateResolution: internal(
    20054,
    "config",
    "medium",
    "invalid load on-duplicate-logical or on-duplicate option '%s'",
    choices("'replace', 'error', 'ignore'", true),
  ),
  ConfigLoaderDirInvalid: internal(20058, "config", "high", "loader's dir %s is invalid"),
  ConfigLoaderS3NotSupport: internal(
    20059,
    "config",
    "high",
    "loader's dir %s is s3 dir, but s3 is not supported",
    "Please set another import-mode.",
  ),
  ConfigInvalidLoadPhysicalDuplicateResolution: internal(
    20062,
    "config",
    "medium",
    "invalid load on-duplicate-physical option '%s'",
    choices("'none', 'manual'", true),
  ),
  ConfigInvalidLoadPhysicalChecksum: internal(
    20063,
    "config",
    "medium",
    "invalid load checksum-physical option '%s'",
    choices("'required', 'optional', 'off'", true),
  ),
  ConfigInvalidLoadAnalyze: internal(
    20065,
    "config",
    "medium",
    "invalid load analyze option '%s'",
    choices("'required', 'optional', 'off'", true),
  ),
  LoadTaskWorkerNotMatch: internal(
    34017,
    "functional",
    "high",
    "different worker in load stage, previous worker: %s, current worker: %s",
    "Please check if the previous worker is online.",
  ),
  LoadTaskCheckPointNotMatch: internal(
    34018,
    "functional",
    "high",
    "inconsistent checkpoints between loader and target database",
    "If you want to redo the whole task, please check that you have not forgotten to add -remove-meta flag for start-task command.",
  ),
  LoadLightningRuntime: internal(34019, "load-unit", "high", ""),
  LoadLightningHasDup: internal(
    34020,
    "load-unit",
    "medium",
    "physical import finished but the data has duplication, please check `%s`.`%s` to see the duplication",
    "You can refer to https://docs.pingcap.com/tidb/stable/tidb-lightning-physical-import-mode-usage#conflict-detection to manually insert data and resume the task.",
  ),
  LoadLightningChecksum: internal(
    34021,
    "load-unit",
    "medium",
    "checksum mismatched, KV number in source files: %s, KV number in TiDB cluster: %s",
    "If TiDB cluster has more KV, please check if the migrated tables are empty before the task. If source files have more KV, please set `on-duplicate-physical` and restart the task to see data duplication. You can resume the task to ignore the error if you want.",
  ),
  HAFailTxnOperation: internal(42501, "ha", "high", "fail to do etcd txn operation: %s"),
  HAInvalidItem: internal(42502, "ha", "high", "meets invalid ha item: %s"),
} satisfies Record<string, DmCode>;

export type DmCodeName = keyof typeof dmCodes;

/** The loader's codes of before Lightning, 34001 to 34016, in order; nothing gives them any more, configurations and logs still name them. */
export const legacyLoadCodes: readonly DmCode[] = legacyLoad.map((message, i) =>
  internal(34001 + i, "load-unit", i === 0 ? "medium" : "high", message),
);
