/** Imports whose disk or limits give out: a clear error, the state kept, and the same command ends it when the cause is gone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { connect, type SandboxAddresses, targetFlags } from "./harness.ts";

export const ROWS = 12_000;

export interface Limits {
  levin: string;
  dir: string;
  sandbox: SandboxAddresses;
}

function makeDump(dir: string, name: string): string {
  const dump = join(dir, name);
  fs.mkdirSync(dump, { recursive: true });
  fs.writeFileSync(join(dump, `${name}-schema-create.sql`), `CREATE DATABASE ${name};`);
  fs.writeFileSync(
    join(dump, `${name}.t-schema.sql`),
    "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(200), KEY v (v));",
  );
  const rows = Array.from({ length: ROWS }, (_, i) => `${i},${((i * 2654435761) % 2 ** 32).toString(16).repeat(12)}\n`);
  fs.writeFileSync(join(dump, `${name}.t.csv`), `id,v\n${rows.join("")}`);
  return dump;
}

/** Runs through a shell that sets a limit first, for instance `ulimit -f 1024`. */
function runUnder(limit: string, levin: string, args: string[]): { code: number | null; text: string } {
  const words = [levin, ...args].map((word) => `'${word}'`).join(" ");
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `${limit}; exec ${words}`], {
    env: {},
    encoding: "utf8",
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  return { code: status, text: `${stdout}${stderr}` };
}

/**
 * An import fails under a limit with what `expected` says, and ends without it; every row is there. Of several limits, each tighter than the
 * one before, the first that is too tight counts.
 */
export async function failThenEnd(
  place: Limits,
  name: string,
  more: string[],
  limits: string | string[],
  expected: { code: number; text: RegExp },
  options: { stateDir?: string; mend?: () => void; isKept?: boolean } = {},
): Promise<void> {
  const [limit, ...tighter] = [limits].flat();
  const { levin, dir, sandbox } = place;
  const state = options.stateDir ?? join(dir, `${name}.state`);
  const args = ["import", makeDump(dir, name), ...targetFlags(sandbox), "--state-dir", state];
  const failed = runUnder(limit!, levin, [...args, ...more]);
  if (failed.code === 0 && tighter.length > 0)
    return failThenEnd(place, `${name}${tighter.length}`, more, tighter, expected, options);
  assert.match(failed.text, expected.text);
  assert.equal(failed.code, expected.code, failed.text);
  if (options.isKept !== false) assert.ok(fs.existsSync(join(state, "journal")), "the state is kept");
  options.mend?.();
  const ended = runUnder("true", levin, [...args, ...more.filter((word) => !word.startsWith("--check-req"))]);
  assert.equal(ended.code, 0, ended.text);
  const sql = await connect(sandbox);
  try {
    const [[row]] = (await sql.query(`SELECT COUNT(*) FROM ${name}.t`)) as unknown as [[[string]]];
    assert.equal(Number(row[0]), ROWS);
  } finally {
    await sql.end();
  }
}
