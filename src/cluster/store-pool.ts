import { assert } from "../base/mod.ts";
import type { RpcTransport } from "../rpc/mod.ts";
import type { Connect } from "./wire.ts";

/** Connections to one address and how many calls each of them carries. */
interface Entry {
  readonly connection: RpcTransport;
  calls: number;
}

/**
 * Connections to stores, at most `perStore` to each address, opened when a call finds the others busy. TiKV serves a connection
 * by one gRPC thread, so several connections use more of a store; HTTP/2 carries any number of calls on each.
 */
export class StorePool {
  readonly #connect: Connect;
  readonly #perStore: number;
  readonly #entries = new Map<string, Entry[]>();

  constructor(connect: Connect, perStore: number) {
    assert(perStore >= 1, "a pool has at least one connection for each store");
    this.#connect = connect;
    this.#perStore = perStore;
  }

  /** Runs `call` on the least busy connection to the address. */
  async use<T>(address: string, call: (connection: RpcTransport) => Promise<T>): Promise<T> {
    const entry = this.#pick(address);
    entry.calls++;
    try {
      return await call(entry.connection);
    } finally {
      entry.calls--;
    }
  }

  #pick(address: string): Entry {
    let entries = this.#entries.get(address);
    if (entries === undefined) {
      entries = [];
      this.#entries.set(address, entries);
    }
    let best: Entry | undefined;
    for (const entry of entries) if (best === undefined || entry.calls < best.calls) best = entry;
    if (best !== undefined && (best.calls === 0 || entries.length >= this.#perStore)) return best;
    const opened = { connection: this.#connect(address), calls: 0 };
    entries.push(opened);
    return opened;
  }

  close(): void {
    for (const entries of this.#entries.values()) for (const entry of entries) entry.connection.close();
    this.#entries.clear();
  }
}
