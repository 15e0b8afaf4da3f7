/** Fields → slots: one column behind the other, in the order of the row's values. */
import {
  appendSortKey,
  ByteWriter,
  type Collation,
  CollationError,
  copyBytes,
  FieldKind,
  type Fields,
} from "../../codec/mod.ts";
import type { AutoIds } from "../auto-id.ts";
import type { Binding } from "../binding.ts";
import type { ColumnLayout, TableLayout } from "../layout.ts";
import type { RowValues } from "../row-values.ts";
import { keyError } from "../value-error.ts";
import { ColumnParsers, Parser } from "./column-parsers.ts";
import { parseInteger } from "./parse-number.ts";
import { NO_ROOM, parseText } from "./parse-text.ts";
import { parseDate } from "./parse-time.ts";
import { putSigned, putUnsigned, SlotKind, type Slots, Source } from "./slots.ts";

/** Where a column's value comes from when the source has no field for it. */
const From = { plain: 0, constant: 1, rowNumber: 2, shardedRowNumber: 3 } as const;

const TWO32 = 0x100000000;

export class ColumnWriter {
  private readonly layout: TableLayout;
  private readonly slots: Slots;
  private readonly values: RowValues;
  private readonly autoIds: AutoIds;
  private readonly parsers: ColumnParsers;
  private readonly notNull: Uint8Array;
  private readonly from: Uint8Array;
  /** Collation to try a cast string with before any pair is written; undefined where nothing can go wrong. */
  private readonly checked: (Collation | undefined)[];
  private readonly trial = new ByteWriter(64);
  private binding: Binding | undefined;

  constructor(layout: TableLayout, slots: Slots, values: RowValues, autoIds: AutoIds) {
    this.layout = layout;
    this.slots = slots;
    this.values = values;
    this.autoIds = autoIds;
    const { columns, handle } = layout;
    this.parsers = new ColumnParsers(layout, slots.slack);
    this.notNull = Uint8Array.from(columns, (c) => (c.notNull ? 1 : 0));
    this.from = new Uint8Array(columns.length);
    const parts = handle.kind === "common" ? handle.parts : [];
    const inKeys = new Set([...layout.indexes.flatMap((i) => i.parts), ...parts].map((part) => part.column));
    this.checked = columns.map((c) => {
      const collation = c.form.collation;
      return inKeys.has(c) && collation !== undefined && !collation.bytewise ? collation : undefined;
    });
  }

  /** Evaluates the defaults of columns that the binding leaves out, where that can be done once for all rows. */
  bind(binding: Binding): void {
    this.binding = binding;
    const { slots } = this;
    slots.fixed.clear();
    for (const column of this.layout.columns) {
      const at = column.offset;
      slots.source[at] = column.neverStored ? Source.side : Source.row;
      this.from[at] = From.plain;
      if (column.generated !== "no") continue;
      const integer = column.form.kind === "int" || column.form.kind === "uint";
      if (column.autoIncrement && integer) this.from[at] = From.rowNumber;
      else if (column.autoRandom && integer && this.autoIds.shardIsHigh(column)) this.from[at] = From.shardedRowNumber;
      if (binding.fieldOf[at]! >= 0) continue;
      const d = this.values.constantDefault(column);
      if (d === undefined) continue;
      this.from[at] = From.constant;
      slots.setConstant(at, d, column.form);
    }
  }

