import type { Store } from "./nouns.ts";
import type { PdClient } from "./pd-client.ts";
import { unlessAborted } from "./wire.ts";

/** Addresses of stores, asked from PD once and again when one turned out wrong. */
export class StoreDirectory {
  readonly #pd: Pick<PdClient, "getStore" | "getStores">;
  readonly #stores = new Map<bigint, Promise<Store>>();

  constructor(pd: Pick<PdClient, "getStore" | "getStores">) {
    this.#pd = pd;
  }

  /** Concurrent callers share one question, which none of them can end for the others; a failure is not remembered. */
  async get(id: bigint, signal?: AbortSignal): Promise<Store> {
    let store = this.#stores.get(id);
    if (store === undefined) {
      const asked = this.#pd.getStore(id);
      store = asked;
      this.#stores.set(id, asked);
      asked.catch(() => {
        if (this.#stores.get(id) === asked) this.#stores.delete(id);
      });
    }
    return await unlessAborted(signal, store);
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
