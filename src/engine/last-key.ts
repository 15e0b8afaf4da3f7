import { compareBytes } from "../base/mod.ts";
import { checkBlock } from "./block-cursor.ts";
import type { BlockStore, KeyBounds } from "./block-store.ts";
import type { RunInfo } from "./layout.ts";
import { compareEntryKey, entryEndOf, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

export interface LastKeySource {
  blocks: BlockStore;
  engineName: string;
  runs: readonly RunInfo[];
}

/** The last key of all runs inside the bounds; undefined when there is none. Reads at most one block of each run. */
export async function findLastKey(
  { blocks, engineName, runs }: LastKeySource,
  { start, end }: KeyBounds,
): Promise<Uint8Array | undefined> {
  let last: Uint8Array | undefined;
  const better = (key: Uint8Array): boolean => {
    if (last !== undefined && compareBytes(key, last) <= 0) return false;
    return start === undefined || compareBytes(key, start) >= 0;
  };
  for (const run of runs) {
    if (end !== undefined && compareBytes(run.firstKey, end) >= 0) continue;
    if (!better(run.lastKey)) continue;
    if (end === undefined || compareBytes(run.lastKey, end) < 0) {
      last = run.lastKey;
      continue;
    }
    const stored = await blocks.readLast(run.runId, end);
    if (stored === undefined) continue;
    const block = checkBlock(engineName, run, stored, stored.ordinal);
    let at = block.start;
    for (let next = at; next < block.end && compareEntryKey(block.value, next, end) < 0; ) {
      at = next;
      next = entryEndOf(block.value, next);
    }
    const keyAt = keyStartOf(block.value, at);
    const key = block.value.slice(keyAt, keyAt + keyLengthOf(block.value, at));
    if (better(key)) last = key;
  }
  return last;
}
