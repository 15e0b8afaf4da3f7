import { fromHex, LevinError, toHex } from "../base/mod.ts";
import { splitKey } from "../codec/mod.ts";
import { ingestRanges, innerBorders, scatterRegions, splitRegions } from "../ingest/mod.ts";
import type { Batch } from "./batches.ts";
import { beginIngest } from "./begin-ingest.ts";
import { keyWords } from "./conflict/conflict-report.ts";
import type { RunContext } from "./context.ts";
import type { EncodedBatch } from "./encode-batch.ts";
import type { BatchState } from "./job-state.ts";
import { openRangeWriter } from "./range-writers.ts";
import type { EngineName } from "./records.ts";

/** Brings a batch that is encoded into the cluster. */
export async function ingestBatch(
  context: RunContext,
  batch: Batch,
  encoded: EncodedBatch,
  state: BatchState,
): Promise<void> {
  await ingestEngines(context, batch, encoded, state);
  await context.job.append({ type: "ingested", batch: state.id });
}

/** Brings what both engines of a batch hold into the cluster, without the ranges that an earlier run brought in. */
export async function ingestEngines(
  context: RunContext,
  batch: Batch,
  encoded: EncodedBatch,
  state: BatchState,
): Promise<void> {
  const { env, progress } = context;
  const startedMs = env.clock.monotonicMs();
  let bytes = 0;
  for (const name of ["data", "index"] as const) {
    const totals = await encoded.engines.engines[name].totals();
    progress.ingestedBytesTotal += totals.bytes;
    bytes += totals.bytes;
  }
  env.emit({ kind: "engine", state: "closed", batch: state.id, bytes });
  try {
    for (const name of ["data", "index"] as const) {
      await ingestEngine(context, { batch, encoded, state }, name);
    }
    // It may hold nothing.
    await beginIngest(context, batch, state);
  } catch (thrown) {
    throw duplicateInWords(context, thrown);
  }
  env.emit({ kind: "engine", state: "imported", batch: state.id, bytes });
  env.emit({ kind: "timing", what: "import", ms: env.clock.monotonicMs() - startedMs });
}

/** The engine knows a duplicate by its key only; people know tables, indexes and values. */
function duplicateInWords(context: RunContext, thrown: unknown): unknown {
  if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Encode:ErrDuplicateKey") return thrown;
  const key = String(thrown.fields["key"]);
  const parts = splitKey(fromHex(key));
  if (parts.kind === "other") return thrown;
  const id = Number(parts.tableId);
  const { models } = context;
  const name = [...models.names()].find((one) => models.idOf(one) === id || models.physicalIdsOf(one).includes(id));
  if (name === undefined) return thrown;
  const info = models.get(name)!;
  const session = { newCollations: context.newCollations, timeZone: "UTC" };
  const { index, value } = keyWords(info, fromHex(key), session);
  const what = parts.kind === "record" ? `record, handle ${value}` : `unique index "${index}", value ${value}`;
  const message = `Cannot import table "${name}": two rows have the same key: ${what}; with conflict.strategy = "error" both are named`;
  return new LevinError(thrown.code, message, { cause: thrown, fields: { ...thrown.fields, table: name } });
}

async function ingestEngine(
  context: RunContext,
  { batch, encoded, state }: { batch: Batch; encoded: EncodedBatch; state: BatchState },
  name: EngineName,
): Promise<void> {
  const engine = encoded.engines.engines[name];
  const { cluster, env, job, options, memory, progress } = context;
  const { pd, tikv } = cluster;
  const { clock, random, signal } = env;
  const settings = options.clusterSettings ?? {};
  await engine.cascade({ signal });
  const all = await engine.ranges({ rangeBytes: options.rangeSizeBytes, rangeKeys: options.rangeKeys });
  const done = state.ranges[name];
  const ranges = all.filter((range) => {
    const isDone = done.get(toHex(range.start)) === toHex(range.end);
    if (isDone) progress.ingested(range.bytes);
    return !isDone;
  });
  if (ranges.length === 0) return;
  const onTrouble = (trouble: { kind: string; words: string }): void =>
    env.emit({ kind: "log", level: "info", message: `split: ${trouble.kind}: ${trouble.words}` });
  if (ranges.length > 1) {
    const startedMs = clock.monotonicMs();
    const made = await splitRegions(innerBorders(ranges), {
      clock,
      random,
      pd,
      tikv,
      signal,
      onTrouble,
      ...(settings.splitKeysMax === undefined ? {} : { limits: { keysMax: settings.splitKeysMax } }),
    });
    const ids = made.map((region) => region.id);
    env.emit({ kind: "timing", what: "split", ms: clock.monotonicMs() - startedMs });
    const { left, trouble } = await scatterRegions(ids, {
      clock,
      random,
      pd,
      group: `levin-${state.id}-${name}`,
      signal,
    });
    if (left > 0) {
      const why = trouble === undefined ? "" : `: ${trouble instanceof Error ? trouble.message : String(trouble)}`;
      env.emit({
        kind: "log",
        level: "info",
        message: `PD left ${left} of ${ids.length} new regions where they are${why}`,
      });
    }
  }
  const readBytes = options.ingestConcurrency * memory.rangeReadBytes;
  const { source, readerBytes, writer, close } = await openRangeWriter(context, encoded, state, name, ranges);
  await using closers = new AsyncDisposableStack();
  closers.defer(close);
  // Many runs in one range make each reader larger; then fewer of them work side by side, within the same budget.
  const affordable = Math.floor(readBytes / readerBytes);
  // Behind all that takes its time.
  await beginIngest(context, batch, state);
  await ingestRanges({
    clock,
    random,
    pd,
    tikv,
    source,
    writer,
    ranges,
    commitTs: state.commitTs,
    limits: {
      workers: Math.max(1, Math.min(options.ingestConcurrency, affordable)),
      inFlightBytesMax: memory.inFlightBytes,
      patienceMs: options.retryDeadlineMs,
      storeBytesPerSecond: settings.storeBytesPerSecond ?? 0,
    },
    signal,
    onEvent: env.emit,
    onRangeDone: async (range, totals) => {
      await job.append({
        type: "range",
        batch: state.id,
        engine: name,
        start: toHex(range.start),
        end: toHex(range.end),
      });
      progress.ingested(totals.bytes);
    },
  });
}
