/** Units of one task as processes of their own, killed with -9 at each step, over each kind of coordination. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Etcd, etcdMissing } from "../load/etcd.ts";
import { until } from "../until.ts";
import { connect, isolatedBinary, startSandboxProcess } from "./harness.ts";
import { Unit, writeTask } from "./units.ts";

let dir: string;
let levin: string;
let sandbox: Awaited<ReturnType<typeof startSandboxProcess>>;
let etcd: Etcd | undefined;
let count = 0;
const LIMIT_MS = 60_000;

before(async () => {
  ({ dir, levin } = isolatedBinary());
  sandbox = await startSandboxProcess(levin, join(dir, "cluster"), 1);
  if (!etcdMissing) etcd = await Etcd.start();
});
after(async () => {
  await sandbox.stop();
  await etcd?.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const WAITS = /"message":"waiting for [^"]*","fields":\{"barrier":"(ready|verify|finish)"/;
const waitsAt = (barrier: string) => new RegExp(WAITS.source.replace("(ready|verify|finish)", barrier));
const STEPS = ["ready", "encode", "verify", "finish"] as const;

/** One of the units is killed at a step and begun again; the others resume by themselves. In the end every row is there once. */
async function killedAt(step: (typeof STEPS)[number], size: number, kind: string): Promise<void> {
  const task = `t_${kind}_${step}_${size}_${count++}`;
  const place = { dir, levin, ...sandbox.tidb, statusPort: sandbox.status.port };
  const file = writeTask(place, task, size);
  const coord =
    kind === "etcd"
      ? ["--etcd", etcd!.endpoint]
      : kind === "table"
        ? ["--coord", "table"]
        : ["--coord", `dir:${join(dir, "meet")}`];
  const units = Array.from({ length: size }, (_, i) => new Unit(place, task, file, `source${i + 1}`, coord));
  // The last by name compares checksums for all.
  const doomed = step === "verify" ? units.at(-1)! : units[0]!;
  const held = units.filter((unit) => unit !== doomed);
  doomed.start();
  const come = (what: string, wanted: () => boolean): Promise<void> =>
    until(wanted, () => `${doomed.title} ${what}\n${doomed.err}`, LIMIT_MS);
  await come("waits", () => doomed.said(waitsAt("ready")));
  if (step !== "ready") {
    for (const unit of held) unit.start();
    await come("imports", () => doomed.said(/"kind":"plan"/));
    if (step !== "encode") {
      // Or it was the last to come, and has waited for nobody.
      await come(`waits at ${step}`, () => doomed.said(waitsAt(step)) || doomed.said(/"kind":"summary"/));
    }
  }
  doomed.signal("SIGKILL");
  await doomed.ended;
  doomed.forget();
  doomed.start();
  if (step === "ready") for (const unit of held) unit.start();
  for (const unit of units) assert.equal(await unit.ended, 0, `${unit.title}: ${unit.err}`);
  const sql = await connect(sandbox);
  const [rows] = await sql.query(`SELECT id FROM ${task}.t ORDER BY id`);
  const [list] = await sql.query(`SELECT status FROM dm_meta.${task}_lightning_checkpoint_list`);
  sql.destroy();
  const ids = Array.from({ length: 10 * size }, (_, i) => String(i));
  assert.deepEqual(
    [(rows as unknown[][]).map((row) => String(row[0])), list],
    [ids, Array.from({ length: size }, () => ["finished"])],
  );
}

const timeout = 3 * LIMIT_MS;
for (const kind of ["directory", "table", "etcd"]) {
  if (kind === "etcd" && etcdMissing) continue;
  test(`${kind}: two units, one killed with -9 at ${STEPS.join(", ")}`, { timeout }, async () => {
    await Promise.all(STEPS.map((step) => killedAt(step, 2, kind)));
  });
}
// Every step of each is in `npm run test:long units`.
const FIVE: [string, (typeof STEPS)[number][]][] = [
  ["directory", ["ready", "finish"]],
  ["table", ["encode", "verify"]],
  ["etcd", ["ready", "encode", "verify", "finish"]],
];
for (const [kind, steps] of FIVE) {
  if (kind === "etcd" && etcdMissing) continue;
  test(`${kind}: five units, one killed with -9 at ${steps.join(", ")}`, { timeout }, async () => {
    for (const step of steps) await killedAt(step, 5, kind);
  });
}
