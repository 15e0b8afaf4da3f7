import { assert } from "../../base/mod.ts";
import { type Engine, forEachPair } from "../../engine/mod.ts";
import type { KeyTable } from "./key-table.ts";
import { isPlace, rowIdOf, tableOf } from "./row-entries.ts";

/** Which of the rows with one key stays. */
export type Rule = "first" | "last";

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
  /** Of each key: the row that has it in the end, 0 where none has. */
  keeper: Uint32Array;
  /** Of each key: the row that decided who stays, which is the last one under "last" whether it stays itself or not. */
  winner: Uint32Array;
  rows: number;
  losers: number;
}

/**
 * Decides as statements would that run one after the other: "last" as REPLACE, which takes out every row that has one of its keys; "first"
 * as INSERT that leaves a row out when one of its keys is there. So under "last" a row stays when no later row has one of its keys, under
 * "first" when no earlier row that stays has.
 */
export async function decide(
  rows: Engine,
  keys: KeyTable,
  rule: Rule,
  signal: AbortSignal,
  /** Keys that rows of the target have. */
  taken?: (slot: number) => boolean,
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
      else stays &&= keeper[slot] === 0 && taken?.(slot) !== true;
    }
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
  return { keeper, winner, rows: count, losers };
}

/** Whether a row stays, and else the pair that it loses by. */
export function lostBy(row: MarkedRow, keys: KeyTable, { keeper }: Decision): Uint8Array | undefined {
  for (const pair of row.pairs) {
    const slot = keys.find(pair, 2, keyEndOf(pair));
    if (slot >= 0 && keeper[slot] !== row.ordinal) return pair;
  }
  return undefined;
}
