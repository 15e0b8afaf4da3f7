import { toHex } from "../base/mod.ts";
import type { Engine } from "../engine/mod.ts";
import { EngineSource, ingestRanges, innerBorders, scatterRegions, splitRegions } from "../ingest/mod.ts";
import type { RunContext } from "./context.ts";
import type { EncodedBatch } from "./encode-batch.ts";
import type { BatchState } from "./job-state.ts";
import type { EngineName } from "./records.ts";

/** Brings both engines of a batch into the cluster, without the ranges that an earlier run brought in. */
export async function ingestBatch(context: RunContext, encoded: EncodedBatch, state: BatchState): Promise<void> {
  const { job, progress } = context;
  for (const name of ["data", "index"] as const) {
    const totals = await encoded.engines.engines[name].totals();
    progress.ingestedBytesTotal += totals.bytes;
  }
  for (const name of ["data", "index"] as const)
    await ingestEngine(context, encoded.engines.engines[name], state, name);
  await job.append({ type: "ingested", batch: state.id });
}

async function ingestEngine(context: RunContext, engine: Engine, state: BatchState, name: EngineName): Promise<void> {
  const { cluster, env, job, options, memory, progress } = context;
  const { pd, tikv } = cluster;
  const { clock, random, signal } = env;
  await engine.cascade({ signal });
  const all = await engine.ranges({ rangeBytes: options.rangeSizeBytes, rangeKeys: options.rangeKeys });
  const done = state.ranges[name];
  const ranges = all.filter((range) => done.get(toHex(range.start)) !== toHex(range.end));
  for (const range of all) if (!ranges.includes(range)) progress.ingested(range.bytes);
  if (ranges.length === 0) return;
  const onTrouble = (trouble: { kind: string; words: string }): void =>
    env.emit({ kind: "log", level: "info", message: `split: ${trouble.kind}: ${trouble.words}` });
  if (ranges.length > 1) {
    const made = await splitRegions(innerBorders(ranges), { clock, random, pd, tikv, signal, onTrouble });
    const ids = made.map((region) => region.id);
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
  const source = await EngineSource.open(engine, { memoryBytes: memory.rangeReadBytes });
  await ingestRanges({
    clock,
    random,
    pd,
    tikv,
    source,
    ranges,
    commitTs: state.commitTs,
    limits: {
      workers: options.ingestConcurrency,
      inFlightBytesMax: memory.inFlightBytes,
      patienceMs: options.retryDeadlineMs,
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
