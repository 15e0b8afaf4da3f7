import type { Cluster } from "../state/mod.ts";

/** Service that always holds the lowest safe point. */
const GC_WORKER = "gc_worker";
const MAX_INT64 = 0x7fffffffffffffffn;

export interface ServiceSafePoint {
  serviceId: string;
  safePoint: bigint;
  /** Unix seconds. */
  expiredAt: bigint;
}

export interface Barrier {
  id: string;
  ts: bigint;
  ttlSeconds: bigint;
  expiresMs: number;
}

/** PD's safe points and barriers. They are kept in memory only: a restart of a sandbox forgets them. */
export class GcState {
  safePoint = 0n;
  readonly #cluster: Cluster;
  readonly #services = new Map<string, ServiceSafePoint>();
  readonly #barriers = new Map<string, Barrier>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#services.set(GC_WORKER, { serviceId: GC_WORKER, safePoint: 0n, expiredAt: MAX_INT64 });
  }

  /** Sets, or with a time to live of 0 or less removes, a service's safe point. Answers the lowest one of all. */
  updateService(serviceId: string, ttlSeconds: bigint, safePoint: bigint): ServiceSafePoint & { ttl: bigint } {
    const now = this.#nowSeconds();
    if (ttlSeconds <= 0n) this.#services.delete(serviceId);
    else {
      const expiredAt = ttlSeconds > MAX_INT64 - now ? MAX_INT64 : now + ttlSeconds;
      this.#services.set(serviceId, { serviceId, safePoint, expiredAt });
    }
    const lowest = this.services().reduce((low, other) => (other.safePoint < low.safePoint ? other : low));
    return { ...lowest, ttl: lowest.expiredAt - now };
  }

  /** Living services, by name. */
  services(): ServiceSafePoint[] {
    const now = this.#nowSeconds();
    for (const [id, service] of this.#services) if (service.expiredAt <= now) this.#services.delete(id);
    return [...this.#services.values()].sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1));
  }

  setBarrier(id: string, ts: bigint, ttlSeconds: bigint): Barrier {
    const expiresMs = this.#cluster.options.clock.nowMs() + Number(ttlSeconds) * 1000;
    const barrier = { id, ts, ttlSeconds, expiresMs };
    this.#barriers.set(id, barrier);
    return barrier;
  }

  deleteBarrier(id: string): Barrier | undefined {
    const barrier = this.barriers().find((other) => other.id === id);
    this.#barriers.delete(id);
    return barrier;
  }

  barriers(): Barrier[] {
    const now = this.#cluster.options.clock.nowMs();
    for (const [id, barrier] of this.#barriers) if (barrier.expiresMs <= now) this.#barriers.delete(id);
    return [...this.#barriers.values()];
  }

  #nowSeconds(): bigint {
    return BigInt(Math.floor(this.#cluster.options.clock.nowMs() / 1000));
  }
}
