/** An engine as the source of an import. */
import { compareBytes } from "../base/mod.ts";
import type { KeyRange } from "../cluster/mod.ts";
import {
  BufferPool,
  type DuplicateKey,
  type Engine,
  type EngineReader,
  type KeyBounds,
  type PairBatch,
  planRanges,
  type RangePoint,
  type ReadOptions,
  type RunInfo,
  readMemoryBytes,
} from "../engine/mod.ts";
import type { PairSource, PlannedRange } from "./pair-source.ts";

export interface EngineSourceOptions {
  /** Read-ahead of one range; as many ranges are read at a time as the import has workers. */
  readonly memoryBytes?: number;
  /** Where buffers come from and go to: shared by engines that are read one after the other. Absent: some are kept for the next range or message. */
  readonly buffers?: BufferPool;
  /** Told of each pair whose key was there already; the pair is left out. Absent: such a key is an error. */
  readonly onDuplicate?: (duplicate: DuplicateKey) => void;
}

const memoryBytesDefault = 4 << 20;
const KEPT_BYTES = 64 << 20;

export class EngineSource implements PairSource {
  readonly #engine: EngineReader;
  readonly #runs: readonly RunInfo[];
  readonly #options: ReadOptions & { buffers: BufferPool };

  /** `runs`: all that the engine has, or all that lie in the ranges which will be read. */
  constructor(engine: EngineReader, runs: ReadonlyArray<RunInfo>, options: EngineSourceOptions = {}) {
    const { memoryBytes = memoryBytesDefault, buffers = new BufferPool(KEPT_BYTES), onDuplicate } = options;
    this.#engine = engine;
    this.#runs = runs;
    this.#options = { memoryBytes, buffers, ...(onDuplicate && { onDuplicate }) };
  }

  /** The engine must not change any more. */
  static async open(engine: Engine, options: EngineSourceOptions = {}): Promise<EngineSource> {
    return new EngineSource(engine, await engine.runs(), options);
  }

  /** The runs that may hold keys of a range. */
  runsIn(range: KeyRange): RunInfo[] {
    const { start, end } = boundsOf(range);
    return this.#runs.filter(
      (run) => compareBytes(run.lastKey, start) >= 0 && (end === undefined || compareBytes(run.firstKey, end) < 0),
    );
  }

  read(range: KeyRange, signal?: AbortSignal): AsyncIterable<PairBatch> {
    return this.#engine.reader(boundsOf(range), { ...this.#options, runs: this.#runs, ...(signal && { signal }) });
  }

  lastKey(range: KeyRange): Promise<Uint8Array | undefined> {
    return this.#engine.lastKey(boundsOf(range), this.#runs);
  }

  release(packed: Uint8Array): void {
    this.#options.buffers.give(packed);
  }

  /** What reading the widest of these ranges holds at a time. */
  readerBytes(ranges: readonly KeyRange[]): number {
    return readMemoryBytes(this.#runs, ranges.map(boundsOf), this.#options);
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

function boundsOf({ start, end }: KeyRange): KeyBounds & { start: Uint8Array } {
  return end.length === 0 ? { start } : { start, end };
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
