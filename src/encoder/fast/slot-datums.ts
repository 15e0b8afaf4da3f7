/** The row's values as datums, made when they are asked for: what expressions and partitions look at. */
import { type Datum, decodeRowDatum, NULL_DATUM } from "../../codec/mod.ts";
import type { TableLayout } from "../layout.ts";
import type { Slots } from "./slots.ts";

export class SlotDatums {
  /** By column offset; reading an element decodes its slot, once a row. */
  readonly row: readonly Datum[];
  private readonly slots: Slots;
  private readonly columns: TableLayout["columns"];
  private readonly made: (Datum | undefined)[];
  private readonly madeFor: Float64Array;
  private stamp = 0;

  constructor(columns: TableLayout["columns"], slots: Slots) {
    this.columns = columns;
    this.slots = slots;
    this.made = columns.map(() => undefined);
    this.madeFor = new Float64Array(columns.length);
    const row: Datum[] = [];
    for (const { offset } of columns) {
      Object.defineProperty(row, offset, { get: () => this.get(offset), enumerable: true, configurable: true });
    }
    this.row = row;
  }

  /** Forgets the row before. */
  next(): void {
    this.stamp++;
  }

  /** Gives a column a value that its slot does not hold yet, or cannot (arrays). */
  set(offset: number, d: Datum): void {
    this.made[offset] = d;
    this.madeFor[offset] = this.stamp;
  }

  private get(offset: number): Datum {
    if (this.madeFor[offset] !== this.stamp) this.set(offset, this.decode(offset));
    return this.made[offset]!;
  }

  private decode(offset: number): Datum {
    const v = this.slots;
    if (v.isNull[offset] === 1) return NULL_DATUM;
    const start = v.startOf(offset);
    const end = start + v.end[offset]! - v.start[offset]!;
    return decodeRowDatum(v.bufferOf(offset).slice(start, end), this.columns[offset]!.form);
  }
}
