import type { Random } from "../base/mod.ts";
import type { KeyRange, Region, TikvClient } from "../cluster/mod.ts";
import type { ByteBudget, StoreRate } from "./gates.ts";
import type { Written } from "./job.ts";
import type { PairSource } from "./pair-source.ts";
import { writeRegion } from "./write-region.ts";

/** The pairs of a range, to be written to all peers of a region. */
export interface WriteOrder {
  readonly region: Region;
  /** Inside the region. */
  readonly range: KeyRange;
  readonly commitTs: bigint;
}

/**
 * Who writes the pairs of an engine: this thread, or others. Each call uses a fresh uuid. Throws `PeerFailure` when a peer refused, the signal's
 * reason when that was aborted, else what reading threw; has ended all that it began by then.
 */
export interface RegionWriter {
  write(order: WriteOrder, signal: AbortSignal): Promise<Written>;
}

export interface LocalWriterOptions {
  readonly tikv: Pick<TikvClient, "write">;
  readonly random: Random;
  readonly source: PairSource;
  readonly windowMessages: number;
  readonly budget: ByteBudget;
  readonly rate: StoreRate;
}

/** Writes here. */
export function localWriter(options: LocalWriterOptions): RegionWriter {
  return { write: (order, signal) => writeRegion({ ...options, ...order, signal }) };
}
