/**
 * The fast path: fields → slots → pairs, without an object a field. A field whose text is not plain takes the plain path's cast, alone;
 * generated columns, partitions and conditions get the values that they look at as datums. Row format 1 has no fast path.
 */
import {
  ByteWriter,
  COMMON_HANDLE_MIN,
  type Collation,
  type Fields,
  type PairSink,
  rawCollation,
  recordPrefix,
} from "../../codec/mod.ts";
import type { AutoIds } from "../auto-id.ts";
import type { Binding } from "../binding.ts";
import { goUint32 } from "../go-rand.ts";
import { IndexPairWriter } from "../index-pairs.ts";
import type { ColumnLayout, IndexLayout, TableLayout } from "../layout.ts";
import type { EncodeOptions } from "../options.ts";
import type { RowRules } from "../row-rules.ts";
import type { RowValues } from "../row-values.ts";
import { ColumnWriter } from "./column-writer.ts";
import { CutPlan, makeCuts } from "./cut-slots.ts";
import { IndexEmitter } from "./emit-index.ts";
import { emitKeyDatum, putHalves } from "./emit-key.ts";
import { type CellList, cellList, emitRow, finishRow } from "./emit-row.ts";
import { type FastHandle, toHandle } from "./fast-handle.ts";
import { appendRowChecksum } from "./row-checksum.ts";
import { SlotDatums } from "./slot-datums.ts";
import { halvesOf, highHalf, lowHalf, SlotKind, Slots, Source, slotKindOf } from "./slots.ts";

const TWO32 = 0x100000000;

/** The number that `readHalves` read. */
const halves = { high: 0, low: 0 };

/** Why a table cannot take the fast path; undefined if it can. */
export function fastReason(layout: TableLayout, options: EncodeOptions): string | undefined {
  if (options.session.rowFormatVersion !== 2) return "row format 1";
  if (layout.columns.some((c) => c.beingAdded)) return "a column being added";
  if (layout.columns.some((c) => c.autoIncrement && c.form.kind === "float")) return "AUTO_INCREMENT on a float";
  return undefined;
}

/** An index and the way its entries are made. */
interface FastIndex {
  readonly layout: IndexLayout;
  /** Undefined for multi-valued indexes, which the plain path writes. */
  readonly emitter: IndexEmitter | undefined;
  /** Whether the row has an entry; for partial indexes. */
  wanted: boolean;
}

export class FastRows {
  private readonly layout: TableLayout;
  private readonly values: RowValues;
  private readonly rules: RowRules;
  private readonly autoIds: AutoIds;
  private readonly record: PairSink;
  private readonly index: PairSink;
  private readonly slots: Slots;
  private readonly plan: CutPlan;
  private readonly writer: ColumnWriter;
  private readonly datums: SlotDatums;
  private readonly cells: CellList;
  /** Columns in the order of a row's values, and those that only keys hold; generated ones are in neither. */
  private readonly stored: Int32Array;
  private readonly keyOnly: Int32Array;
  private readonly hasGenerated: boolean;
  /** Rows whose values do not lie in order: with stored generated columns. */
  private readonly gathered: ByteWriter | undefined;
  private readonly indexes: readonly FastIndex[];
  private readonly plainIndexes: IndexPairWriter;
  private readonly handle: FastHandle;
  private readonly handleSlots: Int32Array;
  private readonly handleCollations: Collation[];
  private readonly key = new ByteWriter(64);
  private readonly autoColumns: readonly ColumnLayout[];
  private readonly shardBits: number;
  private readonly rowChecksum: boolean;
  private binding: Binding | undefined;
  private physicalId: number;

  constructor(layout: TableLayout, options: EncodeOptions, values: RowValues, rules: RowRules, autoIds: AutoIds) {
    this.layout = layout;
    this.values = values;
    this.rules = rules;
    this.autoIds = autoIds;
    this.record = options.record;
    this.index = options.index;
    const { columns, handle } = layout;
    const kinds = columns.map((c) => slotKindOf(c.form));
    this.plan = new CutPlan(kinds);
    this.indexes = layout.indexes.map((index) => ({
      layout: index,
      emitter: index.info.mv_index === true ? undefined : new IndexEmitter(layout, index, this.plan),
      wanted: true,
    }));
    const parts = handle.kind === "common" ? handle.parts : [];
    this.handleSlots = Int32Array.from(parts, (part) => this.plan.prefix(part));
    this.handleCollations = parts.map((part) => part.column.form.collation ?? rawCollation);
    this.handle = { common: handle.kind === "common", high: 0, low: 0, bytes: new ByteWriter(64) };
    this.slots = new Slots(kinds);
    this.writer = new ColumnWriter(layout, this.slots, values, autoIds);
    this.datums = new SlotDatums(columns, this.slots);
    this.plainIndexes = new IndexPairWriter(layout);
    const storedColumns = columns.filter((c) => !c.neverStored);
    this.cells = cellList(storedColumns.map((c) => ({ slot: c.offset, id: c.info.id, dropNull: c.nullLeftOut })));
    const given = (offset: number): boolean => columns[offset]!.generated === "no";
    this.stored = this.cells.slots.filter(given);
    this.keyOnly = Int32Array.from(
      columns.filter((c) => c.neverStored),
      (c) => c.offset,
    ).filter(given);
    this.hasGenerated = columns.some((c) => c.generated !== "no");
    this.gathered = this.stored.length < this.cells.slots.length ? new ByteWriter(1024) : undefined;
    this.autoColumns = columns.filter((c) => c.autoIncrement || c.autoRandom);
    this.shardBits = layout.info.ShardRowIDBits;
    this.rowChecksum = options.session.rowLevelChecksum;
    this.physicalId = layout.info.id;
    this.key.append(recordPrefix(layout.info.id));
  }

