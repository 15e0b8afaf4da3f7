import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { begin, isolatedBinary, makeLargeDump, run, startSandboxProcess, targetFlags } from "./harness.ts";

/** What PD and the stores show after `kill -9`: at once, and after `levin restore-cluster`. With LEVIN_TRANSCRIPT it is printed. */
const place = isolatedBinary();
let sandbox: Awaited<ReturnType<typeof startSandboxProcess>>;

before(async () => {
  sandbox = await startSandboxProcess(place.levin, join(place.dir, "cluster"), 3);
});
after(async () => {
  await sandbox.stop();
  fs.rmSync(place.dir, { recursive: true, force: true });
});

interface LabelRule {
  id: string;
  labels: { key: string; value: string; ttl?: string }[];
}

interface Shown {
  rules: LabelRule[];
  /** Stores whose limit of pending compaction is off, which import mode does. */
  importing: string[];
}

const textOf = async (url: string): Promise<string> => await (await fetch(url)).text();

async function look(what: string): Promise<Shown> {
  const rulesText = await textOf(`http://${sandbox.pd[0]}/pd/api/v1/config/region-label/rules`);
  const rules = ((JSON.parse(rulesText) ?? []) as LabelRule[]).filter(({ id }) => id.startsWith("levin-"));
  const importing: string[] = [];
  for (const address of sandbox.tikv) {
    const metrics = await textOf(`http://${address}/metrics`);
    if (/name="hard_pending_compaction_bytes_limit"\} 0$/m.test(metrics)) importing.push(address);
  }
  if (process.env["LEVIN_TRANSCRIPT"] !== undefined) {
    console.log(
      `== ${what}\nPD region-label rules of levin: ${JSON.stringify(rules)}\nstores in import mode: ${importing.join(" ") || "none"}`,
    );
  }
  return { rules, importing };
}

test("after kill -9 import mode and label rule are there with a limit; restore-cluster takes them away", {
  timeout: 120_000,
}, async () => {
  const dump = makeLargeDump(join(place.dir, "dump"), "l");
  const args = ["import", dump, ...targetFlags(sandbox), "--state-dir", join(place.dir, "state"), "--json"];

  const before = await look("before the import");
  assert.deepEqual(before, { rules: [], importing: [] });
  const running = begin(place.levin, args);
  await running.seen("engine");
  running.child.kill("SIGKILL");
  const killed = await look("at once after kill -9");
  assert.deepEqual(killed.importing, sandbox.tikv);
  assert.equal(killed.rules.length, 1);
  const label = killed.rules[0]!.labels.find(({ key }) => key === "schedule");
  // PD drops it by itself when this time is over; stores leave import mode after ten minutes (test/sim/time-limit.test.ts lets them pass).
  assert.deepEqual([label?.value, label?.ttl], ["deny", "300s"]);

  const [pd] = sandbox.pd;
  const restored = await run(place.levin, ["restore-cluster", ...targetFlags(sandbox)]);
  assert.equal(restored.code, 0, restored.err);
  if (process.env["LEVIN_TRANSCRIPT"] !== undefined)
    console.log(`== levin restore-cluster --pd-urls ${pd}\n${restored.out}`);
  assert.match(restored.out, /normal mode[\s\S]*removed from PD: levin-/);
  assert.deepEqual(await look("after levin restore-cluster"), { rules: [], importing: [] });

  const ended = await run(place.levin, args);
  assert.equal(ended.code, 0, ended.err);
  assert.deepEqual(await look("after the same command was run again and was done"), { rules: [], importing: [] });
});
