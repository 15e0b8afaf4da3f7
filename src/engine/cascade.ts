import type { KvDb } from "../kvdb/mod.ts";
import { BufferPool } from "./buffer-pool.ts";
import { type RunInfo, runKey } from "./layout.ts";
import { entryEndOf } from "./packed-pairs.ts";
import { BATCH_BYTES, type PairSource, readPairs } from "./read-pairs.ts";
import { RunBuilder, scratchBytes } from "./run-builder.ts";

/** A few batches. */
const READ_BUFFER_BYTES = 4 * BATCH_BYTES;

export interface MergeRunsOptions {
  /** Where the records are. */
  kvdb: KvDb;
  prefix: Uint8Array;
  /** Of the new run. */
  runId: number;
  blockBytes: number;
  signal?: AbortSignal;
}

/**
 * Merges the runs of `source` into one new run and takes them out in the same step as it commits. Their blocks are left for the caller
 * to remove (or for the next opening).
 */
export async function mergeRuns(
  source: PairSource,
  { kvdb, prefix, runId, blockBytes, signal }: MergeRunsOptions,
): Promise<RunInfo> {
  const { blocks: store, runs } = source;
  const entryBytesMax = Math.max(...runs.map((run) => run.entryBytesMax));
  const scratchAt = Math.max(BATCH_BYTES, entryBytesMax);
  const bytes = new Uint8Array(scratchAt + scratchBytes(blockBytes, entryBytesMax));
  let offsets = new Uint32Array(1024);
  const blocks = await store.write(runId);
  const builder = new RunBuilder({ kvdb, prefix, runId, blocks, blockBytes, space: { bytes, scratchAt } });
  try {
    const buffers = new BufferPool(READ_BUFFER_BYTES);
    const options = { keepEqualKeys: true, buffers, ...(signal ? { signal } : {}) };
    for await (const batch of readPairs(source, {}, options)) {
      bytes.set(batch.packed);
      if (offsets.length < batch.pairs) offsets = new Uint32Array(2 * batch.pairs);
      for (let at = 0, i = 0; at < batch.packed.length; at = entryEndOf(bytes, at)) offsets[i++] = at;
      await builder.add(offsets, batch.pairs);
      buffers.give(batch.packed);
    }
    return await builder.commit({
      checksum: runs.reduce((sum, run) => sum ^ run.checksum, 0n),
      note: new Uint8Array(0),
      sources: runs.flatMap((run) => (run.sources.length === 0 ? [run.runId] : run.sources)),
      changes: runs.map((run) => ({ key: runKey(prefix, run.runId), value: undefined })),
    });
  } catch (error) {
    await builder.abandon();
    throw error;
  }
}
