/**
 * Workers of a task over a real etcd and a real MariaDB: reference §17 cases 5 and 16, a DM master's view, and what is ours: restarts, pauses
 * at barriers, rows deleted by hand, etcd away at each step.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Clock, LevinError, systemClock } from "../../src/base/mod.ts";
import { importEngine } from "../../src/cli/load/engine.ts";
import type { WorkerSetup } from "../../src/importer/mod.ts";
import {
  CheckpointList,
  type EngineRun,
  EtcdClient,
  EtcdStore,
  etcdKey,
  LIGHTNING_COORD,
  LOAD_TASK,
  type LoadEngine,
  LoadUnit,
  type LoadUnitEnvironment,
  newLoadMetrics,
  type ProcessResult,
  parseEtcdKey,
  type SubTask,
} from "../../src/load/mod.ts";
import type { SqlResult, Tidb } from "../../src/tidb/mod.ts";
import { commandIo, inlineEncoder, Place } from "../e2e/in-process.ts";
import { mariadbMissing, withMariadb } from "../interop/mariadb.ts";
import { until } from "../until.ts";
import { Etcd, etcdMissing, skipped } from "./etcd.ts";
import { environmentOf, subtaskOf, type Target, temporaryDir, writeDump } from "./support.ts";

const OK: ProcessResult = { isCanceled: false, errors: [] };
const SUMS = {};

test("§17.5: the list's statements, each write in a transaction of its own", async () => {
  const seen: string[] = [];
  let rows: (string | null)[][] = [];
  const query = async (sql: string, values?: (string | number | null)[]): Promise<SqlResult> => {
    seen.push(values === undefined ? sql : `${sql} ${JSON.stringify(values)}`);
    return { columns: [], rows, affectedRows: 0 };
  };
  const tidb: Tidb = { address: "", query, session: (use) => use(query), close: async () => undefined };
  const warnings: string[] = [];
  const list = new CheckpointList(tidb, "dm_meta", "t`1", "s1", (text) => void warnings.push(text));
  await list.prepare();
  assert.deepEqual(
    seen.splice(0).map((sql) => sql.replace(/\s+/g, " ")),
    [
      "BEGIN",
      "CREATE SCHEMA IF NOT EXISTS `dm_meta`",
      "COMMIT",
      "BEGIN",
      "CREATE TABLE IF NOT EXISTS `dm_meta`.`t``1_lightning_checkpoint_list` ( task_name varchar(255) NOT NULL, source_name varchar(255) NOT NULL, status varchar(10) NOT NULL DEFAULT 'init' COMMENT 'init,running,finished', PRIMARY KEY (task_name, source_name) )",
      "COMMIT",
    ],
  );
  assert.equal(await list.read(), "init");
  rows = [["running"]];
  assert.equal(await list.read(), "running");
  rows = [["other"]];
  assert.equal(await list.read(), "init");
  assert.match(warnings[0]!, /unknown load status "other"/);
  assert.equal(
    seen.splice(0)[0],
    'SELECT status FROM `dm_meta`.`t``1_lightning_checkpoint_list` WHERE task_name = ? AND source_name = ? ["t`1","s1"]',
  );
  await list.register();
  await list.update("finished");
  assert.deepEqual(
    seen.filter((sql) => /^(INSERT|UPDATE)/.test(sql)),
    [
      'INSERT IGNORE INTO `dm_meta`.`t``1_lightning_checkpoint_list` (task_name, source_name) VALUES (?, ?) ["t`1","s1"]',
      'UPDATE `dm_meta`.`t``1_lightning_checkpoint_list` set status = ? WHERE task_name = ? AND source_name = ? ["finished","t`1","s1"]',
    ],
  );
});

if (etcdMissing || mariadbMissing) test("workers", () => skipped(etcdMissing ? "etcd" : "MariaDB"));
else {
  const dir = temporaryDir();
  let etcd: Etcd;
  let master: EtcdClient;
  let maria: Tidb;
  let target: Target;
  let endMaria!: () => void;
  let mariaEnded: Promise<void>;
  let count = 0;

  before(async () => {
    etcd = await Etcd.start();
    master = new EtcdClient({ endpoints: [etcd.endpoint], clock: systemClock });
    await new Promise<void>((ready, failed) => {
      mariaEnded = withMariadb(async (tidb, port) => {
        maria = tidb;
        target = { host: "127.0.0.1", port, statusPort: 0 };
        ready();
        await new Promise<void>((resolve) => {
          endMaria = resolve;
        });
      });
      mariaEnded.catch(failed);
    });
  });
  after(async () => {
    master.close();
    await etcd.close();
    endMaria();
    await mariaEnded;
    fs.rmSync(dir, { recursive: true, force: true });
  });

  interface Worker {
    unit: LoadUnit;
    store: EtcdStore;
    calls: EngineRun[];
  }

  /** A unit whose engine does what the test says; everything around it is real. */
  async function open(
    task: string,
    more: {
      worker?: string;
      source?: string;
      sources?: string[];
      dump?: string;
      engine?: LoadEngine;
      subtask?: Partial<SubTask>;
      env?: Partial<LoadUnitEnvironment>;
      clock?: Clock;
    } = {},
  ): Promise<Worker> {
    const { worker = "worker1", source = "source1", clock = systemClock } = more;
    const sources = more.sources ?? [source];
    const store = new EtcdStore(
      { task, source, worker, sources },
      { endpoints: [etcd.endpoint], clock, ttlSeconds: 2, patienceMs: 500 },
    );
    const dump = more.dump ?? writeDump(join(dir, task, source), [[1, "a"]]);
    const calls: EngineRun[] = [];
    const engine: LoadEngine = async (run) => {
      calls.push(run);
      return (await more.engine?.(run)) ?? { tables: 1, rows: 1, sourceBytes: 10, sums: SUMS };
    };
    const subtask = subtaskOf(target, dump, { name: task, sourceId: source, sources, ...more.subtask });
    subtask.loader.checksumPhysical = "off";
    const env = environmentOf(target, join(dir, `${task}-${worker}`), {
      coord: store,
      worker,
      engine,
      clock,
      barrierGraceMs: 200,
      ...more.env,
    });
    const unit = new LoadUnit(subtask, env);
    await unit.init();
    return { unit, store, calls };
  }

  const close = async (...workers: Worker[]): Promise<void> => {
    for (const { unit, store } of workers) {
      await unit.close();
      await store.close();
    }
  };
  const statusOf = async (task: string): Promise<string> =>
    (
      await maria.query(
        `SELECT source_name, status FROM dm_meta.${task}_lightning_checkpoint_list ORDER BY source_name`,
      )
    ).rows
      .map((row) => row.join(" "))
      .join(", ");
  const name = (what: string): string => `${what}_${count++}`;

  test("a DM master sees not-ready, ready, finished of two sources in the right order, and the load task come and go", async () => {
    const place = await Place.open();
    const { host, port, statusPort } = place.sandbox.front;
    const task = name("mastered");
    const sources = ["mysql-01", "mysql-02"];
    // As DM's master does when it makes a physical task.
    await master.write(
      sources.map((source) => ({ key: etcdKey(LIGHTNING_COORD, task, source), value: '"not-ready"' })),
    );
    const { revision } = await master.prefix("/dm-master/");
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { key, value } of master.watch("/dm-master/", revision + 1n, stop.signal)) {
        const coord = parseEtcdKey(LIGHTNING_COORD, key);
        const found = coord ?? parseEtcdKey(LOAD_TASK, key)!;
        assert.equal(found.task, task);
        seen.push(`${coord === undefined ? "task " : ""}${found.source} ${value}`);
      }
    })().catch(() => undefined);
    const real = { host, port, statusPort };
    const units = await Promise.all(
      sources.map(async (source, i) => {
        const dump = writeDump(join(dir, task, source), [[i + 1, source]]);
        const worker = `worker${i + 1}`;
        const store = new EtcdStore(
          { task, source, worker, sources },
          { endpoints: [etcd.endpoint], clock: systemClock },
        );
        const unit = new LoadUnit(
          subtaskOf(real, dump, { name: task, sourceId: source, sources }),
          environmentOf(real, join(dir, `${task}-${source}`), { coord: store, worker }),
        );
        await unit.init();
        return { unit, store, calls: [] };
      }),
    );
    assert.deepEqual(await Promise.all(units.map(({ unit }) => unit.process())), [OK, OK]);
    await close(...units);
    await until(() => seen.filter((line) => line.endsWith("undefined")).length === 2);
    stop.abort();
    await watching;
    const of = (what: string) => seen.filter((line) => line.startsWith(what));
    for (const [i, source] of sources.entries()) {
      assert.deepEqual(of(source), [`${source} "ready"`, `${source} "finished"`]);
      assert.deepEqual(of(`task ${source}`), [`task ${source} "worker${i + 1}"`, `task ${source} undefined`]);
    }
    const lastReady = Math.max(...sources.map((source) => seen.indexOf(`${source} "ready"`)));
    assert.ok(
      sources.every((source) => seen.indexOf(`${source} "finished"`) > lastReady),
      seen.join("; "),
    );
    assert.deepEqual((await place.rows("SELECT * FROM d.t")).map(String), ["1,mysql-01", "2,mysql-02"]);
    await place.close();
  });

  test("§17.16: a worker dies while it loads: others are told where the dump is; it returns and goes on", async () => {
    const task = name("died");
    let dead = false;
    const never = new Promise<never>(() => undefined);
    const mortal: Clock = {
      ...systemClock,
      sleep: (ms, signal) => (dead ? never : systemClock.sleep(ms, signal).then(() => (dead ? never : undefined))),
    };
    const dump = writeDump(join(dir, task, "on-worker1"), [[1, "a"]]);
    const first = await open(task, { dump, clock: mortal, engine: () => never });
    void first.unit.process();
    await until(() => first.calls.length === 1);
    dead = true;
    first.store.client.close();
    assert.equal(await statusOf(task), "source1 running");
    const nothing = join(dir, task, "nothing-here");
    const others = [
      await open(task, { worker: "worker2", dump: nothing }),
      await open(task, { worker: "worker3", dump: nothing }),
    ];
    for (const [i, other] of others.entries()) {
      const { errors } = await other.unit.process();
      assert.equal(errors[0]!.ErrCode, 34017);
      assert.equal(
        errors[0]!.Message,
        `different worker in load stage, previous worker: worker1, current worker: worker${i + 2}`,
      );
      assert.equal(other.calls.length, 0);
    }
    // The source is moved back.
    const back = await open(task, { dump });
    assert.deepEqual(await back.unit.process(), OK);
    assert.equal(back.calls[0]!.fresh, false);
    assert.equal(await statusOf(task), "source1 finished");
    await close(back, ...others);
  });

  test("§17.16: a dump that moves among three workers: who has it last is who is named", async () => {
    const task = name("moved");
    for (const worker of ["worker1", "worker2", "worker3"]) {
      const dump = writeDump(join(dir, task, worker), [[1, "a"]]);
      const failing = await open(task, {
        worker,
        dump,
        engine: () => Promise.reject(new LevinError("Levin:Tidb:ErrUnavailable", "gone")),
      });
      assert.equal((await failing.unit.process()).errors[0]!.ErrCode, 34019);
      assert.equal((await master.get(etcdKey(LOAD_TASK, task, "source1")))?.value, `"${worker}"`);
      await close(failing);
    }
    const late = await open(task, { worker: "worker1", dump: join(dir, "nowhere") });
    assert.match((await late.unit.process()).errors[0]!.Message, /previous worker: worker3, current worker: worker1$/);
    await close(late);
  });

  test("a pause while it waits for others; a resume waits again; closed units answer too", async () => {
    const task = name("paused");
    const sources = ["source1", "source2"];
    const one = await open(task, { sources });
    const waiting = one.unit.process();
    await until(() => one.unit.detail().waitingFor.length === 1);
    await one.unit.pause();
    assert.deepEqual(await waiting, { isCanceled: true, errors: [] });
    assert.equal(one.calls.length, 0);
    const again = one.unit.resume();
    const two = await open(task, { source: "source2", sources, worker: "worker2" });
    assert.deepEqual(await Promise.all([again, two.unit.process()]), [OK, OK]);
    await close(one, two);
    assert.equal((await one.unit.resume()).errors[0]!.RawCause, "the load unit is closed");
  });

  test("the last error outlives the process; nothing is imported again; accepting it is recorded", async () => {
    const task = name("remembered");
    const subtask = { mode: "all" as const };
    const duplicates: LoadEngine = async () => ({ tables: 1, rows: 3, sourceBytes: 9, sums: SUMS, duplicates: 2 });
    const env = {};
    const first = await open(task, { engine: duplicates, subtask, env });
    first.unit.subtask.loader.onDuplicatePhysical = "manual";
    assert.equal((await first.unit.process()).errors[0]!.ErrCode, 34020);
    await close(first);
    const second = await open(task, { subtask });
    for (const acceptance of [undefined, { what: "checksum-mismatch" as const, who: "x" }]) {
      assert.equal((await second.unit.process(undefined, acceptance)).errors[0]!.ErrCode, 34020);
    }
    assert.deepEqual(await second.unit.resume(undefined, { what: "duplicates", who: "ops" }), OK);
    assert.equal(second.calls.length, 0);
    const { rows } = await maria.query(`SELECT accepted FROM dm_meta.${task}_levin_load`);
    assert.match(rows[0]![0]!, /^34020 accepted by ops at \d{4}-/);
    await close(second);
    // DM's own way, where it is asked for.
    const other = name("dm_way");
    const silent = await open(other, { engine: duplicates, env: { resumeAccepts: true } });
    silent.unit.subtask.loader.onDuplicatePhysical = "manual";
    assert.equal((await silent.unit.process()).errors[0]!.ErrCode, 34020);
    assert.deepEqual(await silent.unit.resume(), OK);
    await close(silent);
  });

  test("the dump is gone while others are waited for, and the process too: it goes on waiting, without metadata", async () => {
    const task = name("cleaned");
    const sources = ["source1", "source2"];
    const subtask = { cleanDumpFile: true };
    const dump = writeDump(join(dir, task, "dump"), [[1, "a"]]);
    const slow = await open(task, {
      source: "source2",
      sources,
      worker: "worker2",
      engine: ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const slowly = slow.unit.process();
    const first = await open(task, { sources, subtask, dump });
    const waiting = first.unit.process();
    await until(() => first.unit.detail().phase === "wait-finish" && first.unit.detail().waitingFor.length > 0);
    assert.equal(fs.existsSync(dump), false);
    await close(first);
    assert.equal((await waiting).isCanceled, true);
    const second = await open(task, { sources, subtask, dump });
    assert.equal(await second.unit.isFreshTask(), false);
    assert.equal(second.unit.status().metaBinlog, "(mysql-bin.000002, 2022)");
    assert.equal(second.unit.status().progress, "100.00 %");
    const finishing = second.unit.process();
    await slow.unit.pause();
    assert.equal((await slowly).isCanceled, true);
    await close(slow);
    const quick = await open(task, { source: "source2", sources, worker: "worker2" });
    assert.deepEqual(await Promise.all([finishing, quick.unit.process()]), [OK, OK]);
    assert.equal(second.calls.length, 0);
    await close(second, quick);
  });

  test("killed between the list's row and levin's own: the next run ends what is left", async () => {
    const task = name("between");
    const first = await open(task);
    assert.deepEqual(await first.unit.process(), OK);
    await close(first);
    await maria.query(`UPDATE dm_meta.${task}_levin_load SET phase = 'imported'`);
    const second = await open(task);
    assert.deepEqual(await second.unit.process(), OK);
    assert.equal(second.calls.length, 0);
    const { rows } = await maria.query(`SELECT phase FROM dm_meta.${task}_levin_load`);
    assert.deepEqual(rows, [["finished"]]);
    await close(second);
  });

  test("a row deleted by hand makes the load a fresh one, which is said to the engine", async () => {
    const task = name("deleted");
    const failing = await open(task, { engine: () => Promise.reject(new Error("boom")) });
    assert.equal((await failing.unit.process()).errors[0]!.RawCause, "boom");
    assert.deepEqual([await failing.unit.isFreshTask(), failing.calls[0]!.fresh], [false, true]);
    await maria.query(`DELETE FROM dm_meta.${task}_lightning_checkpoint_list`);
    assert.equal(await failing.unit.isFreshTask(), true);
    await close(failing);
    const again = await open(task);
    assert.deepEqual(await again.unit.process(), OK);
    assert.equal(again.calls[0]!.fresh, true);
    await maria.query(`UPDATE dm_meta.${task}_lightning_checkpoint_list SET status = 'odd'`);
    assert.equal(await again.unit.isFreshTask(), true);
    await close(again);
  });

  test("rows go into MariaDB by statements, with 16 connections and no more encoders than there are processors", async () => {
    const task = name("statements");
    const dump = writeDump(join(dir, task), [
      [1, "a"],
      [2, "b"],
      [1, "c"],
    ]);
    const subtask = subtaskOf({ ...target, statusPort: 10080 }, dump, { name: task, mode: "all" });
    subtask.routes = [{ "schema-pattern": "d", "target-schema": task }];
    Object.assign(subtask.loader, { importMode: "logical", poolSize: 16 });
    subtask.to.session = { tidb_skip_utf8_check: "1" };
    let encoders = 0;
    const startEncoder = (setup: WorkerSetup) => {
      encoders++;
      return inlineEncoder(setup);
    };
    const unit = new LoadUnit(
      subtask,
      environmentOf(target, join(dir, `${task}-state`), {
        engine: importEngine(commandIo({ encodeWorker: startEncoder })),
      }),
    );
    await unit.init();
    const ended = await unit.process();
    assert.deepEqual(ended, OK, JSON.stringify(ended.errors));
    const { rows } = await maria.query(`SELECT id, v FROM ${task}.t ORDER BY id`);
    assert.deepEqual(rows, [
      ["1", "c"],
      ["2", "b"],
    ]);
    assert.ok(encoders > 0 && encoders <= availableParallelism(), `${encoders} encoders`);
    await unit.close();
  });

  test("metrics count each failed run once, by DM's rule of what is resumable, and go with the unit", async () => {
    const task = name("counted");
    const metrics = newLoadMetrics();
    const one = await open(task, { dump: join(dir, "nowhere"), env: { metrics } });
    for (let i = 0; i < 2; i++) assert.equal((await one.unit.process()).errors[0]!.ErrCode, 11001);
    assert.match(
      metrics.exitWithError.text(),
      new RegExp(`task="${task}",source_id="source1",resumable_err="true"} 2\n$`),
    );
    await close(one);
    assert.equal(metrics.exitWithError.series, 0);
  });

  test("etcd away at each step: 42501, which may be resumed, and nothing is imported twice", async () => {
    const task = name("away");
    const sources = ["source1", "source2"];
    const peer = await open(task, { source: "source2", sources, worker: "worker2" });
    let inEngine: () => Promise<void> = async () => undefined;
    const one = await open(task, {
      sources,
      engine: async () => {
        await inEngine();
        return { tables: 1, rows: 1, sourceBytes: 1, sums: SUMS };
      },
    });
    const failsWith42501 = async (what: string, run: Promise<ProcessResult>) => {
      const { errors } = await run;
      assert.equal(errors[0]?.ErrCode, 42501, `${what}: ${JSON.stringify(errors)}`);
    };
    await etcd.down();
    await failsWith42501("before it joins", one.unit.process());
    await etcd.up();
    const waiting = one.unit.process();
    await until(() => one.unit.detail().waitingFor.length > 0);
    await etcd.down();
    await failsWith42501("at the first barrier", waiting);
    await etcd.up();
    inEngine = () => etcd.down();
    const peering = peer.unit.process();
    await failsWith42501("while it imports", one.unit.process());
    assert.equal(one.calls.length, 1);
    assert.match(await statusOf(task), /^source1 finished, /);
    await etcd.up();
    await peering;
    assert.deepEqual(await Promise.all([one.unit.resume(), peer.unit.resume()]), [OK, OK]);
    assert.equal(one.calls.length, 1);
    assert.equal(await statusOf(task), "source1 finished, source2 finished");
    await close(one, peer);
  });
}
