import type { BatchState, JobState } from "../job-state.ts";

/** Chunks of it may have begun to come in. */
export const isOnItsWay = ({ ingested, chunks }: BatchState): boolean => !ingested && chunks.length > 0;

/** What the target must still know of a job, as its state directory tells it. */
export interface Begun {
  /** Rows of a table (`db.table`) are still to come, and may have come. */
  isToFill(name: string): boolean;
  /** It has brought rows in, or may have, and has more to bring. */
  isBegun: boolean;
  /** Also without what is on its way: batches are in, and there are more. */
  isPartlyIn: boolean;
}

/**
 * Of a job of which all is in the target may know nothing: it forgets the job before the state directory says that it is done. So it may
 * of a table that was reset since.
 */
export function begunOf(state: Pick<JobState, "batches" | "forgiven">, tables: readonly string[]): Begun {
  const filled = new Set<string>();
  const underWay = new Set<string>();
  for (const batch of state.batches) {
    if (batch === undefined) continue;
    if (batch.ingested) for (const name of batch.tables) filled.add(name);
    else if (isOnItsWay(batch)) for (const name of batch.tables) underWay.add(name);
  }
  const isToFill = (name: string): boolean => underWay.has(name) || !(filled.has(name) || state.forgiven.has(name));
  const isPartlyIn = filled.size > 0 && tables.some((name) => isToFill(name));
  return { isToFill, isBegun: underWay.size > 0 || isPartlyIn, isPartlyIn };
}
