import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { isolatedBinary } from "./harness.ts";
import { killImport } from "./kill.ts";

const KILLS_EACH = 8;

/** Imports whose processes are killed, for so long; prints kills and differences. */
export async function killCampaign(seconds: number, seed: number): Promise<boolean> {
  execFileSync(process.execPath, ["build.ts"], { cwd: new URL("../..", import.meta.url).pathname });
  const place = isolatedBinary();
  const started = performance.now();
  const sum = { imports: 0, importerKills: 0, sandboxKills: 0, rows: 0, differences: 0 };
  try {
    for (let at = seed; performance.now() - started < seconds * 1000; at++) {
      const dir = join(place.dir, String(at));
      const report = await killImport(place.levin, dir, at, KILLS_EACH);
      sum.imports++;
      sum.importerKills += report.importerKills;
      sum.sandboxKills += report.sandboxKills;
      sum.rows += report.rows;
      sum.differences += report.differences.length;
      for (const difference of report.differences) console.log(difference);
      console.log(`seed ${at}: ${JSON.stringify(sum)}`);
      fs.rmSync(dir, { recursive: true, force: true });
    }
  } finally {
    fs.rmSync(place.dir, { recursive: true, force: true });
  }
  console.log(JSON.stringify(sum));
  return sum.differences === 0;
}
