/** The bulk kernel of a table: a row's fields, its record pair, its index pairs, and the loop over rows. */
import { recordPrefix } from "../../codec/mod.ts";
import { fieldCode } from "./field-code.ts";
import { indexCode, keyValues } from "./index-code.ts";
import { COMMON_PART, CRC_PART, KEY_PART, SIGN_BIT } from "./kernel-parts.ts";
import {
  ENTRY_HEADS,
  HANDLE,
  INDEX_OUT,
  PAIR_MAX,
  RECORD_ALONE,
  RECORD_GROUPS,
  RECORD_OUT,
  RECORD_STARTS,
  RESULTS,
  Result,
  SIDE,
} from "./memory.ts";
import type { BulkColumn, BulkPlan } from "./plan.ts";
import { storeBytes } from "./restored-code.ts";

/** Bytes of a record's key before its handle, and of one that is a number. */
const RECORD_PREFIX = 11;
const INT_HANDLE = 8;
/** Header bytes of a row without NULLs, up to the offsets of the values. */
function headerBytes(ids: readonly number[]): Uint8Array {
  return Uint8Array.of(128, 0, ids.length, ids.length >> 8, 0, 0, ...ids);
}

/** Bytes of a record's slot before its values: heads and key of the entry, header of the row. */
function headroom(plan: BulkPlan): number {
  return 1 + 2 + 3 + keyMax(plan) + 1 + 2 + rowHeader(plan);
}

/** Longest key of a record. */
function keyMax({ clustered }: BulkPlan): number {
  return RECORD_PREFIX + (clustered?.keyMax ?? INT_HANDLE);
}

function rowHeader({ columns }: BulkPlan): number {
  return 6 + 3 * columns.filter(({ stored }) => stored).length;
}

/**
 * The header of a row with NULLs, which ends where the one without would: ids of values, ids of NULLs, ends of values. The ends of all
 * columns, NULLs included, stand before `data`.
 */
function nullsPart(plan: BulkPlan): string {
  const cells = plan.columns.flatMap((column, position) => (column.stored ? [{ ...column, position }] : []));
  const at = (i: number): string => `load16(data - ${2 * (cells.length - i)})`;
  const perCell = (code: (cell: (typeof cells)[number], bit: string, i: number) => string): string =>
    cells
      .map((cell, i) => (cell.notNull ? code(cell, "0", i) : code(cell, `(i32(nulls >>> ${cell.position}L) & 1)`, i)))
      .join("\n");
  const listed = cells.filter((cell) => !cell.notNull && !cell.nullLeftOut);
  const mask = cells.filter((cell) => !cell.notNull).reduce((all, { position }) => all | (1n << BigInt(position)), 0n);
  const listedMask = listed.reduce((all, { position }) => all | (1n << BigInt(position)), 0n);
  return `
fn nullHeaderSize(nulls: i64): i32 {
  return ${6 + 3 * cells.length} - 3 * i32(popcnt(nulls & ${mask}L)) + i32(popcnt(nulls & ${listedMask}L));
}

fn nullHeader(data: i32, header: i32, nulls: i64) {
  let present = ${cells.length} - i32(popcnt(nulls & ${mask}L));
  let to = data;
  // Ends are moved from behind, as they are written over those that were read.
  ${cells
    .map((_, i) => cells.length - 1 - i)
    .map((i) => {
      const { notNull, position } = cells[i]!;
      const move = `to -= 2; store16(to, ${at(i)});`;
      return notNull ? move : `if (((nulls >>> ${position}L) & 1L) == 0) { ${move} }`;
    })
    .join("\n  ")}
  store32(header, 128 | (present << 16));
  store16(header, i32(popcnt(nulls & ${listedMask}L)), 4);
  let id = header + 6;
  let nullId = id + present;
  ${perCell(({ id, notNull, nullLeftOut }, bit) => {
    const present = `store8(id, ${id}); id += 1;`;
    if (notNull) return present;
    const absent = nullLeftOut ? "" : `store8(nullId, ${id}); nullId += 1;`;
    return `if (${bit}) { ${absent} } else { ${present} }`;
  })}
}
`;
}

