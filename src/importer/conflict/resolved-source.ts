import { type Engine, overlaid, type PairBatch } from "../../engine/mod.ts";
import type { EngineSource, PairSource, PlannedRange } from "../../ingest/mod.ts";

import type { EncodedBatch } from "../encode-batch.ts";
import type { BatchState } from "../job-state.ts";

type Range = Parameters<EngineSource["read"]>[0];

const nothing = (): void => undefined;

/** The pairs of an engine as the overlay says: what of the rows in each other's way stays. */
export class ResolvedSource implements PairSource {
  readonly #source: EngineSource;
  readonly #engine: Engine;
  readonly #overlay: Engine;

  /** `engine` is what `source` reads. */
  constructor(source: EngineSource, engine: Engine, overlay: Engine) {
    this.#source = source;
    this.#engine = engine;
    this.#overlay = overlay;
  }

  read(range: Range, signal?: AbortSignal): AsyncIterable<PairBatch> {
    return readResolved(this.#engine, this.#overlay, range, signal);
  }

  /** At or above the last key that stays; undefined when none does. */
  async lastKey(range: Range, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const last = await this.#source.lastKey(range);
    if (last === undefined) return undefined;
    for await (const _ of this.read(range, signal)) return last;
    return undefined;
  }

  cut(range: Range, limits: { bytesMax: number; pairsMax: number }): PlannedRange[] {
    return this.#source.cut(range, limits);
  }
}

/** What is to be read over the engines; undefined where no row was in another's way. */
export function overlayOf(encoded: EncodedBatch, state: BatchState): Engine | undefined {
  return (state.conflicts?.losers ?? 0) > 0 ? encoded.engines.conflict?.overlay : undefined;
}

/** The pairs of a range that stay. */
export function readResolved(
  engine: Engine,
  overlay: Engine,
  { start, end }: Range,
  signal?: AbortSignal,
): AsyncIterable<PairBatch> {
  const bounds = end.length === 0 ? { start } : { start, end };
  const options = { onDuplicate: nothing, ...(signal === undefined ? {} : { signal }) };
  return overlaid(engine.reader(bounds, options), overlay.reader(bounds, options));
}