  bind(binding: Binding): void {
    this.binding = binding;
    this.writer.bind(binding);
  }

  /** Writes the pairs of one row; on an error none. The row must have as many fields as the binding says. */
  encode(fields: Fields, rowId: number): void {
    const v = this.slots;
    v.written = v.rowBase;
    const end = this.writer.put(this.stored, Source.row, fields, rowId, v.rowBase);
    const nulls = v.nulls;
    v.sideLength = this.writer.put(this.keyOnly, Source.side, fields, rowId, 0);
    const rowIdField = this.binding!.rowIdField;
    const given = rowIdField < 0 ? undefined : this.values.rowIdOf(fields, rowIdField, rowId);
    this.datums.next();
    if (this.hasGenerated) this.putGenerated(rowId);
    if (this.plan.cuts.length > 0) makeCuts(v, this.plan.cuts);
    if (this.rules.partitioned) this.locate();
    if (this.rules.conditional) {
      for (const index of this.indexes) index.wanted = this.rules.wants(index.layout, this.datums.row);
    }
    this.setHandle(given, rowId);
    if (this.autoColumns.length > 0) this.noteAutoIds();
    this.emit(nulls, end);
  }

  private putGenerated(rowId: number): void {
    const v = this.slots;
    const { columns } = this.layout;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      if (column.generated === "no") continue;
      const d = this.values.generatedValue(column, this.datums.row, rowId);
      this.datums.set(i, d);
      // The datum of an array column is the whole array, which no slot holds.
      if (column.info.type.Array === true) v.isNull[i] = 1;
      else {
        this.writer.check(column, d.kind === "bytes" ? d.value : undefined);
        v.sideLength = v.putDatum(i, d, column.form, Source.side, v.sideLength);
      }
    }
  }

  private locate(): void {
    const id = this.rules.physicalId(this.datums.row);
    if (id === this.physicalId) return;
    this.physicalId = id;
    this.key.length = 1;
    putHalves(this.key, Math.floor(id / TWO32) ^ 0x80000000, id);
    for (const { emitter } of this.indexes) emitter?.setPartition(id);
  }

  /** `given`: `_tidb_rowid` of the source. */
  private setHandle(given: bigint | undefined, rowId: number): void {
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
    } else if (given !== undefined) {
      this.autoIds.noteRowId(given);
      halvesOf(given, handle);
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
    const { key, handle, slots: v } = this;
    key.length = 11;
    if (handle.common) key.slice(handle.bytes.bytes, 0, handle.bytes.length);
    else putHalves(key, handle.high ^ 0x80000000, handle.low);
    this.emitRecord(nulls, end);
    for (let i = 0; i < this.indexes.length; i++) {
      const { emitter, wanted, layout } = this.indexes[i]!;
      if (!wanted) continue;
      if (emitter !== undefined) emitter.emit(v, handle, this.index);
      else {
        const physicalId = BigInt(this.physicalId);
        this.plainIndexes.write(layout, { datums: this.datums.row, handle: toHandle(handle), physicalId }, this.index);
      }
    }
  }

  private emitRecord(nulls: number, end: number): void {
    const { key, slots: v, gathered } = this;
    if (gathered === undefined) {
      let length = finishRow(v, this.cells, nulls, end);
      if (this.rowChecksum) length = appendRowChecksum(v.grow(Source.row, length, 0), length, this.handle);
      this.record.put(key.bytes, key.length, v.row, length);
      return;
    }
    gathered.length = 0;
    emitRow(gathered, v, this.cells);
    if (this.rowChecksum) {
      gathered.reserve(8);
      gathered.length = appendRowChecksum(gathered.bytes, gathered.length, this.handle);
    }
    this.record.put(key.bytes, key.length, gathered.bytes, gathered.length);
  }
}
