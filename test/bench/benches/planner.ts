/** Planning an import of terabytes: range properties of runs that never existed are cut into ranges. */
import { RANGE_KEYS, type RangePoint } from "../../../src/engine/mod.ts";
import { deepestOverlap, widestReach } from "../../../src/engine/overlap.ts";
import { decodeRangeIndex, encodeRangeIndex, planRanges } from "../../../src/engine/range-index.ts";
import { type Bench, type BenchContext, type BenchResult, peakRssBytes, ResultHash, timed } from "../bench.ts";

/** Of source data planned for, per byte that was asked for: 256 MB, the default, stand for 10 TB. */
const SCALE = 40_000;
/** As lineitem: bytes of pairs per byte of source, and bytes a pair. */
const PAIRS_PER_SOURCE = 1.7;
const PAIR_BYTES = 116;
/** What one arena of a 32-worker import makes. */
const RUN_BYTES = 24 * 2 ** 20;
const POINT_BYTES = 4 * 2 ** 20;

interface PlannedRun {
  firstKey: Uint8Array;
  lastKey: Uint8Array;
  points: RangePoint[];
}

/** Record key of the row at this place of the key space, in [0, 1). */
function keyAt(place: number): Uint8Array {
  const key = new Uint8Array(19);
  key[0] = 0x74;
  key[8] = 100;
  key.set([0x5f, 0x72], 9);
  const view = new DataView(key.buffer);
  view.setUint32(11, Math.floor(place * 2 ** 31));
  view.setUint32(15, Math.floor(((place * 2 ** 31) % 1) * 2 ** 32));
  return key;
}

/** `spread`: each run's keys lie all over the table; else runs lie beside each other, as those of a sorted source do. */
function makeRuns(totalBytes: number, spread: boolean): PlannedRun[] {
  const count = Math.max(4, Math.round(totalBytes / RUN_BYTES));
  const steps = RUN_BYTES / POINT_BYTES;
  return Array.from({ length: count }, (_, run) => {
    const points = Array.from({ length: steps + 1 }, (__, i): RangePoint => {
      const inside = (i + run / count / 2) / (steps + 1);
      const bytes = Math.max(PAIR_BYTES, i * POINT_BYTES);
      return { key: keyAt(spread ? inside : (run + inside) / count), bytes, pairs: Math.round(bytes / PAIR_BYTES) };
    });
    // As they come from the engine's records.
    const stored = decodeRangeIndex(encodeRangeIndex(points));
    return { firstKey: stored[0]!.key, lastKey: stored.at(-1)!.key, points: stored };
  });
}

function plannerBench(name: string, spread: boolean): Bench {
  return {
    name: `planner/${name}`,
    about: `range properties of ${spread ? "runs across each other" : "runs beside each other"} (10 TB of source with the default size) cut into ranges`,
    async run(context: BenchContext): Promise<BenchResult> {
      const totalBytes = context.sizeBytes * SCALE * PAIRS_PER_SOURCE;
      const runs = makeRuns(totalBytes, spread);
      const before = peakRssBytes();
      const points = runs.map((run) => run.points);
      const [cut, ranges] = await timed(() => planRanges(points, keyAt(1), { rangeKeys: RANGE_KEYS }));
      const [look, reach] = await timed(() => [deepestOverlap(runs)?.depth ?? 0, widestReach(runs, ranges)]);
      const items = runs.reduce((sum, run) => sum + run.points.length, 0);
      const bytes = runs.reduce((sum, run) => sum + encodeRangeIndex(run.points).length, 0);
      const sums = ranges.reduce((sum, range) => sum + range.pairs, 0);
      const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
      return {
        measures: [
          { stage: "cut ranges", bytes, items, ...cut, limit: "memory copy" },
          { stage: "find overlap", bytes, items, ...look, limit: "memory copy" },
        ],
        hash: `${new ResultHash().add(runs.length, items, ranges.length, sums, ...reach)}`,
        note: `${runs.length} runs, ${items} points, ${ranges.length} ranges, at most ${reach[0]} runs at a key and ${reach[1]} in a range; memory ${mib(before)} with the properties, ${mib(peakRssBytes())} after planning; planned in ${((cut.ms + look.ms) / 1000).toFixed(1)} s`,
      };
    },
  };
}

export const benches: Bench[] = [plannerBench("sorted", false), plannerBench("spread", true)];
