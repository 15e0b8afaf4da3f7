import { compareBytes, fromHex, textOf, toHex, utf8 } from "../../base/mod.ts";
import type { KvChange, KvDb } from "../../kvdb/mod.ts";
import type { Journal } from "./journal.ts";
import { afterKey, encodeKey } from "./keys.ts";
import type { Reader } from "./reader.ts";
import { be64, forEach, readBe64, tableKey, tableRange } from "./tables.ts";
import { encodeWrite, WriteOp } from "./write-record.ts";

/** A key locked by a transaction between its prewrite and its commit. */
export interface Lock {
  key: Uint8Array;
  primary: Uint8Array;
  startTs: bigint;
  ttlMs: bigint;
  /** kvrpcpb.Op: 0 put, 1 delete, 2 lock. */
  op: number;
  value: Uint8Array;
}

/** One version that was written singly. */
export interface WriteVersion {
  commitTs: bigint;
  startTs: bigint;
  op: number;
  value: Uint8Array;
}

/** Versions written one by one, and locks. All keys are raw. */
export class Mvcc {
  readonly #db: KvDb;
  readonly #journal: Journal;
  readonly #reader: Reader;
  /** By hex key; there are few at a time. */
  readonly #locks = new Map<string, Lock>();

  constructor(db: KvDb, journal: Journal, reader: Reader) {
    this.#db = db;
    this.#journal = journal;
    this.#reader = reader;
  }

  async load(): Promise<void> {
    await forEach(this.#db, "l", (_, value) => {
      const lock = decodeLock(value);
      this.#locks.set(toHex(lock.key), lock);
    });
  }

  /** The newest visible value; undefined = none. */
  async get(key: Uint8Array, ts: bigint): Promise<{ value: Uint8Array; commitTs: bigint } | undefined> {
    let found: { value: Uint8Array; commitTs: bigint } | undefined;
    await this.#reader.forEach(key, afterKey(key), ts, (_k, _ks, _ke, value, start, end, commitTs) => {
      found = { value: value.slice(start, end), commitTs };
      return true;
    });
    return found;
  }

  lockOf(key: Uint8Array): Lock | undefined {
    return this.#locks.get(toHex(key));
  }

  /** Locks on keys of [start, end), in key order; `end` undefined = to the end. */
  locksIn(start: Uint8Array, end: Uint8Array | undefined): Lock[] {
    const out: Lock[] = [];
    for (const lock of this.#locks.values()) {
      if (compareBytes(lock.key, start) < 0 || (end !== undefined && compareBytes(lock.key, end) >= 0)) continue;
      out.push(lock);
    }
    return out.sort((a, b) => compareBytes(a.key, b.key));
  }

  /** The first lock that a read of [start, end) at `ts` meets. */
  blocking(start: Uint8Array, end: Uint8Array | undefined, ts: bigint): Lock | undefined {
    if (this.#locks.size === 0) return undefined;
    return this.locksIn(start, end).find((lock) => lock.startTs <= ts && lock.op !== WriteOp.lock);
  }

  /** Single writes of a key, newest first. */
  async versions(key: Uint8Array): Promise<WriteVersion[]> {
    const prefix = encodeKey(key);
    const start = tableKey("v", prefix);
    const cursor = this.#db.cursor({ start, end: tableKey("v", prefix, new Uint8Array(9).fill(255)) });
    const out: WriteVersion[] = [];
    try {
      for (;;) {
        const piece = await cursor.next(64);
        if (piece.length === 0) return out;
        for (const [entry, value] of piece) {
          const commitTs = ~readBe64(entry, entry.length - 8) & 0xffffffffffffffffn;
          out.push({ commitTs, startTs: readBe64(value, 1), op: value[0]!, value: value.slice(9) });
        }
      }
    } finally {
      await cursor.close();
    }
  }

  /** Writes committed versions in one step; `value` undefined deletes. */
  async write(
    pairs: readonly { key: Uint8Array; value: Uint8Array | undefined }[],
    startTs: bigint,
    commitTs: bigint,
  ): Promise<void> {
    await this.#journal.write(
      pairs.map(({ key, value }) =>
        versionChange(key, commitTs, value === undefined ? WriteOp.delete : WriteOp.put, startTs, value),
      ),
    );
  }

  /** Keeps locks of a prewrite; the caller has checked for conflicts. */
  async lock(locks: readonly Lock[]): Promise<void> {
    for (const lock of locks) this.#locks.set(toHex(lock.key), lock);
    await this.#journal.write(locks.map((lock) => ({ key: lockKey(lock.key), value: encodeLock(lock) })));
  }

  /** Turns locks into versions. */
  async commit(locks: readonly Lock[], commitTs: bigint): Promise<void> {
    const changes: KvChange[] = [];
    for (const lock of locks) {
      this.#locks.delete(toHex(lock.key));
      changes.push({ key: lockKey(lock.key), value: undefined });
      changes.push(versionChange(lock.key, commitTs, lock.op, lock.startTs, lock.value));
    }
    await this.#journal.write(changes);
  }

  /** Removes the lock of that transaction, if any, and notes that it may never be prewritten again. */
  async rollback(key: Uint8Array, startTs: bigint): Promise<void> {
    const changes: KvChange[] = [versionChange(key, startTs, WriteOp.rollback, startTs, undefined)];
    if (this.lockOf(key)?.startTs === startTs) {
      this.#locks.delete(toHex(key));
      changes.push({ key: lockKey(key), value: undefined });
    }
    await this.#journal.write(changes);
  }

  async destroyRange(start: Uint8Array, end: Uint8Array | undefined): Promise<void> {
    await this.#journal.settled();
    const from = encodeKey(start);
    for (const letter of ["v", "l"]) {
      const behind = end === undefined ? tableRange(letter).end : tableKey(letter, encodeKey(end));
      await this.#db.clear({ start: tableKey(letter, from), end: behind });
    }
    for (const lock of this.locksIn(start, end)) this.#locks.delete(toHex(lock.key));
  }
}

function versionChange(
  key: Uint8Array,
  commitTs: bigint,
  op: number,
  startTs: bigint,
  value: Uint8Array | undefined,
): KvChange {
  const inverted = be64(~commitTs & 0xffffffffffffffffn);
  return {
    key: tableKey("v", encodeKey(key), inverted),
    value: encodeWrite(op, startTs, value ?? new Uint8Array(0)),
  };
}

function lockKey(key: Uint8Array): Uint8Array {
  return tableKey("l", encodeKey(key));
}

function encodeLock(lock: Lock): Uint8Array {
  return utf8(
    JSON.stringify({
      key: toHex(lock.key),
      primary: toHex(lock.primary),
      startTs: String(lock.startTs),
      ttlMs: String(lock.ttlMs),
      op: lock.op,
      value: toHex(lock.value),
    }),
  );
}

function decodeLock(bytes: Uint8Array): Lock {
  const record = JSON.parse(textOf(bytes)) as Record<"key" | "primary" | "startTs" | "ttlMs" | "value", string> & {
    op: number;
  };
  return {
    key: fromHex(record.key),
    primary: fromHex(record.primary),
    startTs: BigInt(record.startTs),
    ttlMs: BigInt(record.ttlMs),
    op: record.op,
    value: fromHex(record.value),
  };
}
