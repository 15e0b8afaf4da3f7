import { assert } from "../base/mod.ts";
import type { Checksum } from "../cluster/mod.ts";
import { KvChecksum } from "../codec/mod.ts";
import { unpackPairs } from "../engine/mod.ts";
import type { NamedRange, RangeChecksum } from "../ingest/mod.ts";
import { openSource } from "./conflict/resolved-source.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";

export interface RangeSums {
  name: string;
  here: Checksum;
  there: Checksum;
}

/** Sums each range over the engines; only for the report of a mismatch, so plainly written. */
export async function sumLocalRanges(
  context: Pick<RunContext, "open">,
  state: BatchState,
  remote: readonly RangeChecksum[],
  ranges: readonly NamedRange[],
): Promise<RangeSums[]> {
  const encoded = context.open.get(state.id);
  assert(encoded !== undefined, "a batch is open until its tables are verified");
  const sources = [await openSource(encoded, state, "data"), await openSource(encoded, state, "index")];
  const out: RangeSums[] = [];
  for (const [i, range] of ranges.entries()) {
    const sum = new KvChecksum();
    for (const source of sources) {
      for await (const batch of source.read(range)) {
        for (const { key, value } of unpackPairs(batch.packed)) sum.add(key, key.length, value, value.length);
      }
    }
    out.push({ name: range.name, here: sum.result(), there: remote[i]! });
  }
  return out;
}
