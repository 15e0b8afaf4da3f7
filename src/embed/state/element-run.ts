import { type Kernel, startKernel } from "../../kernel/mod.ts";

/** Where things lie in the kernel's memory. */
const RESULTS = 0;
const BATCH = 1024;
const BATCH_BYTES = 2 << 20;
const PAGES = Math.ceil((BATCH + BATCH_BYTES + 64) / 65536);
/** Smaller batches cost less without. */
const LEAST_BYTES = 1024;

const SOURCE = `
global next: i32;

// Value of a varint of at most four bytes, with next behind it; -1 = it is longer.
fn varint(at: i32): i32 {
  let p = at;
  let value = load8(p);
  p += 1;
  if (value >= 128) {
    value &= 127;
    let shift = 7;
    while (shift < 28) {
      let byte = load8(p);
      p += 1;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        next = p;
        return value;
      }
      shift += 7;
    }
    return -1;
  }
  next = p;
  return value;
}

// Whether the key [a, aEnd) is below [b, bEnd).
fn below(a: i32, aEnd: i32, b: i32, bEnd: i32): i32 {
  let size = select(aEnd - a, bEnd - b, aEnd - a < bEnd - b);
  let i = 0;
  while (i < size) {
    let differ = load64(a + i) ^ load64(b + i);
    if (size - i < 8) { differ &= (1L << i64((size - i) << 3)) - 1L; }
    if (differ != 0L) {
      let at = i + (i32(ctz(differ)) >>> 3);
      return load8(a + at) < load8(b + at);
    }
    i += 8;
  }
  return aEnd - a < bEnd - b;
}

// Elements 12 len 0a klen key 12 vlen value, each key above the one before, the first above [key, keyEnd); until the limit is reached.
export fn run(from: i32, end: i32, limit: i32, keyStart: i32, keyEnd: i32): i32 {
  let p = from;
  let last = keyStart;
  let lastEnd = keyEnd;
  let pairs = 0;
  let bytes = 0;
  let longest = 0;
  while (p < end) {
    if (load8(p) != 18) { break; }
    let size = varint(p + 1);
    let body = next;
    if (size < 0 || size > end - body) { break; }
    let behind = body + size;
    if (load8(body) != 10) { break; }
    let keySize = varint(body + 1);
    if (keySize <= 0) { break; }
    let key = next;
    let tag = key + keySize;
    if (tag >= behind) { break; }
    if (load8(tag) != 18) { break; }
    let valueSize = varint(tag + 1);
    if (valueSize <= 0 || next + valueSize != behind) { break; }
    if (below(last, lastEnd, key, tag) == 0) { break; }
    last = key;
    lastEnd = tag;
    pairs += 1;
    bytes += keySize + valueSize;
    longest = select(valueSize, longest, valueSize > longest);
    p = behind;
    if (p >= limit) { break; }
  }
  store32(${RESULTS}, pairs);
  store32(${RESULTS + 4}, bytes);
  store32(${RESULTS + 8}, longest);
  store32(${RESULTS + 12}, last);
  store32(${RESULTS + 16}, lastEnd);
  return p;
}
`;

/** Started with the first batch; null = this runtime has none. */
let kernel: Kernel | null | undefined;
let results: Int32Array = new Int32Array(0);

/** Of the elements that the last `elementRun` passed. Offsets are those of the batch. */
export const passed = { pairs: 0, bytes: 0, longestValue: 0, lastStart: 0, lastEnd: 0 };

/** Brings a batch to where `elementRun` looks at it; false = it is not for it. */
export function loadBatch(batch: Uint8Array): boolean {
  if (batch.length < LEAST_BYTES || batch.length > BATCH_BYTES) return false;
  if (kernel === undefined) {
    kernel = startKernel(SOURCE, PAGES) ?? null;
    if (kernel !== null) results = new Int32Array(kernel.bytes.buffer, RESULTS, 5);
  }
  if (kernel === null) return false;
  kernel.bytes.set(batch, BATCH);
  return true;
}

/**
 * Passes the plain elements of the loaded batch from `at` on whose keys ascend, the first from the key [keyStart, keyEnd) on, and stops
 * behind the one that reaches `limit`, or before one that is in any way unusual. Returns where it stopped; `passed` tells the rest.
 */
export function elementRun(at: number, end: number, limit: number, keyStart: number, keyEnd: number): number {
  const stop = kernel!.functions["run"]!(BATCH + at, BATCH + end, BATCH + limit, BATCH + keyStart, BATCH + keyEnd);
  passed.pairs = results[0]!;
  passed.bytes = results[1]!;
  passed.longestValue = results[2]!;
  passed.lastStart = results[3]! - BATCH;
  passed.lastEnd = results[4]! - BATCH;
  return stop - BATCH;
}
