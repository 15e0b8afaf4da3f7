/** Many simulated imports, on several threads: counts what happened and keeps the seeds that failed. */
import { execFileSync } from "node:child_process";
import { Worker } from "node:worker_threads";
import { type Backend, kindsOf } from "./chaos.ts";

export interface Campaign {
  runs: number;
  seconds: number;
  by: Record<Backend, Share>;
  failures: { seed: number; message: string }[];
}

/** The imports of one backend that went well. */
interface Share {
  runs: number;
  lives: number;
  /** Kind → runs in which it struck. */
  runsWith: Map<string, number>;
  /** Imports that had to be refused, and were. */
  refused: number;
}

export type SeedReport =
  | { seed: number; backend: Backend; lives: number; fired: string[]; refused: boolean }
  | { seed: number; message: string };

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
  const campaign: Campaign = {
    runs: 0,
    seconds: 0,
    by: { local: emptyShare(), tidb: emptyShare() },
    failures: [],
  };
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
          const share = campaign.by[report.backend];
          share.runs++;
          share.lives += report.lives;
          share.refused += report.refused ? 1 : 0;
          for (const kind of report.fired) share.runsWith.set(kind, (share.runsWith.get(kind) ?? 0) + 1);
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

const backends = ["local", "tidb"] as const;
const emptyShare = (): Share => ({ runs: 0, lives: 0, runsWith: new Map(), refused: 0 });

/** Kinds of faults that never struck: a defect of the simulation. */
export function silentKinds({ by }: Campaign): string[] {
  return backends.flatMap((backend) =>
    kindsOf[backend].filter((kind) => !by[backend].runsWith.has(kind)).map((kind) => `${backend}: ${kind}`),
  );
}

export function commitOf(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

export function describeCampaign({ runs, seconds, by, failures }: Campaign): string {
  return [
    `${runs} simulated imports in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(1)}/s)`,
    ...backends.map((backend) => describeShare(backend, by[backend])),
    ...failures.map(({ seed, message }) => `seed ${seed} (commit ${commitOf()}): ${message}`),
  ].join("\n");
}

function describeShare(backend: Backend, { runs, lives, runsWith, refused }: Share): string {
  const share = (count: number): string => `${((100 * count) / Math.max(1, runs)).toFixed(1)} %`;
  const shares = [...runsWith].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${kind} ${share(count)}`);
  const about = `${runs} of backend "${backend}", ${(lives / Math.max(1, runs)).toFixed(1)} lives each, refused ${share(refused)}`;
  return `${about}; with a fault of each kind: ${shares.join(", ")}`;
}
