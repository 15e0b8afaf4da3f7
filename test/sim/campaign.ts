/** Many simulated imports, on several threads: counts what happened and keeps the seeds that failed. */
import { execFileSync } from "node:child_process";
import { Worker } from "node:worker_threads";
import { allKinds } from "./chaos.ts";

export interface Campaign {
  runs: number;
  seconds: number;
  /** Kind → runs in which it struck. */
  runsWith: Map<string, number>;
  lives: number;
  failures: { seed: number; message: string }[];
}

export type SeedReport = { seed: number; lives: number; fired: string[] } | { seed: number; message: string };

/** Runs seeds from `first` on: `count` of them, or until the time is over. */
export async function runCampaign(options: {
  first: number;
  count: number;
  threads: number;
  secondsMax?: number;
  failuresMax?: number;
  /** Told about once a minute. */
  onProgress?: (campaign: Campaign) => void;
}): Promise<Campaign> {
  const started = performance.now();
  let told = started;
  const campaign: Campaign = { runs: 0, seconds: 0, runsWith: new Map(), lives: 0, failures: [] };
  let next = options.first;
  const isOver = (): boolean =>
    next >= options.first + options.count ||
    campaign.failures.length >= (options.failuresMax ?? 5) ||
    performance.now() - started > (options.secondsMax ?? Number.POSITIVE_INFINITY) * 1000;
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./campaign-thread.ts", import.meta.url));
      const feed = (): void => {
        if (isOver()) void worker.terminate().then(() => resolve());
        else worker.postMessage(next++);
      };
      worker.on("error", reject);
      worker.on("message", (report: SeedReport) => {
        campaign.runs++;
        if ("message" in report) campaign.failures.push(report);
        else {
          campaign.lives += report.lives;
          for (const kind of report.fired) campaign.runsWith.set(kind, (campaign.runsWith.get(kind) ?? 0) + 1);
        }
        feed();
        if (performance.now() - told > 60_000) {
          told = performance.now();
          campaign.seconds = (told - started) / 1000;
          options.onProgress?.(campaign);
        }
      });
      feed();
    });
  await Promise.all(Array.from({ length: options.threads }, thread));
  campaign.seconds = (performance.now() - started) / 1000;
  return campaign;
}

/** Kinds of faults that never struck: a defect of the simulation. */
export function silentKinds(campaign: Campaign): string[] {
  return allKinds.filter((kind) => !campaign.runsWith.has(kind));
}

export function commitOf(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

export function describeCampaign(campaign: Campaign): string {
  const { runs, seconds, lives, runsWith, failures } = campaign;
  const shares = [...runsWith]
    .sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => `${kind} ${((100 * count) / runs).toFixed(1)} %`);
  return [
    `${runs} simulated imports in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(1)}/s), ${(lives / runs).toFixed(1)} lives each`,
    `runs with a fault of each kind: ${shares.join(", ")}`,
    ...failures.map(({ seed, message }) => `seed ${seed} (commit ${commitOf()}): ${message}`),
  ].join("\n");
}
