import { textOf } from "../../../base/mod.ts";
import { FieldKind } from "../../../codec/mod.ts";
import { type ColumnInfo, Flag, type TableInfo } from "../../../schema/mod.ts";
import { type AllocatorKind, AutoIds } from "../store/mod.ts";
import { SqlError } from "../wire/mod.ts";
import type { Cell } from "./fields.ts";

/** The automatic column of a table, if it has one. */
export interface AutoColumn {
  column: ColumnInfo;
  kind: AllocatorKind;
  random: boolean;
}

export function autoColumnOf(table: TableInfo): AutoColumn | undefined {
  if (table.auto_random_bits > 0) {
    const column = table.cols.find(
      (one) => (one.type.Flag & Flag.priKey) !== 0 && (table.pk_is_handle || isFirstOfPrimary(table, one)),
    );
    return column === undefined ? undefined : { column, kind: "random", random: true };
  }
  const column = table.cols.find((one) => (one.type.Flag & Flag.autoIncrement) !== 0);
  return column === undefined ? undefined : { column, kind: AutoIds.kindOf(table, "increment"), random: false };
}

function isFirstOfPrimary(table: TableInfo, column: ColumnInfo): boolean {
  return table.index_info?.find((index) => index.is_primary)?.idx_cols[0]?.offset === column.offset;
}

/** Whether a cell asks for an automatic value. */
export function asksForId(cell: Cell, zeroIsValue: boolean): boolean {
  if (cell.kind === FieldKind.null || cell.kind === FieldKind.default) return true;
  if (zeroIsValue) return false;
  if (cell.kind === FieldKind.false) return true;
  return cell.kind <= FieldKind.float && /^\s*-?0*\.?0*(e\d+)?\s*$/i.test(textOf(cell.bytes)) && cell.bytes.length > 0;
}

/** The shard of a transaction: TiDB hashes its start timestamp; any spread will do. */
function shardOf(startTs: bigint): bigint {
  return BigInt.asUintN(64, (startTs >> 18n) * 0x9e3779b97f4a7c15n) >> 16n;
}

/** AUTO_RANDOM value: sign, reserved bits, shard, number. */
export function autoRandomId(table: TableInfo, unsigned: boolean, number: bigint, startTs: bigint): bigint {
  const range = BigInt(table.auto_random_range_bits === 0 ? 64 : table.auto_random_range_bits);
  const bits = BigInt(table.auto_random_bits);
  const numberBits = range - bits - (unsigned ? 0n : 1n);
  if (number >> numberBits !== 0n) throw new SqlError(1467, "Failed to read auto-increment value from storage engine");
  return ((shardOf(startTs) & ((1n << bits) - 1n)) << numberBits) | number;
}

/** The number within an AUTO_RANDOM value. */
export function autoRandomNumber(table: TableInfo, unsigned: boolean, id: bigint): bigint {
  const range = BigInt(table.auto_random_range_bits === 0 ? 64 : table.auto_random_range_bits);
  const numberBits = range - BigInt(table.auto_random_bits) - (unsigned ? 0n : 1n);
  return BigInt.asUintN(64, id) & ((1n << numberBits) - 1n);
}

/** `_tidb_rowid` with SHARD_ROW_ID_BITS in front of it. */
export function shardedRowId(table: TableInfo, number: bigint, startTs: bigint): bigint {
  const bits = BigInt(table.ShardRowIDBits);
  if (bits === 0n) return number;
  return ((shardOf(startTs) & ((1n << bits) - 1n)) << (63n - bits)) | number;
}
