/** Reference §17 cases 1 to 4, 6, 7, 11 and 12: what needs no server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, systemClock } from "../../src/base/mod.ts";
import { loadConfig } from "../../src/config/mod.ts";
import {
  adjustDirs,
  appendToPath,
  checkpointListName,
  checkpointSchemaName,
  checksumMismatchText,
  convertEngineError,
  type DmError,
  defaultLoaderConfig,
  dmctlStatus,
  dmError,
  engineConfig,
  goJsonStatus,
  isLocalPath,
  isResumableError,
  isS3Path,
  legacyLoadCodes,
  loosenSqlMode,
  newLoadMetrics,
  processError,
  progressText,
  readLoaderConfig,
  readSubTask,
  resolveSqlMode,
  SpeedRecorder,
  TableReader,
  type TaskMode,
  timeZoneOffset,
  trimFromPath,
} from "../../src/load/mod.ts";
import { parseFileName } from "../../src/source/mod.ts";
import { quoteName } from "../../src/tidb/mod.ts";
import { subtaskOf } from "./support.ts";

const target = { host: "127.0.0.1", port: 4000, statusPort: 10080 };
const session = { sqlMode: "ALLOW_INVALID_DATES", timeZone: "+00:00" };
const settings = { stateDir: "/state", sources: 1 };
const section = (config: object, name: string) => (config as Record<string, Record<string, unknown>>)[name]!;

test("§17.1: pool-size is the region concurrency", () => {
  const subtask = subtaskOf(target, "/dump");
  subtask.loader.poolSize = 10;
  assert.equal(section(engineConfig(subtask, session, settings), "lightning")["region-concurrency"], 10);
});

test("§17.2: a checksum mismatch becomes 34021, the source's pairs first", () => {
  const text = checksumMismatchText([1, 2], [3, 4], [5, 6]);
  const error = convertEngineError(new Error(text));
  assert.match(
    error.message,
    /^\[code=34021:class=load-unit:scope=internal:level=medium\], Message: checksum mismatched, KV number in source files: 4, KV number in TiDB cluster: 3, RawCause: /,
  );
  const levins = new LevinError("Levin:Verify:ErrChecksum", "Cannot verify", {
    fields: { localKvs: 4n, remoteKvs: 3n },
  });
  assert.equal(convertEngineError(levins).text, error.text);
  for (const other of [
    new Error("checksum mismatched, but how"),
    new Error("boom"),
    new LevinError("Levin:Verify:ErrChecksum", "x"),
  ]) {
    assert.equal(convertEngineError(other).kind.code, 34019);
  }
  assert.match(
    convertEngineError(new Error("boom")).message,
    /^\[code=34019:class=load-unit:scope=internal:level=high\], RawCause: boom$/,
  );
});

test("§17.3: checkpoints, disk quota, compression and the rest of the engine's configuration", () => {
  const subtask = subtaskOf(target, "/dump", { name: "task", sourceId: "source" });
  Object.assign(subtask.loader, {
    rangeConcurrency: 32,
    compressKvPairs: "gzip",
    analyze: "required",
    checksumPhysical: "optional",
  });
  const injected = engineConfig(subtask, session, { ...settings, externalStorage: true });
  const checkpoint = section(injected, "checkpoint");
  assert.equal(checkpoint["driver"], "mysql");
  assert.equal(checkpoint["keep-after-success"], "remove");
  assert.match(String(checkpoint["schema"]), /^task_\d+_tidb_lightning_checkpoint$/);
  const importer = section(injected, "tikv-importer");
  assert.deepEqual(
    [importer["range-concurrency"], importer["compress-kv-pairs"], "disk-quota" in importer],
    [32, "gzip", false],
  );
  assert.deepEqual(section(injected, "post-restore"), { checksum: "optional", analyze: "required" });
  assert.deepEqual(section(engineConfig(subtask, session, settings), "checkpoint"), {
    enable: true,
    "keep-after-success": "remove",
    driver: "file",
    dsn: "/dump/tidb_lightning_checkpoint.pb",
  });
  subtask.loader.dir = "gcs://bucket/path";
  assert.equal(section(engineConfig(subtask, session, settings), "checkpoint")["driver"], "mysql");
  subtask.loader.diskQuotaPhysical = 1 << 30;
  assert.equal(section(engineConfig(subtask, session, settings), "tikv-importer")["disk-quota"], 1 << 30);
  // The whole is what the importer's own configuration takes, without a word it does not know.
  assert.deepEqual(loadConfig({ file: { path: "task", table: injected } }).unknownKeys, []);
});

test("backends and duplicates; session variables are kept, the fixed ones win for their names", () => {
  const subtask = subtaskOf(target, "/dump");
  subtask.to.session = {
    Tidb_Txn_Mode: "pessimistic",
    tidb_skip_utf8_check: "1",
    SQL_MODE: "ANSI",
    time_zone: "SYSTEM",
  };
  const physical = engineConfig(subtask, session, settings);
  assert.deepEqual(section(physical, "tidb")["session-vars"], {
    tidb_skip_utf8_check: "1",
    tidb_txn_mode: "optimistic",
    foreign_key_checks: "0",
    time_zone: "+00:00",
  });
  assert.equal(section(physical, "tikv-importer")["duplicate-resolution"], "none");
  subtask.loader.onDuplicatePhysical = "manual";
  const manual = engineConfig(subtask, session, settings);
  assert.equal(section(manual, "tikv-importer")["duplicate-resolution"], "replace");
  assert.equal(section(manual, "lightning")["task-info-schema-name"], "dm_meta_task1");
  const logical = {
    ...subtask,
    loader: { ...subtask.loader, importMode: "logical" as const, onDuplicateLogical: "error" as const },
  };
  const tidb = engineConfig(logical, session, settings);
  assert.deepEqual(
    [section(tidb, "tikv-importer")["backend"], section(tidb, "tikv-importer")["on-duplicate"]],
    ["tidb", "error"],
  );
  assert.deepEqual(section(tidb, "post-restore"), { checksum: "off", analyze: "off" });
});

test("§17.4: metrics: one series after an increment, none when the task's labels are removed", () => {
  const { exitWithError } = newLoadMetrics();
  assert.equal(exitWithError.text(), "");
  exitWithError.increment("task", 'so"urce\n', "false");
  exitWithError.increment("task", 'so"urce\n', "false");
  assert.equal(
    exitWithError.text(),
    '# HELP dm_loader_exit_with_error_count counter for loader exits with error\n# TYPE dm_loader_exit_with_error_count counter\ndm_loader_exit_with_error_count{task="task",source_id="so\\"urce\\n",resumable_err="false"} 2\n',
  );
  exitWithError.increment("other", "s", "true");
  exitWithError.removeWhere("task", "task");
  assert.equal(exitWithError.series, 1);
});

test("§17.6: names in quotes, tables out of file names (what is left of DM's helpers)", () => {
  assert.equal(quoteName("a`b"), "`a``b`");
  const names: [string, string | undefined][] = [
    ["db.table.sql", "db.table"],
    ["db.table.0.sql", "db.table"],
    ["db.table.00123.sql", "db.table"],
    ["db.tbl2.sql", "db.tbl2"],
    ["db.table.csv", "db.table"],
    ["db.table.sq", undefined],
    ["table.sql", undefined],
    ["db.table-schema.sql", undefined],
    ["db-schema-create.sql", undefined],
    ["metadata", undefined],
  ];
  for (const [name, wanted] of names) {
    const { kind } = parseFileName(name);
    assert.equal(kind.kind === "data" ? `${kind.database}.${kind.table}` : undefined, wanted, name);
  }
});

test("§17.7: names of the checkpoint schema, byte for byte", () => {
  assert.equal(checkpointSchemaName("task123", "source123"), "task123_2067118723_tidb_lightning_checkpoint");
  const long = "task12312312312312312312312312312312";
  assert.equal(checkpointSchemaName(long, long), "task12312312312312312312312312312312_914146876_tidb_lightning_ch");
  assert.equal(checkpointSchemaName("", "x"), "tidb_lightning_checkpoint");
  assert.equal(checkpointListName("t"), "t_lightning_checkpoint_list");
  // A cut never splits a character.
  const cut = checkpointSchemaName(`${"x".repeat(62)}é`, "s");
  assert.equal(new TextEncoder().encode(cut).length, 64);
  assert.equal(checkpointSchemaName(`${"x".repeat(63)}é`, "s"), "x".repeat(63));
});

function dirOf(dir: string, mode: TaskMode = "all", importMode = ""): string {
  const loader = readLoaderConfig(new TableReader({ dir, "import-mode": importMode }, "test"), []);
  return adjustDirs(loader, mode, "test", "source-1").dir;
}

test("§17.11: directories get DM's suffix", () => {
  const long = "endpoint=https://127.0.0.1:9000&force_path_style=0&SSE=aws:kms&sse-kms-key-id=TestKey&xyz=abc";
  const cases: [string, string][] = [
    ["", "./dumped_data.test"],
    ["file:///tmp/storage", "file:///tmp/storage.test"],
    ["./dump_data", "./dump_data.test"],
    ["./dump_data/", "./dump_data.test"],
    ["./dump_data.test", "./dump_data.test"],
    ["s3://bucket2/prefix", "s3://bucket2/prefix/test.source-1"],
    [`s3://bucket3/prefix/path?${long}`, `s3://bucket3/prefix/path/test.source-1?${long}`],
    ["s3://bucket3/prefix/path/test.source-1?x=y", "s3://bucket3/prefix/path/test.source-1?x=y"],
  ];
  for (const [given, wanted] of cases) assert.equal(dirOf(given), wanted);
  assert.throws(() => dirOf("1invalid:"), /code=20058.*Message: loader's dir 1invalid: is invalid/);
  assert.throws(
    () => dirOf("s3://bucket2/prefix", "all", "loader"),
    /code=20059.*loader's dir s3:\/\/bucket2\/prefix is s3 dir, but s3 is not supported/,
  );
  assert.equal(dirOf("1invalid:", "incremental"), "1invalid:");
  assert.equal(dirOf("./d", "load&sync"), "./d");
});

test("§17.11: path helpers", () => {
  const odd = "t-Ë!s`t";
  const table: [path: string, s3: boolean, local: boolean, appended: string | undefined][] = [
    ["", false, false, ""],
    ["1invalid:", false, false, undefined],
    ["/tmp/storage", false, true, `/tmp/storage.${odd}`],
    ["./tmp/storage", false, true, `./tmp/storage.${odd}`],
    [`./tmp/storage.${odd}`, false, true, `./tmp/storage.${odd}`],
    ["tmp/storage", false, true, `tmp/storage.${odd}`],
    ["file:///tmp/storage", false, true, "file:///tmp/storage.t-%C3%8B%21s%60t"],
    ["s3:///bucket/more/prefix", true, false, "s3:///bucket/more/prefix.t-%C3%8B%21s%60t"],
    ["S3://bucket2/prefix?a=b", true, false, "s3://bucket2/prefix.t-%C3%8B%21s%60t?a=b"],
    ["s3://b/p.t-%C3%8B!s%60t?k=a+b", true, false, "s3://b/p.t-%C3%8B!s%60t?k=a+b"],
    ["gcs://bucket/path", false, false, "gcs://bucket/path.t-%C3%8B%21s%60t"],
  ];
  for (const [path, s3, local, appended] of table) {
    assert.equal(isS3Path(path), s3, path);
    assert.equal(isLocalPath(path), local, path);
    assert.equal(appendToPath(path, `.${odd}`), appended, path);
  }
  assert.equal(trimFromPath("./tmp/storage.x", ".x"), "./tmp/storage");
  assert.equal(trimFromPath("s3://b/p.x?q=1", ".x"), "s3://b/p?q=1");
  assert.equal(
    adjustDirs({ ...defaultLoaderConfig, dir: "file:///tmp/s" }, "full", "a b", "s").sortingDirPhysical,
    "/tmp/s.a b.sorting",
  );
  assert.equal(
    adjustDirs({ ...defaultLoaderConfig, dir: "s3://b/p" }, "full", "a b/ü", "s").sortingDirPhysical,
    "./sorting.a+b%2F%C3%BC",
  );
});

test("§17.12: loader defaults, and what is refused with which code", () => {
  const read = (table: Record<string, unknown>, notes: string[] = []) =>
    readLoaderConfig(new TableReader(table, "test"), notes);
  assert.deepEqual(read({}), defaultLoaderConfig);
  assert.deepEqual(read({ "pool-size": 0, "import-mode": "SQL", "on-duplicate-logical": "" }), defaultLoaderConfig);
  assert.equal(
    read({ "import-mode": "Physical", "on-duplicate-physical": "MANUAL", "disk-quota-physical": "10GiB" })
      .diskQuotaPhysical,
    10 * 2 ** 30,
  );
  const refused: [Record<string, unknown>, RegExp][] = [
    [
      { "import-mode": "invalid" },
      /\[code=20053:class=config:scope=internal:level=medium\], Message: invalid load mode 'invalid', Workaround: Please choose a valid value in \['logical', 'physical'\]$/,
    ],
    [
      { "on-duplicate-logical": "x" },
      /code=20054.*invalid load on-duplicate-logical or on-duplicate option 'x', Workaround: Please choose a valid value in \['replace', 'error', 'ignore'\] or leave it empty\.$/,
    ],
    [
      { "on-duplicate-physical": "x" },
      /code=20062.*invalid load on-duplicate-physical option 'x', Workaround: Please choose a valid value in \['none', 'manual'\] or leave it empty\.$/,
    ],
    [{ "checksum-physical": "x" }, /code=20063.*'required', 'optional', 'off'/],
    [{ analyze: "x" }, /code=20065.*invalid load analyze option 'x'/],
    [{ "compress-kv-pairs": "lz4" }, /invalid compression-type 'lz4', please choose valid option between \['gzip'\]/],
    [
      { "import-mode": "logical", "on-duplicate-physical": "manual" },
      /on-duplicate cannot be used with tikv-importer.duplicate-resolution/,
    ],
  ];
  for (const [table, wanted] of refused) assert.throws(() => read(table), wanted);
  const notes: string[] = [];
  assert.equal(read({ "on-duplicate": "error" }, notes).onDuplicateLogical, "error");
  assert.match(notes[0]!, /old name of on-duplicate-logical/);
});

test("task files: loaders by name and inline, mixed modes, sources, subtask TOML's form", () => {
  const task = (instances: object[], more: object = {}) => ({
    name: "t",
    "task-mode": "all",
    "target-database": { host: "h", port: 4000, password: 123 },
    loaders: { a: { dir: "/d", "import-mode": "physical" }, b: {} },
    "mysql-instances": instances,
    ...more,
  });
  const read = (document: object, source?: string) =>
    readSubTask(document as Record<string, unknown>, "task.yaml", source, []);
  const one = read(task([{ "source-id": "s1", "loader-config-name": "a", "loader-thread": 4 }]));
  assert.deepEqual(
    [one.loader.dir, one.loader.poolSize, one.mode, one.metaSchema, one.cleanDumpFile, one.to.password],
    ["/d.t", 4, "all", "dm_meta", true, "123"],
  );
  const code = (wanted: number) => (error: DmError) => error.kind.code === wanted;
  assert.throws(() => read(task([{ "source-id": "s1", "loader-config-name": "a", loader: {} }])), code(20016));
  assert.throws(
    () => read(task([{ "source-id": "s1" }, { "source-id": "s2", "loader-config-name": "x" }])),
    /mysql-instance\(1\)'s loader config x not exist in loaders/,
  );
  assert.throws(
    () => read(task([{ "source-id": "s1", "loader-config-name": "a" }, { "source-id": "s2" }]), "s1"),
    /code=20053.*found two import-mode physical and logical in task config, DM only supports one value/,
  );
  assert.throws(
    () => read(task([{ "source-id": "s1" }, { "source-id": "s2" }])),
    /say --source; its sources are s1, s2/,
  );
  assert.throws(() => read(task([])), code(20011));
  assert.throws(() => read({ ...task([{ "source-id": "s1" }]), name: "" }), code(20005));
  assert.throws(() => read({ ...task([{ "source-id": "s1" }]), "task-mode": "some" }), code(20006));
  const sub = read({
    name: "t",
    mode: "full",
    "source-id": "s1",
    dir: "./dump",
    "import-mode": "physical",
    to: {
      host: "h",
      port: 1,
      session: { sql_mode: "ANSI" },
      security: { "ssl-ca": "ca.pem", "ssl-cert-bytes": "PEM" },
    },
    "route-rules": [{ "schema-pattern": "a*", "target-schema": "b" }],
    "block-allow-list": { "do-dbs": ["~^a"] },
  });
  assert.deepEqual(sub.routes, [{ "schema-pattern": "a*", "target-schema": "b" }]);
  assert.deepEqual(section(engineConfig(sub, session, settings), "security"), {
    "ca-path": "ca.pem",
    "cert-bytes": "PEM",
  });
  assert.deepEqual(section(engineConfig(sub, session, settings), "black-white-list")["do-dbs"], ["~^a"]);
});

test("DM's errors: texts, JSON, what may be resumed", () => {
  assert.equal(
    dmError("LoadLightningHasDup", ["dm_meta_task", "conflict_view"]).message,
    "[code=34020:class=load-unit:scope=internal:level=medium], Message: physical import finished but the data has duplication, please check `dm_meta_task`.`conflict_view` to see the duplication, " +
      "Workaround: You can refer to https://docs.pingcap.com/tidb/stable/tidb-lightning-physical-import-mode-usage#conflict-detection to manually insert data and resume the task.",
  );
  assert.deepEqual(processError(dmError("LoadTaskWorkerNotMatch", ["a", "b"])), {
    ErrCode: 34017,
    ErrClass: "functional",
    ErrScope: "internal",
    ErrLevel: "high",
    Message: "different worker in load stage, previous worker: a, current worker: b",
    RawCause: "",
    Workaround: "Please check if the previous worker is online.",
  });
  assert.deepEqual(
    [
      processError(new Error("x")).ErrClass,
      processError(new Error("x")).Message,
      processError(new Error("x")).RawCause,
    ],
    ["not-set", "x", ""],
  );
  assert.deepEqual(
    [legacyLoadCodes.length, legacyLoadCodes[0]!.level, legacyLoadCodes.at(-1)!.code, legacyLoadCodes.at(-1)!.level],
    [16, "medium", 34016, "high"],
  );
  assert.equal(isResumableError(undefined), true);
  assert.equal(isResumableError(processError(dmError("HAFailTxnOperation", ["x"]))), true);
  for (const name of ["LoadLightningRuntime", "LoadLightningHasDup", "LoadLightningChecksum"] as const) {
    assert.equal(isResumableError(processError(dmError(name))), false);
  }
  assert.equal(
    isResumableError(processError(dmError("HAInvalidItem", [], new Error("Error 1062 (23000): Duplicate entry")))),
    false,
  );
  assert.equal(
    isResumableError(processError(dmError("HAInvalidItem", [], new Error("Unsupported modify column: x")))),
    false,
  );
});

test("status in both JSON forms, progress, speed", () => {
  const status = {
    finishedBytes: 119,
    totalBytes: 119,
    progress: "100.00 %",
    metaBinlog: "(mysql-bin.000002, 2022)",
    metaBinlogGTID: "",
    bps: 0,
  };
  assert.equal(
    JSON.stringify(dmctlStatus(status)),
    '{"finishedBytes":"119","totalBytes":"119","progress":"100.00 %","metaBinlog":"(mysql-bin.000002, 2022)","metaBinlogGTID":"","bps":"0"}',
  );
  assert.deepEqual(goJsonStatus(status), {
    finishedBytes: 119,
    totalBytes: 119,
    progress: "100.00 %",
    metaBinlog: "(mysql-bin.000002, 2022)",
  });
  assert.deepEqual(
    [
      progressText(0, 0, false),
      progressText(0, 0, true),
      progressText(1, 3, false),
      progressText(5, 3, false),
      progressText(1, 3, true),
    ],
    ["0.00 %", "100.00 %", "33.33 %", "100.00 %", "100.00 %"],
  );
  let now = 0;
  const speed = new SpeedRecorder({ ...systemClock, monotonicMs: () => now });
  const at = (ms: number, bytes: number) => {
    now = ms;
    return speed.look(bytes);
  };
  assert.deepEqual(
    [
      at(0, 0),
      at(1_000, 500),
      at(1_500, 500),
      at(3_000, 501),
      at(4_000, 501),
      at(7_000, 501),
      at(70_000, 501),
      at(71_000, 100_501),
    ],
    [0, 500, 500, 1, 1, 1, 0, 1470],
  );
});

test("time zone and SQL mode", () => {
  const zones: [string | null, string | undefined][] = [
    ["01:00:00", "+01:00"],
    ["-05:30:00", "-05:30"],
    ["00:00:00.000000", "+00:00"],
    ["08:00:00", "+08:00"],
    [null, undefined],
    ["x", undefined],
  ];
  for (const [answer, wanted] of zones) assert.equal(timeZoneOffset(answer), wanted);
  assert.equal(
    loosenSqlMode("STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE"),
    "ALLOW_INVALID_DATES,IGNORE_SPACE,NO_AUTO_VALUE_ON_ZERO,ONLY_FULL_GROUP_BY",
  );
  assert.doesNotMatch(loosenSqlMode("TRADITIONAL")!, /STRICT|TRADITIONAL/);
  const subtask = subtaskOf(target, "/d");
  const warnings: string[] = [];
  const resolve = () => resolveSqlMode(subtask, (text) => void warnings.push(text));
  subtask.loader.sqlMode = "NO_SUCH_MODE,STRICT_ALL_TABLES";
  assert.equal(resolve(), "NO_SUCH_MODE,STRICT_ALL_TABLES");
  assert.match(warnings[0]!, /cannot adjust the upstream's sql_mode/);
  subtask.to.session = { Sql_Mode: "ANSI_QUOTES" };
  assert.equal(resolve(), "ANSI_QUOTES");
});
