/**
 * What an engine keeps in its ordered map. All numbers are big-endian; `prefix` tells engines apart that share one map.
 *
 *   store     := format (block* run)*
 *   format    : prefix 00                                              → u8 version, u8 place
 *   block     : prefix "r" run-id "b" comparable(first key) ordinal    → header packed
 *   run       : prefix "r" run-id "m"                                  → crc meta
 *
 *   place     := 0 blocks are here, 1 blocks are in files (block-files.ts)
 *   run-id    := u32        ordinal := u32, 0 for the first block of a run
 *   header    := crc run-id ordinal pairs packed-bytes pair-bytes last         (32 bytes)
 *   crc       := u32, CRC-32 of all that follows it in the value
 *   pairs     := u32        packed-bytes := u32
 *   pair-bytes:= u64, bytes of keys and values
 *   last      := u32, offset of the last entry in packed
 *   packed    := as in packed-pairs.ts, keys ascending
 *
 *   meta      := u8 flags, u32 blocks, u64 pairs, u64 pair-bytes, u64 packed-bytes, u64 checksum,
 *                u32 entry-bytes-max, u32 block-bytes-max,
 *                bytes first-key, bytes last-key, u32 n, u32 source*n, bytes range-index, bytes note
 *   flags     := 1 if some key occurs twice
 *   bytes     := u32 length, byte*
 *
 * A run's `run` record is its commit: it is written when all its blocks are on disk. Blocks of a run without one are what a crash
 * left; they are not read, and removed when the engine's owner opens it. `comparable` is TiDB's EncodeBytes (groups of eight with a
 * marker), so that blocks which begin with the same key stay in order by their ordinal.
 *
 * Keys are written in ascending order, records included, when runs are written one after the other with ascending ids: then LevelDB
 * moves its files from level to level; every key out of order costs a compaction that writes its neighbours again (measured: records
 * behind all blocks took three more CPU seconds a gigabyte).
 */
import { crc32 } from "node:zlib";
import { concatBytes } from "../base/mod.ts";
import { decodeRangeIndex, encodeRangeIndex, type RangePoint } from "./range-index.ts";

export const FORMAT_VERSION = 1;
/** Where an engine's blocks are, by their number in the format record. */
export const BLOCK_PLACES = ["map", "files"] as const;
export const BLOCK_HEADER_BYTES = 32;
/** Behind the largest run id. */
export const RUN_ID_MAX = 0xffffffff;

const FORMAT = 0x00;
const RUNS = 0x72;
const BLOCK = 0x62;
const RECORD = 0x6d;
const FLAG_EQUAL_KEYS = 1;

/** What is known of a committed run. */
export interface RunInfo {
  runId: number;
  blocks: number;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  /** Bytes of packed pairs, without block headers. */
  packedBytes: number;
  /** Size of its largest packed pair, and of the packed pairs of its largest block. */
  entryBytesMax: number;
  blockBytesMax: number;
  firstKey: Uint8Array;
  lastKey: Uint8Array;
  /** Some key occurs more than once in this run. */
  equalKeys: boolean;
  /** XOR of the CRC-64 of its pairs, as the writer of the run gave it. */
  checksum: bigint;
  /** Runs that were merged into this one. */
  sources: number[];
  points: RangePoint[];
  /** Whatever the writer of the run wants to find again. */
  note: Uint8Array;
}

export function formatKey(prefix: Uint8Array): Uint8Array {
  return concatBytes(prefix, new Uint8Array([FORMAT]));
}

export function runKey(prefix: Uint8Array, runId: number): Uint8Array {
  return withRunId(prefix, runId, RECORD);
}

/** Key range of everything that the runs [runId, runIdEnd) have stored. */
export function keysOfRuns(
  prefix: Uint8Array,
  runId: number,
  runIdEnd: number,
): { start: Uint8Array; end: Uint8Array } {
  return {
    start: withRunId(prefix, runId, 0),
    end: runIdEnd > RUN_ID_MAX ? concatBytes(prefix, new Uint8Array([RUNS + 1])) : withRunId(prefix, runIdEnd, 0),
  };
}

/** Key range of the blocks of one run. */
export function blockKeys(prefix: Uint8Array, runId: number): { start: Uint8Array; end: Uint8Array } {
  return { start: withRunId(prefix, runId, BLOCK), end: withRunId(prefix, runId, BLOCK + 1) };
}

/** Where the blocks of a run with this first key begin; without ordinal, so it sorts before all of them. */
export function blockKeyOf(prefix: Uint8Array, runId: number, firstKey: Uint8Array): Uint8Array {
  return concatBytes(withRunId(prefix, runId, BLOCK), comparable(firstKey));
}

export function blockKey(prefix: Uint8Array, runId: number, firstKey: Uint8Array, ordinal: number): Uint8Array {
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, ordinal);
  return concatBytes(blockKeyOf(prefix, runId, firstKey), tail);
}

/** Of a block or run key. */
export function runIdOfKey(prefix: Uint8Array, key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(prefix.length + 1);
}

export function ordinalOfBlockKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(key.length - 4);
}

