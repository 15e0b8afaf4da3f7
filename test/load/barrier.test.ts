/** Barriers over each kind of place: two and five units, one of them killed at every step. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { type Clock, systemClock, systemFiles } from "../../src/base/mod.ts";
import {
  Barrier,
  BeatStore,
  type CoordStore,
  DirectoryPlace,
  EtcdStore,
  type LoadState,
  noCoordination,
  TablePlace,
} from "../../src/load/mod.ts";
import { connectTidb, type Tidb } from "../../src/tidb/mod.ts";
import { Place } from "../e2e/in-process.ts";
import { Etcd, etcdMissing, skipped } from "./etcd.ts";
import { targetOptions, temporaryDir } from "./support.ts";

const dir = temporaryDir();
const LEASE_MS = 600;
let place: Place;
let tidb: Tidb;
let etcd: Etcd | undefined;
let count = 0;

before(async () => {
  place = await Place.open();
  const { host, port, statusPort } = place.sandbox.front;
  tidb = await connectTidb({ ...targetOptions({ host, port, statusPort }), connectionsMax: 8 });
  if (etcdMissing) skipped("etcd");
  else etcd = await Etcd.start();
});
after(async () => {
  await tidb.close();
  await place.close();
  await etcd?.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

type Kind = "directory" | "table" | "etcd";
const kinds: Kind[] = etcdMissing ? ["directory", "table"] : ["directory", "table", "etcd"];

function makeStore(
  kind: Kind,
  task: string,
  source: string,
  worker: string,
  sources: string[],
  clock: Clock,
): CoordStore {
  const me = { task, source, worker, sources };
  const options = { clock, leaseMs: LEASE_MS, pollMs: 20 };
  if (kind === "etcd") return new EtcdStore(me, { endpoints: [etcd!.endpoint], clock, ttlSeconds: 2 });
  const where =
    kind === "table" ? new TablePlace(tidb, "dm_meta", task) : new DirectoryPlace(systemFiles, systemClock, dir, task);
  return new BeatStore(kind, me, where, options);
}

/** A unit reduced to its steps at the meeting places; `dieBefore` ends it there as a kill would: without a word. */
const STEPS = ["join", "ready", "load", "finished", "leave"] as const;
type Step = (typeof STEPS)[number];

interface World {
  task: string;
  kind: Kind;
  sources: string[];
  states: Map<string, LoadState>;
  /** Sources that have begun to load, and those that have left the last barrier. */
  log: string[];
}

class Killed extends Error {}

/** Once dead, nobody wakes up: no lease is renewed, nothing is taken back. */
function mortal(): Clock & { die(): void } {
  let dead = false;
  return {
    ...systemClock,
    sleep: (ms, signal) =>
      dead
        ? new Promise(() => undefined)
        : systemClock.sleep(ms, signal).then(() => (dead ? new Promise(() => undefined) : undefined)),
    die: () => {
      dead = true;
    },
  };
}

async function runUnit(world: World, source: string, dieBefore?: Step): Promise<void> {
  const { task, kind, sources, states, log } = world;
  const clock = mortal();
  const store = makeStore(kind, task, source, `worker of ${source}`, sources, clock);
  const signal = new AbortController().signal;
  const barrier = new Barrier({
    clock,
    store,
    task,
    source,
    expectSources: sources.length,
    patienceMs: 30_000,
    graceMs: 200,
    listStates: async () => states,
    onWait: () => undefined,
  });
  const step = async (name: Step, run: () => Promise<void>): Promise<void> => {
    if (name === dieBefore) {
      clock.die();
      throw new Killed(name);
    }
    await run();
  };
  try {
    await step("join", () => store.join(signal));
    if (states.get(source) !== "finished") {
      await step("ready", () => barrier.readyAndWait(signal));
      await step("load", async () => {
        log.push(`load ${source}`);
        states.set(source, "running");
      });
      states.set(source, "finished");
    }
    await step("finished", async () => {
      await barrier.finishAndWait(signal);
      log.push(`done ${source} of ${[...states.values()].filter((state) => state === "finished").length}`);
    });
    await step("leave", () => store.leave());
    await store.close();
  } catch (error) {
    if (!(error instanceof Killed)) await store.close();
    throw error;
  }
}

const settled = (runs: Promise<void>[]) => Promise.allSettled(runs);

