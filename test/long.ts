/**
 * Campaigns that take too long for the gate: `npm run test:long [NAME] [MINUTES] [SEED]`. Without a name all of them, each for so many
 * minutes (default 10). Each ends with its figures; the program fails when one does.
 */
import { checkpointCampaign } from "./br/kill-campaign.ts";
import { killCampaign } from "./e2e/kill-campaign.ts";
import { limitsCampaign } from "./e2e/limits-campaign.ts";
import { resumeCampaign } from "./e2e/resume-campaign.ts";
import { unitCampaign } from "./e2e/unit-campaign.ts";
import { encoderCampaign } from "./encoder/encoder-campaign.ts";
import { mutantsCampaign } from "./sim/mutants-campaign.ts";
import { simulationCampaign } from "./sim/simulation-campaign.ts";
import { sweepCampaign } from "./sim/sweep-campaign.ts";
import { scannerCampaign } from "./source/scanner-campaign.ts";

/** Runs for about so many seconds from a seed on; says whether all went well. */
export type LongCampaign = (seconds: number, seed: number) => Promise<boolean>;

const campaigns: Record<string, LongCampaign> = {
  encoder: encoderCampaign,
  scanners: scannerCampaign,
  simulation: simulationCampaign,
  mutants: mutantsCampaign,
  sweep: sweepCampaign,
  kill: killCampaign,
  units: unitCampaign,
  checkpoint: checkpointCampaign,
  limits: limitsCampaign,
  resume: resumeCampaign,
};

const words = process.argv.slice(2);
const name = words[0] !== undefined && words[0] in campaigns ? words.shift()! : undefined;
const minutes = Number(words[0] ?? 10);
const seed = Number(words[1] ?? Math.floor(Date.now() / 1000));
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.log(`usage: npm run test:long [${Object.keys(campaigns).join("|")}] [MINUTES] [SEED]`);
  process.exit(2);
}
let ok = true;
for (const [title, run] of Object.entries(campaigns)) {
  if (name !== undefined && name !== title) continue;
  console.log(`${title}: ${minutes} minutes from seed ${seed} on`);
  ok = (await run(minutes * 60, seed)) && ok;
}
process.exit(ok ? 0 : 1);
