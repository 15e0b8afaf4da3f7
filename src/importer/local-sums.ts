import type { Checksum } from "../cluster/mod.ts";
import { KvChecksum } from "../codec/mod.ts";
import { unpackPairs } from "../engine/mod.ts";
import type { NamedRange, RangeChecksum } from "../ingest/mod.ts";
import { overlayOf, readResolved } from "./conflict/resolved-source.ts";
import type { EncodeContext } from "./context.ts";
import { openEncoded } from "./encode-batch.ts";
import type { BatchState } from "./job-state.ts";

export interface RangeSums {
  name: string;
  here: Checksum;
  there: Checksum;
}

/** Sums each range over the engines; only for the report of a mismatch, so plainly written. */
export async function sumLocalRanges(
  context: EncodeContext,
  state: BatchState,
  remote: readonly RangeChecksum[],
  ranges: readonly NamedRange[],
): Promise<RangeSums[]> {
  const encoded = context.open.get(state.id) ?? (await openEncoded(context, state));
  const overlay = overlayOf(encoded, state);
  const out: RangeSums[] = [];
  for (const [i, range] of ranges.entries()) {
    const sum = new KvChecksum();
    for (const name of ["data", "index"] as const) {
      const engine = encoded.engines.engines[name];
      for await (const batch of overlay === undefined ? engine.reader(range) : readResolved(engine, overlay, range)) {
        for (const { key, value } of unpackPairs(batch.packed)) sum.add(key, key.length, value, value.length);
      }
    }
    out.push({ name: range.name, here: sum.result(), there: remote[i]! });
  }
  return out;
}
