/**
 * Code of a bulk kernel that writes the entries of a row's indexes, behind the row's record: `data` is where the row's values begin,
 * `k…` are numbers, `b…` and `n…` the place of a value in `data` and its size.
 */
import { DatumFlag, indexPrefix } from "../../codec/mod.ts";
import type { BulkIndex, KeyPart } from "./index-plan.ts";
import { INDEX_PREFIX } from "./index-plan.ts";
import { INDEX_STARTS, SORT_KEY, WEIGHTS, WEIGHTS_BYTES } from "./memory.ts";
import type { BulkColumn, BulkPlan } from "./plan.ts";

const SIGN = "0x8000000000000000L";
/** Bytes of an entry before its key, where all lengths are short. */
const SHORT_HEAD = 4;
/** A value of version 0 is no shorter. */
const MIN_VALUE = 10;

/** Code that stores constant bytes at `address`, as few stores as may be. */
export function storeBytes(bytes: Uint8Array, address: string, offset = 0): string {
  const parts: string[] = [];
  let at = 0;
  for (const size of [8, 4, 2, 1]) {
    while (bytes.length - at >= size) {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
      parts.push(`store${8 * size}(${address}, 0x${value.toString(16)}${size === 8 ? "L" : ""}, ${offset + at});`);
      at += size;
    }
  }
  return parts.join(" ");
}

const isNull = (column: number): string => `((nulls >>> ${column}L) & 1L) != 0`;

function isSigned({ form }: BulkColumn): boolean {
  return form.kind === "year" || (form.kind === "int" && !form.unsigned);
}

/** What all entries of a row need, computed once: `w…` are numbers as keys have them. */
export function keyValues(plan: BulkPlan): string {
  const { columns, handle, indexes } = plan;
  if (indexes.length === 0) return "";
  const parts = indexes.flatMap((index) => index.parts);
  const numbers = new Set(parts.filter(({ kind }) => kind === "number").map(({ column }) => column));
  const inValues = indexes.some(({ restored, parts }) => restored && parts.some(({ column }) => column === handle));
  const value = handle >= 0 ? `k${handle}` : "rowId";
  return [
    `let handleKey = bswap(${value} ^ ${SIGN}); let handleValue = bswap(${value});`,
    ...[...numbers].map((i) => `let w${i} = bswap(k${i}${isSigned(columns[i]!) ? ` ^ ${SIGN}` : ""});`),
    inValues ? `let n${handle} = ${isSigned(columns[handle]!) ? "signedSize" : "unsignedSize"}(k${handle});` : "",
  ].join("\n    ");
}

/** One part of a key at `e`; `c…` is the size of a text's prefix. */
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
      return `let cell = data + b${i}; store8(e, ${part.flag}); ${words.join(" ")} e += ${1 + part.size};`;
    }
    case "text":
      return textCode(part, column);
  }
}

function textCode({ column: i, length, runes, trim, weights }: KeyPart & { kind: "text" }, column: BulkColumn): string {
  const counted = runes && column.form.kind === "text" && column.form.characterBytes > 1;
  const ascii = `c${i} = ${length};`;
  const cut =
    length < 0
      ? ""
      : `if (c${i} > ${length}) { ${counted ? `if (x${i}) { c${i} = prefix(text, c${i}, ${length}); } else { ${ascii} }` : ascii} }`;
  const end = trim ? `trimmed(text, text + c${i})` : `text + c${i}`;
  const put =
    weights < 0
      ? `e = groups(text, ${end}, e + 1);`
      : `e = groups(${SORT_KEY}, weights(text, ${end}, ${WEIGHTS + weights * WEIGHTS_BYTES}), e + 1);`;
  return `let text = data + b${i}; store8(e, ${DatumFlag.bytes}); ${cut} ${put}`;
}

/** The value's tag, length and bytes at `e`; leaves its start in `v` and its end in `end`. */
function shortValue(): string {
  return `
    let v = e + 2;
    let end = e + 3;
    if (distinct) { store16(e, 0x0812); store64(v, handleValue); end = e + 10; }
    else { store16(e, 0x0112); store8(v, 0x30); }`;
}

/** Size of a part's value in the row that is restored. */
function cellSize({ kind, column }: KeyPart): string {
  return kind === "text" ? `c${column}` : `n${column}`;
}

