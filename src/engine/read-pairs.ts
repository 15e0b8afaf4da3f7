import { assert, compareBytes, LevinError, toHex } from "../base/mod.ts";
import type { KvDb } from "../kvdb/mod.ts";
import { type Block, BlockCursor, type KeyBounds } from "./block-cursor.ts";
import { BLOCK_HEADER_BYTES, type RunInfo } from "./layout.ts";
import { type DuplicateKey, type MergeOutput, Merger } from "./merger.ts";
import { entryEndOf, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Free bytes in front of every batch, in its own buffer: room for the heads of the messages that carry it. */
export const BATCH_HEADROOM_BYTES = BLOCK_HEADER_BYTES;

/**
 * Packed pairs with strictly ascending keys, above those of the batch before. The bytes, and `BATCH_HEADROOM_BYTES` before them in the
 * same buffer, belong to the caller.
 */
export interface PairBatch {
  packed: Uint8Array;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  firstKey: Uint8Array;
  lastKey: Uint8Array;
}

export interface ReadOptions {
  /** About how large a batch is; one larger pair makes a larger one. 1 MiB when absent. */
  batchBytes?: number;
  /** Read-ahead of all runs together; 32 MiB when absent. */
  memoryBytes?: number;
  /** Told of each pair whose key was there already; the pair is left out. When absent, such a key is `Levin:Encode:ErrDuplicateKey`. */
  onDuplicate?: (duplicate: DuplicateKey) => void;
  signal?: AbortSignal;
}

export interface PairSource {
  kvdb: KvDb;
  prefix: Uint8Array;
  engineName: string;
  /** In the order in which equal keys shall come. */
  runs: readonly RunInfo[];
}

export const BATCH_BYTES = 1024 * 1024;
const READ_MEMORY_BYTES = 32 * 1024 * 1024;
const READ_BYTES_MIN = 256 * 1024;
const READ_BYTES_MAX = 1024 * 1024;

/** The pairs of all runs in a range, merged. Stops early when it is returned or its signal is aborted; closes what it opened. */
export async function* readPairs(
  source: PairSource,
  bounds: KeyBounds,
  options: ReadOptions & { keepEqualKeys?: boolean } = {},
): AsyncGenerator<PairBatch, void, undefined> {
  const { start, end } = bounds;
  const runs = source.runs.filter(
    (run) =>
      (end === undefined || compareBytes(run.firstKey, end) < 0) &&
      (start === undefined || compareBytes(run.lastKey, start) >= 0),
  );
  if (runs.length === 0) return;
  const share = (options.memoryBytes ?? READ_MEMORY_BYTES) / (2 * runs.length);
  const readBytes = Math.max(READ_BYTES_MIN, Math.min(READ_BYTES_MAX, share));
  const cursors = runs.map((run) => new BlockCursor({ ...source, run, bounds, readBytes }));
  try {
    const single = runs[0]!;
    if (runs.length === 1 && !single.equalKeys) yield* passBlocks(cursors[0]!, options.signal);
    else yield* mergeBlocks(source, runs, cursors, bounds, options);
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** One run without equal keys: its blocks are the batches. */
async function* passBlocks(cursor: BlockCursor, signal: AbortSignal | undefined): AsyncGenerator<PairBatch> {
  let lastKey: Uint8Array | undefined;
  for (let block = await cursor.next(); block !== undefined; block = await cursor.next()) {
    signal?.throwIfAborted();
    const batch = batchOf(block.value, block.start, block.end, block.pairs, block.bytes);
    assert(lastKey === undefined || compareBytes(lastKey, batch.firstKey) < 0, "keys of a run ascend");
    lastKey = batch.lastKey;
    yield batch;
  }
}

async function* mergeBlocks(
  { engineName }: PairSource,
  runs: readonly RunInfo[],
  cursors: readonly BlockCursor[],
  bounds: KeyBounds,
  options: ReadOptions & { keepEqualKeys?: boolean },
): AsyncGenerator<PairBatch> {
  const { batchBytes = BATCH_BYTES, onDuplicate, signal } = options;
  const merger = new Merger(runs.length, {
    engineName,
    commonPrefixBytes: commonPrefix(runs, bounds),
    equalKeys: options.keepEqualKeys ? "keep" : (onDuplicate ?? refuseDuplicate(engineName)),
  });
  const blocks = await Promise.all(cursors.map((cursor) => cursor.next()));
  /** Cursor of each source of the merger. */
  const cursorOf: BlockCursor[] = [];
  blocks.forEach((block, i) => {
    if (block !== undefined) cursorOf[merger.add(runs[i]!.runId, block)] = cursors[i]!;
  });
  let out = newOutput(batchBytes);
  while (!merger.done) {
    const dry = merger.fill(out);
    if (dry !== undefined) {
      const block: Block | undefined = await cursorOf[dry]!.next();
      merger.refill(dry, block);
    } else if (out.pairs > 0) {
      signal?.throwIfAborted();
      yield batchOf(out.bytes, BATCH_HEADROOM_BYTES, out.used, out.pairs, out.pairBytes);
      out = newOutput(batchBytes);
    } else {
      out = newOutput(Math.max(...runs.map((run) => run.entryBytesMax)));
    }
  }
  if (out.pairs > 0) yield batchOf(out.bytes, BATCH_HEADROOM_BYTES, out.used, out.pairs, out.pairBytes);
}

function newOutput(batchBytes: number): MergeOutput {
  const bytes = new Uint8Array(BATCH_HEADROOM_BYTES + batchBytes);
  return { bytes, used: BATCH_HEADROOM_BYTES, pairs: 0, pairBytes: 0 };
}

function batchOf(value: Uint8Array, start: number, end: number, pairs: number, bytes: number): PairBatch {
  let last = start;
  for (let at = start; at < end; at = entryEndOf(value, at)) last = at;
  return {
    packed: value.subarray(start, end),
    pairs,
    bytes,
    firstKey: keyAt(value, start),
    lastKey: keyAt(value, last),
  };
}

function keyAt(bytes: Uint8Array, at: number): Uint8Array {
  const start = keyStartOf(bytes, at);
  return bytes.slice(start, start + keyLengthOf(bytes, at));
}

/** Bytes that all keys of the runs within the bounds share. */
function commonPrefix(runs: readonly RunInfo[], { start, end }: KeyBounds): number {
  let low = runs[0]!.firstKey;
  let high = runs[0]!.lastKey;
  for (const run of runs) {
    if (compareBytes(run.firstKey, low) < 0) low = run.firstKey;
    if (compareBytes(run.lastKey, high) > 0) high = run.lastKey;
  }
  if (start !== undefined && compareBytes(start, low) > 0) low = start;
  if (end !== undefined && compareBytes(end, high) < 0) high = end;
  const n = Math.min(low.length, high.length);
  let common = 0;
  while (common < n && low[common] === high[common]) common++;
  return common;
}

function refuseDuplicate(engineName: string): (duplicate: DuplicateKey) => void {
  return ({ key, firstRunId, secondRunId }) => {
    throw new LevinError(
      "Levin:Encode:ErrDuplicateKey",
      `Cannot sort engine "${engineName}": key ${toHex(key)} occurs twice (runs ${firstRunId} and ${secondRunId})`,
      { fields: { engine: engineName, key: toHex(key), firstRun: firstRunId, secondRun: secondRunId } },
    );
  };
}
