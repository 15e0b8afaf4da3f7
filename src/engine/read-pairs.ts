import { assert, compareBytes, LevinError, toHex } from "../base/mod.ts";
import { BlockCursor } from "./block-cursor.ts";
import type { BlockStore, KeyBounds } from "./block-store.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { RunInfo } from "./layout.ts";
import { ROUND_BYTES } from "./merge-round.ts";
import { type DuplicateKey, type MergeOutput, Merger } from "./merger.ts";
import { widestReach } from "./overlap.ts";
import { keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Packed pairs with strictly ascending keys, above those of the batch before. The bytes belong to the caller. */
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
  /** What the blocks of all runs together may take, but one block three times a run is needed; 32 MiB when absent. */
  memoryBytes?: number;
  /** Told of each pair whose key was there already; the pair is left out. When absent, such a key is `Levin:Encode:ErrDuplicateKey`. */
  onDuplicate?: (duplicate: DuplicateKey) => void;
  /** Where batches and what else reading needs are taken from; the caller gives `packed` of each batch back. */
  buffers?: BufferPool;
  signal?: AbortSignal;
}

export interface PairSource {
  blocks: BlockStore;
  engineName: string;
  /** In the order in which equal keys shall come. */
  runs: readonly RunInfo[];
}

/** Of `ReadOptions.batchBytes`, when absent. */
export const BATCH_BYTES = 1024 * 1024;
const READ_MEMORY_BYTES = 32 * 1024 * 1024;
/** Larger reads gain nothing. */
const READ_BYTES_MAX = 1024 * 1024;

/** What reading the widest of these ranges holds at a time: for planning how many are read side by side. */
export function readMemoryBytes(
  runs: readonly RunInfo[],
  ranges: readonly KeyBounds[],
  { batchBytes = BATCH_BYTES, memoryBytes = READ_MEMORY_BYTES }: Pick<ReadOptions, "batchBytes" | "memoryBytes"> = {},
): number {
  const width = widestReach(runs, ranges);
  const blockBytes = Math.max(0, ...runs.map((run) => run.blockBytesMax));
  const rounds = width > 1 ? ROUND_BYTES : 0;
  return 2 * batchBytes + rounds + width * (blockBytes + 2 * Math.max(readBytesOf(width, memoryBytes), blockBytes));
}

/** About how much is read of each run at once. A read gives at least one block, however large. */
function readBytesOf(runs: number, memoryBytes: number): number {
  return Math.min(READ_BYTES_MAX, memoryBytes / (3 * Math.max(1, runs)));
}

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
  const { signal, buffers = new BufferPool(0) } = options;
  const readBytes = readBytesOf(runs.length, options.memoryBytes ?? READ_MEMORY_BYTES);
  const cursors = runs.map((run) => new BlockCursor({ ...source, run, bounds, readBytes, buffers }));
  const single = runs.length === 1 && !runs[0]!.equalKeys;
  try {
    if (single) yield* gatherBlocks(cursors[0]!, options.batchBytes ?? BATCH_BYTES, buffers, signal);
    else yield* mergeBlocks(source, runs, cursors, { ...options, buffers });
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** One run without equal keys: its blocks one behind the other are the batches. */
async function* gatherBlocks(
  cursor: BlockCursor,
  batchBytes: number,
  buffers: BufferPool,
  signal: AbortSignal | undefined,
): AsyncGenerator<PairBatch> {
  let lastKey: Uint8Array | undefined;
  for (let block = await cursor.next(); block !== undefined; ) {
    signal?.throwIfAborted();
    const { value, start } = block;
    const firstKey = keyAt(value, start);
    const bytes = buffers.take(Math.max(batchBytes, block.end - start));
    const batch = { used: 0, pairs: 0, bytes: 0, lastAt: 0 };
    for (;;) {
      const size = block.end - block.start;
      assert(
        lastKey === undefined || compareBytes(lastKey, keyAt(block.value, block.start)) < 0,
        "keys of a run ascend",
      );
      lastKey = keyAt(block.value, block.lastAt);
      bytes.set(block.value.subarray(block.start, block.end), batch.used);
      batch.used += size;
      batch.pairs += block.pairs;
      batch.bytes += block.bytes;
      block = await cursor.next();
      if (block === undefined || batch.used + block.end - block.start > batchBytes) break;
    }
    yield { packed: bytes.subarray(0, batch.used), pairs: batch.pairs, bytes: batch.bytes, firstKey, lastKey };
  }
}

async function* mergeBlocks(
  { engineName }: PairSource,
  runs: readonly RunInfo[],
  cursors: readonly BlockCursor[],
  options: ReadOptions & { keepEqualKeys?: boolean; buffers: BufferPool },
): AsyncGenerator<PairBatch> {
  const { batchBytes = BATCH_BYTES, onDuplicate, signal, buffers } = options;
  const merger = new Merger({
    engineName,
    sources: runs,
    batchBytes,
    entryBytesMax: Math.max(...runs.map((run) => run.entryBytesMax)),
    equalKeys: options.keepEqualKeys ? "keep" : (onDuplicate ?? refuseDuplicate(engineName)),
    buffers,
  });
  try {
    const blocks = await Promise.all(cursors.map((cursor) => cursor.next()));
    for (const [i, block] of blocks.entries()) merger.supply(i, block);
    for (;;) {
      const state = merger.fill();
      if (typeof state === "number") {
        merger.supply(state, await cursors[state]!.next());
        continue;
      }
      signal?.throwIfAborted();
      const output = merger.take();
      if (output !== undefined) yield batchOf(output);
      if (state === "done") return;
    }
  } finally {
    merger.close();
  }
}

function batchOf({ packed, pairs, pairBytes, lastKey }: MergeOutput): PairBatch {
  return { packed, pairs, bytes: pairBytes, firstKey: keyAt(packed, 0), lastKey };
}

function keyAt(bytes: Uint8Array, at: number): Uint8Array {
  const start = keyStartOf(bytes, at);
  return bytes.slice(start, start + keyLengthOf(bytes, at));
}

function refuseDuplicate(engineName: string): (duplicate: DuplicateKey) => void {
  return ({ key, firstValue, secondValue, firstRunId, secondRunId }) => {
    throw new LevinError(
      "Levin:Encode:ErrDuplicateKey",
      `Cannot sort engine "${engineName}": key ${toHex(key)} occurs twice (runs ${firstRunId} and ${secondRunId})`,
      {
        fields: {
          engine: engineName,
          key: toHex(key),
          firstValue: toHex(firstValue),
          secondValue: toHex(secondValue),
          firstRun: firstRunId,
          secondRun: secondRunId,
        },
      },
    );
  };
}
