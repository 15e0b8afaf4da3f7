import { crc32 } from "node:zlib";
import { create, fromBinary } from "@bufbuild/protobuf";
import { PairSchema } from "../../../gen/import_sstpb_pb.ts";
import { type BlockBuffers, BUFFER_BYTES } from "./block-buffers.ts";
import { elementRun, loadBatch, passed } from "./element-run.ts";
import { compareSlices, hexKey } from "./keys.ts";
import { HarmRefusal, NOT_ASCENDING, Refusal } from "./refusal.ts";

/** A block ends with the pair that fills it to this size. */
export const BLOCK_SIZE = 256 * 1024;

/** Room for the pair that fills a block, if it is not a large one. */
const SPARE = 4096;

/** Values longer than this live in TiKV's default column family (`SHORT_VALUE_MAX_LEN`). */
const SHORT_VALUE = 255;

const TAG_COMMIT_TS = 0x08;
const TAG_PAIRS = 0x12;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;

/** A finished block: pairs in their wire form (`12 len 0a klen key 12 vlen value`), ascending, all of one commit timestamp. */
export interface SealedBlock {
  data: Uint8Array;
  commitTs: bigint;
  first: Uint8Array;
  last: Uint8Array;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  /** CRC-32 of `data`. */
  crc: number;
}

/**
 * Cuts the batches of one Write stream into blocks. Where it cuts depends on the pairs alone, not on how they came in messages, so
 * that the streams to all peers yield the same blocks.
 */
export class BlockCutter {
  /** A value of more than 255 bytes was seen: the file has a default column family. */
  hasLongValue = false;
  pairs = 0;
  bytes = 0;
  readonly #buffers: BlockBuffers;
  #buffer = new Uint8Array(SPARE);
  #length = 0;
  #blockPairs = 0;
  #blockBytes = 0;
  #first = new Uint8Array(0);
  #firstKey: Uint8Array | undefined;
  #commitTs = 0n;
  #last: Uint8Array = new Uint8Array(64);
  #lastLength = -1;
  #next = 0;
  /** Of the element that was read last. */
  #keyStart = 0;
  #keyEnd = 0;
  #valueSize = 0;
  readonly #sealed: SealedBlock[] = [];

  /** Data of large blocks lie in `buffers`. */
  constructor(buffers: BlockBuffers) {
    this.#buffers = buffers;
  }

  /** Takes an encoded `import_sstpb.WriteBatch`; returns the blocks that it completed. Throws Refusal. */
  add(batch: Uint8Array): SealedBlock[] {
    const commitTs = readCommitTs(batch);
    if (commitTs === 0n) throw new HarmRefusal("a batch with commit_ts 0");
    const lowered = this.#lastLength >= 0 && commitTs < this.#commitTs;
    if (commitTs !== this.#commitTs) {
      this.#seal();
      this.#commitTs = commitTs;
    }
    this.#addPairs(batch, lowered);
    return this.#sealed.splice(0);
  }

  /** The last block, if any pair is left. */
  finish(): SealedBlock[] {
    this.#seal();
    return this.#sealed.splice(0);
  }

  /** First key taken; undefined before. */
  get firstKey(): Uint8Array | undefined {
    return this.#firstKey;
  }

  /** Commit timestamp of the batch that was taken last. */
  get commitTs(): bigint {
    return this.#commitTs;
  }

  /** Last key taken so far; undefined before the first. */
  get lastKey(): Uint8Array | undefined {
    return this.#lastLength < 0 ? undefined : this.#last.subarray(0, this.#lastLength);
  }

