/**
 * The fast path: fields → slots → pairs, without an object a field. A field whose text is not plain takes the plain path's cast, alone;
 * what the table as a whole needs beyond this folder (partitions, generated columns, arrays, row checksums, row format 1) is said by
 * `fastReason`, and such tables take the plain path for every row.
 */
import {
  appendSortKey,
  ByteWriter,
  COMMON_HANDLE_MIN,
  type Collation,
  CollationError,
  copyBytes,
  FieldKind,
  type Fields,
  type PairSink,
  rawCollation,
  recordPrefix,
} from "../../codec/mod.ts";
import type { AutoIds } from "../auto-id.ts";
import type { Binding } from "../binding.ts";
import { goUint32 } from "../go-rand.ts";
import type { ColumnLayout, TableLayout } from "../layout.ts";
import type { EncodeOptions } from "../options.ts";
import type { RowValues } from "../row-values.ts";
import { keyError } from "../value-error.ts";
import { ColumnParsers, Parser } from "./column-parsers.ts";
import { CutPlan, makeCuts } from "./cut-slots.ts";
import { type FastHandle, IndexEmitter } from "./emit-index.ts";
import { emitKeyDatum, putHalves } from "./emit-key.ts";
import { type CellList, cellList, finishRow } from "./emit-row.ts";
import { parseInteger } from "./parse-number.ts";
import { NO_ROOM, parseText } from "./parse-text.ts";
import { parseDate } from "./parse-time.ts";
import { highHalf, lowHalf, SlotKind, Slots, Source, slotKindOf } from "./slots.ts";

const TWO32 = 0x100000000;

/** The number that `readHalves` read. */
const halves = { high: 0, low: 0 };

/** Where a column's value comes from. */
const From = { field: 0, constant: 1, plain: 2 } as const;

/** Why a table cannot take the fast path at all; undefined if it can. */
export function fastReason(layout: TableLayout, options: EncodeOptions): string | undefined {
  if (options.session.rowFormatVersion !== 2) return "row format 1";
  if (options.session.rowLevelChecksum) return "row checksums";
  if (layout.partitioned) return "partitions";
  if (layout.columns.some((c) => c.generated !== "no")) return "generated columns";
  if (layout.columns.some((c) => c.beingAdded)) return "a column being added";
  if (layout.columns.some((c) => c.autoIncrement && c.form.kind === "float")) return "AUTO_INCREMENT on a float";
  if (layout.indexes.some((i) => i.global || i.info.mv_index === true)) return "global or multi-valued indexes";
  if (layout.indexes.some((i) => (i.info.partial_condition_expr_string ?? "") !== "")) return "partial indexes";
  return undefined;
}

export class FastRows {
  private readonly layout: TableLayout;
  private readonly values: RowValues;
  private readonly autoIds: AutoIds;
  private readonly record: PairSink;
  private readonly index: PairSink;
  private readonly slots: Slots;
  private readonly plan: CutPlan;
  private readonly parsers: ColumnParsers;
  private readonly cells: CellList;
  /** Columns in the order of a row's values, and those that only keys hold. */
  private readonly stored: Int32Array;
  private readonly keyOnly: Int32Array;
  private readonly indexes: readonly IndexEmitter[];
  private readonly handle: FastHandle;
  private readonly handleSlots: Int32Array;
  private readonly handleCollations: Collation[];
  /** Collation to try a cast string with before any pair is written; undefined where nothing can go wrong. */
  private readonly checked: (Collation | undefined)[];
  private readonly key = new ByteWriter(64);
  private readonly trial = new ByteWriter(64);
  private readonly autoColumns: readonly ColumnLayout[];
  private readonly notNull: Uint8Array;
  private readonly from: Uint8Array;
  private binding: Binding | undefined;
  private readonly shardBits: number;

  constructor(layout: TableLayout, options: EncodeOptions, values: RowValues, autoIds: AutoIds) {
    this.layout = layout;
    this.values = values;
    this.autoIds = autoIds;
    this.record = options.record;
    this.index = options.index;
    const { columns, handle } = layout;
    const kinds = columns.map((c) => slotKindOf(c.form));
    this.plan = new CutPlan(kinds);
    this.indexes = layout.indexes.map((index) => new IndexEmitter(layout, index, this.plan));
    const parts = handle.kind === "common" ? handle.parts : [];
    this.handleSlots = Int32Array.from(parts, (part) => this.plan.prefix(part));
    this.handleCollations = parts.map((part) => part.column.form.collation ?? rawCollation);
    this.handle = { common: handle.kind === "common", high: 0, low: 0, bytes: new ByteWriter(64) };
    this.slots = new Slots(kinds);
    this.parsers = new ColumnParsers(layout, this.slots.slack);
    this.cells = cellList(
      columns.filter((c) => !c.neverStored).map((c) => ({ slot: c.offset, id: c.info.id, dropNull: c.nullLeftOut })),
    );
    this.stored = this.cells.slots;
    this.keyOnly = Int32Array.from(
      columns.filter((c) => c.neverStored),
      (c) => c.offset,
    );
    const inKeys = new Set([...layout.indexes.flatMap((i) => i.parts), ...parts].map((part) => part.column));
    this.checked = columns.map((c) => {
      const collation = c.form.collation;
      return inKeys.has(c) && collation !== undefined && !collation.bytewise ? collation : undefined;
    });
    this.autoColumns = columns.filter((c) => c.autoIncrement || c.autoRandom);
    this.notNull = Uint8Array.from(columns, (c) => (c.notNull ? 1 : 0));
    this.from = new Uint8Array(columns.length);
    this.shardBits = layout.info.ShardRowIDBits;
    this.key.append(recordPrefix(layout.info.id));
  }

