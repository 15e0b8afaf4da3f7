import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EventSchema, KeyValueSchema } from "../../../gen/mvccpb_pb.ts";
import { Event_EventType as EventType } from "../../../gen/mvccpb_pb.ts";
import { type Clock, compareBytes, toHex } from "../../base/mod.ts";

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly version: bigint;
  readonly lease: bigint;
}

export interface Change {
  readonly revision: bigint;
  /** Absent for a deletion. */
  readonly entry: Entry | undefined;
  readonly before: Entry | undefined;
  readonly key: Uint8Array;
}

interface Lease {
  readonly ttlSeconds: bigint;
  endsMs: number;
}

/** Changes kept for watches that begin in the past. */
const HISTORY_MAX = 4096;

/**
 * etcd's key space as clients of PD's port see it: revisions, leases, changes to watch. In memory only, since what clients keep
 * there (who is importing, who is alive) ends with their leases. Leases end when anybody looks, by the sandbox's clock.
 */
export class KeySpace {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<bigint, Lease>();
  readonly #watchers = new Set<(changes: readonly Change[]) => void>();
  #history: Change[] = [];
  /** First revision that `#history` holds in full. */
  #kept = 1n;
  #revision = 1n;
  #nextLease = 0x694d00000001n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get revision(): bigint {
    return this.#revision;
  }

  get oldestRevision(): bigint {
    return this.#kept;
  }

  /** In key order. */
  range(key: Uint8Array, end: Uint8Array): Entry[] {
    this.expire();
    if (end.length === 0) {
      const one = this.#entries.get(toHex(key));
      return one === undefined ? [] : [one];
    }
    const found = [...this.#entries.values()].filter((entry) => inRange(entry.key, key, end));
    return found.sort((a, b) => compareBytes(a.key, b.key));
  }

  /** Runs all of `work` as one revision, if it changes anything; watchers see it at once. */
  change<T>(work: (batch: Batch) => T): T {
    this.expire();
    const changes: Change[] = [];
    const revision = this.#revision + 1n;
    const result = work({
      put: (key, value, lease) => {
        const id = toHex(key);
        const before = this.#entries.get(id);
        const entry: Entry = {
          key,
          value,
          createRevision: before?.createRevision ?? revision,
          modRevision: revision,
          version: (before?.version ?? 0n) + 1n,
          lease,
        };
        this.#entries.set(id, entry);
        changes.push({ revision, entry, before, key });
        return before;
      },
      remove: (key, end) => {
        const gone = this.range(key, end);
        for (const before of gone) {
          this.#entries.delete(toHex(before.key));
          changes.push({ revision, entry: undefined, before, key: before.key });
        }
        return gone;
      },
    });
    if (changes.length > 0) this.#publish(revision, changes);
    return result;
  }

  #publish(revision: bigint, changes: readonly Change[]): void {
    this.#revision = revision;
    this.#history.push(...changes);
    if (this.#history.length > HISTORY_MAX) {
      this.#history = this.#history.slice(-HISTORY_MAX / 2);
      this.#kept = this.#history[0]!.revision + 1n;
    }
    for (const watcher of this.#watchers) watcher(changes);
  }

  /** Changes from a revision on. */
  since(revision: bigint): Change[] {
    return this.#history.filter((change) => change.revision >= revision);
  }

  /** Returns what ends the watch. */
  watch(watcher: (changes: readonly Change[]) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  grant(ttlSeconds: bigint, wanted: bigint): bigint | undefined {
    this.expire();
    const id = wanted === 0n ? this.#nextLease++ : wanted;
    if (this.#leases.has(id)) return undefined;
    this.#leases.set(id, { ttlSeconds, endsMs: this.#clock.monotonicMs() + Number(ttlSeconds) * 1000 });
    return id;
  }

  /** Its time starts anew; the seconds that it has, undefined when it is gone. */
  keepAlive(id: bigint): bigint | undefined {
    this.expire();
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.endsMs = this.#clock.monotonicMs() + Number(lease.ttlSeconds) * 1000;
    return lease?.ttlSeconds;
  }

  leases(): bigint[] {
    this.expire();
    return [...this.#leases.keys()];
  }

  hasLease(id: bigint): boolean {
    this.expire();
    return this.#leases.has(id);
  }

  timeToLive(id: bigint): { left: bigint; granted: bigint; keys: Uint8Array[] } | undefined {
    this.expire();
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const left = BigInt(Math.max(0, Math.floor((lease.endsMs - this.#clock.monotonicMs()) / 1000)));
    return { left, granted: lease.ttlSeconds, keys: this.#keysOf(id).map(({ key }) => key) };
  }

  /** The lease and its keys go; false when there is none. */
  revoke(id: bigint): boolean {
    if (!this.#leases.delete(id)) return false;
    const keys = this.#keysOf(id);
    const revision = this.#revision + 1n;
    const changes = keys.map((before): Change => ({ revision, entry: undefined, before, key: before.key }));
    for (const { key } of keys) this.#entries.delete(toHex(key));
    if (changes.length > 0) this.#publish(revision, changes);
    return true;
  }

  expire(): void {
    const now = this.#clock.monotonicMs();
    for (const [id, { endsMs }] of this.#leases) if (endsMs <= now) this.revoke(id);
  }

  #keysOf(lease: bigint): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.lease === lease);
  }
}

export interface Batch {
  put(key: Uint8Array, value: Uint8Array, lease: bigint): Entry | undefined;
  remove(key: Uint8Array, end: Uint8Array): Entry[];
}

/** `end` empty: one key; one zero byte: all from `key` on. */
export function inRange(it: Uint8Array, key: Uint8Array, end: Uint8Array): boolean {
  if (end.length === 0) return compareBytes(it, key) === 0;
  if (compareBytes(it, key) < 0) return false;
  return (end.length === 1 && end[0] === 0) || compareBytes(it, end) < 0;
}

export function messageOf(entry: Entry, keysOnly = false): MessageInitShape<typeof KeyValueSchema> {
  return keysOnly ? { ...entry, value: new Uint8Array() } : { ...entry };
}

export function eventOf(change: Change, withBefore: boolean): MessageInitShape<typeof EventSchema> {
  const { entry, before, key, revision } = change;
  const prevKv = withBefore && before !== undefined ? { prevKv: messageOf(before) } : {};
  if (entry !== undefined) return { type: EventType.PUT, kv: messageOf(entry), ...prevKv };
  return { type: EventType.DELETE, kv: { key, modRevision: revision }, ...prevKv };
}
