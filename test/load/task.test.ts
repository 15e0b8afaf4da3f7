/** `levin load` as people use it: a DM-style task file from start to finish, in this process, into the sandbox. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/mod.ts";
import { EtcdClient } from "../../src/load/mod.ts";
import { levin, Place } from "../e2e/in-process.ts";
import { until } from "../until.ts";
import { temporaryDir, writeDump } from "./support.ts";

let place: Place;
const dir = temporaryDir();

before(async () => {
  place = await Place.open();
});
after(async () => {
  await place.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A task file as DM's documentation has them; the dump of `mysql-01` lies where DM's dump unit would leave it. */
function taskFile(name: string, more: { loader?: string; top?: string; password?: string } = {}): string {
  const { host, port, statusPort } = place.sandbox.front;
  const path = join(dir, `${name}.yaml`);
  fs.writeFileSync(
    path,
    `name: "${name}"
task-mode: full            # only the dump is loaded
meta-schema: "dm_meta"
timezone: "+00:00"
case-sensitive: false
${more.top ?? ""}
target-database:
  host: "${host}"
  port: ${port}
  status-port: ${statusPort}
  user: "root"
  password: "${more.password ?? ""}"
  session:
    tidb_skip_utf8_check: 1
routes:
  route-rule-1:
    schema-pattern: "d"
    table-pattern: "t"
    target-schema: "${name}_routed"
    target-table: "t2"
filters: {}
block-allow-list:
  list-1:
    do-dbs: ["d"]
mydumpers:
  global:
    threads: 4
loaders:
  global:
    pool-size: 1
    dir: "${join(dir, name)}"
${more.loader ?? '    import-mode: "physical"'}
syncers:
  global:
    worker-count: 16
mysql-instances:
  - source-id: "mysql-01"
    route-rules: ["route-rule-1"]
    block-allow-list: "list-1"
    mydumper-config-name: "global"
    loader-config-name: "global"
    syncer-config-name: "global"
`,
  );
  return path;
}

async function text(sql: string): Promise<string> {
  return (await place.rows(sql)).map((row) => row.map(String).join(",")).join(";");
}