function recordCode(plan: BulkPlan, hasNulls: boolean): string {
  const { columns, handle, clustered, tableId } = plan;
  const stored = columns.filter((column) => column.stored);
  const full = rowHeader(plan);
  const ends = 2 * stored.length;
  const prefix = recordPrefix(tableId);
  const handleValue = handle >= 0 ? `k${handle}` : "rowId";
  const plainHeader = storeBytes(headerBytes(stored.map(({ id }) => id)), "value");
  const inOrder = `if (recordCount > 0 && k${handle} <= lastHandle) { recordOrder = select(1, 0, k${handle} == lastHandle) & recordOrder; }`;
  const order =
    clustered !== undefined
      ? `if (recordOrder) {
          if (recordCount > 0) { recordOrder = recordOrder & ascends(recordKey, recordKeySize, key, keySize); }
          recordKey = key;
          recordKeySize = keySize;
        }`
      : handle < 0
        ? ""
        : `${inOrder} lastHandle = k${handle};`;
  const keySize = clustered === undefined ? `${RECORD_PREFIX + INT_HANDLE}` : `${RECORD_PREFIX} + handleSize`;
  const putHandle =
    clustered === undefined
      ? `store64(key, bswap(${handleValue} ^ ${SIGN_BIT}), ${RECORD_PREFIX});`
      : `exactly(${HANDLE}, key + ${RECORD_PREFIX}, handleSize);`;
  const gapMax = headroom(plan) - ends;
  return `
    let header = ${full};
    ${hasNulls ? "if (nulls != 0) { header = nullHeaderSize(nulls); }" : ""}
    let size = header + o - data;
    let keySize = ${keySize};
    if (size + keySize + ${ENTRY_HEADS} > ${PAIR_MAX}) { return 0; }
    let bigValue: i32 = size >= 128;
    let bigKey: i32 = ${keyMax(plan) < 128 ? "0" : "keySize >= 128"};
    let pair = size + bigValue + keySize + bigKey + 4;
    let bigPair: i32 = pair >= 128;
    let at = data - header - bigValue - bigPair - bigKey - keySize - 6;
    // Entries lie side by side: most rows of a table need as much before their values as the row before.
    let shift = recordOut - at;
    gap = select(at - slot, ${gapMax}, at - slot < ${gapMax});
    if (shift != 0) {
      copy(data + shift - ${ends}, data - ${ends}, o - data + ${ends});
      data += shift;
      o += shift;
      at = recordOut;
    }
    let value = data - header;
    ${hasNulls ? `if (nulls != 0) { nullHeader(data, value, nulls); } else { ${plainHeader} }` : plainHeader}
    let key = at + bigPair + bigKey + 4;
    let keyEnd = key + keySize;
    ${storeBytes(prefix, "key")}
    ${putHandle}
    store8(keyEnd, 0x12);
    if (bigValue) { store16(keyEnd, length2(size), 1); } else { store8(keyEnd, size, 1); }
    store8(at, 0x12);
    if (bigPair) { store16(at, length2(pair), 1); } else { store8(at, pair, 1); }
    if (bigKey) { store8(key - 3, 0x0a); store16(key - 2, length2(keySize)); }
    else { store16(key - 2, 0x0a | (keySize << 8)); }
    sumEntry(${RECORD_GROUPS}, ${RECORD_ALONE}, key, keySize, value, o);
    ${order}
    recordBytes += size + keySize;
    store32(${RECORD_STARTS} + recordCount * 4, at);
    recordCount += 1;
    if (o - at > recordMax) { recordMax = o - at; }
    recordOut = o;`;
}

/** A value that is in keys only: a number in `k…`, other bytes at `b…` in the side area. */
function besideRow({ form, located }: BulkColumn, position: number, field: string): string {
  if (form.kind === "int") return field;
  const keep = `n${position} = o - before; words(before, side, n${position}); b${position} = side; side += n${position};`;
  return `{ let before = o; ${field} ${located ? keep : ""} o = before; }`;
}

