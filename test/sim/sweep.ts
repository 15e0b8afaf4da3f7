/** The i-th step of an import fails, or the process dies there, for every i; then it is continued. Same bytes each time. */
import type { Harm, StepKind } from "./life.ts";
import { plainStory, type SimReport, simulate } from "./simulate.ts";
import type { Story } from "./world.ts";

export interface Sweep {
  /** Steps by what they reach, of one import without faults. */
  steps: Map<StepKind, number>;
  /** Imports that were run. */
  runs: number;
  /** Runs whose first life ended at the harm (others outlived it). */
  ended: number;
  failures: string[];
}

/** `harms` for each i in 1, 1 + every, …; the steps are those of the given kinds. */
export async function sweep(options: {
  seed: number;
  harms: readonly Exclude<Harm, undefined>[];
  kinds: readonly StepKind[];
  every?: number;
  from?: number;
  story?: Story;
}): Promise<Sweep> {
  const { seed, harms, kinds, every = 1, from = 1, story = plainStory } = options;
  const steps = new Map<StepKind, number>();
  await simulate(seed, {
    story,
    judge: () => (kind) => {
      steps.set(kind, (steps.get(kind) ?? 0) + 1);
      return undefined;
    },
  });
  const total = kinds.reduce((sum, kind) => sum + (steps.get(kind) ?? 0), 0);
  const result: Sweep = { steps, runs: 0, ended: 0, failures: [] };
  for (const harm of harms) {
    for (let at = from; at <= total; at += every) {
      result.runs++;
      try {
        const report = await failAt(seed, story, harm, kinds, at);
        if (report.lives > 1) result.ended++;
      } catch (thrown) {
        result.failures.push(`seed ${seed}, ${harm} at step ${at} of ${kinds.join("+")}: ${String(thrown)}`);
        if (result.failures.length >= 5) return result;
      }
    }
  }
  return result;
}

function failAt(
  seed: number,
  story: Story,
  harm: Exclude<Harm, undefined>,
  kinds: readonly StepKind[],
  at: number,
): Promise<SimReport> {
  let seen = 0;
  return simulate(seed, {
    livesMax: 1,
    story,
    powerCut: true,
    judge: () => (kind) => (kinds.includes(kind) && ++seen === at ? harm : undefined),
  });
}
