/** The scanners' fuzz tests for as long as one likes. */
import { fuzzCsv, fuzzCsvSkip } from "./csv-fuzz.ts";
import { fuzzDump } from "./dump-fuzz.ts";
import { fuzzSql } from "./sql-fuzz.ts";
import { fuzzWhole } from "./whole-fuzz.ts";

/** Cases that take longer than this are as bad as wrong ones: something is quadratic, or worse. */
const CASE_MS_MAX = 5000;

/** Runs for about so many seconds from a seed on; prints what fails and the figures. */
export async function scannerCampaign(seconds: number, seed: number): Promise<boolean> {
  const kinds: Record<string, (seed: number) => void | Promise<void>> = {
    "CSV rows": fuzzCsv,
    "CSV row ends": fuzzCsvSkip,
    SQL: fuzzSql,
    "damaged dumps": fuzzDump,
    "damaged dumps to pairs": fuzzWhole,
  };
  const end = performance.now() + seconds * 1000;
  let cases = 0;
  let failed = 0;
  for (let k = seed; performance.now() < end && failed < 10; k++) {
    for (const [name, run] of Object.entries(kinds)) {
      const before = process.cpuUsage();
      try {
        await run(k);
      } catch (thrown) {
        failed++;
        console.log(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
      cases++;
      // CPU time: on a busy machine the clock goes on without us.
      const { user, system } = process.cpuUsage(before);
      const ms = (user + system) / 1000;
      if (ms > CASE_MS_MAX) {
        failed++;
        console.log(`${name}: seed ${k} took ${ms.toFixed(0)} ms`);
      }
    }
  }
  console.log(`${cases} cases, ${failed} failed`);
  return failed === 0;
}
