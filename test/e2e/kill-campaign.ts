import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../src/base/mod.ts";
import { conflictForms, killConflictImport, noKills, randomMoments } from "./conflict-kill.ts";
import { isolatedBinary } from "./harness.ts";
import { killImport } from "./kill.ts";

const KILLS_EACH = 8;
const CONFLICT_KILLS_EACH = 12;

/** Imports whose processes are killed, for so long, every other one of rows in each other's way; prints kills and differences. */
export async function killCampaign(seconds: number, seed: number): Promise<boolean> {
  execFileSync(process.execPath, ["build.ts"], {
    cwd: new URL("../..", import.meta.url).pathname,
  });
  const place = isolatedBinary();
  const started = performance.now();
  const plain = { imports: 0, importerKills: 0, sandboxKills: 0, rows: 0 };
  const conflicts = { imports: 0, ...noKills() };
  const differences: string[] = [];
  try {
    for (let at = seed; performance.now() - started < seconds * 1000; at++) {
      const dir = join(place.dir, String(at));
      const report = at % 2 === 0 ? await killPlain(at, dir) : await killConflicts(at, dir);
      for (const difference of report) console.log(difference);
      differences.push(...report);
      console.log(`seed ${at}: ${summary()}`);
      fs.rmSync(dir, { recursive: true, force: true });
    }
  } finally {
    fs.rmSync(place.dir, { recursive: true, force: true });
  }
  console.log(summary());
  return differences.length === 0;

  function summary(): string {
    return JSON.stringify({
      plain,
      conflicts,
      differences: differences.length,
    });
  }

  async function killPlain(at: number, dir: string): Promise<string[]> {
    const report = await killImport(place.levin, dir, at, KILLS_EACH);
    plain.imports++;
    plain.importerKills += report.importerKills;
    plain.sandboxKills += report.sandboxKills;
    plain.rows += report.rows;
    return report.differences;
  }

  async function killConflicts(at: number, dir: string): Promise<string[]> {
    const random = seededRandom(at);
    const form = conflictForms[((at - 1) / 2) % conflictForms.length]!;
    const moments = randomMoments(form, random, CONFLICT_KILLS_EACH);
    const plan = {
      moments,
      rows: 500,
      chunkBytes: 300,
      sandboxKillChance: 0.15,
    };
    const report = await killConflictImport(place.levin, dir, form, at, plan);
    conflicts.imports++;
    for (const phase of Object.keys(report.kills) as (keyof typeof report.kills)[])
      conflicts.kills[phase] += report.kills[phase];
    conflicts.sandboxKills += report.sandboxKills;
    conflicts.rows += report.rows;
    return report.differences;
  }
}
