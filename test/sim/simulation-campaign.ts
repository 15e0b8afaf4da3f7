import os from "node:os";
import { type Campaign, commitOf, describeCampaign, runCampaign, silentKinds } from "./campaign.ts";

/** Simulated imports for so long; prints the figures each minute and at the end, and every seed that failed. */
export async function simulationCampaign(seconds: number, seed: number): Promise<boolean> {
  const threads = Number(process.env["LEVIN_SIM_THREADS"] ?? os.availableParallelism());
  const commit = commitOf();
  const say = (campaign: Campaign): void =>
    console.log(`commit ${commit}, seeds from ${seed} on\n${describeCampaign(campaign)}`);
  const options = { first: seed, count: 1e9, threads, secondsMax: seconds, failuresMax: 20, onProgress: say };
  const campaign = await runCampaign(options);
  const silent = silentKinds(campaign);
  say(campaign);
  if (silent.length > 0) console.log(`kinds of faults that never struck: ${silent.join(", ")}`);
  return campaign.failures.length === 0 && silent.length === 0;
}
