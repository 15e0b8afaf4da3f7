/** The ceiling of memory that the plan names holds for the whole process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeWorkload } from "../bench/data/workloads.ts";
import { isolatedBinary, startSandboxProcess, targetFlags } from "./harness.ts";

const MIB = 1 << 20;
const SOURCE_BYTES = 80e6;
const CEILING_MIB = 256;
/** Two threads that write are planned with 64 MiB. */
const WRITERS_CEILING_MIB = 320;
/** 334 MiB when their models were objects and a worker kept all tables of its batch, 232 since. */
const TABLES = 2000;
const TABLES_CEILING_MIB = 272;

const { dir, levin } = isolatedBinary();
after(() => rmSync(dir, { recursive: true, force: true }));

/** Highest resident set of another process so far, mapped files included; 0 when it has ended. */
function peakBytes(pid: number): number {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Runs an import with one worker into a sandbox; what its plan says and the highest resident set that was seen. */
async function importWatched(
  name: string,
  source: string,
  ceilingMib: number,
  more: readonly string[] = [],
): Promise<{ plan: number; peak: number }> {
  const sandbox = await startSandboxProcess(levin, join(dir, `cluster-${name}`), 1);
  try {
    const state = join(dir, `state-${name}`);
    const flags = ["--workers", "1", "--memory", `${ceilingMib}MiB`, "--json", "--state-dir", state, ...more];
    const child = spawn(levin, ["import", source, ...targetFlags(sandbox), ...flags], {
      env: {},
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    child.stdout.on("data", (part) => {
      out += String(part);
    });
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, peakBytes(child.pid!));
    }, 20);
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearInterval(watch);
    assert.equal(code, 0);
    const events = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const plan = events.find(({ kind }) => kind === "plan")!["fields"] as { memoryBytes: number };
    assert.ok(peak > 64 * MIB, "the peak was seen");
    return { plan: plan.memoryBytes, peak };
  } finally {
    await sandbox.stop();
  }
}

test(`an import with --memory ${CEILING_MIB}MiB takes no more`, { timeout: 120_000 }, async () => {
  const source = join(dir, "source");
  const { sourceBytes } = makeWorkload("lineitem", source, SOURCE_BYTES, 1);
  const { plan, peak } = await importWatched("rows", source, CEILING_MIB);
  assert.ok(plan <= CEILING_MIB * MIB, `the plan takes ${plan}`);
  assert.ok(peak <= CEILING_MIB * MIB, `${(peak / MIB).toFixed(0)} MiB for ${sourceBytes} bytes of source`);
});

test(`threads that write keep --memory ${WRITERS_CEILING_MIB}MiB`, { timeout: 120_000 }, async () => {
  const source = join(dir, "source-writers");
  makeWorkload("lineitem", source, SOURCE_BYTES, 1);
  const { plan, peak } = await importWatched("writers", source, WRITERS_CEILING_MIB, ["--ingest-threads", "2"]);
  assert.ok(plan <= WRITERS_CEILING_MIB * MIB, `the plan takes ${plan}`);
  assert.ok(peak <= WRITERS_CEILING_MIB * MIB, `${(peak / MIB).toFixed(0)} MiB`);
});

test(`many tables keep --memory ${TABLES_CEILING_MIB}MiB too`, { timeout: 120_000 }, async () => {
  const source = join(dir, "tables");
  const { tables } = makeWorkload("many-tables", source, TABLES * 1000, 1);
  assert.equal(tables.length, TABLES);
  const { plan, peak } = await importWatched("tables", source, TABLES_CEILING_MIB);
  assert.ok(plan <= TABLES_CEILING_MIB * MIB, `the plan takes ${plan}`);
  assert.ok(peak <= TABLES_CEILING_MIB * MIB, `${(peak / MIB).toFixed(0)} MiB for ${TABLES} tables`);
});
