/** Which automatic ids a table has, and the largest ones that its rows used: what its allocators must be raised to. */
import type { Datum } from "../codec/mod.ts";
import { Flag, Tp } from "../schema/mod.ts";
import { autoRandomHandle, shardedRowId } from "./go-rand.ts";
import type { ColumnLayout, TableLayout } from "./layout.ts";

/** Largest ids used, 0 where none: AUTO_RANDOM and row ids without their shard bits. */
export interface AutoIdMax {
  autoIncrement: bigint;
  autoRandom: bigint;
  rowId: bigint;
}

export class AutoIds {
  readonly max: AutoIdMax = { autoIncrement: 0n, autoRandom: 0n, rowId: 0n };
  private readonly layout: TableLayout;
  /** AUTO_RANDOM takes its shard from this; Lightning: the largest row number before the chunk. */
  private seed = 0n;

  constructor(layout: TableLayout) {
    this.layout = layout;
  }

  startChunk(autoRandomSeed: number | bigint): void {
    this.seed = BigInt(autoRandomSeed);
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

  /** Notes what a row has in its automatic columns. */
  note(column: ColumnLayout, d: Datum): void {
    const value = numberOf(d, column.info.type.Tp);
    if (value === undefined) return;
    if (column.autoRandom) {
      const { auto_random_bits: bits, auto_random_range_bits: range } = this.layout.info;
      const size = BigInt((range === 0 ? 64 : range) - bits - (isUnsigned(column) ? 0 : 1));
      const incremental = value & ((1n << size) - 1n);
      if (incremental > this.max.autoRandom) this.max.autoRandom = incremental;
    }
    if (column.autoIncrement && value > this.max.autoIncrement) this.max.autoIncrement = value;
  }

  noteRowId(handle: bigint): void {
    const bits = BigInt(63 - this.layout.info.ShardRowIDBits);
    const incremental = handle < 0n ? 0n : handle & ((1n << bits) - 1n);
    if (incremental > this.max.rowId) this.max.rowId = incremental;
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
