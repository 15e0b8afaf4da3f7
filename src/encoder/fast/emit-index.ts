/** Index entries straight from slots: what `index-pairs.ts` does, for indexes without arrays. */
import { ByteWriter, type Collation, indexPrefix, type PairSink, rawCollation } from "../../codec/mod.ts";
import { Flag } from "../../schema/mod.ts";
import type { HandleLayout, IndexLayout, TableLayout } from "../layout.ts";
import type { CutPlan } from "./cut-slots.ts";
import { emitKeyDatum, putHalves } from "./emit-key.ts";
import { type CellList, cellList, emitRow } from "./emit-row.ts";
import type { FastHandle } from "./fast-handle.ts";
import type { Slots } from "./slots.ts";

const INT_HANDLE_FLAG = 0x03;
const COMMON_HANDLE = 0x7f;
const VERSION = 0x7d;
const PLAIN_VALUE = 0x30;
const PARTITION_ID = 0x7e;
const MIN_VALUE = 10;
const TWO32 = 0x100000000;

export class IndexEmitter {
  private readonly unique: boolean;
  private readonly slots: Int32Array;
  private readonly collations: Collation[];
  private readonly restored: CellList | undefined;
  private readonly version1: boolean;
  private readonly key = new ByteWriter(256);
  private readonly value = new ByteWriter(64);
  private readonly prefixLength: number;
  private readonly global: boolean;
  /** Entries that are not distinct have the partition in the key (global indexes from version 1 on). */
  private readonly partitionInKey: boolean;
  private partition = 0;

  constructor(layout: TableLayout, index: IndexLayout, plan: CutPlan) {
    const { handle } = layout;
    this.unique = index.unique;
    this.slots = Int32Array.from(index.parts, (part) => plan.prefix(part));
    this.collations = index.parts.map((part) => part.column.form.collation ?? rawCollation);
    this.version1 = handle.kind === "common" && handle.version === 1;
    this.restored =
      handle.kind === "common" && this.version1 ? restoredV1(index, handle, plan) : restoredV0(index, plan);
    this.key.append(indexPrefix(layout.info.id, index.info.id));
    this.prefixLength = this.key.length;
    this.global = index.global;
    this.partitionInKey = index.global && (index.info.global_index_version ?? 0) >= 1;
    this.partition = layout.info.id;
  }

  /** The next rows belong to this partition. */
  setPartition(physicalId: number): void {
    this.partition = physicalId;
    if (this.global) return;
    this.key.length = 1;
    putHalves(this.key, Math.floor(physicalId / TWO32) ^ 0x80000000, physicalId);
  }

  emit(v: Slots, handle: FastHandle, sink: PairSink): void {
    const { key, value, slots } = this;
    key.length = this.prefixLength;
    let distinct = this.unique;
    for (let i = 0; i < slots.length; i++) {
      if (v.isNull[slots[i]!] === 1) distinct = false;
      emitKeyDatum(key, v, slots[i]!, this.collations[i]!);
    }
    if (!distinct) {
      if (this.partitionInKey) this.putPartition(key);
      if (handle.common) key.slice(handle.bytes.bytes, 0, handle.bytes.length);
      else {
        key.u8(INT_HANDLE_FLAG);
        putHalves(key, handle.high ^ 0x80000000, handle.low);
      }
    }
    value.length = 0;
    if (this.version1) this.valueV1(v, handle, distinct);
    else this.valueV0(v, handle, distinct);
    sink.put(key.bytes, key.length, value.bytes, value.length);
  }

  private valueV1(v: Slots, handle: FastHandle, distinct: boolean): void {
    const { value } = this;
    value.u8(0);
    value.u8(VERSION);
    value.u8(1);
    if (distinct) this.putCommonHandle(handle);
    if (this.global) this.putPartition(value);
    if (this.restored !== undefined) emitRow(value, v, this.restored);
  }

  private valueV0(v: Slots, handle: FastHandle, distinct: boolean): void {
    const { value } = this;
    const commonValue = distinct && handle.common;
    if (this.restored === undefined && !commonValue && !this.global) {
      if (distinct) putHalves(value, handle.high, handle.low);
      else value.u8(PLAIN_VALUE);
      return;
    }
    value.u8(0);
    if (commonValue) this.putCommonHandle(handle);
    if (this.global) this.putPartition(value);
    if (this.restored !== undefined) emitRow(value, v, this.restored);
    if (distinct && !handle.common) {
      putHalves(value, handle.high, handle.low);
      value.bytes[0] = 8;
      return;
    }
    const padding = Math.max(0, MIN_VALUE - value.length);
    for (let i = 0; i < padding; i++) value.u8(0);
    value.bytes[0] = padding;
  }

  private putPartition(out: ByteWriter): void {
    out.u8(PARTITION_ID);
    putHalves(out, Math.floor(this.partition / TWO32) ^ 0x80000000, this.partition);
  }

  private putCommonHandle(handle: FastHandle): void {
    this.value.u8(COMMON_HANDLE);
    this.value.u16be(handle.bytes.length);
    this.value.slice(handle.bytes.bytes, 0, handle.bytes.length);
  }
}

function restoredV0(index: IndexLayout, plan: CutPlan): CellList | undefined {
  if (!index.needsRestored) return undefined;
  return cellList(index.parts.map((part) => ({ slot: plan.prefix(part), id: part.column.info.id, dropNull: false })));
}

function restoredV1(
  index: IndexLayout,
  handle: HandleLayout & { kind: "common" },
  plan: CutPlan,
): CellList | undefined {
  const cells: { slot: number; id: number; dropNull: boolean }[] = [];
  for (const part of index.parts) {
    const { info, form } = part.column;
    if ((info.type.Flag & Flag.priKey) !== 0 || !form.needsRestored) continue;
    const slot = form.collation?.bin ? plan.blanks(part, false) : plan.prefix(part);
    cells.push({ slot, id: info.id, dropNull: false });
  }
  let some = index.needsRestored;
  for (const part of handle.parts) {
    const { info, form } = part.column;
    if (!form.needsRestored) continue;
    some = true;
    const same = index.parts.find((other) => other.column === part.column);
    const whole = part.length === -1 || same?.length === -1;
    const length = whole ? -1 : Math.max(part.length, same?.length ?? 0);
    const slot = form.collation?.bin ? plan.blanks(part, true, length) : plan.prefix(part, length);
    cells.push({ slot, id: info.id, dropNull: false });
  }
  return some ? cellList(cells) : undefined;
}