/** Version 0: the parts as a row, a tail that ends with the handle where the key has none. */
function restoredValue(index: BulkIndex, plan: BulkPlan): string {
  const parts = [...index.parts].sort((a, b) => a.column - b.column);
  const nullable = parts.filter(({ column }) => !plan.columns[column]!.notNull);
  const mask = nullable.reduce((all, { column }) => all | (1n << BigInt(column)), 0n);
  // A NULL has a size of 0.
  const data = parts.map(cellSize).join(" + ");
  const header = `${7 + 3 * parts.length}${nullable.length > 0 ? " - 2 * absent" : ""}`;
  return `
    ${nullable.length > 0 ? `let absent = i32(popcnt(nulls & ${mask}L));` : ""}
    let size = ${header} + ${data};
    let tail = select(8, select(${MIN_VALUE} - size, 0, size < ${MIN_VALUE}), distinct);
    size += tail;
    store8(e, 0x12);
    let v = e + 2;
    if (size < 128) { store8(e, size, 1); } else { store16(e, length2(size), 1); v += 1; }
    store8(v, tail);
    let d = v + ${header};
    let cell = 0;
    ${nullable.length > 0 ? headerWithNulls(parts, plan) : plainHeader(parts, plan)}
    ${parts.map((part) => cellCode(part, plan)).join("\n    ")}
    store64(d, select(handleValue, 0, distinct));
    let end = d + tail;`;
}

function plainHeader(parts: readonly KeyPart[], { columns }: BulkPlan): string {
  const ids = parts.map(({ column }) => columns[column]!.id);
  const ends = parts.map((part, i) => `cell += ${cellSize(part)}; store16(v, cell, ${7 + parts.length + 2 * i});`);
  return `${storeBytes(Uint8Array.of(128, 0, parts.length, 0, 0, 0, ...ids), "v", 1)} ${ends.join(" ")}`;
}

function headerWithNulls(parts: readonly KeyPart[], { columns }: BulkPlan): string {
  const fields = parts.map((part) => {
    const { id, notNull } = columns[part.column]!;
    const present = `store8(id, ${id}); id += 1; cell += ${cellSize(part)}; store16(to, cell); to += 2;`;
    if (notNull) return present;
    return `if (${isNull(part.column)}) { store8(nullId, ${id}); nullId += 1; } else { ${present} }`;
  });
  return `
    store32(v, 128 | (${parts.length} - absent) << 16, 1);
    store16(v, absent, 5);
    let id = v + 7;
    let nullId = id + ${parts.length} - absent;
    let to = nullId + absent;
    ${fields.join("\n    ")}`;
}

/** Copies a part's value to `d`; one that is NULL has no bytes. */
function cellCode(part: KeyPart, { columns }: BulkPlan): string {
  const { column, kind } = part;
  const size = cellSize(part);
  const { stored } = columns[column]!;
  if (!stored) return `store64(d, k${column}); d += ${size};`;
  if (kind === "number") return `store64(d, load64(data + b${column})); d += ${size};`;
  return `words(data + b${column}, d, ${size}); d += ${size};`;
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
  const { columns, tableId } = plan;
  const parts = index.parts.map((part) => {
    const column = columns[part.column]!;
    const value = partCode(part, column);
    if (column.notNull) return `{ ${value} }`;
    return `if (${isNull(part.column)}) { store8(e, ${DatumFlag.null}); e += 1; distinct = 0; } else { ${value} }`;
  });
  const cuts = index.parts.flatMap(({ kind, column }) => (kind === "text" ? [`let c${column} = n${column};`] : []));
  return `{
    let at = indexOut;
    let key = at + ${SHORT_HEAD};
    let e = key + ${INDEX_PREFIX};
    let distinct = ${index.unique ? 1 : 0};
    ${storeBytes(indexPrefix(tableId, index.id), "key")}
    ${cuts.join(" ")}
    ${parts.join("\n    ")}
    if (!distinct) { store8(e, ${DatumFlag.int}); store64(e, handleKey, 1); e += 9; }
    let keySize = e - key;
    ${index.restored ? restoredValue(index, plan) : shortValue()}
    ${headCode(index)}
    sumEntry(key, keySize, v, end);
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