  /** Evaluates the defaults of columns that the binding leaves out, where that can be done once for all rows. */
  bind(binding: Binding): void {
    this.binding = binding;
    this.slots.fixed.clear();
    for (const column of this.layout.columns) {
      const at = column.offset;
      this.from[at] = From.field;
      this.slots.source[at] = column.neverStored ? Source.side : Source.row;
      if (binding.fieldOf[at]! >= 0) continue;
      this.from[at] = From.plain;
      const d = this.values.constantDefault(column);
      if (d === undefined) continue;
      this.from[at] = From.constant;
      this.slots.setConstant(at, d, column.form);
    }
  }

  /** Writes the pairs of one row; on an error none. The row must have as many fields as the binding says. */
  encode(fields: Fields, rowId: number): void {
    const v = this.slots;
    v.written = v.rowBase;
    const end = this.putColumns(this.stored, Source.row, fields, rowId, v.rowBase);
    const nulls = v.nulls;
    v.sideLength = this.putColumns(this.keyOnly, Source.side, fields, rowId, 0);
    if (this.plan.cuts.length > 0) makeCuts(v, this.plan.cuts);
    this.setHandle(fields, rowId);
    if (this.autoColumns.length > 0) this.noteAutoIds();
    this.emit(nulls, end);
  }

  /** Puts the values of columns one behind the other into a buffer; returns the offset behind the last. */
  private putColumns(columns: Int32Array, target: number, fields: Fields, rowId: number, begin: number): number {
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
              if (next === NO_ROOM) {
                out = v.grow(target, at, to - from);
                next = parseText(bytes, from, to, out, at, mode[c]!, limit[c]!, slack);
              }
              break;
            case Parser.date:
              next = parseDate(bytes, from, to, out, at);
              break;
            default:
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
      at =
        field < 0 && this.from[c] === From.constant
          ? this.copyConstant(c, target, at)
          : this.castPlain(c, fields, field, rowId, target, at);
      v.nulls += isNull[c]!;
      out = v.target(target);
    }
    return at;
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

  private castPlain(column: number, fields: Fields, field: number, rowId: number, target: number, at: number): number {
    const layout = this.layout.columns[column]!;
    const d = this.values.value(layout, fields, field, rowId);
    const collation = this.checked[column];
    if (collation !== undefined && d.kind === "bytes") {
      try {
        this.trial.clear();
        appendSortKey(this.trial, collation, d.value, 0, d.value.length);
      } catch (thrown) {
        if (thrown instanceof CollationError) throw keyError(this.layout.info.name.O, thrown);
        throw thrown;
      }
    }
    return this.slots.putDatum(column, d, layout.form, target, at);
  }

  private setHandle(fields: Fields, rowId: number): void {
    const { handle, slots: v } = this;
    const kind = this.layout.handle.kind;
    if (kind === "common") {
      const out = handle.bytes;
      out.length = 0;
      for (let i = 0; i < this.handleSlots.length; i++) {
        emitKeyDatum(out, v, this.handleSlots[i]!, this.handleCollations[i]!);
      }
      while (out.length < COMMON_HANDLE_MIN) out.u8(0);
    } else if (kind === "int") {
      this.readHalves(this.layout.handle.column.offset);
      handle.high = halves.high;
      handle.low = halves.low;
    } else if (this.binding!.rowIdField >= 0) {
      const given = this.values.rowIdOf(fields, this.binding!.rowIdField, rowId);
      this.autoIds.noteRowId(given);
      handle.high = Number(BigInt.asIntN(32, given >> 32n));
      handle.low = Number(BigInt.asIntN(32, given));
    } else {
      const bits = this.shardBits;
      const shard = bits === 0 ? 0 : (goUint32(rowId) & ((1 << bits) - 1)) << (31 - bits);
      handle.high = shard | Math.floor(rowId / TWO32);
      handle.low = rowId;
      this.autoIds.noteSourceRowId(rowId);
    }
  }

  private noteAutoIds(): void {
    for (const column of this.autoColumns) {
      if (this.slots.isNull[column.offset] === 1) continue;
      this.readHalves(column.offset);
      this.autoIds.noteHalves(column, halves.high, halves.low);
    }
  }

  /** Reads the number in a slot into `halves`. */
  private readHalves(slot: number): void {
    const v = this.slots;
    const b = v.bufferOf(slot);
    const at = v.startOf(slot);
    const size = v.end[slot]! - v.start[slot]!;
    const signed = v.kind[slot] !== SlotKind.uint;
    halves.low = lowHalf(b, at, size, signed);
    halves.high = highHalf(b, at, size, signed, halves.low);
  }

  private emit(nulls: number, end: number): void {
    const { key, handle } = this;
    key.length = 11;
    if (handle.common) key.slice(handle.bytes.bytes, 0, handle.bytes.length);
    else putHalves(key, handle.high ^ 0x80000000, handle.low);
    const length = finishRow(this.slots, this.cells, nulls, end);
    this.record.put(key.bytes, key.length, this.slots.row, length);
    for (let i = 0; i < this.indexes.length; i++) this.indexes[i]!.emit(this.slots, handle, this.index);
  }
}
