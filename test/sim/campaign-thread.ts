/** One thread of a campaign: takes seeds, gives reports. */
import { parentPort } from "node:worker_threads";
import type { SeedReport } from "./campaign.ts";
import { simulate } from "./simulate.ts";

// Half of what an error costs; `hunt.ts` shows where it came from.
Error.stackTraceLimit = 0;
const port = parentPort!;
port.on("message", async (seed: number) => {
  let report: SeedReport;
  try {
    const { lives, fired } = await simulate(seed);
    report = { seed, lives, fired: [...fired.keys()] };
  } catch (thrown) {
    report = { seed, message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
  port.postMessage(report);
});