function withRunId(prefix: Uint8Array, runId: number, kind: number): Uint8Array {
  const out = new Uint8Array(prefix.length + 6);
  out.set(prefix);
  out[prefix.length] = RUNS;
  new DataView(out.buffer).setUint32(prefix.length + 1, runId);
  out[prefix.length + 5] = kind;
  return out;
}

/** EncodeBytes of TiDB's `util/codec`: groups of 8 bytes, zero-padded, each followed by 255 minus the padding. */
function comparable(key: Uint8Array): Uint8Array {
  const groups = Math.floor(key.length / 8) + 1;
  const out = new Uint8Array(groups * 9);
  for (let group = 0; group < groups; group++) {
    const part = key.subarray(group * 8, group * 8 + 8);
    out.set(part, group * 9);
    out[group * 9 + 8] = 247 + part.length;
  }
  return out;
}

export interface BlockFacts {
  runId: number;
  ordinal: number;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  /** Offset of the last entry in the packed pairs. */
  lastAt: number;
}

/** Fills the header of a block whose packed pairs already stand behind it: `value` is both. */
export function writeBlockHeader(value: Uint8Array, facts: BlockFacts): void {
  const view = new DataView(value.buffer, value.byteOffset, BLOCK_HEADER_BYTES);
  view.setUint32(4, facts.runId);
  view.setUint32(8, facts.ordinal);
  view.setUint32(12, facts.pairs);
  view.setUint32(16, value.length - BLOCK_HEADER_BYTES);
  view.setUint32(20, Math.floor(facts.bytes / 2 ** 32));
  view.setUint32(24, facts.bytes >>> 0);
  view.setUint32(28, facts.lastAt);
  view.setUint32(0, crc32(value.subarray(4)));
}

/** Facts of a stored block; undefined when its bytes are not those that were written. */
export function readBlockHeader(value: Uint8Array): BlockFacts | undefined {
  if (value.length < BLOCK_HEADER_BYTES) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, BLOCK_HEADER_BYTES);
  if (view.getUint32(16) !== value.length - BLOCK_HEADER_BYTES) return undefined;
  if (view.getUint32(0) !== crc32(value.subarray(4))) return undefined;
  return {
    runId: view.getUint32(4),
    ordinal: view.getUint32(8),
    pairs: view.getUint32(12),
    bytes: view.getUint32(20) * 2 ** 32 + view.getUint32(24),
    lastAt: view.getUint32(28),
  };
}

export function encodeRun(run: RunInfo): Uint8Array {
  const numbers = new Uint8Array(45);
  const view = new DataView(numbers.buffer);
  view.setUint8(0, run.equalKeys ? FLAG_EQUAL_KEYS : 0);
  view.setUint32(1, run.blocks);
  view.setBigUint64(5, BigInt(run.pairs));
  view.setBigUint64(13, BigInt(run.bytes));
  view.setBigUint64(21, BigInt(run.packedBytes));
  view.setBigUint64(29, run.checksum);
  view.setUint32(37, run.entryBytesMax);
  view.setUint32(41, run.blockBytesMax);
  const sources = new Uint8Array(4 * run.sources.length);
  const sourceView = new DataView(sources.buffer);
  for (let i = 0; i < run.sources.length; i++) sourceView.setUint32(4 * i, run.sources[i]!);
  const value = concatBytes(
    new Uint8Array(4),
    numbers,
    sized(run.firstKey),
    sized(run.lastKey),
    sized(sources, 4),
    sized(encodeRangeIndex(run.points)),
    sized(run.note),
  );
  new DataView(value.buffer).setUint32(0, crc32(value.subarray(4)));
  return value;
}

/** The run of a stored record; undefined when its bytes are not those that were written. */
export function decodeRun(runId: number, value: Uint8Array): RunInfo | undefined {
  if (value.length < 49) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (view.getUint32(0) !== crc32(value.subarray(4))) return undefined;
  let at = 49;
  const next = (unit = 1): Uint8Array => {
    const start = at + 4;
    at = start + view.getUint32(at) * unit;
    return value.slice(start, at);
  };
  const firstKey = next();
  const lastKey = next();
  const sources = next(4);
  const sourceView = new DataView(sources.buffer);
  return {
    runId,
    equalKeys: (view.getUint8(4) & FLAG_EQUAL_KEYS) !== 0,
    blocks: view.getUint32(5),
    pairs: Number(view.getBigUint64(9)),
    bytes: Number(view.getBigUint64(17)),
    packedBytes: Number(view.getBigUint64(25)),
    checksum: view.getBigUint64(33),
    entryBytesMax: view.getUint32(41),
    blockBytesMax: view.getUint32(45),
    firstKey,
    lastKey,
    sources: Array.from({ length: sources.length / 4 }, (_, i) => sourceView.getUint32(4 * i)),
    points: decodeRangeIndex(next()),
    note: next(),
  };
}

/** `bytes` behind its length in units. */
function sized(bytes: Uint8Array, unit = 1): Uint8Array {
  const out = new Uint8Array(4 + bytes.length);
  new DataView(out.buffer).setUint32(0, bytes.length / unit);
  out.set(bytes, 4);
  return out;
}