/** Runs all, one of which dies before a step; then all that have not come through again. */
async function withOneKilled(kind: Kind, size: number, step: Step): Promise<void> {
  const sources = Array.from({ length: size }, (_, i) => `source${i + 1}`);
  const world: World = { task: `killed ${step} ${count++}`, kind, sources, states: new Map(), log: [] };
  const doomed = sources.at(-1)!;
  const runs = sources.map((source) => runUnit(world, source, source === doomed ? step : undefined));
  const results = settled(runs);
  await assert.rejects(runs.at(-1)!, Killed);
  // One that never came is not known to be dead: the others wait for it.
  let again: Promise<PromiseSettledResult<void>[]> | undefined;
  if (step === "join") again = settled([runUnit(world, doomed)]);
  const first = await results;
  for (const [i, result] of first.entries()) {
    const what = `${kind}, ${size} units, killed before ${step}: ${sources[i]}`;
    if (i === size - 1) continue;
    if (step === "join" || step === "leave") assert.equal(result.status, "fulfilled", what);
    else {
      assert.equal(result.status, "rejected", what);
      assert.match(
        String((result as PromiseRejectedResult).reason),
        /code=42502.*the lease of source\d \(worker worker of source\d, .* has run out/,
        what,
      );
    }
  }
  again ??= settled(sources.filter((_, i) => first[i]!.status === "rejected").map((source) => runUnit(world, source)));
  assert.deepEqual(
    (await again).filter(({ status }) => status === "rejected"),
    [],
    `${kind} ${step}`,
  );
  const done = world.log.filter((line) => line.startsWith("done"));
  for (const line of done) assert.ok(line.endsWith(` of ${size}`), `${kind} ${step}: ${line}`);
  assert.ok(sources.every((source) => done.some((line) => line.startsWith(`done ${source} `))));
}

for (const kind of kinds) {
  for (const size of [2, 5]) {
    test(`${kind}: ${size} units begin together and end together`, async () => {
      const sources = Array.from({ length: size }, (_, i) => `source${i + 1}`);
      const world: World = { task: `together ${count++}`, kind, sources, states: new Map(), log: [] };
      await Promise.all(sources.map((source) => runUnit(world, source)));
      const done = world.log.filter((line) => line.startsWith("done"));
      assert.equal(done.length, size);
      for (const line of done) assert.match(line, new RegExp(`of ${size}$`));
    });
  }
  test(`${kind}: two and five units, one killed before each step, all come through at last`, async () => {
    await Promise.all([2, 5].flatMap((size) => STEPS.map((step) => withOneKilled(kind, size, step))));
  });
}

test("marks of an earlier attempt do not count, those who are missing are named", async () => {
  const sources = ["a", "b"];
  const states = new Map<string, LoadState>([["b", "running"]]);
  const stale = makeStore("directory", "stale", "b", "w", sources, systemClock);
  const signal = new AbortController().signal;
  await stale.join(signal);
  await stale.setState("finished");
  await stale.leave();
  const store = makeStore("directory", "stale", "a", "w", sources, systemClock);
  await store.join(signal);
  const waits: string[] = [];
  const barrier = new Barrier({
    clock: systemClock,
    store,
    task: "stale",
    source: "a",
    expectSources: 3,
    patienceMs: 300,
    graceMs: 100,
    listStates: async () => states,
    onWait: (missing) => void waits.push(...missing),
  });
  await assert.rejects(
    barrier.finishAndWait(signal),
    /code=42502.*still waiting after 0 s for b \(worker w, finished\), source 3 of 3 \(not-ready\)/,
  );
  assert.deepEqual(waits, ["b (worker w, finished)", "source 3 of 3 (not-ready)"]);
  const stop = new AbortController();
  const waiting = new Barrier({ ...barrierOptions(store), listStates: async () => states }).finishAndWait(stop.signal);
  stop.abort(new Error("paused"));
  await assert.rejects(waiting, /paused/);
  states.set("b", "finished");
  await new Barrier({ ...barrierOptions(store), listStates: async () => states }).finishAndWait(signal);
  await store.close();
});

test("a wait for one who is gone ends with his grace, not at the next look", async () => {
  let nowMs = 0;
  const waits: number[] = [];
  const gone = { source: "b", state: "not-ready", worker: "w", alive: false, sums: undefined } as const;
  const store: CoordStore = {
    ...noCoordination,
    kind: "etcd",
    members: async () => [{ ...gone, source: "a" }, gone],
    changed: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
  };
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const options = { ...barrierOptions(store), clock, patienceMs: 60_000, listStates: async () => new Map() };
  const { signal } = new AbortController();
  await assert.rejects(
    new Barrier({ ...options, graceMs: 7_000 }).readyAndWait(signal),
    /the lease of b .* has run out/,
  );
  assert.deepEqual(waits, [5_000, 2_000]);
});

function barrierOptions(store: CoordStore) {
  return {
    clock: systemClock,
    store,
    task: "stale",
    source: "a",
    expectSources: 2,
    patienceMs: 5_000,
    graceMs: 100,
    onWait: () => undefined,
  };
}