for (const mode of ["physical", "logical"]) {
  test(`a DM-style YAML from start to finish, ${mode}`, async () => {
    const name = `whole_${mode}`;
    writeDump(join(dir, `${name}.${name}`), [
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    const state = join(dir, `${name}-state`);
    const file = taskFile(name, { loader: `    import-mode: "${mode}"` });
    const ran = await levin(["load", "run", "-c", file, "--source", "mysql-01", "--state-dir", state]);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(await text(`SELECT * FROM ${name}_routed.t2`), "1,a;2,b;3,c");
    assert.equal(await text(`SELECT * FROM dm_meta.${name}_lightning_checkpoint_list`), `${name},mysql-01,finished`);
    const shown = await levin(["load", "status", state, "--json"]);
    assert.match(
      (await levin(["load", "status", state])).out,
      new RegExp(
        `^${name}, mysql-01: finished at .*\\n100\\.00 % of .*\\nposition \\(mysql-bin\\.000002, 2022\\), gtid 97b5142f.*\\n$`,
      ),
    );
    const summary = JSON.parse(shown.out) as Record<string, unknown>;
    assert.deepEqual(
      [summary["state"], summary["progress"], summary["metaBinlog"], summary["rows"]],
      ["finished", "100.00 %", "(mysql-bin.000002, 2022)", mode === "physical" ? 3 : summary["rows"]],
    );
    // Again: nothing to do, nothing done.
    const again = await levin(["load", "run", "-c", file, "--source", "mysql-01", "--state-dir", state]);
    assert.equal(again.code, 0, again.err);
    assert.equal(await text(`SELECT COUNT(*) FROM ${name}_routed.t2`), "3");
  });
}

test("§17.15: what the file says is done with the dump; no password is shown or logged", async () => {
  const name = "cleaned";
  const dump = writeDump(join(dir, `${name}.${name}`), [[1, "a"]]);
  const state = join(dir, `${name}-state`);
  const file = taskFile(name, { password: "geheim123", top: "clean-dump-file: true" });
  const naming = ["-c", file, "--state-dir", state];
  const password = { environment: { LEVIN_TIDB_PASSWORD: "" } };
  const config = await levin(["load", "config", ...naming]);
  assert.equal(config.code, 0, config.err);
  assert.deepEqual((JSON.parse(config.out) as { tidb: { password: string } }).tidb.password, "******");
  const ran = await levin(["load", "run", "--json", ...naming], password);
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.err, /note: the dump in .* is removed after success/);
  assert.equal(fs.existsSync(dump), false);
  for (const text of [
    config.out,
    ran.out,
    ran.err,
    ...fs
      .readdirSync(state)
      .map((one) => join(state, one))
      .filter((one) => fs.statSync(one).isFile())
      .map((one) => fs.readFileSync(one, "utf8")),
  ]) {
    assert.doesNotMatch(text, /geheim123/);
  }
  // The dump and its metadata are gone: a load that has ended does not need them.
  assert.equal((await levin(["load", "run", ...naming], password)).code, 0);
});

test("pause, status, resume, stop over the control socket, while the unit waits for another source", async () => {
  const name = "waiting";
  writeDump(join(dir, `${name}.${name}`), [[1, "a"]]);
  const state = join(dir, `${name}-state`);
  const file = taskFile(name);
  const run = [
    "load",
    "run",
    "-c",
    file,
    "--state-dir",
    state,
    "--coord",
    `dir:${join(dir, "meet")}`,
    "--expect-sources",
    "2",
    "--worker",
    "w1",
  ];
  const running = levin(run);
  const status = async () => {
    const { out } = await levin(["load", "status", state, "--json"]);
    return JSON.parse(out) as { state: string; detail: { phase: string; waitingFor: string[] } };
  };
  // There is no status while the process has only begun.
  const shows = (wanted: (found: Awaited<ReturnType<typeof status>>) => boolean) =>
    until(() => status().then(wanted, () => false));
  await shows(({ detail }) => detail.waitingFor.length > 0);
  assert.deepEqual((await status()).detail.waitingFor, ["source 2 of 2 (not-ready)"]);
  // Two processes do not load the same.
  const saved = join(state, "load.json");
  const begun = fs.readFileSync(saved, "utf8");
  const second = await levin([...run, "--stay"]);
  assert.equal(second.code, 2, second.err);
  assert.match(second.err, /Levin:State:ErrLocked/);
  assert.equal(fs.readFileSync(saved, "utf8"), begun, "the one that runs is gone on with as it was begun");
  const refused = await levin(["load", "reset", "-c", file, "--state-dir", state]);
  assert.match(refused.err, /it runs; say levin load stop first/);
  assert.equal((await levin(["load", "pause", state])).out, "paused\n");
  assert.equal((await status()).state, "paused");
  assert.match((await levin(["load", "status", state])).out, /^waiting, mysql-01: paused, stopped\n0.00 %/);
  assert.equal((await levin(["load", "update", state])).code, 0);
  assert.equal((await levin(["load", "resume", state])).out, "running\n");
  await shows(({ detail }) => detail.phase === "wait-ready");
  // Someone who looks on ends quietly.
  const looking = new AbortController();
  const seen: string[] = [];
  const watching = levin(["load", "status", state, "--watch"], {
    signal: looking.signal,
    stdout: { write: (text) => seen.push(text) },
  });
  await until(async () => seen.length > 0);
  looking.abort(new Error("interrupted"));
  const looked = await watching;
  assert.deepEqual([looked.code, looked.err], [130, ""]);
  // What a killed process leaves.
  const left = join(dir, `${name}-killed`);
  fs.mkdirSync(left);
  for (const entry of fs.readdirSync(state))
    if (!entry.endsWith(".sock")) fs.cpSync(join(state, entry), join(left, entry), { recursive: true });
  const killed = await levin(["load", "status", left]);
  assert.equal(killed.code, 0, killed.err);
  assert.match(
    killed.out,
    /^waiting, mysql-01: was killed \(or its host went down\), begun at .*; levin load resume .*-killed continues\n/,
  );
  const facts = JSON.parse((await levin(["load", "status", left, "--json"])).out) as Record<string, unknown>;
  assert.deepEqual([facts["state"], facts["task"], facts["rows"], facts["tablesDone"]], ["killed", "waiting", 0, 0]);
  const remembered = await levin(["load", "checkpoint", "show", "-c", file, "--state-dir", left]);
  assert.match(remembered.out, /this is what the target remembers; no process loads in .*-killed: it was killed/);
  assert.equal((await levin(["load", "stop", state])).out, "stopped\n");
  const ended = await running;
  assert.equal(ended.code, 130, ended.err);
  assert.match((await levin(["load", "status", state])).out, /^waiting, mysql-01: stopped at /);
  const stopped = await levin(["load", "checkpoint", "show", "-c", file, "--state-dir", state]);
  assert.match(stopped.out, /this is what the target remembers; no process loads in .*: the last one stopped at /);
  assert.match(ended.err, /its state is kept/);
  assert.match((await levin(["load", "pause", state])).err, /Cannot pause the load of ".*": no load runs there/);
  // Gone on with by a new process, as it was begun; the timeout names who is missing.
  fs.writeFileSync(
    saved,
    fs
      .readFileSync(saved, "utf8")
      .replace('"keepDump":false', '"keepDump":false,"barrierTimeout":"1s","noAutoResume":true')
      .replace('"noAutoResume":false,', ""),
  );
  const alone = await levin(["load", "resume", state]);
  assert.equal(alone.code, 1, alone.err);
  assert.match(alone.err, /Levin:Load:ErrCoordination/);
  assert.match(alone.err, /still waiting after 1 s for source 2 of 2/);
});

test("check, checkpoint, errors, reset", async () => {
  const name = "looked";
  const dump = writeDump(join(dir, `${name}.${name}`), [[1, "a"]]);
  const state = join(dir, `${name}-state`);
  const naming = ["-c", taskFile(name), "--state-dir", state];
  const load = (...words: string[]) => levin(["load", ...words]);
  const check = await load("check", ...naming, "--json");
  assert.equal(check.code, 0, check.out + check.err);
  const { checks } = JSON.parse(check.out) as { checks: { check: string; status: string; detail: string }[] };
  assert.deepEqual(
    checks
      .filter(({ check: one }) => ["metadata", "session", "checkpoint", "target-empty"].includes(one))
      .map(({ check: one, status }) => [one, status]),
    [
      ["metadata", "ok"],
      ["session", "ok"],
      ["checkpoint", "ok"],
      ["target-empty", "skipped"],
    ],
  );
  const found = new Map(checks.map((one) => [one.check, one]));
  for (const name of ["cluster-version", "cluster-space", "empty-regions", "region-distribution", "change-consumers"])
    assert.equal(found.get(name)?.status, "ok", JSON.stringify(found.get(name)));
  // Who reads changes is in the etcd of PD's port.
  const etcd = new EtcdClient({ endpoints: place.sandbox.pd, clock: systemClock });
  const feeds = [
    "/tidb/cdc/default/ns/changefeed/info/feed",
    "/tidb/cdc/changefeed/info/old",
    "/tidb/br-stream/info/log1",
  ];
  await etcd.write([
    ...feeds.map((key) => ({ key, value: '{"state":"normal"}' })),
    { key: "/tidb/cdc/default/ns/changefeed/info/over", value: '{"state":"finished"}' },
    { key: "/tidb/cdc/default/ns/changefeed/status/feed", value: "{}" },
  ]);
  const read = await load("check", ...naming);
  assert.equal(read.code, 3, read.out);
  assert.match(read.out, /^failed +change-consumers +changefeeds old, default\/ns\/feed; log backups log1 would miss/m);
  await etcd.deletePrefix("/tidb/");
  etcd.close();
  fs.writeFileSync(join(dump, "d.t.1.sql"), "INSERT INTO `t` VALUES (1,'again');\n");
  const failed = await load("run", ...naming);
  assert.equal(failed.code, 4, failed.err);
  assert.match(failed.err, /Levin:Load:ErrChecksum|Levin:Encode:ErrDuplicateKey/);
  assert.match((await load("errors", ...naming)).out, /^error 340(19|21): /);
  fs.rmSync(join(dump, "d.t.1.sql"));
  const shown = await load("checkpoint", "show", ...naming);
  assert.match(shown.out, /^looked, mysql-01: running\nphase (running|imported), by /);
  const file = join(dir, "checkpoint.json");
  assert.equal((await load("checkpoint", "export", ...naming, "--file", file)).code, 0);
  assert.match(
    (await load("checkpoint", "clear", ...naming)).out,
    /would remove the rows of looked, mysql-01 \(running\)\nnothing was removed/,
  );
  assert.equal((await load("checkpoint", "clear", ...naming, "--yes")).code, 0);
  assert.match((await load("checkpoint", "show", ...naming)).out, /no row/);
  assert.equal((await load("checkpoint", "import", ...naming, "--file", file, "--yes")).code, 0);
  assert.equal((await load("checkpoint", "show", ...naming)).out, shown.out);
  const other = await load("checkpoint", "import", ...naming, "--file", file, "--yes", "--task", "other");
  assert.equal(other.code, 2, other.out);
  const dry = await load("reset", ...naming);
  assert.match(
    dry.out,
    /would remove in the target: DROP TABLE IF EXISTS `dm_meta`.`looked_lightning_checkpoint_list`/,
  );
  assert.match(dry.out, /nothing was removed/);
  assert.match((await load("checkpoint", "show", ...naming)).out, /running/);
  assert.equal((await load("reset", ...naming, "--yes")).code, 0);
  assert.match((await load("checkpoint", "show", ...naming)).out, /no row/);
  assert.equal(fs.existsSync(join(state, "import")), false);
  await place.sql.query("DROP DATABASE looked_routed");
  assert.equal((await load("run", ...naming)).code, 0);
  assert.equal((await load("errors", ...naming)).out, "no error\n");
  const summary = await load("status", state);
  assert.match(summary.out, /finished at .*\n100\.00 % of \d+ B, 1 rows/);
  for (const again of [
    ["run", ...naming],
    ["resume", state],
  ]) {
    const { code, err } = await load(...again);
    assert.equal(code, 0, err);
    assert.match(err, /looked, mysql-01 was loaded already \(at \d{4}-.*, 1 rows\)/);
    assert.doesNotMatch(err, /done: 0 tables/);
    assert.equal((await load("status", state)).out, summary.out);
  }
  const elsewhere = ["--state-dir", join(dir, `${name}-elsewhere`)];
  assert.match((await load("run", "-c", taskFile(name), ...elsewhere)).err, /was loaded already \(by an earlier run\)/);
  assert.equal(fs.existsSync(join(elsewhere[1]!, "summary.json")), false, "a directory without state makes none up");
});

test("a meeting place that cannot be reached ends the load, and its log says so", async () => {
  const dump = writeDump(join(dir, "unmet-dump"), [[1, "a"]]);
  const state = join(dir, "unmet-state");
  const target = ["--tidb-host", "127.0.0.1", "--tidb-port", "1", "--state-dir", state];
  const { code, err } = await levin(["load", "run", "--dir", dump, "--coord", "table", ...target]);
  assert.equal(code, 1, err);
  assert.match(fs.readFileSync(join(state, "levin.log"), "utf8"), /"level":"error".*"code":"Levin:Tidb:/);
});

test("flags alone; what is wrong with a task has its code and exit code", async () => {
  const dump = writeDump(join(dir, "plain-dump"), [[7, "x"]]);
  const { host, port, statusPort } = place.sandbox.front;
  const target = [
    "--tidb-host",
    host,
    "--tidb-port",
    String(port),
    "--tidb-status",
    String(statusPort),
    "--state-dir",
    join(dir, "plain-state"),
  ];
  await place.sql.query("DROP DATABASE IF EXISTS d");
  const ran = await levin(["load", "run", "--dir", dump, "--import-mode", "logical", "--pool-size", "2", ...target]);
  assert.equal(ran.code, 0, ran.err);
  assert.equal(await text("SELECT * FROM d.t"), "7,x");
  assert.equal(
    await text("SELECT * FROM `dm_meta`.`plain-dump_lightning_checkpoint_list`"),
    "plain-dump,source-1,finished",
  );
  const naming = ["--dir", join(dir, "nowhere"), "--task", "gone", ...target];
  const cases: [string[], number, RegExp][] = [
    [["run"], 2, /neither a task file/],
    [["run", "--dir", dump, "--import-mode", "fast"], 2, /Levin:Load:ErrConfig/],
    [["run", "--dir", "s3://b/p"], 2, /Cannot load "s3:\/\/b\/p": levin reads directories of this machine/],
    [["run", "-c", join(dir, "none.yaml")], 2, /Cannot read the task file/],
    // At once, as nobody will make the directory.
    [
      ["run", "--dir", join(dir, "nowhere"), "--task", "gone", ...target],
      3,
      /code=11001.*there is no directory \S*nowhere, .*Levin:Load:ErrMetadata/s,
    ],
    [
      ["run", "--dir", `${dump}.gone`, "--task", "gone", ...target],
      3,
      /no directory \S*plain-dump\.gone; DM adds "\.gone" to the dir of a task file, --dir \S*plain-dump would take/,
    ],
    [["metadata", join(dir, "nowhere")], 3, /Cannot read the metadata file .*nowhere.*no such file/],
    [["metadata", dump], 0, /^$/],
  ];
  for (const [words, code, wanted] of cases) {
    const { code: found, err } = await levin(["load", ...words]);
    assert.equal(found, code, `${words.join(" ")}: ${err}`);
    assert.match(err, wanted);
  }
  assert.match(
    (await levin(["load", "errors", ...naming])).out,
    /^error 11001: parse mydumper metadata error: there is no/,
  );
  const status = await levin(["load", "status", join(dir, "plain-state")]);
  assert.match(status.out, /^gone, source-1: failed at .*\n.*\nerror 11001: /);
  const file = taskFile("secret", { password: "MKxn0Qo3m3XOyjCnhEMtsUCm83EhGQDZ/T4=" });
  const note = /note: the password of the target is encrypted; it was decrypted with the key of DM before 8\.0/;
  assert.match((await levin(["load", "config", "-c", file])).err, note);
  const key = join(dir, "key");
  fs.writeFileSync(key, "00".repeat(32));
  const wrong = await levin(["load", "config", "-c", file, "--secret-key-path", key]);
  assert.equal(wrong.code, 2, wrong.err);
  assert.match(wrong.err, /Cannot use the password of the target: it is encrypted, and not with the key/);
});

test("keys that DM does not know are noted, with the nearest; those of its other units are known", async () => {
  const name = "noted";
  writeDump(join(dir, `${name}.${name}`), [[1, "a"]]);
  const plain = await levin(["load", "config", "-c", taskFile(name)]);
  assert.equal(plain.err, "");
  const text = fs
    .readFileSync(taskFile(name), "utf8")
    .replace("pool-size: 1", "pool-sise: 1")
    .replace("meta-schema:", "meta-scheme:")
    .replace("  session:", "  pasword: x\n  session:")
    .replace("    target-table:", "    target-tabel: x\n    target-table:")
    .replace("    loader-config-name:", "    loader-threads: 2\n    loader-config-name:")
    .replace('    do-dbs: ["d"]', '    do-dbs: ["d"]\n    do-db: ["e"]');
  const file = join(dir, "noted-wrong.yaml");
  fs.writeFileSync(file, text);
  const { err, code } = await levin(["load", "config", "-c", file]);
  assert.equal(code, 0, err);
  const notes = err
    .trim()
    .split("\n")
    .map((line) => line.replace(` (${file})`, ""));
  assert.deepEqual(notes, [
    "note: meta-scheme is unknown; did you mean meta-schema?",
    "note: target-database.pasword is unknown; did you mean password?",
    "note: mysql-instances[0].loader-threads is unknown; did you mean loader-thread?",
    "note: loaders.global.pool-sise is unknown; did you mean pool-size?",
    "note: routes.route-rule-1.target-tabel is unknown; did you mean target-table?",
    "note: block-allow-list.list-1.do-db is unknown; did you mean do-dbs?",
  ]);
  const subtask = join(dir, "noted.toml");
  fs.writeFileSync(subtask, `name = "n"\nsource-id = "s"\nbatch = 100\nthreadz = 4\n[to]\nhots = "x"\n`);
  assert.deepEqual(
    (await levin(["load", "config", "-c", subtask])).err
      .match(/\S+ \(\S+\) is unknown.*/g)
      ?.map((one) => one.replace(/ \(\S+\)/, "")),
    ["threadz is unknown; did you mean threads?", "to.hots is unknown; did you mean host?"],
  );
});

test("--status-addr: what a unit has ended with is on /metrics beside the import's own, while it waits for a person", async () => {
  const name = "served";
  const dump = writeDump(join(dir, `${name}.${name}`), [[1, "a"]]);
  fs.writeFileSync(join(dump, "d.t.1.sql"), "INSERT INTO `t` VALUES (1,'again');\n");
  const state = join(dir, `${name}-state`);
  const found = Promise.withResolvers<string>();
  let err = "";
  const write = (part: string): void => {
    err += part;
    const url = /HTTP server on (\S+)\n/.exec(err)?.[1];
    if (url !== undefined) found.resolve(url);
  };
  const words = ["load", "run", "-c", taskFile(name), "--state-dir", state, "--stay", "--status-addr=127.0.0.1:0"];
  const running = levin(words, { stderr: { write } });
  void running.then(() => found.reject(new Error(err)));
  const url = await found.promise;
  const get = async (path: string): Promise<string> => await (await fetch(`${url}${path}`)).text();
  await until(
    async () => {
      const { out } = await levin(["load", "status", state, "--json"]);
      return out !== "" && (JSON.parse(out) as { state: string }).state === "failed";
    },
    () => `the failure: ${err}`,
  );
  const metrics = await get("/metrics");
  assert.match(
    metrics,
    /^dm_loader_exit_with_error_count\{task="served",source_id="mysql-01",resumable_err="false"\} 1$/m,
  );
  assert.match(metrics, /^lightning_tables\{state="pending",result="success"\} 1$/m);
  const { current } = JSON.parse(await get("/tasks")) as { current: number };
  const shown = JSON.parse(await get(`/tasks/${current}`)) as { mydumper: { "data-source-dir": string } };
  assert.equal(shown.mydumper["data-source-dir"], dump);
  assert.equal((await levin(["load", "stop", state])).out, "stopped\n");
  assert.equal((await running).code, 130);
});
