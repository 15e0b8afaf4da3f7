import { assert, compareBytes } from "../base/mod.ts";
import {
  CURSOR_BATCH_BYTES,
  type KvChange,
  type KvCursor,
  type KvCursorOptions,
  type KvDb,
  type KvRange,
} from "./kvdb.ts";

type Entry = [key: Uint8Array, value: Uint8Array];

/** Up to this many changes are spliced into the sorted array one by one; more are merged with it in one pass. */
const SPLICE_MAX = 16;

/**
 * A map in memory: one sorted array. Deterministic, without timers or threads, so it is what the simulator runs on.
 * A cursor pins the array it started on; the next change then works on a copy.
 */
export function memoryKvDb(): KvDb {
  return new MemoryKvDb();
}

class MemoryKvDb implements KvDb {
  #entries: Entry[] = [];
  #pinned = false;
  #open = true;

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    const at = lowerBound(this.#entries, key);
    const entry = this.#entries[at];
    return entry !== undefined && compareBytes(entry[0], key) === 0 ? entry[1].slice() : undefined;
  }

  async batch(changes: readonly KvChange[]): Promise<void> {
    this.#assertOpen();
    if (changes.length > SPLICE_MAX) {
      this.#entries = mergeChanges(this.#entries, changes);
      this.#pinned = false;
      return;
    }
    const entries = this.#writable();
    for (const change of changes) spliceChange(entries, change);
  }

  async sync(): Promise<void> {
    this.#assertOpen();
  }

  cursor(range: KvRange, options: KvCursorOptions = {}): KvCursor {
    this.#assertOpen();
    this.#pinned = true;
    return new MemoryCursor(this.#entries, range, options);
  }

  async clear(range: KvRange): Promise<void> {
    this.#assertOpen();
    const [first, behind] = span(this.#entries, range);
    if (behind > first) this.#writable().splice(first, behind - first);
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #writable(): Entry[] {
    if (this.#pinned) this.#entries = this.#entries.slice();
    this.#pinned = false;
    return this.#entries;
  }

  #assertOpen(): void {
    assert(this.#open, "a closed map is not used");
  }
}

class MemoryCursor implements KvCursor {
  readonly #entries: Entry[];
  readonly #options: KvCursorOptions;
  #first: number;
  #behind: number;

  constructor(entries: Entry[], range: KvRange, options: KvCursorOptions) {
    this.#entries = entries;
    this.#options = options;
    [this.#first, this.#behind] = span(entries, range);
  }

  async next(count: number): Promise<Entry[]> {
    const { reverse = false, keysOnly = false, batchBytes = CURSOR_BATCH_BYTES } = this.#options;
    const out: Entry[] = [];
    let bytes = 0;
    while (out.length < count && this.#first < this.#behind && (bytes < batchBytes || out.length === 0)) {
      const [key, value] = this.#entries[reverse ? --this.#behind : this.#first++]!;
      out.push([key.slice(), keysOnly ? new Uint8Array(0) : value.slice()]);
      bytes += key.length + (keysOnly ? 0 : value.length);
    }
    return out;
  }

  async close(): Promise<void> {
    this.#first = this.#behind;
  }
}

/** Index of the first entry whose key is not below `key`. */
function lowerBound(entries: Entry[], key: Uint8Array): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(entries[middle]![0], key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function span(entries: Entry[], range: KvRange): [first: number, behind: number] {
  const first = range.start === undefined ? 0 : lowerBound(entries, range.start);
  const behind = range.end === undefined ? entries.length : lowerBound(entries, range.end);
  return [first, Math.max(first, behind)];
}

function spliceChange(entries: Entry[], { key, value }: KvChange): void {
  const at = lowerBound(entries, key);
  const found = at < entries.length && compareBytes(entries[at]![0], key) === 0 ? 1 : 0;
  if (value === undefined) entries.splice(at, found);
  else entries.splice(at, found, [key.slice(), value.slice()]);
}

/** A new sorted array: `entries` with all changes, the later of two for one key. */
function mergeChanges(entries: Entry[], changes: readonly KvChange[]): Entry[] {
  const sorted = changes
    .map((change, order) => ({ change, order }))
    .sort((a, b) => compareBytes(a.change.key, b.change.key) || a.order - b.order);
  const out: Entry[] = [];
  let at = 0;
  for (let i = 0; i < sorted.length; i++) {
    const { key, value } = sorted[i]!.change;
    const next = sorted[i + 1]?.change.key;
    if (next !== undefined && compareBytes(next, key) === 0) continue;
    while (at < entries.length && compareBytes(entries[at]![0], key) < 0) out.push(entries[at++]!);
    if (at < entries.length && compareBytes(entries[at]![0], key) === 0) at++;
    if (value !== undefined) out.push([key.slice(), value.slice()]);
  }
  while (at < entries.length) out.push(entries[at++]!);
  return out;
}
