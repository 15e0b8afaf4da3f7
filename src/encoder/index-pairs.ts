/** Index entries of one row, plain path (`GenIndexKey`, `GenIndexValuePortal`, `getIndexedValue` of TiDB). */

import { textOf, toHex, utf8 } from "../base/mod.ts";
import {
  ByteWriter,
  type ColumnForm,
  countRunes,
  type Datum,
  encodeHandle,
  encodeIndexValueV0,
  encodeIndexValueV1,
  encodeInt,
  encodeKeyDatum,
  encodeRowV2,
  type Handle,
  indexPrefix,
  isValidUtf8,
  JsonType,
  jsonCount,
  jsonDouble,
  jsonDuration,
  jsonHashBytes,
  jsonInt,
  jsonItem,
  jsonString,
  NULL_DATUM,
  type PairSink,
  packTime,
  type RowCell,
  skipRunes,
  trimBlanks,
  unpackCoreTime,
} from "../codec/mod.ts";
import { Flag, Tp } from "../schema/mod.ts";
import type { HandleLayout, IndexLayout, IndexPart, TableLayout } from "./layout.ts";

const PARTITION_ID_FLAG = 0x7e;
const INT_HANDLE_FLAG = 0x03;

/** What index entries need of their row. */
export interface IndexedRow {
  /** By column offset. */
  readonly datums: readonly Datum[];
  readonly handle: Handle;
  /** Partition id, or the table's. */
  readonly physicalId: bigint;
}

/** Writes the entries of one index for one row; buffers are reused. */
export class IndexPairWriter {
  private readonly key = new ByteWriter();
  private readonly value = new ByteWriter();
  private readonly layout: TableLayout;

  constructor(layout: TableLayout) {
    this.layout = layout;
  }

  write(index: IndexLayout, row: IndexedRow, sink: PairSink): void {
    for (const values of indexedValues(index, row.datums)) {
      const distinct = index.unique && values.every((d) => d.kind !== "null");
      this.writeKey(index, row, values, distinct);
      this.writeValue(index, row, values, distinct);
      sink.put(this.key.bytes, this.key.length, this.value.bytes, this.value.length);
    }
  }

  private writeKey(index: IndexLayout, row: IndexedRow, values: readonly Datum[], distinct: boolean): void {
    const key = this.key;
    key.clear();
    const owner = index.global ? BigInt(this.layout.info.id) : row.physicalId;
    key.append(indexPrefix(owner, index.info.id));
    for (let i = 0; i < values.length; i++) encodeKeyDatum(key, values[i]!, index.parts[i]!.column.form);
    if (distinct) return;
    if (index.global && (index.info.global_index_version ?? 0) >= 1) {
      key.u8(PARTITION_ID_FLAG);
      encodeInt(key, row.physicalId);
    }
    if (row.handle.kind === "int") key.u8(INT_HANDLE_FLAG);
    encodeHandle(key, row.handle);
  }

  private writeValue(index: IndexLayout, row: IndexedRow, values: readonly Datum[], distinct: boolean): void {
    this.value.clear();
    const handle = this.layout.handle;
    const v1 = handle.kind === "common" && handle.version === 1;
    const cells = v1 ? restoredV1(index, handle, row, values) : restoredV0(index, values);
    let restored: Uint8Array | undefined;
    if (cells !== undefined) {
      const out = new ByteWriter();
      encodeRowV2(out, cells);
      restored = out.toBytes();
    }
    const parts = {
      handle: distinct ? row.handle : undefined,
      partitionId: index.global ? row.physicalId : undefined,
      restored,
    };
    if (v1) encodeIndexValueV1(this.value, parts);
    else encodeIndexValueV0(this.value, parts);
  }
}

/** Value lists of an index, prefixes cut: one a row, one an element for multi-valued indexes. */
function indexedValues(index: IndexLayout, datums: readonly Datum[]): Datum[][] {
  const values = index.parts.map((part) => datums[part.column.offset]!);
  if (index.arrayPart < 0) return [values.map((d, i) => cutPrefix(d, index.parts[i]!))];
  const array = values[index.arrayPart]!;
  if (array.kind !== "json") return [values.map((d, i) => cutPrefix(d, index.parts[i]!))];
  const out: Datum[][] = [];
  const seen = new Set<string>();
  const form = index.parts[index.arrayPart]!.column.form;
  for (let i = 0; i < jsonCount(array.value); i++) {
    const item = jsonItem(array.value, i);
    const hash = toHex(jsonHashBytes(item));
    if (seen.has(hash)) continue;
    seen.add(hash);
    out.push(values.map((d, k) => cutPrefix(k === index.arrayPart ? elementDatum(item, form) : d, index.parts[k]!)));
  }
  return out;
}

