/** Units of one task as processes of their own, killed with -9 at each step, over each kind of coordination. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Etcd, etcdMissing } from "../load/etcd.ts";
import { writeDump } from "../load/support.ts";
import { until } from "../until.ts";
import { connect, isolatedBinary, type SandboxAddresses, startSandboxProcess } from "./harness.ts";

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

/** A DM task file with so many sources, each with its own dump of ten rows. */
function writeTask(task: string, size: number, at: SandboxAddresses): string {
  const instances = Array.from({ length: size }, (_, i) => {
    const dump = join(dir, task, `dump${i + 1}`);
    writeDump(
      `${dump}.${task}`,
      Array.from({ length: 10 }, (_, row) => [10 * i + row, `s${i + 1}`] as [number, string]),
    );
    return `  - source-id: source${i + 1}\n    route-rules: [all]\n    loader: { dir: "${dump}", import-mode: physical, pool-size: 1 }\n`;
  });
  const path = join(dir, `${task}.yaml`);
  const { tidb, status } = at;
  fs.writeFileSync(
    path,
    `name: ${task}
task-mode: all
target-database: { host: "${tidb.host}", port: ${tidb.port}, status-port: ${status.port}, user: root }
routes: { all: { schema-pattern: d, target-schema: ${task} } }
mysql-instances:
${instances.join("")}`,
  );
  return path;
}

class Unit {
  readonly #task: string;
  readonly #source: string;
  readonly #words: string[];
  readonly state: string;
  #child!: ChildProcess;
  ended!: Promise<number | null>;
  err = "";

  constructor(task: string, file: string, source: string, coord: string[]) {
    this.#task = task;
    this.#source = source;
    this.state = join(dir, task, `state-${source}`);
    this.#words = [
      "load",
      "run",
      "-c",
      file,
      "--source",
      source,
      "--state-dir",
      this.state,
      "--worker",
      `worker-of-${source}`,
      ...coord,
    ];
  }

  start(): void {
    const child = spawn(levin, this.#words, { env: {}, stdio: ["ignore", "ignore", "pipe"] });
    this.err = "";
    child.stderr.on("data", (part) => {
      this.err += String(part);
    });
    this.#child = child;
    this.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  }

  /** Of the log: what it waits for is said there. */
  said(what: RegExp): boolean {
    const path = join(this.state, "levin.log");
    return fs.existsSync(path) && what.test(fs.readFileSync(path, "utf8"));
  }

  forget(): void {
    fs.rmSync(join(this.state, "levin.log"), { force: true });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get title(): string {
    return `${this.#task} ${this.#source}`;
  }
}

const WAITS = /"message":"waiting for [^"]*","fields":\{"barrier":"(ready|verify|finish)"/;
const waitsAt = (barrier: string) => new RegExp(WAITS.source.replace("(ready|verify|finish)", barrier));
const STEPS = ["ready", "encode", "verify", "finish"] as const;

/** One of the units is killed at a step and begun again; the others resume by themselves. In the end every row is there once. */
async function killedAt(step: (typeof STEPS)[number], size: number, kind: string): Promise<void> {
  const task = `t_${kind}_${step}_${size}_${count++}`;
  const file = writeTask(task, size, sandbox);
  const coord =
    kind === "etcd"
      ? ["--etcd", etcd!.endpoint]
      : kind === "table"
        ? ["--coord", "table"]
        : ["--coord", `dir:${join(dir, "meet")}`];
  const units = Array.from({ length: size }, (_, i) => new Unit(task, file, `source${i + 1}`, coord));
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
for (const step of STEPS) {
  test(`five units in a directory, one killed with -9 at "${step}"`, { timeout }, () => killedAt(step, 5, "directory"));
}
