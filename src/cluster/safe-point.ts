import { type Clock, LevinError } from "../base/mod.ts";
import type { PdClient } from "./pd-client.ts";

interface SnapshotHoldOptions {
  readonly clock: Clock;
  readonly pd: Pick<PdClient, "holdSafePoint">;
  /** Unique to the run, such as `levin-<job>`. */
  readonly serviceId: string;
  readonly snapshot: bigint;
  /** How long PD keeps the hold when it is no longer renewed. */
  readonly ttlSeconds?: number;
  /** Told of each renewal that failed; the hold goes on trying. */
  readonly onTrouble?: (error: unknown) => void;
}

/** As Lightning: 10 minutes, renewed every third of it. */
const ttlSecondsDefault = 600;

/** Keeps a snapshot from being garbage-collected until it is closed; `await using`. */
export class SnapshotHold {
  readonly #options: SnapshotHoldOptions;
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  private constructor(options: SnapshotHoldOptions) {
    this.#options = options;
    this.#loop = this.#renew();
  }

  /** Throws `Levin:Cluster:ErrSnapshotGone` when the snapshot was collected already. */
  static async open(options: SnapshotHoldOptions, signal?: AbortSignal): Promise<SnapshotHold> {
    await hold(options, signal);
    return new SnapshotHold(options);
  }

  async #renew(): Promise<void> {
    const everyMs = ((this.#options.ttlSeconds ?? ttlSecondsDefault) * 1000) / 3;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#options.clock.sleep(everyMs, signal);
        await hold(this.#options, signal);
      } catch (thrown) {
        if (!signal.aborted) this.#options.onTrouble?.(thrown);
      }
    }
  }

  /** Gives the snapshot up; failing to say so is harmless, as the hold ends by itself. */
  async close(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    await this.#loop;
    const { pd, serviceId, snapshot, onTrouble } = this.#options;
    try {
      await pd.holdSafePoint({ serviceId, safePoint: snapshot, ttlSeconds: 0 });
    } catch (thrown) {
      onTrouble?.(thrown);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function hold(options: SnapshotHoldOptions, signal?: AbortSignal): Promise<void> {
  const ttlSeconds = options.ttlSeconds ?? ttlSecondsDefault;
  const { serviceId, snapshot } = options;
  const lowest = await options.pd.holdSafePoint({ serviceId, safePoint: snapshot, ttlSeconds }, signal);
  if (lowest > snapshot) {
    throw new LevinError(
      "Levin:Cluster:ErrSnapshotGone",
      `Cannot read at timestamp ${snapshot}: data before ${lowest} was garbage-collected`,
    );
  }
}
