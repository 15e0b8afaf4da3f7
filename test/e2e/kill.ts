/** The real binary and a sandbox in another process, both killed at random moments, until an import is done; then every row is read back. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { connect, run, type SandboxAddresses, startSandboxProcess, targetFlags } from "./harness.ts";

export interface KillReport {
  importerKills: number;
  sandboxKills: number;
  rows: number;
  differences: string[];
}

const TABLES = 3;
const ROWS = 1500;

interface Dump {
  dir: string;
  /** Table → its rows as lines "id,v", sorted. */
  rows: Map<string, string[]>;
}

function makeDump(dir: string, random: Random): Dump {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, "k-schema-create.sql"), "CREATE DATABASE k;");
  const rows = new Map<string, string[]>();
  for (let table = 0; table < TABLES; table++) {
    const key = table === 0 ? "PRIMARY KEY CLUSTERED" : "PRIMARY KEY NONCLUSTERED";
    fs.writeFileSync(
      join(dir, `k.t${table}-schema.sql`),
      `CREATE TABLE t${table} (id BIGINT ${key}, v VARCHAR(200), KEY v (v));`,
    );
    const lines = Array.from({ length: ROWS }, (_, id) => {
      const text = Array.from({ length: 8 }, () => Math.floor(random.next() * 2 ** 31).toString(36)).join("");
      return `${id},${text}`;
    });
    fs.writeFileSync(join(dir, `k.t${table}.csv`), `id,v\n${lines.join("\n")}\n`);
    rows.set(`t${table}`, lines.sort());
  }
  return { dir, rows };
}

/** Starts the sandbox on the ports that it had before, if any. */
export function startSandbox(levin: string, dir: string, before?: SandboxAddresses, stores = 3) {
  const ports =
    before === undefined
      ? []
      : [
          ["--tidb-port", before.tidb.port],
          ["--tidb-status", before.status.port],
          ["--pd-port", before.pd[0]!.split(":")[1]!],
        ].flatMap((pair) => pair.map(String));
  return startSandboxProcess(levin, dir, stores, ports);
}

export function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("close", () => resolve());
    child.kill("SIGKILL");
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One import that is killed `kills` times on its way, or fewer when it is faster. */
export async function killImport(levin: string, dir: string, seed: number, kills: number): Promise<KillReport> {
  const random = seededRandom(seed);
  const dump = makeDump(join(dir, "dump"), random);
  const report: KillReport = { importerKills: 0, sandboxKills: 0, rows: 0, differences: [] };
  let sandbox = await startSandbox(levin, join(dir, "cluster"));
  try {
    const args = ["import", dump.dir, ...targetFlags(sandbox), "--state-dir", join(dir, "state")];
    args.push("--block-store", random.next() < 0.5 ? "files" : "level");
    for (let i = 0; i < kills; i++) {
      // Whoever writes the ranges, the next run may do it in another way.
      const child = spawn(levin, [...args, "--ingest-threads", String(i % 3)], { env: {}, stdio: "ignore" });
      // Most moments lie in the work; the first ones, where little is done, come up too.
      await pause(20 + random.next() ** 2 * 2500);
      const wasRunning = child.exitCode === null;
      await killed(child);
      if (wasRunning) report.importerKills++;
      if (random.next() < 0.3) {
        await killed(sandbox.child);
        report.sandboxKills++;
        sandbox = await startSandbox(levin, join(dir, "cluster"), sandbox);
      }
    }
    const ended = await run(levin, args);
    if (ended.code !== 0) report.differences.push(`seed ${seed}: exit code ${ended.code}: ${ended.err.slice(-600)}`);
    else await compare(sandbox, dump, report, seed);
  } finally {
    await killed(sandbox.child);
  }
  return report;
}

async function compare(addresses: SandboxAddresses, dump: Dump, report: KillReport, seed: number): Promise<void> {
  const sql = await connect(addresses);
  try {
    for (const [table, expected] of dump.rows) {
      const [found] = (await sql.query(`SELECT id, v FROM k.${table}`)) as unknown as [[string, string][]];
      const lines = found.map((row) => row.join(",")).sort();
      report.rows += lines.length;
      const differs = lines.length !== expected.length || lines.some((line, i) => line !== expected[i]);
      if (differs) report.differences.push(`seed ${seed}: ${table} has ${lines.length} rows of ${expected.length}`);
    }
  } finally {
    await sql.end();
  }
}
