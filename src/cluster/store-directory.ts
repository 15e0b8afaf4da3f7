import type { Store } from "./nouns.ts";
import type { PdClient } from "./pd-client.ts";

/** Addresses of stores, asked from PD once and again when one turned out wrong. */
export class StoreDirectory {
  readonly #pd: Pick<PdClient, "getStore" | "getStores">;
  readonly #stores = new Map<bigint, Promise<Store>>();

  constructor(pd: Pick<PdClient, "getStore" | "getStores">) {
    this.#pd = pd;
  }

  /** Concurrent callers share one question; a failure is not remembered. */
  get(id: bigint, signal?: AbortSignal): Promise<Store> {
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = this.#pd.getStore(id, signal);
      this.#stores.set(id, store);
      store.catch(() => this.#stores.delete(id));
    }
    return store;
  }

  /** All living stores, freshly asked. */
  async all(signal?: AbortSignal): Promise<Store[]> {
    const stores = await this.#pd.getStores(signal);
    this.#stores.clear();
    for (const store of stores) this.#stores.set(store.id, Promise.resolve(store));
    return stores;
  }

  forget(id: bigint): void {
    this.#stores.delete(id);
  }
}