function rowPart(plan: BulkPlan): string {
  const { columns, syntax } = plan;
  const hasNulls = columns.some(({ notNull }) => !notNull) && syntax.nulls.length > 0;
  const kept = columns.flatMap(({ form, located }, i) => [
    ...(["int", "time", "year", "enum"].includes(form.kind) ? [`let k${i}: i64 = 0;`] : []),
    ...(located ? [`let b${i} = 0; let n${i} = 0; let x${i} = 0;`] : []),
  ]);
  const room = headroom(plan);
  const cells = columns.filter(({ stored }) => stored).length;
  let cell = 0;
  const fields = columns.map((column, i) => {
    const field = fieldCode(column, i, syntax, i === columns.length - 1);
    if (!column.stored) return besideRow(column, i, field);
    const code = column.located ? `b${i} = o - data; ${field} n${i} = o - data - b${i};` : field;
    return `${code}\n    store16(slot, o - data, ${room - 2 * (cells - cell++)});`;
  });
  const noted = columns.flatMap((column, i) => (column.noted ? [`if (k${i} > notedMax) { notedMax = k${i}; }`] : []));
  return `
${hasNulls ? nullsPart(plan) : ""}
// Encodes the row at "from"; gives the position behind it, 0 where it is not plain.
fn row(from: i32, end: i32): i32 {
    let p = from;
    let slot = recordOut - gap;
    let data = slot + ${room};
    let o = data;
    let nulls: i64 = 0;
    let side = ${SIDE};
    ${kept.join(" ")}
    ${syntax.rowBegin.map((byte) => `if (load8(p) != ${byte}) { return 0; } p += 1;`).join(" ")}
    ${fields.join("\n    ")}
    if (p > end) { return 0; }
    ${keyValues(plan)}
    ${recordCode(plan, hasNulls)}
    ${noted.join(" ")}
    ${plan.indexes.map((index) => indexCode(index, plan)).join("\n    ")}
    return p;
}
`;
}

/** Steps from behind one row to the next: in an INSERT a comma and white space. */
function betweenPart({ syntax }: BulkPlan): string {
  if (syntax.between < 0) return "fn between(from: i32, first: i32): i32 { return from; }";
  const skip = "while (load8(p) == 32 || load8(p) == 10 || load8(p) == 13) { p += 1; }";
  return `fn between(from: i32, first: i32): i32 {
    let p = from;
    ${skip}
    if (!first) {
      if (load8(p) != ${syntax.between}) { return 0; }
      p += 1;
      ${skip}
    }
    return p;
  }`;
}

const GLOBALS = `
global recordOut: i32; global recordCount: i32; global recordBytes: i32; global recordMax: i32; global recordOrder: i32; global gap: i32;
global indexOut: i32; global indexCount: i32; global indexBytes: i32; global indexMax: i32; global indexOrder: i32;
global indexKey: i32; global indexKeySize: i32; global recordKey: i32; global recordKeySize: i32; global lastHandle: i64; global notedMax: i64; global rowId: i64;
`;

const put = (at: number, value: string): string => `store32(${RESULTS + 4 * at}, ${value});`;

/** Rows from `from` on, at most `rowsMax`, until the row at hand would begin behind the limits; gives their number. */
const RUN_PART = `
export fn run(from: i32, end: i32, first: i32, idLow: i32, idHigh: i32, rowsMax: i32, recordLimit: i32, indexLimit: i32): i32 {
  let p = from;
  let last = from;
  let rows = 0;
  recordOut = ${RECORD_OUT}; recordCount = 0; recordBytes = 0; recordMax = 0; recordOrder = 3; gap = 0;
  indexOut = ${INDEX_OUT}; indexCount = 0; indexBytes = 0; indexMax = 0; indexOrder = 3;
  rowId = (i64(idHigh) << 32L) | i64(idLow);
  notedMax = 0;
  let stopped = 0;
  while (rows < rowsMax && p < end && recordOut < recordLimit && indexOut < indexLimit) {
    let begin = between(p, first);
    if (begin == 0) { stopped = 1; break; }
    let next = row(begin, end);
    if (next == 0) { stopped = 1; break; }
    last = begin;
    p = next;
    first = 0;
    rows += 1;
    rowId += 1;
  }
  ${put(Result.stopped, "stopped")}
  ${put(Result.position, "p")} ${put(Result.lastRow, "last")}
  ${put(Result.recordEnd, "recordOut")} ${put(Result.recordCount, "recordCount")} ${put(Result.recordBytes, "recordBytes")}
  ${put(Result.recordMax, "recordMax")} ${put(Result.recordOrder, "recordOrder")}
  ${put(Result.indexEnd, "indexOut")} ${put(Result.indexCount, "indexCount")} ${put(Result.indexBytes, "indexBytes")}
  ${put(Result.indexMax, "indexMax")} ${put(Result.indexOrder, "indexOrder")}
  ${put(Result.notedLow, "i32(notedMax)")} ${put(Result.notedHigh, "i32(notedMax >>> 32L)")}
  return rows;
}
`;

/** Source of the table's kernel, in the language of `kernel/`. */
export function kernelSource(plan: BulkPlan): string {
  return [GLOBALS, COMMON_PART, CRC_PART, KEY_PART, rowPart(plan), betweenPart(plan), RUN_PART].join("\n");
}