  #addPairs(batch: Uint8Array, lowered: boolean): void {
    let previous = this.#last;
    let previousStart = 0;
    let previousEnd = this.#lastLength;
    let equalAllowed = lowered;
    let copyFrom = -1;
    let at = 0;
    const loaded = loadBatch(batch);
    while (at < batch.length) {
      if (loaded && copyFrom >= 0) {
        const stop = this.#plainRun(batch, at, copyFrom, previousStart, previousEnd);
        if (stop > at) {
          at = stop;
          previousStart = passed.lastStart;
          previousEnd = passed.lastEnd;
          if (this.#blockPairs === 0) copyFrom = -1;
          continue;
        }
      }
      if (batch[at] !== TAG_PAIRS) {
        if (copyFrom >= 0) this.#append(batch, copyFrom, at);
        copyFrom = -1;
        at = skipField(batch, at);
        continue;
      }
      const element = at;
      at = this.#element(batch, element);
      const keyStart = this.#keyStart;
      const keyEnd = this.#keyEnd;
      if (previousEnd >= 0) {
        const order = compareSlices(previous, previousStart, previousEnd, batch, keyStart, keyEnd);
        if (order > 0 || (order === 0 && !equalAllowed)) throw new Refusal(NOT_ASCENDING);
      }
      equalAllowed = false;
      previous = batch;
      previousStart = keyStart;
      previousEnd = keyEnd;
      if (this.#valueSize > SHORT_VALUE) this.hasLongValue = true;
      if (copyFrom < 0) copyFrom = element;
      if (this.#blockPairs === 0) {
        this.#first = batch.slice(keyStart, keyEnd);
        this.#firstKey ??= this.#first;
      }
      this.#blockPairs++;
      this.#blockBytes += keyEnd - keyStart + this.#valueSize;
      if (this.#length + (at - copyFrom) >= BLOCK_SIZE) {
        this.#append(batch, copyFrom, at);
        copyFrom = -1;
        this.#keepLast(batch, keyStart, keyEnd);
        this.#seal();
      }
    }
    if (copyFrom >= 0) this.#append(batch, copyFrom, at);
    if (previous === batch) this.#keepLast(batch, previousStart, previousEnd);
  }

  /** Reads an element and leaves in fields where its key is; returns the offset behind it. */
  #element(batch: Uint8Array, element: number): number {
    const elementLength = this.#varint(batch, element + 1);
    const elementEnd = this.#next + elementLength;
    let at = this.#next;
    if (elementEnd > batch.length) throw malformed();
    let keyStart = 0;
    let keyEnd = -1;
    let valueStart = 0;
    let valueEnd = -1;
    if (batch[at] === TAG_KEY) {
      keyEnd = this.#varint(batch, at + 1);
      keyStart = this.#next;
      keyEnd += keyStart;
      at = keyEnd;
      if (at < elementEnd && batch[at] === TAG_VALUE) {
        valueEnd = this.#varint(batch, at + 1);
        valueStart = this.#next;
        valueEnd += valueStart;
        at = valueEnd;
      }
    }
    if (at !== elementEnd || valueEnd <= valueStart || keyEnd <= keyStart) {
      throw oddPair(batch, this.#next, elementEnd, element);
    }
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    this.#valueSize = valueEnd - valueStart;
    return at;
  }

  /**
   * Takes the plain pairs from `at` on that follow a checked one, up to the end of the block, with which it seals it. Returns where it
   * stopped. What is in any way unusual is left to the caller.
   */
  #plainRun(batch: Uint8Array, at: number, copyFrom: number, keyStart: number, keyEnd: number): number {
    const limit = copyFrom + BLOCK_SIZE - this.#length;
    const stop = elementRun(at, batch.length, limit, keyStart, keyEnd);
    if (stop === at) return at;
    if (passed.longestValue > SHORT_VALUE) this.hasLongValue = true;
    this.#blockPairs += passed.pairs;
    this.#blockBytes += passed.bytes;
    if (stop >= limit) {
      this.#append(batch, copyFrom, stop);
      this.#keepLast(batch, passed.lastStart, passed.lastEnd);
      this.#seal();
    }
    return stop;
  }

  /** Value of a varint; `#next` is behind it. */
  #varint(bytes: Uint8Array, at: number): number {
    let byte = bytes[at]!;
    if (byte < 0x80) {
      this.#next = at + 1;
      return byte;
    }
    let value = byte & 0x7f;
    let scale = 128;
    do {
      at++;
      if (at >= bytes.length || scale > 2 ** 42) throw malformed();
      byte = bytes[at]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    this.#next = at + 1;
    return value;
  }

