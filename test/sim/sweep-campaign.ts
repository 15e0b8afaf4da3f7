import { commitOf } from "./campaign.ts";
import type { StepKind } from "./life.ts";
import { plainStory } from "./simulate.ts";
import { sweep } from "./sweep.ts";
import type { Story } from "./world.ts";

const kinds: StepKind[] = ["file", "kvdb", "rpc", "message", "pd-http", "sql", "status-port", "source"];

/** Imports in turn: as any other; rows in each other's way, and in that of rows that are there; on an old PD; by statements. */
const stories: Story[] = [
  plainStory,
  { ...plainStory, strategy: "replace", wish: { duplicates: true, filled: "overlapping" } },
  { ...plainStory, strategy: "ignore", wish: { duplicates: true, filled: "no" }, oldPd: true },
  { ...plainStory, backend: "tidb", wish: { duplicates: false, filled: "apart", byStatements: true } },
  {
    ...plainStory,
    backend: "tidb",
    strategy: "replace",
    wish: { duplicates: true, filled: "overlapping", byStatements: true },
  },
];

/** All steps of all kinds with all harms, of as many imports as the time allows (at least one whole one). */
export async function sweepCampaign(seconds: number, seed: number): Promise<boolean> {
  const started = performance.now();
  let runs = 0;
  let failed = 0;
  for (let at = seed; at === seed || performance.now() - started < seconds * 1000; at++) {
    const steps: string[] = [];
    for (const kind of kinds) {
      const harms = ["fail", "lose-answer", "late", "crash-before", "crash-after", "crash-late", "stop"] as const;
      const result = await sweep({ seed: at, kinds: [kind], harms, story: stories[at % stories.length]! });
      steps.push(`${kind} ${result.steps.get(kind) ?? 0}`);
      runs += result.runs;
      failed += result.failures.length;
      for (const failure of result.failures) console.log(failure);
    }
    console.log(`commit ${commitOf()}, seed ${at}: steps ${steps.join(", ")}; ${runs} runs so far, ${failed} failures`);
  }
  return failed === 0;
}
