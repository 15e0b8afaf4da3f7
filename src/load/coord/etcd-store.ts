import type { Clock } from "../../base/mod.ts";
import { dmError } from "../dm-error.ts";
import type { CoordIdentity, CoordState, CoordStore, Member, TableSums } from "./coordination.ts";
import { EtcdClient, type EtcdEntry, type EtcdOptions } from "./etcd-client.ts";
import {
  etcdKey,
  LEVIN_ALIVE,
  LEVIN_MEMBER,
  LEVIN_SUMS,
  LIGHTNING_COORD,
  LOAD_TASK,
  parseEtcdKey,
} from "./etcd-keys.ts";

const STATES: ReadonlySet<string> = new Set(["not-ready", "ready", "finished"]);

const TAKE_ATTEMPTS = 10;
/** How long after the end of a watch it is looked again, so that there is a pause where none can be had. */
const LOST_WATCH_MS = 1_000;

/**
 * DM's keys in etcd. Beside them, under prefixes of its own, a lease says that a worker of levin lives, so that one that died is not waited
 * for. Waits are watches, not polls.
 */
export class EtcdStore implements CoordStore {
  readonly kind = "etcd";
  readonly client: EtcdClient;
  readonly #me: CoordIdentity;
  readonly #clock: Clock;
  readonly #ttlSeconds: number;
  #revision = 0n;
  #lease: { id: bigint; stop: AbortController; ended: Promise<void> } | undefined;

  constructor(me: CoordIdentity, options: EtcdOptions & { ttlSeconds?: number }) {
    this.#me = me;
    this.#clock = options.clock;
    this.#ttlSeconds = options.ttlSeconds ?? 15;
    this.client = new EtcdClient(options);
  }

  /** As DM: the load task names this worker. A living worker of levin is not overwritten; all others are, as DM does. */
  async join(signal: AbortSignal): Promise<void> {
    const { task, source, sources, worker } = this.#me;
    await this.#takeLoadTask(signal);
    for (const one of new Set([source, ...sources])) {
      const key = etcdKey(LIGHTNING_COORD, task, one);
      // DM's master writes them when it makes the task; alone, the first to come does.
      await this.client.transaction([{ key, modRevision: 0n }], [{ key, value: JSON.stringify("not-ready") }]);
    }
    const stop = new AbortController();
    const id = await this.#announce(worker);
    const lease = { id, stop, ended: Promise.resolve() };
    lease.ended = this.#keepAlive(lease);
    this.#lease = lease;
  }

