/** Who writes the ranges of an engine: threads, where there are some and the engine is worth it, else the import's own thread. */
import { BufferPool } from "../engine/mod.ts";
import {
  EngineSource,
  type PairSource,
  type PlannedRange,
  type RegionWriter,
  WINDOW_MESSAGES,
  WriteThreads,
} from "../ingest/mod.ts";
import type { ClusterLink } from "./cluster-link.ts";
import { openSource } from "./conflict/resolved-source.ts";
import type { RunContext } from "./context.ts";
import type { EncodedBatch } from "./encode-batch.ts";
import { blockDirOf } from "./engines.ts";
import type { BatchState } from "./job-state.ts";
import { idleBufferBytes, type MemoryPlan } from "./memory.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { EngineName } from "./records.ts";
import { materialOf } from "./store-tls.ts";

/** All threads together; each has a few connections of its own to a store, of which TiKV serves each by one thread. */
const CONNECTIONS_PER_STORE = 8;
const CONNECTIONS_PER_THREAD = 4;
/** Of each thread, as a file's directory is read anew with it. */
const IDLE_FILES = 64;

/**
 * Threads that write in an import. None where the blocks are in LevelDB, which one thread has open, or where stores are not to get more than so
 * much a second: one thread keeps that account, and is fast enough for it.
 */
export function writerCount(options: ImportOptions): number {
  const { backend, blockStore, clusterSettings, ingestThreads, ingestConcurrency } = options;
  if (backend === "tidb" || blockStore !== "files") return 0;
  if ((clusterSettings?.storeBytesPerSecond ?? 0) > 0) return 0;
  return Math.min(ingestThreads?.count ?? 0, ingestConcurrency);
}

/** The threads of a run, none of which is started yet; undefined: there are to be none. */
export function openWriters(
  options: ImportOptions,
  { world, clock }: ImportEnvironment,
  { tikv }: ClusterLink,
  { writer }: MemoryPlan,
): WriteThreads | undefined {
  const count = writerCount(options);
  if (count === 0 || world.startWriter === undefined) return undefined;
  const tls = options.clusterTls;
  const setup = {
    ...writer,
    idleFilesMax: IDLE_FILES,
    connectionsPerStore: Math.min(CONNECTIONS_PER_THREAD, Math.max(1, Math.floor(CONNECTIONS_PER_STORE / count))),
    tls: tls && { certAllowedCn: tls.certAllowedCn },
  };
  const material = tls && (() => materialOf(tls.current?.() ?? tls));
  return new WriteThreads({ count, start: world.startWriter, setup, clock, stores: tikv.stores, material });
}

export interface RangeWriter {
  /** Where the pairs are, for whoever cuts ranges. */
  source: PairSource;
  /** Reading one range takes so much. */
  readerBytes: number;
  /** Undefined: as `ingestRanges` does it. */
  writer: RegionWriter | undefined;
  /** When no range is written any more. */
  close(): Promise<void>;
}

export async function openRangeWriter(
  context: RunContext,
  encoded: EncodedBatch,
  state: BatchState,
  name: EngineName,
  ranges: readonly PlannedRange[],
): Promise<RangeWriter> {
  const { memory, options, writers } = context;
  const memoryBytes = memory.rangeReadBytes;
  const bytes = ranges.reduce((sum, range) => sum + range.bytes, 0);
  const isSmall = bytes < (options.ingestThreads?.fromBytes ?? 0);
  // What an import's own thread reads although there are threads has buffers of its own, and not at the same time as theirs.
  const isAside = writers !== undefined && !isSmall;
  const buffers = isAside ? new BufferPool(idleBufferBytes(memory, options.ingestConcurrency)) : context.buffers;
  const source = await openSource(encoded, state, name, { memoryBytes, buffers });
  const readerBytes = source.readerBytes(ranges);
  // An overlay is in LevelDB.
  if (!isAside || !(source instanceof EngineSource)) {
    if (isAside) await writers.rest();
    return { source, readerBytes, writer: undefined, close: async () => undefined };
  }
  const blockDir = blockDirOf(encoded.dir, name);
  const engineName = encoded.engines.engines[name].name;
  const writer = writers.writer({ engineName, blockDir, source, memoryBytes, windowMessages: WINDOW_MESSAGES });
  return { source, readerBytes, writer, close: () => writers.release(blockDir) };
}
