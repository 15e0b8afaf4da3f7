/**
 * Code of a bulk kernel that writes the entries of a row's indexes, behind the row's record: `data` is where the row's values begin,
 * `k…` are numbers, `b…` and `n…` the place of a value in `data` and its size, `c…` that of a text cut for a key.
 */
import { COMMON_HANDLE_MIN, DatumFlag, indexPrefix } from "../../codec/mod.ts";
import { type BulkIndex, type ClusteredKey, INDEX_PREFIX, type KeyPart, type RestoredCell } from "./index-plan.ts";
import { SIGN_BIT } from "./kernel-parts.ts";
import { HANDLE, INDEX_ALONE, INDEX_GROUPS, INDEX_STARTS, SORT_KEY, WEIGHTS, WEIGHTS_BYTES } from "./memory.ts";
import type { BulkColumn, BulkPlan } from "./plan.ts";
import { cutCode, isNullAt, place, restoredRow, restoredSizes, storeBytes } from "./restored-code.ts";

/** Bytes of an entry before its key, where all lengths are short. */
const SHORT_HEAD = 4;
/** A value of version 0 is no shorter. */
const MIN_VALUE = 10;
/** First three bytes of a value of version 1. */
const VERSION_1 = 0x017d00;
const COMMON_HANDLE = 0x7f;

function isSigned({ form }: BulkColumn): boolean {
  return form.kind === "year" || (form.kind === "int" && !form.unsigned);
}

/** What record and entries of a row need, computed once: `w…` are numbers as keys have them; the handle, where it is clustered. */
export function keyValues(plan: BulkPlan): string {
  const { columns, handle, indexes, clustered } = plan;
  const parts = [...indexes.flatMap((index) => index.parts), ...(clustered?.parts ?? [])];
  const numbers = new Set(parts.filter(({ kind }) => kind === "number").map(({ column }) => column));
  const inValues = indexes.some(({ restored }) => restored?.some(({ column }) => column === handle));
  const value = handle >= 0 ? `k${handle}` : "rowId";
  return [
    `let handleKey = bswap(${value} ^ ${SIGN_BIT}); let handleValue = bswap(${value});`,
    ...[...numbers].map((i) => `let w${i} = bswap(k${i}${isSigned(columns[i]!) ? ` ^ ${SIGN_BIT}` : ""});`),
    inValues ? `let n${handle} = ${isSigned(columns[handle]!) ? "signedSize" : "unsignedSize"}(k${handle});` : "",
    clustered === undefined ? "" : clusteredHandle(clustered, plan),
  ].join("\n    ");
}

/** The end of the record's key, in `handleSize` bytes. */
function clusteredHandle({ parts }: ClusteredKey, { columns }: BulkPlan): string {
  return `let handleSize = 0;
    {
      let e = ${HANDLE};
      ${sizesOf(parts)}
      ${parts.map((part) => `{ ${partCode(part, columns[part.column]!)} }`).join("\n      ")}
      handleSize = e - ${HANDLE};
      while (handleSize < ${COMMON_HANDLE_MIN}) { store8(${HANDLE} + handleSize, 0); handleSize += 1; }
    }`;
}

function sizesOf(parts: readonly KeyPart[]): string {
  return parts.flatMap(({ kind, column }) => (kind === "text" ? [`let c${column} = n${column};`] : [])).join(" ");
}

/** One part of a key at `e`. */
function partCode(part: KeyPart, column: BulkColumn): string {
  const i = part.column;
  switch (part.kind) {
    case "number":
      return `store8(e, ${isSigned(column) ? DatumFlag.int : DatumFlag.uint}); store64(e, w${i}, 1); e += 9;`;
    case "cell": {
      const words = Array.from(
        { length: Math.ceil(part.size / 8) },
        (_, k) => `store64(e, load64(cell, ${8 * k}), ${1 + 8 * k});`,
      );
      return `let cell = ${place(i, column)}; store8(e, ${part.flag}); ${words.join(" ")} e += ${1 + part.size};`;
    }
    case "text": {
      const end = part.trim ? `trimmed(text, text + c${i})` : `text + c${i}`;
      const put =
        part.weights < 0
          ? `e = groups(text, ${end}, e + 1);`
          : `e = groups(${SORT_KEY}, weights(text, ${end}, ${WEIGHTS + part.weights * WEIGHTS_BYTES}), e + 1);`;
      return `let text = ${place(i, column)}; store8(e, ${DatumFlag.bytes}); ${cutCode(part, column, `c${i}`)} ${put}`;
    }
  }
}

