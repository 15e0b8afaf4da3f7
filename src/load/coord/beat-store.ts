import type { Clock } from "../../base/mod.ts";
import { dmError } from "../dm-error.ts";
import type { CoordIdentity, CoordState, CoordStore, Member, TableSums } from "./coordination.ts";

/** What a place keeps of one source. */
export interface BeatRecord {
  source: string;
  state: CoordState;
  worker: string;
  /** Somebody says that he works on it; cleared by who leaves. */
  joined: boolean;
  /** Counts up while he lives: observers compare it with what they saw, so that no two clocks are compared. */
  beat: number;
  sums: Record<string, TableSums> | undefined;
}

/** Where records lie. Writes of one source do not overlap but at a take-over; each is there in full or not at all. */
export interface BeatPlace {
  read(): Promise<BeatRecord[]>;
  /** Makes a source's record unless there is one. */
  create(record: BeatRecord): Promise<void>;
  /** Replaces a source's record, if it still has this beat; false when not. */
  replace(record: BeatRecord, beat: number): Promise<boolean>;
  clear(): Promise<void>;
}

export interface BeatOptions {
  clock: Clock;
  /** A worker that has not beaten for so long is dead. */
  leaseMs?: number;
  pollMs?: number;
  /** Gives back what the place was made with, when the store is closed. */
  onClose?: () => Promise<void>;
}

const LEASE_MS = 15_000;
const POLL_MS = 250;
const ATTEMPTS = 10;

/** A coordination without etcd, over anything that keeps records: leases are beats that observers count, waits are polls. */
export class BeatStore implements CoordStore {
  readonly kind: "table" | "directory";
  readonly #me: CoordIdentity;
  readonly #place: BeatPlace;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #onClose: BeatOptions["onClose"];
  /** When a source's beat was first seen as it is. */
  readonly #seen = new Map<string, { beat: number; sinceMs: number }>();
  #beating: { stop: AbortController; ended: Promise<void> } | undefined;
  /** One write of this source after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(kind: "table" | "directory", me: CoordIdentity, place: BeatPlace, options: BeatOptions) {
    this.kind = kind;
    this.#me = me;
    this.#place = place;
    this.#clock = options.clock;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#pollMs = options.pollMs ?? POLL_MS;
    this.#onClose = options.onClose;
  }

  async join(signal: AbortSignal): Promise<void> {
    const { source, sources, worker } = this.#me;
    for (const one of new Set([source, ...sources])) {
      await this.#place.create({
        source: one,
        state: "not-ready",
        worker: "",
        joined: false,
        beat: 0,
        sums: undefined,
      });
    }
    await this.#waitForOther(signal);
    await this.#change((record) => ({ ...record, worker, joined: true }));
    const stop = new AbortController();
    this.#beating = { stop, ended: this.#keepBeating(stop.signal) };
  }

  /** Another worker's record is taken when it has not beaten for a lease; a living one's is 34017. */
  async #waitForOther(signal: AbortSignal): Promise<void> {
    const { worker } = this.#me;
    const first = await this.#own();
    if (!first.joined || first.worker === worker) return;
    const startedMs = this.#clock.monotonicMs();
    while (this.#clock.monotonicMs() - startedMs < this.#leaseMs) {
      await this.#clock.sleep(this.#pollMs, signal);
      const now = await this.#own();
      if (now.beat !== first.beat) throw dmError("LoadTaskWorkerNotMatch", [first.worker, worker]);
    }
  }

  async #own(): Promise<BeatRecord> {
    const found = (await this.#place.read()).find(({ source }) => source === this.#me.source);
    if (found === undefined) throw dmError("HAInvalidItem", [`the coordination has lost ${this.#me.source}`]);
    return found;
  }

  #change(how: (record: BeatRecord) => BeatRecord): Promise<void> {
    const run = this.#queue.then(async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const old = await this.#own();
        if (await this.#place.replace({ ...how(old), beat: old.beat + 1 }, old.beat)) return;
      }
      throw dmError("HAFailTxnOperation", [
        `the record of ${this.#me.source} is written by somebody else all the time`,
      ]);
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  async #keepBeating(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(this.#leaseMs / 3, signal).catch(() => undefined);
      if (signal.aborted) return;
      // A place that is away: what needs it will say so; the next beat tries again.
      await this.#change((record) => ({ ...record, joined: true, worker: this.#me.worker })).catch(() => undefined);
    }
  }

  async leave(): Promise<void> {
    const beating = this.#beating;
    if (beating === undefined) return;
    this.#beating = undefined;
    beating.stop.abort();
    await beating.ended;
    await this.#change((record) => ({ ...record, joined: false })).catch(() => undefined);
  }

  async owner(): Promise<string | undefined> {
    const found = (await this.#place.read()).find(({ source }) => source === this.#me.source);
    return found?.worker === "" ? undefined : found?.worker;
  }

  /** The record stays: others look at its state. */
  async release(): Promise<void> {
    await this.#change((record) => ({ ...record, worker: "" }));
  }

  setState(state: CoordState): Promise<void> {
    return this.#change((record) => ({ ...record, state }));
  }

  setSums(sums: Readonly<Record<string, TableSums>> | undefined): Promise<void> {
    return this.#change((record) => ({ ...record, sums: sums && { ...sums } }));
  }

  async members(): Promise<Member[]> {
    const now = this.#clock.monotonicMs();
    const records = await this.#place.read();
    return records.map(({ source, state, worker, joined, beat, sums }) => {
      const seen = this.#seen.get(source);
      if (seen?.beat !== beat) this.#seen.set(source, { beat, sinceMs: now });
      const still = now - (this.#seen.get(source)?.sinceMs ?? now);
      return { source, state, worker, alive: joined ? still < this.#leaseMs : undefined, sums };
    });
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(Math.min(ms, this.#pollMs), signal);
  }

  async clear(): Promise<void> {
    await this.#place.clear();
  }

  async close(): Promise<void> {
    await this.leave();
    await this.#onClose?.();
  }
}