  #append(batch: Uint8Array, from: number, to: number): void {
    const size = this.#length + to - from;
    if (size > this.#buffer.length) {
      const room = Math.max(size, Math.min(this.#buffer.length * 8, BUFFER_BYTES));
      const grown = room === BUFFER_BYTES ? this.#buffers.take() : new Uint8Array(room);
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(batch.subarray(from, to), this.#length);
    this.#length = size;
  }

  #keepLast(batch: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#last.length) this.#last = new Uint8Array(length * 2);
    this.#last.set(batch.subarray(start, end));
    this.#lastLength = length;
  }

  #seal(): void {
    if (this.#blockPairs === 0) return;
    const data = this.#buffer.subarray(0, this.#length);
    // Most likely another like this one comes.
    this.#buffer = this.#length < BLOCK_SIZE ? new Uint8Array(SPARE) : this.#buffers.take();
    this.#sealed.push({
      data,
      commitTs: this.#commitTs,
      first: this.#first,
      last: this.#last.slice(0, this.#lastLength),
      pairs: this.#blockPairs,
      bytes: this.#blockBytes,
      crc: crc32(data),
    });
    this.pairs += this.#blockPairs;
    this.bytes += this.#blockBytes;
    this.#length = 0;
    this.#blockPairs = 0;
    this.#blockBytes = 0;
  }
}

function malformed(): Refusal {
  return new Refusal("sandbox: a batch is no import_sstpb.WriteBatch");
}

/** Why a pair is not taken: each is something that a real store writes as it is. */
function oddPair(batch: Uint8Array, bodyStart: number, end: number, element: number): Refusal {
  let pair = create(PairSchema);
  try {
    let start = element + 1;
    while (batch[start]! >= 0x80) start++;
    pair = fromBinary(PairSchema, batch.subarray(start + 1, end));
  } catch {
    return malformed();
  }
  if (bodyStart > end) return malformed();
  if (pair.op !== 0) return new HarmRefusal(`a pair with op Delete (key ${hexKey(pair.key)})`);
  if (pair.key.length === 0) return new HarmRefusal("a pair with an empty key");
  if (pair.value.length === 0) return new HarmRefusal(`a pair with an empty value (key ${hexKey(pair.key)})`);
  return new HarmRefusal(`a pair with fields out of order or unknown (key ${hexKey(pair.key)})`);
}

function readCommitTs(batch: Uint8Array): bigint {
  let at = findCommitTs(batch);
  if (at < 0) return 0n;
  let value = 0n;
  let shift = 0n;
  for (at++; at < batch.length; at++) {
    value |= BigInt(batch[at]! & 0x7f) << shift;
    if (batch[at]! < 0x80) return value;
    shift += 7n;
  }
  throw malformed();
}

/** Offset of the commit_ts field, which is the first one in all known writers; -1 = there is none. */
function findCommitTs(batch: Uint8Array): number {
  let at = 0;
  while (at < batch.length) {
    if (batch[at] === TAG_COMMIT_TS) return at;
    at = skipField(batch, at);
  }
  return -1;
}

/** Offset behind the field at `at`. */
function skipField(batch: Uint8Array, at: number): number {
  const wire = batch[at]! & 7;
  while (batch[at]! >= 0x80) at++;
  at++;
  let value = 0;
  let scale = 1;
  switch (wire) {
    case 0:
      while (batch[at]! >= 0x80) at++;
      return at + 1;
    case 1:
      return at + 8;
    case 5:
      return at + 4;
    case 2:
      for (; at < batch.length; at++) {
        value += (batch[at]! & 0x7f) * scale;
        scale *= 128;
        if (batch[at]! < 0x80) break;
      }
      if (at + 1 + value > batch.length) throw malformed();
      return at + 1 + value;
    default:
      throw malformed();
  }
}
