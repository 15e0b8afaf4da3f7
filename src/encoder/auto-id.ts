/** Which automatic ids a table has, and the largest ones that its rows used: what its allocators must be raised to. */
import type { Datum } from "../codec/mod.ts";
import { Flag, Tp } from "../schema/mod.ts";
import { autoRandomHandle, shardedRowId } from "./go-rand.ts";
import type { ColumnLayout, TableLayout } from "./layout.ts";

/** Largest ids used, 0 where none: AUTO_RANDOM and row ids without their shard bits. */
export interface AutoIdMax {
  readonly autoIncrement: bigint;
  readonly autoRandom: bigint;
  readonly rowId: bigint;
}

/** A 64-bit maximum in halves, so that noting one allocates nothing. */
interface Peak {
  high: number;
  low: number;
}

function raise(peak: Peak, high: number, low: number): void {
  if (high > peak.high || (high === peak.high && low > peak.low)) {
    peak.high = high;
    peak.low = low;
  }
}

function toBig(peak: Peak): bigint {
  return (BigInt(peak.high) << 32n) | BigInt(peak.low);
}

export class AutoIds {
  private readonly layout: TableLayout;
  private readonly increment: Peak = { high: 0, low: 0 };
  private readonly random: Peak = { high: 0, low: 0 };
  private readonly rowIds: Peak = { high: 0, low: 0 };
  /** AUTO_RANDOM takes its shard from this; Lightning: the largest row number before the chunk. */
  private seed = 0n;
  /** Upper half of a value with only shard bits, for the seed; undefined until asked for. */
  private shard: number | undefined;

  constructor(layout: TableLayout) {
    this.layout = layout;
  }

  get max(): AutoIdMax {
    return { autoIncrement: toBig(this.increment), autoRandom: toBig(this.random), rowId: toBig(this.rowIds) };
  }

  startChunk(autoRandomSeed: number | bigint): void {
    this.seed = BigInt(autoRandomSeed);
    this.shard = undefined;
  }

  /** Whether the shard bits of an AUTO_RANDOM column lie in the upper half alone. */
  shardIsHigh(column: ColumnLayout): boolean {
    return this.incrementalBits(column) >= 32;
  }

  /** Upper half of AUTO_RANDOM values of the chunk without the row number. */
  shardHigh(column: ColumnLayout): number {
    this.shard ??= Number(BigInt.asIntN(32, this.autoRandom(column, 0n) >> 32n));
    return this.shard;
  }

  /** Value for an AUTO_RANDOM column that has none. */
  autoRandom(column: ColumnLayout, rowId: bigint): bigint {
    const { auto_random_bits: bits, auto_random_range_bits: range } = this.layout.info;
    return autoRandomHandle(this.seed, rowId, bits, range, isUnsigned(column));
  }

  /** `_tidb_rowid` of a row whose source does not give it. */
  rowId(rowId: bigint): bigint {
    const bits = this.layout.info.ShardRowIDBits;
    return bits === 0 ? rowId : shardedRowId(rowId, bits);
  }

  /** Notes what a row has in an automatic column. */
  note(column: ColumnLayout, d: Datum): void {
    const value = numberOf(d, column.info.type.Tp);
    if (value === undefined) return;
    this.noteHalves(column, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  }

  /** The same from the halves of a number. */
  noteHalves(column: ColumnLayout, high: number, low: number): void {
    const unsigned = isUnsigned(column);
    if (column.autoRandom) {
      const above = this.incrementalBits(column) - 32;
      const mask = above >= 32 ? 0xffffffff : 2 ** Math.max(0, above) - 1;
      const lowMask = above >= 0 ? 0xffffffff : 2 ** (32 + above) - 1;
      raise(this.random, (high & mask) >>> 0, (low & lowMask) >>> 0);
    }
    if (column.autoIncrement && (unsigned || high >= 0)) raise(this.increment, high >>> 0, low >>> 0);
  }

  /** Notes the largest of several values of an AUTO_INCREMENT column, at least 0. */
  noteIncrement(high: number, low: number): void {
    raise(this.increment, high, low >>> 0);
  }

  private incrementalBits(column: ColumnLayout): number {
    const { auto_random_bits: bits, auto_random_range_bits: range } = this.layout.info;
    return (range === 0 ? 64 : range) - bits - (isUnsigned(column) ? 0 : 1);
  }

  /** Notes a row id that comes from the row's number. */
  noteSourceRowId(rowId: number): void {
    raise(this.rowIds, Math.floor(rowId / 0x100000000), rowId >>> 0);
  }

  /** Notes a row id that the source gives. */
  noteRowId(handle: bigint): void {
    const bits = BigInt(63 - this.layout.info.ShardRowIDBits);
    if (handle < 0n) return;
    const incremental = handle & ((1n << bits) - 1n);
    raise(this.rowIds, Number(incremental >> 32n), Number(incremental & 0xffffffffn));
  }
}

function isUnsigned(column: ColumnLayout): boolean {
  return (column.info.type.Flag & Flag.unsigned) !== 0;
}

/** AUTO_INCREMENT may be FLOAT or DOUBLE, then rounded. */
function numberOf(d: Datum, tp: number): bigint | undefined {
  if (d.kind === "int" || d.kind === "uint") return d.value;
  if (d.kind === "float" && (tp === Tp.float || tp === Tp.double) && Number.isFinite(d.value)) {
    return BigInt(Math.round(d.value));
  }
  return undefined;
}
