import { assert } from "../../base/mod.ts";
import { splitIndexValue, splitKey } from "../../codec/mod.ts";
import { type Engine, forEachPair } from "../../engine/mod.ts";
import type { KeyTable } from "./key-table.ts";
import { isPlace, rowIdOf, tableOf } from "./row-entries.ts";

/** Which of the rows with one key stays; "only": none may have it twice, and every row that has one again is told. */
export type Rule = "first" | "last" | "only";

/** One row of the engine of rows, as `eachRow` shows it; the same object for every row. */
export class MarkedRow {
  /** From 1, in the order of the source. */
  ordinal = 0;
  /** Number of its table in the batch. */
  table = 0;
  rowId = 0;
  /** Its place's bytes. */
  place: Uint8Array = new Uint8Array(0);
  /** Its pairs: bytes of `key length u16 ‖ key ‖ value`. */
  readonly pairs: Uint8Array[] = [];
}

export function keyEndOf(pair: Uint8Array): number {
  return 2 + ((pair[0]! << 8) | pair[1]!);
}

/** Shows every row, in the order of the source; what is shown is valid until the next one. `between`: now and then. */
export async function eachRow(
  rows: Engine,
  signal: AbortSignal,
  show: (row: MarkedRow) => void,
  between?: () => Promise<void>,
): Promise<void> {
  const row = new MarkedRow();
  for await (const { packed } of rows.reader({}, { signal })) {
    await between?.();
    forEachPair(packed, (keyAt, _keyEnd, valueAt, valueEnd) => {
      const value = packed.subarray(valueAt, valueEnd);
      if (!isPlace(packed, keyAt)) {
        row.pairs.push(value);
        return;
      }
      if (row.ordinal > 0) show(row);
      row.ordinal++;
      row.table = tableOf(packed, keyAt);
      row.rowId = rowIdOf(packed, keyAt);
      row.place = value;
      row.pairs.length = 0;
    });
  }
  if (row.ordinal > 0) show(row);
}

/** What was decided: rows by their ordinals, keys by their slots. */
export interface Decision {
  rule: Rule;
  /** Of each key: the row that has it in the end, 0 where none has. */
  keeper: Uint32Array;
  /**
   * Of each key: the row that others with it give way to, 0 where none does. Under "last" the last one with it, whether it stays itself or
   * not; under "first" the one that stays; under "only" the first one with it.
   */
  winner: Uint32Array;
  /** Whether a row of the target has a key. */
  taken(slot: number): boolean;
  rows: number;
  losers: number;
}

/**
 * Decides as statements would that run one after the other: "last" as REPLACE, which takes out every row that has one of its keys; "first"
 * as INSERT that leaves a row out when one of its keys is there. So under "last" a row stays when no later row has one of its keys, under
 * "first" when no earlier row that stays has, under "only" when no earlier row has.
 */
export async function decide(
  rows: Engine,
  keys: KeyTable,
  rule: Rule,
  signal: AbortSignal,
  /** Keys that rows of the target have. */
  taken: (slot: number) => boolean = () => false,
): Promise<Decision> {
  const winner = new Uint32Array(keys.capacity);
  const keeper = new Uint32Array(keys.capacity);
  if (rule === "last") {
    await eachRow(rows, signal, ({ ordinal, pairs }) => {
      for (const pair of pairs) {
        const slot = keys.find(pair, 2, keyEndOf(pair));
        if (slot >= 0) winner[slot] = ordinal;
      }
    });
  }
  const slots: number[] = [];
  let losers = 0;
  let count = 0;
  await eachRow(rows, signal, ({ ordinal, pairs }) => {
    slots.length = 0;
    count = ordinal;
    let stays = true;
    for (const pair of pairs) {
      const slot = keys.find(pair, 2, keyEndOf(pair));
      if (slot < 0) continue;
      slots.push(slot);
      if (rule === "last") stays &&= winner[slot] === ordinal;
      else stays &&= winner[slot] === 0 && !taken(slot);
    }
    if (rule === "only") for (const slot of slots) winner[slot] ||= ordinal;
    if (!stays) {
      losers++;
      return;
    }
    for (const slot of slots) {
      assert(keeper[slot] === 0, "one row keeps a key");
      keeper[slot] = ordinal;
      if (rule === "first") winner[slot] = ordinal;
    }
  });
  return { rule, keeper, winner, taken, rows: count, losers };
}

/** Whether the key is a record's or a unique value's; that of another entry ends with the record's, and is repeated only with it. */
function isUnique(pair: Uint8Array): boolean {
  const keyEnd = keyEndOf(pair);
  if (splitKey(pair.subarray(2, keyEnd)).kind === "record") return true;
  return splitIndexValue(pair.subarray(keyEnd)).handle !== undefined;
}

/** A key that a row loses, and to whom. */
export interface Loss {
  /** The row's pair with that key. */
  pair: Uint8Array;
  /** The row that it gives way to; 0: a row of the target. */
  other: number;
}

/**
 * What a row loses; empty: it stays. Under "only" each of its keys that a row before has, else the one key that it is told by: under "last"
 * where possible one whose other row is there in the end, not one that went by another key itself.
 */
export function lossesOf(row: MarkedRow, keys: KeyTable, { rule, keeper, winner, taken }: Decision): Loss[] {
  const losses: Loss[] = [];
  for (const pair of row.pairs) {
    const slot = keys.find(pair, 2, keyEndOf(pair));
    if (slot < 0) continue;
    const isTaken = rule !== "last" && taken(slot);
    const other = isTaken ? 0 : winner[slot]!;
    const isLost = rule === "last" ? other > row.ordinal : isTaken || (other > 0 && other < row.ordinal);
    if (!isLost || (rule === "only" && !isUnique(pair))) continue;
    if (rule === "only" || losses.length === 0) losses.push({ pair, other });
    if (rule === "last" && keeper[slot] !== 0) return [{ pair, other }];
  }
  return losses;
}