/** The value's tag, length and bytes at `e`; leaves its start in `v` and its end in `end`. */
function shortValue(): string {
  return `
    let v = e + 2;
    let end = e + 3;
    if (distinct) { store16(e, 0x0812); store64(v, handleValue); end = e + 10; }
    else { store16(e, 0x0112); store8(v, 0x30); }`;
}

/** Tag and length of a value of `size` bytes; its start in `v`. */
const VALUE_HEAD = `
    store8(e, 0x12);
    let v = e + 2;
    if (size < 128) { store8(e, size, 1); } else { store16(e, length2(size), 1); v += 1; }`;

/** Version 0: a row, and a tail that ends with the handle where the key has none. */
function valueV0(cells: readonly RestoredCell[], plan: BulkPlan): string {
  return `
    ${restoredSizes(cells, plan)}
    let size = 1 + rowSize;
    let tail = select(8, select(${MIN_VALUE} - size, 0, size < ${MIN_VALUE}), distinct);
    size += tail;
    ${VALUE_HEAD}
    store8(v, tail);
    let r = v + 1;
    ${restoredRow(cells, plan)}
    store64(d, select(handleValue, 0, distinct));
    let end = d + tail;`;
}

/** Version 1: the handle where the key has none, then a row where something is restored. */
function valueV1(cells: readonly RestoredCell[] | undefined, plan: BulkPlan): string {
  return `
    ${cells === undefined ? "let rowSize = 0;" : restoredSizes(cells, plan)}
    let size = 3 + rowSize;
    if (distinct) { size += 3 + handleSize; }
    ${VALUE_HEAD}
    store32(v, ${VERSION_1});
    let r = v + 3;
    if (distinct) {
      store8(r, ${COMMON_HANDLE});
      store8(r, handleSize >>> 8, 1);
      store8(r, handleSize, 2);
      words(${HANDLE}, r + 3, handleSize);
      r += 3 + handleSize;
    }
    ${cells === undefined ? "let d = r;" : restoredRow(cells, plan)}
    let end = d;`;
}

/** Tags and lengths before the key. */
function headCode({ keyMax, valueMax }: BulkIndex): string {
  const short = "store32(at, 0x0a0012 | ((end - at - 2) << 8) | (keySize << 24));";
  if (keyMax + valueMax + 5 < 128) return short;
  return `
    if (end - at - 2 < 128) { ${short} }
    else { let shift = longHead(at, keySize, end); key += shift; v += shift; end += shift; }`;
}

/** One index's entry of the row. */
export function indexCode(index: BulkIndex, plan: BulkPlan): string {
  const { columns, clustered, tableId } = plan;
  const { restored } = index;
  const parts = index.parts.map((part) => {
    const column = columns[part.column]!;
    const value = partCode(part, column);
    if (column.notNull) return `{ ${value} }`;
    return `if (${isNullAt(part.column)}) { store8(e, ${DatumFlag.null}); e += 1; distinct = 0; } else { ${value} }`;
  });
  const suffix =
    clustered === undefined
      ? `store8(e, ${DatumFlag.int}); store64(e, handleKey, 1); e += 9;`
      : `words(${HANDLE}, e, handleSize); e += handleSize;`;
  const short = restored === undefined ? shortValue() : valueV0(restored, plan);
  return `{
    let at = indexOut;
    let key = at + ${SHORT_HEAD};
    let e = key + ${INDEX_PREFIX};
    let distinct = ${index.unique ? 1 : 0};
    ${storeBytes(indexPrefix(tableId, index.id), "key")}
    ${sizesOf(index.parts)}
    ${parts.join("\n    ")}
    if (!distinct) { ${suffix} }
    let keySize = e - key;
    ${clustered === undefined ? short : valueV1(restored, plan)}
    ${headCode(index)}
    sumEntry(${INDEX_GROUPS}, ${INDEX_ALONE}, key, keySize, v, end);
    if (indexOrder) {
      if (indexCount > 0) { indexOrder = indexOrder & ascends(indexKey, indexKeySize, key, keySize); }
      indexKey = key;
      indexKeySize = keySize;
    }
    indexBytes += keySize + end - v;
    store32(${INDEX_STARTS} + indexCount * 4, at);
    indexCount += 1;
    if (end - at > indexMax) { indexMax = end - at; }
    indexOut = end;
  }`;
}
