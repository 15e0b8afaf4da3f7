import type { KeyRange } from "../../cluster/mod.ts";
import { overlaid, type PairBatch } from "../../engine/mod.ts";
import { EngineSource, type EngineSourceOptions, type PairSource, type PlannedRange } from "../../ingest/mod.ts";
import type { EncodedBatch } from "../encode-batch.ts";
import type { BatchState } from "../job-state.ts";
import type { EngineName } from "../records.ts";

/** The pairs of an engine as the overlay says: what of the rows in each other's way stays. */
export class ResolvedSource implements PairSource {
  readonly #source: EngineSource;
  readonly #overlay: EngineSource;

  constructor(source: EngineSource, overlay: EngineSource) {
    this.#source = source;
    this.#overlay = overlay;
  }

  read(range: KeyRange, signal?: AbortSignal): AsyncIterable<PairBatch> {
    const overlay = this.#overlay.read(range, signal);
    return overlaid(this.#source.read(range, signal), overlay, (packed) => this.release(packed));
  }

  /** At or above the last key that stays; undefined when none does. */
  async lastKey(range: KeyRange, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const last = await this.#source.lastKey(range);
    if (last === undefined) return undefined;
    for await (const _ of this.read(range, signal)) return last;
    return undefined;
  }

  release(packed: Uint8Array): void {
    this.#source.release(packed);
  }

  cut(range: KeyRange, limits: { bytesMax: number; pairsMax: number }): PlannedRange[] {
    return this.#source.cut(range, limits);
  }

  readerBytes(ranges: readonly KeyRange[]): number {
    return this.#source.readerBytes(ranges) + this.#overlay.readerBytes(ranges);
  }
}

/** What of an engine goes into the cluster: all of it, or what the overlay says where rows were in each other's way. */
export async function openSource(
  { engines }: EncodedBatch,
  state: BatchState,
  name: EngineName,
  options: EngineSourceOptions = {},
): Promise<EngineSource | ResolvedSource> {
  const engine = engines.engines[name];
  const overlay = (state.conflicts?.losers ?? 0) > 0 ? engines.conflict?.overlay : undefined;
  if (overlay === undefined) return EngineSource.open(engine, options);
  // In both: rows that are left out hide the same key, each by itself.
  const either = { ...options, onDuplicate: () => undefined };
  return new ResolvedSource(await EngineSource.open(engine, either), await EngineSource.open(overlay, either));
}
