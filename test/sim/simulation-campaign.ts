import os from "node:os";
import { commitOf, describeCampaign, runCampaign, silentKinds } from "./campaign.ts";

/** Simulated imports for so long; prints the figures and every seed that failed. */
export async function simulationCampaign(seconds: number, seed: number): Promise<boolean> {
  const threads = os.availableParallelism();
  const campaign = await runCampaign({ first: seed, count: 1e9, threads, secondsMax: seconds, failuresMax: 20 });
  const silent = silentKinds(campaign);
  console.log(`commit ${commitOf()}, seeds from ${seed} on\n${describeCampaign(campaign)}`);
  if (silent.length > 0) console.log(`kinds of faults that never struck: ${silent.join(", ")}`);
  return campaign.failures.length === 0 && silent.length === 0;
}
