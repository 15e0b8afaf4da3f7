import type { Checksum } from "../cluster/mod.ts";
import { KvChecksum } from "../codec/mod.ts";
import { unpackPairs } from "../engine/mod.ts";
import type { NamedRange, RangeChecksum } from "../ingest/mod.ts";
import type { RunContext } from "./context.ts";
import { openEncoded } from "./encode-batch.ts";
import type { BatchState } from "./job-state.ts";

export interface RangeSums {
  name: string;
  here: Checksum;
  there: Checksum;
}

/** Sums each range over the engines; only for the report of a mismatch, so plainly written. */
export async function sumLocalRanges(
  context: RunContext,
  state: BatchState,
  remote: readonly RangeChecksum[],
  ranges: readonly NamedRange[],
): Promise<RangeSums[]> {
  const encoded = context.open.get(state.id) ?? (await openEncoded(context, state));
  const out: RangeSums[] = [];
  for (const [i, range] of ranges.entries()) {
    const sum = new KvChecksum();
    for (const name of ["data", "index"] as const) {
      for await (const batch of encoded.engines.engines[name].reader(range)) {
        for (const { key, value } of unpackPairs(batch.packed)) sum.add(key, key.length, value, value.length);
      }
    }
    out.push({ name: range.name, here: sum.result(), there: remote[i]! });
  }
  return out;
}