  /**
   * Puts the values of columns one behind the other into the row or the side buffer, from `begin` on; returns the offset behind the
   * last and leaves the number of NULLs in `slots.nulls`.
   */
  put(columns: Int32Array, target: number, fields: Fields, rowId: number, begin: number): number {
    const { parsers, slots: v } = this;
    const { fieldOf } = this.binding!;
    const { accepts, parser, limit, unsigned, mode, slack } = parsers;
    const { isNull, start, end } = v;
    const { bytes, kind: kinds, start: starts, end: ends } = fields;
    let out = v.target(target);
    let at = begin;
    v.nulls = 0;
    for (let i = 0; i < columns.length; i++) {
      const c = columns[i]!;
      const field = fieldOf[c]!;
      let next = -1;
      if (field >= 0) {
        const kind = kinds[field]!;
        if (((accepts[c]! >> kind) & 1) === 1) {
          const from = starts[field]!;
          const to = ends[field]!;
          // The commonest parsers are called from here, which spares a call a field.
          switch (parser[c]) {
            case Parser.integer:
              next = parseInteger(bytes, from, to, out, at, limit[c]!, unsigned[c]!);
              break;
            case Parser.text:
              next = parseText(bytes, from, to, out, at, mode[c]!, limit[c]!, slack);
              break;
            case Parser.date:
              next = parseDate(bytes, from, to, out, at);
              break;
            default:
              next = parsers.parse(c, bytes, from, to, out, at);
          }
          if (next === NO_ROOM) {
            out = v.grow(target, at, Math.max(to - from, parsers.needed));
            next = parsers.parse(c, bytes, from, to, out, at);
          }
        } else if (kind === FieldKind.null && this.notNull[c] === 0) {
          isNull[c] = 1;
          v.nulls++;
          continue;
        }
      }
      if (next >= 0) {
        isNull[c] = 0;
        start[c] = at;
        end[c] = next;
        at = next;
        continue;
      }
      at = this.putOther(c, fields, field, rowId, target, at);
      v.nulls += isNull[c]!;
      out = v.target(target);
    }
    return at;
  }

  /** Defaults, automatic ids, and whatever the parsers do not take. */
  private putOther(column: number, fields: Fields, field: number, rowId: number, target: number, at: number): number {
    const from = this.from[column]!;
    if (from === From.constant) return this.copyConstant(column, target, at);
    if (from !== From.plain && (field < 0 || isNothing(fields.kind[field]!))) {
      const next = this.putRowNumber(column, from, rowId, target, at);
      if (next >= 0) return next;
    }
    const layout = this.layout.columns[column]!;
    const d = this.values.value(layout, fields, field, rowId);
    this.check(layout, d.kind === "bytes" ? d.value : undefined);
    return this.slots.putDatum(column, d, layout.form, target, at);
  }

  /** Constants live in a buffer of their own; a row needs their bytes among its own. */
  private copyConstant(column: number, target: number, at: number): number {
    const v = this.slots;
    if (v.isNull[column] === 1) return at;
    const start = v.start[column]!;
    const size = v.end[column]! - start;
    copyBytes(v.fixed.bytes, start, start + size, v.grow(target, at, size), at);
    return at + size;
  }

  /** AUTO_INCREMENT takes the row's number, AUTO_RANDOM has the chunk's shard above it; -1 where the column is too small. */
  private putRowNumber(column: number, from: number, rowId: number, target: number, at: number): number {
    const v = this.slots;
    if (rowId >= this.parsers.limit[column]! || rowId < 0) return -1;
    let high = Math.floor(rowId / TWO32);
    if (from === From.shardedRowNumber) high |= this.autoIds.shardHigh(this.layout.columns[column]!);
    const low = rowId | 0;
    const out = v.target(target);
    const next = v.kind[column] === SlotKind.int ? putSigned(out, at, high, low) : putUnsigned(out, at, high, low);
    v.isNull[column] = 0;
    v.source[column] = target;
    v.start[column] = at;
    v.end[column] = next;
    return next;
  }

  /** Tries the sort key of a string that no parser has looked at. */
  check(column: ColumnLayout, value: Uint8Array | undefined): void {
    const collation = this.checked[column.offset];
    if (collation === undefined || value === undefined) return;
    try {
      this.trial.clear();
      appendSortKey(this.trial, collation, value, 0, value.length);
    } catch (thrown) {
      if (thrown instanceof CollationError) throw keyError(this.layout.info.name.O, thrown);
      throw thrown;
    }
  }
}

function isNothing(kind: number): boolean {
  return kind === FieldKind.null || kind === FieldKind.default;
}
