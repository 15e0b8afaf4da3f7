/** What is around a unit: resumes by itself, pauses, stops, errors that need a person; and the control socket. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Clock, LevinError, seededRandom, systemClock } from "../../src/base/mod.ts";
import {
  askControl,
  controlPath,
  convertEngineError,
  DmError,
  dmError,
  LoadSession,
  type LoadUnit,
  type ProcessResult,
  processError,
  serveControl,
} from "../../src/load/mod.ts";
import { until } from "../until.ts";
import { temporaryDir } from "./support.ts";

type Ending = DmError | "finished" | "hangs";

/** A unit that ends its runs as it is told, and hangs until it is paused where it is told so. */
function unitOf(endings: Ending[]): { unit: LoadUnit; runs: unknown[] } {
  const runs: unknown[] = [];
  let failure: DmError | undefined;
  let pause: (() => void) | undefined;
  const unit = {
    process: async (_signal: unknown, acceptance: unknown): Promise<ProcessResult> => {
      runs.push(acceptance);
      const ending = endings.shift() ?? "finished";
      failure = undefined;
      if (ending === "finished") return { isCanceled: false, errors: [] };
      if (ending === "hangs") {
        await new Promise<void>((resolve) => {
          pause = resolve;
        });
        return { isCanceled: true, errors: [] };
      }
      failure = ending;
      return { isCanceled: false, errors: [processError(ending)] };
    },
    pause: async () => pause?.(),
    status: () => ({ finishedBytes: 0 }),
    get failure() {
      return failure;
    },
  };
  return { unit: unit as unknown as LoadUnit, runs };
}

function sessionOf(endings: Ending[], more: { stay?: boolean; autoResume?: boolean } = {}) {
  const { unit, runs } = unitOf(endings);
  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await systemClock.sleep(5, signal);
    },
  };
  const stop = new AbortController();
  const options = {
    unit,
    clock,
    random: seededRandom(1),
    signal: stop.signal,
    autoResume: true,
    stay: false,
    say: () => undefined,
  };
  return { session: new LoadSession({ ...options, ...more }), runs, waits, stop };
}

const passing = () => convertEngineError(new LevinError("Levin:Tidb:ErrUnavailable", "gone"));
const staying = () => convertEngineError(new LevinError("Levin:Encode:ErrDuplicateKey", "twice"));

test("resumes by itself after what may pass, with growing waits; not after what needs a person", async () => {
  const etcd = dmError("HAFailTxnOperation", ["x"]);
  const passes = sessionOf([etcd, passing(), passing(), "finished"]);
  assert.deepEqual(await passes.session.run(), { isCanceled: false, errors: [] });
  assert.equal(passes.session.state, "finished");
  assert.equal(passes.runs.length, 4);
  const [a, b, c] = passes.waits as [number, number, number];
  assert.ok(a >= 800 && a <= 1200 && b >= 1600 && b <= 2400 && c >= 3200 && c <= 4800, passes.waits.join());
  for (const ending of [staying(), dmError("LoadLightningHasDup", ["a", "b"])]) {
    const fails = sessionOf([ending]);
    assert.equal((await fails.session.run()).errors.length, 1);
    assert.deepEqual([fails.session.state, fails.runs.length], ["failed", 1]);
  }
  const never = sessionOf([passing()], { autoResume: false });
  await never.session.run();
  assert.equal(never.session.state, "failed");
});

test("metadata that does not come is waited for with an end; where its directory is missing, not at all", async () => {
  const missing = () => dmError("ParseMydumperMeta", ["/d/metadata not found", "not found"]);
  const waits = sessionOf(Array.from({ length: 200 }, missing));
  assert.equal((await waits.session.run()).errors[0]!.ErrCode, 11001);
  assert.equal(waits.session.state, "failed");
  const sum = waits.waits.reduce((all, ms) => all + ms, 0);
  assert.equal(sum, 60_000);
  // What comes in between counts for itself.
  const other = dmError("HAFailTxnOperation", ["x"]);
  const endings = [...Array.from({ length: 4 }, missing), other, ...Array.from({ length: 2 }, missing)];
  const comes = sessionOf([...endings, "finished"]);
  assert.equal((await comes.session.run()).errors.length, 0);
  const { kind, text } = missing();
  const never = sessionOf([new DmError(kind, text, { origin: new LevinError("Levin:Source:ErrUnreadable", text) })]);
  await never.session.run();
  assert.deepEqual([never.session.state, never.runs.length], ["failed", 1]);
});

test("pause, resume and stop on command; --stay waits for a person, who may accept", async () => {
  const held = sessionOf(["hangs", "hangs"]);
  const running = held.session.run();
  await until(() => held.runs.length === 1);
  await held.session.pause();
  await until(() => held.session.state === "paused");
  held.session.resume(undefined);
  await until(() => held.runs.length === 2);
  assert.equal(held.session.state, "running");
  assert.throws(() => held.session.resume(undefined), /the load is running/);
  await held.session.stop();
  assert.equal((await running).isCanceled, true);
  assert.deepEqual([held.session.state, held.runs.length], ["stopped", 2]);
  await assert.rejects(held.session.pause(), /the load is stopped/);
  const stays = sessionOf([staying()], { stay: true });
  const waiting = stays.session.run();
  await until(() => stays.session.state === "failed");
  const acceptance = { what: "duplicates", who: "me" } as const;
  stays.session.resume(acceptance);
  assert.deepEqual(await waiting, { isCanceled: false, errors: [] });
  assert.deepEqual(stays.runs, [undefined, acceptance]);
  const interrupted = sessionOf(["hangs"]);
  const ending = interrupted.session.run();
  await until(() => interrupted.runs.length === 1);
  interrupted.stop.abort();
  assert.equal((await ending).isCanceled, true);
  assert.equal(interrupted.session.state, "stopped");
});

test("control socket: answers, refusals, its owner only, a dead process's socket, long paths", async () => {
  const clock = systemClock;
  for (const dir of [temporaryDir(), join(temporaryDir(), "x".repeat(120))]) {
    fs.mkdirSync(dir, { recursive: true });
    assert.equal(await askControl(dir, { command: "ping" }, { clock }), undefined);
    fs.writeFileSync(controlPath(dir), "left by a killed process");
    const served = await serveControl(dir, clock, async ({ command, text }) => {
      if (command === "no") throw new Error("not now");
      return { echo: text };
    });
    assert.equal(fs.statSync(controlPath(dir)).mode & 0o777, 0o600);
    assert.deepEqual(await askControl(dir, { command: "say", text: "ü\n" }, { clock }), { ok: true, echo: "ü\n" });
    await assert.rejects(askControl(dir, { command: "no" }, { clock }), /Cannot no the load of ".*": not now/);
    await assert.rejects(
      serveControl(dir, clock, async () => ({})),
      /another process loads there/,
    );
    await served.close();
    assert.equal(fs.existsSync(controlPath(dir)), false);
    fs.rmSync(dir, { recursive: true });
  }
});
