/** An engine as the source of an import. */
import { compareBytes } from "../base/mod.ts";
import type { KeyRange } from "../cluster/mod.ts";
import { type Engine, type PairBatch, planRanges, type RangePoint, type RunInfo } from "../engine/mod.ts";
import type { PairSource, PlannedRange } from "./pair-source.ts";

export interface EngineSourceOptions {
  /** Read-ahead of one range; as many ranges are read at a time as the import has workers. */
  readonly memoryBytes?: number;
}

const memoryBytesDefault = 4 << 20;

export class EngineSource implements PairSource {
  readonly #engine: Engine;
  readonly #runs: readonly RunInfo[];
  readonly #memoryBytes: number;

  private constructor(engine: Engine, runs: ReadonlyArray<RunInfo>, memoryBytes: number) {
    this.#engine = engine;
    this.#runs = runs;
    this.#memoryBytes = memoryBytes;
  }

  /** The engine must not change any more. */
  static async open(engine: Engine, options: EngineSourceOptions = {}): Promise<EngineSource> {
    return new EngineSource(engine, await engine.runs(), options.memoryBytes ?? memoryBytesDefault);
  }

  read(range: KeyRange, signal?: AbortSignal): AsyncIterable<PairBatch> {
    const bounds = range.end.length === 0 ? { start: range.start } : { start: range.start, end: range.end };
    const options = { runs: this.#runs, memoryBytes: this.#memoryBytes };
    return this.#engine.reader(bounds, signal === undefined ? options : { ...options, signal });
  }

  /** Reads from the last index point of the range on, so a few MiB at most. */
  async lastKey(range: KeyRange, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    let start = range.start;
    for (const run of this.#runs) {
      const point = run.points[firstNotBelow(run.points, range.end) - 1];
      if (point !== undefined && compareBytes(point.key, start) > 0) start = point.key;
    }
    let last: Uint8Array | undefined;
    for await (const batch of this.read({ start, end: range.end }, signal)) last = batch.lastKey;
    return last;
  }

  cut(range: KeyRange, limits: { bytesMax: number; pairsMax: number }): PlannedRange[] {
    const inside = this.#runs.map((run) => pointsInside(run.points, range)).filter((points) => points.length > 0);
    // The planner wants an end behind the last point; the true one replaces it.
    const behind = Uint8Array.from([...lastPoint(inside), 0]);
    const plan = planRanges(inside, behind, { rangeBytes: limits.bytesMax, rangeKeys: limits.pairsMax });
    if (plan.length === 0) return [{ ...range, bytes: 0, pairs: 0 }];
    return plan.map((part, index) => ({
      ...part,
      start: index === 0 ? range.start : part.start,
      end: index === plan.length - 1 ? range.end : part.end,
    }));
  }
}

/** Index of the first point at or behind `key`; empty is infinity. */
function firstNotBelow(points: readonly RangePoint[], key: Uint8Array): number {
  if (key.length === 0) return points.length;
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(points[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The points of a run inside a range, counted from its start. */
function pointsInside(points: readonly RangePoint[], range: KeyRange): RangePoint[] {
  const from = range.start.length === 0 ? 0 : firstNotBelow(points, range.start);
  const before = points[from - 1] ?? { bytes: 0, pairs: 0 };
  return points
    .slice(from, firstNotBelow(points, range.end))
    .map(({ key, bytes, pairs }) => ({ key, bytes: bytes - before.bytes, pairs: pairs - before.pairs }));
}

function lastPoint(runs: readonly (readonly RangePoint[])[]): Uint8Array {
  let last = new Uint8Array(0) as Uint8Array;
  for (const points of runs) {
    const key = points.at(-1)!.key;
    if (compareBytes(key, last) > 0) last = key;
  }
  return last;
}
