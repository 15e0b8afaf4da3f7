import type { Check } from "./check.ts";

/** The state directory's job, where it holds one, is this import. */
export const checkpointMatches: Check = async ({ stateDifferences }) =>
  (stateDifferences ?? []).map((difference) => ({
    check: "checkpoint-matches",
    status: "failed",
    detail: `the state directory belongs to another import: ${difference}; say --fresh to forget it`,
  }));
