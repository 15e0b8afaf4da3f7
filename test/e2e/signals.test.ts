import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isolatedBinary, run, startSandboxProcess, targetFlags } from "./harness.ts";

const place = isolatedBinary();
let sandbox: Awaited<ReturnType<typeof startSandboxProcess>>;

before(async () => {
  sandbox = await startSandboxProcess(place.levin, join(place.dir, "cluster"), 3);
});
after(async () => {
  await sandbox.stop();
  fs.rmSync(place.dir, { recursive: true, force: true });
});

/** Some megabytes, so that there is time to send signals; a database of its own. */
function makeDump(name: string): string {
  const dir = join(place.dir, name);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, `${name}-schema-create.sql`), `CREATE DATABASE ${name};`);
  fs.writeFileSync(
    join(dir, `${name}.t-schema.sql`),
    "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(90), KEY v (v));",
  );
  const rows = Array.from(
    { length: 25_000 },
    (_, i) => `${i},${((i * 2654435761) % 2 ** 32).toString(16).repeat(6)}\n`,
  );
  fs.writeFileSync(join(dir, `${name}.t.csv`), `id,v\n${rows.join("")}`);
  return dir;
}

const argsOf = (name: string): string[] => [
  "import",
  makeDump(name),
  ...targetFlags(sandbox),
  "--state-dir",
  join(place.dir, `${name}.state`),
  "--json",
];

interface Running {
  child: ChildProcess;
  /** Resolves when an event of the kind has been seen. */
  seen(kind: string): Promise<void>;
  ended: Promise<{ code: number | null; signal: string | null; err: string }>;
}

function begin(args: string[]): Running {
  const child = spawn(place.levin, args, { env: {}, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  const waiting = new Map<string, () => void>();
  child.stdout.on("data", (part) => {
    out += String(part);
    for (const [kind, resolve] of waiting) if (out.includes(`"kind":"${kind}"`)) resolve();
  });
  child.stderr.on("data", (part) => {
    err += String(part);
  });
  return {
    child,
    seen: (kind) => new Promise((resolve) => waiting.set(kind, resolve)),
    ended: new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, err }))),
  };
}

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
      const args = argsOf(name);
      const running = begin(args);
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
    const running = begin(argsOf("hup"));
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

  test("peers that answer no more do not keep a run; a second signal ends it at once", {
    timeout: 120_000,
  }, async () => {
    const args = argsOf("stuck");
    const [patient, hasty] = [begin(args), begin([...args.slice(0, -2), join(place.dir, "hasty.state"), "--json"])];
    await Promise.all([patient.seen("engine"), hasty.seen("check")]);
    sandbox.child.kill("SIGSTOP");
    try {
      const started = performance.now();
      for (const { child } of [patient, hasty]) child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.equal(hasty.child.exitCode, null, "it tries to undo what it did");
      hasty.child.kill("SIGINT");
      assert.equal((await hasty.ended).code, 130);
      const hastyMs = performance.now() - started;
      assert.ok(hastyMs < 6000, `${hastyMs} ms`);
      const { code, err } = await patient.ended;
      const patientMs = performance.now() - started;
      assert.equal(code, 130, err);
      assert.ok(patientMs < 60_000, `${patientMs} ms`);
    } finally {
      sandbox.child.kill("SIGCONT");
    }
    assert.equal((await run(place.levin, args)).code, 0);
  });
});
