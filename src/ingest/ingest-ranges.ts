import { assert, type Clock, type EventSink, type Random } from "../base/mod.ts";
import { type PdClient, type Region, regionText, type TikvClient } from "../cluster/mod.ts";
import { ByteBudget, StoreRate, StoreSlots, WorkerSlots } from "./gates.ts";
import type { PairSource, PlannedRange } from "./pair-source.ts";
import type { Trouble } from "./region-errors.ts";
import { localWriter, type RegionWriter } from "./region-writer.ts";
import { type IngestedTotals, ingestRange, type JobLimits } from "./run-job.ts";

interface IngestLimits extends JobLimits {
  /** Region jobs at work at a time, and ranges under way. */
  readonly workers: number;
  /** Write streams to one store at a time. */
  readonly writesPerStore: number;
  /** Bytes of packed pairs a second to one store, 0 for no limit. */
  readonly storeBytesPerSecond: number;
  /** Messages in memory, all jobs together; each worker may hold one more. */
  readonly inFlightBytesMax: number;
  /** Messages by which the fastest peer of a region may be ahead of the slowest. */
  readonly windowMessages: number;
}

/** Of a limit that is not given. */
export const WINDOW_MESSAGES = 4;

const defaultIngestLimits: IngestLimits = {
  // TiKV's SST writer takes one thread a stream; each worker also holds the read-ahead of its range.
  workers: 8,
  writesPerStore: 8,
  storeBytesPerSecond: 0,
  inFlightBytesMax: 32 << 20,
  windowMessages: WINDOW_MESSAGES,
  // As Lightning: about 30 tries; with waits up to 30 s that is a quarter of an hour.
  troublesMax: 30,
  patienceMs: 30 * 60_000,
  backoffFirstMs: 200,
  backoffMaxMs: 30_000,
  // 4/3 of the classic region size, as Lightning.
  sstBytesMax: 128 << 20,
  sstPairsMax: 1_440_000,
};

export interface IngestOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "write" | "ingest" | "stores">;
  readonly source: PairSource;
  /** Who writes the pairs of `source`; absent: this thread, within the limits of bytes. */
  readonly writer?: RegionWriter | undefined;
  /** Disjoint, each still to do: a resumed import passes the ranges that its journal lacks. */
  readonly ranges: readonly PlannedRange[];
  /** From PD's TSO, one for the whole import of a table, never 0. */
  readonly commitTs: bigint;
  readonly limits?: Partial<IngestLimits>;
  readonly signal?: AbortSignal;
  /** Called when all pairs of a range are in the cluster, not concurrently; a failure ends the import. */
  readonly onRangeDone?: (range: PlannedRange, totals: IngestedTotals) => Promise<void> | void;
  readonly onEvent?: EventSink;
}

/**
 * Brings the pairs of all ranges into the cluster, several ranges at a time. Ends with the first failure, after the other ranges
 * have stopped. What was reported by `onRangeDone` need not be passed again; what was not may be, as ingesting the same pairs at
 * the same commit timestamp twice changes nothing.
 */
export async function ingestRanges(options: IngestOptions): Promise<IngestedTotals> {
  assert(options.commitTs > 0n, "a commit timestamp is not zero");
  const limits: IngestLimits = { ...defaultIngestLimits, ...options.limits };
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const here = (): RegionWriter => {
    const budget = new ByteBudget(limits.inFlightBytesMax);
    const rate = new StoreRate(options.clock, limits.storeBytesPerSecond);
    return localWriter({ ...options, windowMessages: limits.windowMessages, budget, rate });
  };
  const env = {
    ...options,
    limits,
    signal,
    stop: (thrown: unknown) => stop.abort(thrown),
    writer: options.writer ?? here(),
    workers: new WorkerSlots(limits.workers),
    slots: new StoreSlots(limits.writesPerStore),
    onTrouble: (trouble: Trouble, region: Region | undefined) => options.onEvent?.(troubleEvent(trouble, region)),
  };
  const totals: IngestedTotals = { pairs: 0, bytes: 0, ssts: 0 };
  const report = inTurn(async (range: PlannedRange, done: IngestedTotals) => {
    await options.onRangeDone?.(range, done);
    totals.pairs += done.pairs;
    totals.bytes += done.bytes;
    totals.ssts += done.ssts;
  });
  let next = 0;
  let first: { readonly thrown: unknown } | undefined;
  const worker = async (): Promise<void> => {
    try {
      for (let range = options.ranges[next++]; range !== undefined; range = options.ranges[next++]) {
        signal.throwIfAborted();
        await report(range, await ingestRange(range, env));
      }
    } catch (thrown) {
      first ??= { thrown };
      stop.abort(thrown);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limits.workers, options.ranges.length) }, worker));
  if (first !== undefined) throw first.thrown;
  return totals;
}

/** The calls of an async function, one after another. */
function inTurn<A extends unknown[]>(run: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (...args) => {
    const turn = last.then(() => run(...args));
    last = turn.catch(() => undefined);
    return turn;
  };
}

function troubleEvent(trouble: Trouble, region: Region | undefined): Parameters<EventSink>[0] {
  const where = region === undefined ? "a key range" : `region ${regionText(region)}`;
  return {
    kind: "log",
    level: trouble.kind === "serverIsBusy" ? "info" : "warn",
    message: `${where}: ${trouble.kind}: ${trouble.words} (${trouble.ingest})`,
    fields: { region: region?.id.toString(), store: trouble.storeId?.toString(), move: trouble.ingest },
  };
}
