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
    const { lives, fired, story, refused } = await simulate(seed);
    report = { seed, backend: story.backend ?? "local", lives, fired: [...fired.keys()], refused };
  } catch (thrown) {
    report = { seed, message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
  port.postMessage(report);
});
