/**
 * Which PD member to talk to. Calls go to the leader, which any member names. Where the leader's advertised address cannot be
 * reached from here, a member that can be reached forwards (`pd-forwarded-host`).
 */

import { type GetMembersResponse, PD } from "../../gen/pdpb_pb.ts";
import { type Clock, LevinError, type Random } from "../base/mod.ts";
import { type Client, createClient, type RpcTransport } from "../rpc/mod.ts";
import { Backoff } from "./backoff.ts";
import { type Connect, unlessAborted, wordsOf } from "./wire.ts";

export type PdGrpc = Client<typeof PD>;

/** A member to call and the metadata that each call needs. */
export interface PdRoute {
  readonly address: string;
  readonly grpc: PdGrpc;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PdEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: Connect;
}

/** How long one member may take to name the leader. */
const membersTimeoutMs = 3_000;

/** `http://host:port/` → `host:port`. */
export function hostOf(url: string): string {
  return url.replace(/^[a-z]+:\/\//i, "").replace(/\/.*$/, "");
}

export class PdMembers {
  readonly #env: PdEnvironment;
  readonly #connections = new Map<string, RpcTransport>();
  /** Addresses given by the user first, then those that members advertise. */
  readonly #addresses: string[];
  #route: PdRoute | undefined;
  #search: Promise<PdRoute> | undefined;
  readonly #closed = new AbortController();
  #clusterId = 0n;

  constructor(env: PdEnvironment, addresses: ReadonlyArray<string>) {
    this.#env = env;
    this.#addresses = addresses.map(hostOf).filter((address) => address !== "");
  }

  /** 0 until the first member has answered. */
  get clusterId(): bigint {
    return this.#clusterId;
  }

  /** The route to the leader; concurrent callers share one search. Throws `Levin:Cluster:ErrPdUnavailable`. */
  async route(signal?: AbortSignal): Promise<PdRoute> {
    this.#closed.signal.throwIfAborted();
    if (this.#route !== undefined) return this.#route;
    this.#search ??= this.#find().finally(() => {
      this.#search = undefined;
    });
    const search = this.#search;
    search.catch(() => undefined);
    if (signal === undefined) return await search;
    signal.throwIfAborted();
    return await new Promise<PdRoute>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      search.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  /** Says that the route failed; the next caller searches again. */
  forget(route: PdRoute): void {
    if (this.#route === route) this.#route = undefined;
  }

  close(): void {
    this.#closed.abort(new LevinError("Levin:Rpc:ErrCanceled", "Cannot call PD: the client is closed"));
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#route = undefined;
  }

  /** Two rounds over all known members; more patience is the caller's business. */
  async #find(): Promise<PdRoute> {
    const backoff = new Backoff({ clock: this.#env.clock, random: this.#env.random, firstMs: 100, maxMs: 500 });
    const causes = new Map<string, string>();
    let last: unknown;
    for (let round = 0; round < 2; round++) {
      if (round > 0) await backoff.wait(this.#closed.signal);
      for (const address of [...this.#addresses]) {
        try {
          const route = await this.#ask(address);
          if (route !== undefined) {
            this.#route = route;
            return route;
          }
          causes.set(address, "knows no leader");
        } catch (thrown) {
          this.#closed.signal.throwIfAborted();
          if (thrown instanceof LevinError && thrown.code === "Levin:Cluster:ErrClusterId") throw thrown;
          last = thrown;
          causes.set(address, wordsOf(thrown));
        }
      }
    }
    const detail = [...causes].map(([address, cause]) => `${address}: ${cause}`).join("; ");
    throw new LevinError("Levin:Cluster:ErrPdUnavailable", `Cannot find the leader of PD: ${detail}`, { cause: last });
  }

  async #ask(address: string): Promise<PdRoute | undefined> {
    const grpc = this.#grpc(address);
    const members = await this.#getMembers(grpc);
    this.#takeClusterId(members, address);
    for (const member of members.members) {
      for (const url of member.clientUrls) {
        const host = hostOf(url);
        if (!this.#addresses.includes(host)) this.#addresses.push(host);
      }
    }
    const urls = members.leader?.clientUrls ?? [];
    if (urls.length === 0) return undefined;
    if (urls.some((url) => hostOf(url) === address)) return { address, grpc, headers: {} };
    for (const url of urls) {
      const host = hostOf(url);
      const leader = this.#grpc(host);
      try {
        await this.#getMembers(leader);
        return { address: host, grpc: leader, headers: {} };
      } catch {
        // Its next address, or the member that answered.
      }
    }
    return { address, grpc, headers: { "pd-forwarded-host": urls[0]! } };
  }

  async #getMembers(grpc: PdGrpc): Promise<GetMembersResponse> {
    const { signal } = this.#closed;
    return await unlessAborted(signal, grpc.getMembers({}, { signal, timeoutMs: membersTimeoutMs }));
  }

  #takeClusterId(members: GetMembersResponse, address: string): void {
    const id = members.header?.clusterId ?? 0n;
    if (this.#clusterId !== 0n && id !== 0n && id !== this.#clusterId) {
      throw new LevinError(
        "Levin:Cluster:ErrClusterId",
        `Cannot use PD at ${address}: it belongs to cluster ${id}, the import to cluster ${this.#clusterId}`,
      );
    }
    if (id !== 0n) this.#clusterId = id;
  }

  #grpc(address: string): PdGrpc {
    let connection = this.#connections.get(address);
    if (connection === undefined) {
      connection = this.#env.connect(address);
      this.#connections.set(address, connection);
    }
    return createClient(PD, connection);
  }
}
