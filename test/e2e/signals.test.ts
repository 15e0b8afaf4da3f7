import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type Begun,
  begin,
  isolatedBinary,
  makeLargeDump,
  run,
  type SandboxAddresses,
  startSandboxProcess,
  targetFlags,
} from "./harness.ts";

const place = isolatedBinary();
let sandbox: Awaited<ReturnType<typeof startSandboxProcess>>;
let stuck: Promise<void>;

before(async () => {
  sandbox = await startSandboxProcess(place.levin, join(place.dir, "cluster"), 3);
  stuck = peersThatAnswerNoMore();
  stuck.catch(() => undefined);
});
after(async () => {
  await sandbox.stop();
  fs.rmSync(place.dir, { recursive: true, force: true });
});

const argsOf = (name: string, target: SandboxAddresses = sandbox): string[] => [
  "import",
  makeLargeDump(join(place.dir, name), name),
  ...targetFlags(target),
  "--state-dir",
  join(place.dir, `${name}.state`),
  "--json",
];

async function isDone(name: string): Promise<boolean> {
  const status = await run(place.levin, ["status", join(place.dir, `${name}.state`), "--json"]);
  return (JSON.parse(status.out) as { done: boolean }).done;
}

describe("signals", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`the first ${signal} stops cleanly with 130, and the same command continues`, {
      timeout: 90_000,
    }, async () => {
      const name = `one_${signal.toLowerCase()}`;
      // Ended while threads write, or while the import's own one does.
      const args = [...argsOf(name), "--ingest-threads", signal === "SIGINT" ? "2" : "0"];
      const running = begin(place.levin, args);
      await running.seen("engine");
      running.child.kill(signal);
      const { code, err } = await running.ended;
      assert.equal(code, 130, err);
      assert.match(err, /interrupted/i);
      assert.equal(await isDone(name), false);
      const rules = await fetch(`http://${sandbox.pd[0]}/pd/api/v1/config/region-label/rules`);
      assert.doesNotMatch(await rules.text(), /levin-/, "nothing is left in the cluster");
      assert.equal((await run(place.levin, args)).code, 0);
      assert.equal(await isDone(name), true);
    });
  }

  test("SIGHUP does not end a run", { timeout: 90_000 }, async () => {
    const running = begin(place.levin, argsOf("hup"));
    await running.seen("engine");
    running.child.kill("SIGHUP");
    assert.deepEqual((await running.ended).code, 0);
    assert.equal(await isDone("hup"), true);
  });

  test("a closed terminal does not end a run", { timeout: 90_000 }, async () => {
    const args = argsOf("terminal").filter((word) => word !== "--json");
    // `script` gives it a terminal; when that process is killed the terminal is gone and the run gets SIGHUP and errors on writing.
    const command = [place.levin, ...args].join(" ");
    const terminal = spawn("script", ["-qfc", command, "/dev/null"], { env: { PATH: "/usr/bin:/bin" } });
    await new Promise((resolve, reject) => {
      terminal.stdout.once("data", resolve);
      terminal.on("error", reject);
    });
    terminal.kill("SIGKILL");
    for (let left = 300; left > 0 && !(await isDone("terminal").catch(() => false)); left--) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.equal(await isDone("terminal"), true);
  });

  test(
    "peers that answer no more do not keep a run; a second signal ends it at once",
    {
      timeout: 120_000,
    },
    () => stuck,
  );
});

/** Most of its time is waiting for peers that do not answer, so it runs beside the other tests, into a sandbox of its own. */
async function peersThatAnswerNoMore(): Promise<void> {
  const frozen = await startSandboxProcess(place.levin, join(place.dir, "frozen"), 3);
  try {
    const args = [...argsOf("stuck", frozen), "--ingest-threads", "2"];
    const [patient, hasty] = [args, argsOf("hasty", frozen)].map((words) => begin(place.levin, words)) as [
      Begun,
      Begun,
    ];
    await Promise.all([patient.seen("engine"), hasty.seen("check")]);
    frozen.child.kill("SIGSTOP");
    try {
      const started = performance.now();
      for (const { child } of [patient, hasty]) child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.equal(hasty.child.exitCode, null, "it tries to undo what it did");
      hasty.child.kill("SIGINT");
      assert.equal((await hasty.ended).code, 130);
      const hastyMs = performance.now() - started;
      const { code, err } = await patient.ended;
      const patientMs = performance.now() - started;
      assert.equal(code, 130, err);
      assert.ok(patientMs < 60_000, `${patientMs} ms`);
      assert.ok(hastyMs < patientMs / 2, `${hastyMs} ms of ${patientMs} ms`);
    } finally {
      frozen.child.kill("SIGCONT");
    }
    assert.equal((await run(place.levin, args)).code, 0);
  } finally {
    await frozen.stop();
  }
}
