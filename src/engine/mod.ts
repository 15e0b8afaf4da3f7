/**
 * The KV pairs of one part of a table, sorted on disk: arena → sorted runs of packed blocks → ranges → merged packed batches. Pairs are
 * packed once, by the arena, in the form in which TiKV takes them, and only copied from there on.
 *
 * Invariants: a run is either committed whole or does not exist; keys ascend in a run (equal ones stand side by side) and strictly
 * ascend in what is read; every block is checked when it is read; the ranges of an engine hold each of its keys once; memory is that of
 * the arenas plus the read-ahead of the readers, whatever the size of the engine.
 *
 * It lacks updates, point reads and deletes of single pairs, and knows nothing of tables or regions. The bytes on disk are described
 * in `layout.ts`, the packed form in `packed-pairs.ts`.
 */
export type { KeyBounds } from "./block-store.ts";
export { BufferPool } from "./buffer-pool.ts";
export { Engine, type EngineReader, type EngineStore, type MapStore, openEngine } from "./engine.ts";
export type { RunInfo } from "./layout.ts";
export type { DuplicateKey } from "./merger.ts";
export { nextKey } from "./next-key.ts";
export { forEachPair, overlaid } from "./overlay.ts";
export { type Pair, packPairs, unpackPairs } from "./packed-pairs.ts";
export { PairArena } from "./pair-arena.ts";
export { planRanges, RANGE_KEYS, type RangePoint } from "./range-index.ts";
export { type PairBatch, type ReadOptions, readMemoryBytes } from "./read-pairs.ts";
export { RunFiles } from "./run-files.ts";