  async #takeLoadTask(signal: AbortSignal): Promise<void> {
    const { task, source, worker } = this.#me;
    const key = etcdKey(LOAD_TASK, task, source);
    for (let attempt = 0; attempt < TAKE_ATTEMPTS; attempt++) {
      signal.throwIfAborted();
      const [found, alive] = await Promise.all([
        this.client.get(key),
        this.client.get(etcdKey(LEVIN_ALIVE, task, source)),
      ]);
      const owner = found === undefined ? undefined : textValue(found);
      if (alive !== undefined && textValue(alive) !== worker)
        throw dmError("LoadTaskWorkerNotMatch", [textValue(alive), worker]);
      if (owner === worker) return;
      const seen = { key, modRevision: found?.modRevision ?? 0n };
      if (await this.client.transaction([seen], [{ key, value: JSON.stringify(worker) }])) return;
    }
    throw dmError("HAFailTxnOperation", [`${key} is written by somebody else all the time`]);
  }

  async #announce(worker: string): Promise<bigint> {
    const { task, source } = this.#me;
    const lease = await this.client.grantLease(this.#ttlSeconds);
    const value = JSON.stringify(worker);
    await this.client.write([
      { key: etcdKey(LEVIN_MEMBER, task, source), value },
      { key: etcdKey(LEVIN_ALIVE, task, source), value, lease },
    ]);
    return lease;
  }

  /** Renews at a third of the lease's time; a lease that was lost while etcd was away is taken anew. */
  async #keepAlive(lease: { id: bigint; stop: AbortController }): Promise<void> {
    const { signal } = lease.stop;
    while (!signal.aborted) {
      await this.#clock.sleep((this.#ttlSeconds * 1000) / 3, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (!(await this.client.renewLease(lease.id)) && !signal.aborted)
          lease.id = await this.#announce(this.#me.worker);
      } catch {
        // etcd is away: what needs it will say so; the next turn tries again.
      }
    }
  }

  async leave(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    lease.stop.abort();
    await lease.ended;
    const { task, source } = this.#me;
    // Who left on purpose is not missed; if etcd is away, the lease runs out by itself.
    await this.client.write([{ key: etcdKey(LEVIN_MEMBER, task, source), value: undefined }]).catch(() => undefined);
    await this.client.revokeLease(lease.id).catch(() => undefined);
  }

  async owner(): Promise<string | undefined> {
    const found = await this.client.get(etcdKey(LOAD_TASK, this.#me.task, this.#me.source));
    return found === undefined ? undefined : textValue(found);
  }

  async release(): Promise<void> {
    await this.client.write([{ key: etcdKey(LOAD_TASK, this.#me.task, this.#me.source), value: undefined }]);
  }

  async setState(state: CoordState): Promise<void> {
    const { task, source } = this.#me;
    await this.client.write([{ key: etcdKey(LIGHTNING_COORD, task, source), value: JSON.stringify(state) }]);
  }

  async setSums(sums: Readonly<Record<string, TableSums>> | undefined): Promise<void> {
    const { task, source } = this.#me;
    await this.client.write([{ key: etcdKey(LEVIN_SUMS, task, source), value: sums && JSON.stringify(sums) }]);
  }

  async members(): Promise<Member[]> {
    const { task } = this.#me;
    this.#revision = 0n;
    const [coord, member, alive, sums] = await Promise.all(
      [LIGHTNING_COORD, LEVIN_MEMBER, LEVIN_ALIVE, LEVIN_SUMS].map((prefix) =>
        this.client.prefix(etcdKey(prefix, task)),
      ),
    );
    // The oldest: what came between the reads is seen again, not missed.
    for (const { revision } of [coord!, member!, alive!, sums!])
      if (revision < this.#revision || this.#revision <= 0n) this.#revision = revision;
    const find = (entries: EtcdEntry[], prefix: string, source: string) =>
      entries.find(({ key }) => key === etcdKey(prefix, task, source));
    return coord!.entries.map((entry) => {
      const { source } = parseEtcdKey(LIGHTNING_COORD, entry.key) ?? { source: entry.key };
      const state = textValue(entry);
      if (!STATES.has(state)) throw dmError("HAInvalidItem", [`${entry.key} = ${entry.value}`]);
      const known = find(member!.entries, LEVIN_MEMBER, source);
      const living = find(alive!.entries, LEVIN_ALIVE, source) !== undefined;
      const sum = find(sums!.entries, LEVIN_SUMS, source);
      return {
        source,
        state: state as CoordState,
        worker: known === undefined ? "" : textValue(known),
        alive: living ? true : known === undefined ? undefined : false,
        sums: sum === undefined ? undefined : (JSON.parse(sum.value) as Record<string, TableSums>),
      };
    });
  }

  async changed(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([stop.signal, signal]);
    const prefixes = [LIGHTNING_COORD, LEVIN_ALIVE, LEVIN_SUMS];
    const seen = prefixes.map((prefix) => this.#nextChange(etcdKey(prefix, this.#me.task), both));
    // Streams that are lost may have missed a change, and etcd may be away, which the next look tells.
    const noticed = Promise.any(seen).catch(() => this.#clock.sleep(LOST_WATCH_MS, both));
    try {
      await Promise.race([noticed, this.#clock.sleep(ms, both)]);
    } finally {
      stop.abort(new Error("looked"));
      await Promise.allSettled(seen);
    }
  }

  async #nextChange(prefix: string, signal: AbortSignal): Promise<void> {
    for await (const _ of this.client.watch(prefix, this.#revision + 1n, signal)) return;
    throw new Error("the watch has ended");
  }

  async clear(): Promise<void> {
    for (const prefix of [LOAD_TASK, LIGHTNING_COORD, LEVIN_MEMBER, LEVIN_ALIVE, LEVIN_SUMS]) {
      await this.client.deletePrefix(etcdKey(prefix, this.#me.task));
    }
  }

  async close(): Promise<void> {
    await this.leave();
    this.client.close();
  }
}

/** Values are JSON strings; 42502 for what is none. */
function textValue({ key, value }: EtcdEntry): string {
  try {
    const found: unknown = JSON.parse(value);
    if (typeof found === "string") return found;
  } catch {
    // Falls through to the error.
  }
  throw dmError("HAInvalidItem", [`${key} = ${value}`]);
}