/** An element of an array that was cast to the array's type. */
function elementDatum(item: Uint8Array, form: ColumnForm): Datum {
  switch (item[0]) {
    case JsonType.int64:
      return { kind: "int", value: jsonInt(item) };
    case JsonType.uint64:
      return { kind: "uint", value: jsonInt(item) };
    case JsonType.double:
      return { kind: "float", value: jsonDouble(item) };
    case JsonType.string:
      return { kind: "bytes", value: jsonString(item), collation: form.collationName };
    case JsonType.date:
      return { kind: "time", packed: packTime(unpackCoreTime(jsonInt(item))), tp: Tp.date, fsp: 0 };
    case JsonType.datetime:
      return { kind: "time", packed: packTime(unpackCoreTime(jsonInt(item))), tp: Tp.datetime, fsp: 6 };
    case JsonType.time:
      return { kind: "duration", ...jsonDuration(item) };
    default:
      return NULL_DATUM;
  }
}

/** Cuts a string to the prefix of an index; other values have none. */
export function cutPrefix(d: Datum, part: IndexPart): Datum {
  if (part.length === -1 || d.kind !== "bytes") return d;
  const source = d.value;
  if (part.prefixInBytes) {
    return source.length <= part.length ? d : { ...d, value: source.subarray(0, part.length) };
  }
  if (source.length <= part.length || countRunes(source, 0, source.length) <= part.length) return d;
  const end = skipRunes(source, 0, source.length, part.length);
  // Go rebuilds the string from its code points, so that invalid bytes turn into U+FFFD.
  const value = isValidUtf8(source, 0, end) ? source.subarray(0, end) : utf8(textOf(source.subarray(0, end)));
  return { ...d, value };
}

/** Version 0: one column that needs it brings all index columns along. */
function restoredV0(index: IndexLayout, values: readonly Datum[]): RowCell[] | undefined {
  if (!index.needsRestored) return undefined;
  return values.map((datum, i) => {
    const { info, form } = index.parts[i]!.column;
    return { id: info.id, datum, form };
  });
}

/** Version 1: only columns that need it; `_bin` columns as their number of trailing blanks; key columns behind the others. */
function restoredV1(
  index: IndexLayout,
  handle: HandleLayout & { kind: "common" },
  row: IndexedRow,
  values: readonly Datum[],
): RowCell[] | undefined {
  const cells: RowCell[] = [];
  index.parts.forEach((part, i) => {
    const { info, form } = part.column;
    if ((info.type.Flag & Flag.priKey) !== 0 || !form.needsRestored) return;
    const d = values[i]!;
    const datum: Datum = form.collation?.bin ? { kind: "uint", value: BigInt(blanksAtEnd(d)) } : d;
    cells.push({ id: info.id, datum, form });
  });
  let some = index.needsRestored;
  for (const part of handle.parts) {
    const { info, form } = part.column;
    if (!form.needsRestored) continue;
    some = true;
    const same = index.parts.find((other) => other.column === part.column);
    const cut = cutPrefix(row.datums[part.column.offset]!, { ...part, length: longer(part, same) });
    const datum: Datum = form.collation?.bin ? { kind: "int", value: BigInt(blanksAtEnd(cut)) } : cut;
    cells.push({ id: info.id, datum, form });
  }
  return some ? cells : undefined;
}

/** The longer of the prefixes by which key and index know a column; -1 = whole. */
function longer(part: IndexPart, same: IndexPart | undefined): number {
  if (part.length === -1 || same?.length === -1) return -1;
  return Math.max(part.length, same?.length ?? 0);
}

function blanksAtEnd(d: Datum): number {
  return d.kind === "bytes" ? d.value.length - trimBlanks(d.value, 0, d.value.length) : 0;
}
