/** Reference §17 cases 8 and 9 against a real etcd, seen as DM's master sees it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/mod.ts";
import {
  type CoordIdentity,
  DmError,
  EtcdClient,
  EtcdStore,
  etcdKey,
  LEVIN_ALIVE,
  LIGHTNING_COORD,
  LOAD_TASK,
  parseEtcdKey,
} from "../../src/load/mod.ts";
import { until } from "../until.ts";
import { Etcd, etcdMissing, skipped } from "./etcd.ts";

const signal = new AbortController().signal;

if (etcdMissing) test("etcd", () => skipped("etcd"));
else {
  let etcd: Etcd;
  /** What DM's master holds: a plain client of its own. */
  let master: EtcdClient;
  const stores: EtcdStore[] = [];
  before(async () => {
    etcd = await Etcd.start();
    master = new EtcdClient({ endpoints: [etcd.endpoint], clock: systemClock });
  });
  after(async () => {
    for (const store of stores) await store.close();
    master.close();
    await etcd.close();
  });

  const store = (me: Partial<CoordIdentity>, ttlSeconds = 15): EtcdStore => {
    const made = new EtcdStore(
      { task: "task1", source: "source1", worker: "worker1", sources: [], ...me },
      { endpoints: [etcd.endpoint], clock: systemClock, ttlSeconds },
    );
    stores.push(made);
    return made;
  };
  const all = async (prefix: string): Promise<Record<string, string>> =>
    Object.fromEntries((await master.prefix(prefix)).entries.map(({ key, value }) => [key, value]));

  test("§17.8: load tasks: empty, put, get, put again, two sources, all, delete one, delete by task", async () => {
    const one = store({});
    assert.equal(await one.owner(), undefined);
    await one.join(signal);
    assert.equal(await one.owner(), "worker1");
    // Byte for byte what the reference gives.
    assert.equal((await master.get("/dm-master/load-task/7461736b31/736f7572636531"))?.value, '"worker1"');
    await one.leave();
    const again = store({ worker: "worker2" });
    await again.join(signal);
    assert.equal(await again.owner(), "worker2");
    const two = store({ source: "source2", worker: "worker3" });
    await two.join(signal);
    assert.deepEqual(await all(LOAD_TASK), {
      [etcdKey(LOAD_TASK, "task1", "source1")]: '"worker2"',
      [etcdKey(LOAD_TASK, "task1", "source2")]: '"worker3"',
    });
    await again.release();
    assert.equal(await again.owner(), undefined);
    assert.equal(await master.deletePrefix(etcdKey(LOAD_TASK, "task1")), 1n);
    assert.deepEqual(await all(LOAD_TASK), {});
    await two.clear();
    await again.leave();
    await two.leave();
    await two.clear();
  });

  test("§17.8: a watch sees two deletes and a put in order", async () => {
    const a = store({ task: "watched", worker: "w" });
    const b = store({ task: "watched", source: "source2", worker: "w" });
    await a.join(signal);
    await b.join(signal);
    const { revision } = await master.prefix(LOAD_TASK);
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { key, value, previous } of master.watch(LOAD_TASK, revision + 1n, stop.signal)) {
        const { source } = parseEtcdKey(LOAD_TASK, key)!;
        seen.push(`${source} ${previous} -> ${value}`);
        if (seen.length === 3) return;
      }
    })();
    await a.release();
    await b.release();
    await a.leave();
    await store({ task: "watched", worker: "other" }).join(signal);
    await watching;
    stop.abort();
    assert.deepEqual(seen, ['source1 "w" -> undefined', 'source2 "w" -> undefined', 'source1 undefined -> "other"']);
  });

  test("§17.9: coordination: empty, not-ready for two, one ready, delete all", async () => {
    const task = "coord";
    assert.deepEqual(await all(etcdKey(LIGHTNING_COORD, task)), {});
    const one = store({ task, sources: ["source1", "source2"] });
    await one.join(signal);
    const key = (source: string) => etcdKey(LIGHTNING_COORD, task, source);
    assert.deepEqual(await all(etcdKey(LIGHTNING_COORD, task)), {
      [key("source1")]: '"not-ready"',
      [key("source2")]: '"not-ready"',
    });
    await one.setState("ready");
    assert.deepEqual(await all(etcdKey(LIGHTNING_COORD, task)), {
      [key("source1")]: '"ready"',
      [key("source2")]: '"not-ready"',
    });
    assert.deepEqual(
      (await one.members()).map(({ source, state, alive }) => [source, state, alive]),
      [
        ["source1", "ready", true],
        ["source2", "not-ready", undefined],
      ],
    );
    await one.clear();
    assert.deepEqual(await all(etcdKey(LIGHTNING_COORD, task)), {});
    assert.equal(etcdKey(LIGHTNING_COORD, "task1"), "/dm-master/lightning-coord/7461736b31/");
  });

  test("joining leaves what DM's master and other sources have written as it is", async () => {
    const task = "kept";
    await master.write([
      { key: etcdKey(LIGHTNING_COORD, task, "source1"), value: '"finished"' },
      { key: etcdKey(LIGHTNING_COORD, task, "source2"), value: '"ready"' },
    ]);
    await store({ task, sources: ["source1", "source2", "source3"] }).join(signal);
    assert.deepEqual(Object.values(await all(etcdKey(LIGHTNING_COORD, task))), [
      '"finished"',
      '"ready"',
      '"not-ready"',
    ]);
  });

  test("a living worker's source is not taken, a dead one's is when its lease has run out", async () => {
    const task = "lease";
    const first = store({ task, worker: "first" }, 2);
    await first.join(signal);
    await assert.rejects(store({ task, worker: "second" }).join(signal), (error: DmError) => {
      assert.ok(error instanceof DmError);
      assert.match(
        error.message,
        /^\[code=34017:.*previous worker: first, current worker: second, Workaround: Please check/,
      );
      return true;
    });
    // What DM wrote has no lease: it is taken over, as DM does.
    await master.write([{ key: etcdKey(LOAD_TASK, task, "source9"), value: '"dm-worker"' }]);
    const nine = store({ task, source: "source9", worker: "levin" });
    await nine.join(signal);
    assert.equal(await nine.owner(), "levin");
    // As if killed: nobody renews.
    const alive = etcdKey(LEVIN_ALIVE, task, "source1");
    first.client.close();
    const seconds = store({ task, worker: "second" });
    await until(async () => (await master.get(alive)) === undefined);
    const members = await seconds.members();
    assert.deepEqual([members[0]?.alive, members[0]?.worker], [false, "first"]);
    await seconds.join(signal);
    assert.equal(await seconds.owner(), "second");
  });

  test("a wait ends at the change, not at a poll; an invalid value is 42502", async () => {
    const task = "wake";
    const one = store({ task, sources: ["source1", "source2"] });
    await one.join(signal);
    await one.members();
    const started = performance.now();
    const woken = one.changed(60_000, signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await master.write([{ key: etcdKey(LIGHTNING_COORD, task, "source2"), value: '"ready"' }]);
    await woken;
    const waited = performance.now() - started;
    assert.ok(waited >= 190 && waited < 30_000, `${waited} ms`);
    // Who compares for all waits for what the others have sent.
    await one.members();
    const sums = one.changed(20_000, signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const other = store({ task, source: "source2", sources: ["source1", "source2"] });
    const saidMs = performance.now();
    await other.setSums({});
    await sums;
    assert.ok(performance.now() - saidMs < 15_000, "sums are a change");
    await master.write([{ key: etcdKey(LIGHTNING_COORD, task, "source2"), value: "ready" }]);
    await assert.rejects(
      one.members(),
      /code=42502:class=ha:scope=internal:level=high\], Message: meets invalid ha item: /,
    );
  });

  test("a wait whose watch is lost looks again soon, not at the end of its time", async () => {
    const one = store({ task: "lost", sources: ["source1"] });
    await one.join(signal);
    await one.members();
    const woken = one.changed(60_000, signal);
    const started = performance.now();
    await etcd.down();
    await woken;
    const waited = performance.now() - started;
    assert.ok(waited < 30_000, `${waited} ms`);
    await etcd.up();
    // Nor does it look without a pause while there is no watch to be had.
    assert.ok(waited >= 900, `${waited} ms`);
  });
}
