import {
  type Compare,
  Compare_CompareResult,
  Compare_CompareTarget,
  KV,
  Lease,
  type RequestOp,
  Watch,
} from "../../../gen/etcdserverpb_pb.ts";
import { type Clock, LevinError, textOf, utf8 } from "../../base/mod.ts";
import { createClient, createGrpcTransport, type RpcTransport, type TlsOptions } from "../../rpc/mod.ts";
import { dmError } from "../dm-error.ts";

const CALL_TIMEOUT_MS = 10_000;
/** Ceiling of repeating a call that may be repeated. */
const PATIENCE_MS = 30_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const PING_MS = 10_000;

export interface EtcdOptions {
  /** `host:port` or `http(s)://host:port`. */
  endpoints: readonly string[];
  clock: Clock;
  tls?: TlsOptions;
  /** Ceiling of repeating a call that may be repeated; default 30 s. */
  patienceMs?: number;
}

export interface EtcdEntry {
  key: string;
  value: string;
  modRevision: bigint;
}

/** A write of a transaction; undefined removes the key. */
export interface EtcdWrite {
  key: string;
  value: string | undefined;
  lease?: bigint;
}

/** A change that a watch saw; undefined: the key was removed. */
export interface EtcdChange {
  key: string;
  value: string | undefined;
  previous: string | undefined;
}

/**
 * The part of etcd's API that a coordination needs, over its own gRPC. Reads and idempotent writes are repeated over all endpoints until a
 * ceiling; errors are DM's 42501.
 */
export class EtcdClient {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #transports: { url: string; transport: RpcTransport }[];
  #at = 0;

  constructor({ endpoints, clock, tls, patienceMs }: EtcdOptions) {
    this.#clock = clock;
    this.#patienceMs = patienceMs ?? PATIENCE_MS;
    const scheme = tls === undefined ? "http" : "https";
    this.#transports = endpoints.map((endpoint) => {
      const url = /^https?:\/\//.test(endpoint) ? endpoint : `${scheme}://${endpoint}`;
      const secured = tls === undefined ? {} : { tls };
      return {
        url,
        transport: createGrpcTransport({
          baseUrl: url,
          clock,
          pingIntervalMs: PING_MS,
          connectTimeoutMs: 3_000,
          ...secured,
        }),
      };
    });
  }

  close(): void {
    for (const { transport } of this.#transports) transport.close();
  }

  async get(key: string): Promise<EtcdEntry | undefined> {
    const { entries } = await this.#range(utf8(key), undefined);
    return entries[0];
  }

  /** All keys that begin so, in order, and the revision they are of. */
  prefix(prefix: string): Promise<{ entries: EtcdEntry[]; revision: bigint }> {
    return this.#range(utf8(prefix), prefixEnd(prefix));
  }

  #range(key: Uint8Array, rangeEnd: Uint8Array | undefined): Promise<{ entries: EtcdEntry[]; revision: bigint }> {
    return this.#patiently("read", async (transport) => {
      const request = rangeEnd === undefined ? { key } : { key, rangeEnd };
      const { kvs, header } = await createClient(KV, transport).range(request, { timeoutMs: CALL_TIMEOUT_MS });
      const entries = kvs.map((kv) => ({ key: textOf(kv.key), value: textOf(kv.value), modRevision: kv.modRevision }));
      return { entries, revision: header?.revision ?? 0n };
    });
  }

  /** Sets or removes keys, all at once. */
  async write(writes: readonly EtcdWrite[]): Promise<void> {
    await this.transaction([], writes);
  }

  /** Writes when every key is as it was seen: its revision, or not there. False when one is not. */
  transaction(seen: readonly { key: string; modRevision: bigint }[], writes: readonly EtcdWrite[]): Promise<boolean> {
    return this.#patiently("txn", async (transport) => {
      const compare = seen.map(({ key, modRevision }) => unchanged(key, modRevision));
      const request = { compare, success: writes.map(operation), failure: [] };
      const { succeeded } = await createClient(KV, transport).txn(request as never, { timeoutMs: CALL_TIMEOUT_MS });
      return succeeded;
    });
  }

  deletePrefix(prefix: string): Promise<bigint> {
    return this.#patiently("delete", async (transport) => {
      const request = { key: utf8(prefix), rangeEnd: prefixEnd(prefix) };
      return (await createClient(KV, transport).deleteRange(request, { timeoutMs: CALL_TIMEOUT_MS })).deleted;
    });
  }

  /** Changes of all keys that begin so, from a revision on, until the signal is aborted or the stream is lost. */
  async *watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncGenerator<EtcdChange> {
    const { transport } = this.#transports[this.#at]!;
    const create = { key: utf8(prefix), rangeEnd: prefixEnd(prefix), startRevision: fromRevision, prevKv: true };
    async function* requests() {
      yield { requestUnion: { case: "createRequest" as const, value: create } };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    }
    for await (const answer of createClient(Watch, transport).watch(requests() as never, { signal })) {
      if (answer.canceled)
        throw dmError("HAFailTxnOperation", [`the watch of ${prefix} was cancelled: ${answer.cancelReason}`]);
      for (const { kv, prevKv, type } of answer.events) {
        if (kv === undefined) continue;
        yield {
          key: textOf(kv.key),
          value: type === 0 ? textOf(kv.value) : undefined,
          previous: prevKv === undefined ? undefined : textOf(prevKv.value),
        };
      }
    }
  }

  grantLease(ttlSeconds: number): Promise<bigint> {
    return this.#patiently("lease", async (transport) => {
      const { ID } = await createClient(Lease, transport).leaseGrant(
        { TTL: BigInt(ttlSeconds) },
        { timeoutMs: CALL_TIMEOUT_MS },
      );
      return ID;
    });
  }

  /** Renews once; false when the lease is gone. */
  renewLease(id: bigint): Promise<boolean> {
    return this.#patiently("lease", async (transport) => {
      async function* one() {
        yield { ID: id };
      }
      for await (const { TTL } of createClient(Lease, transport).leaseKeepAlive(one() as never, {
        timeoutMs: CALL_TIMEOUT_MS,
      })) {
        return TTL > 0n;
      }
      return false;
    });
  }

  async revokeLease(id: bigint): Promise<void> {
    const { transport } = this.#transports[this.#at]!;
    await createClient(Lease, transport).leaseRevoke({ ID: id }, { timeoutMs: 2_000 });
  }

  /** One endpoint after the other, with growing waits, until the ceiling. */
  async #patiently<T>(what: string, run: (transport: RpcTransport) => Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      const { transport, url } = this.#transports[this.#at]!;
      try {
        return await run(transport);
      } catch (thrown) {
        const error = LevinError.from(thrown);
        this.#at = (this.#at + 1) % this.#transports.length;
        const over = this.#clock.monotonicMs() - startedMs + wait > this.#patienceMs;
        if (over || error.facts.retry === "never") {
          throw dmError("HAFailTxnOperation", [`${what} at ${url}: ${error.message}`], thrown);
        }
        await this.#clock.sleep(wait);
      }
    }
  }
}

function unchanged(key: string, modRevision: bigint): Partial<Compare> {
  return {
    result: Compare_CompareResult.EQUAL,
    target: Compare_CompareTarget.MOD,
    key: utf8(key),
    targetUnion: { case: "modRevision", value: modRevision },
  };
}

function operation({ key, value, lease }: EtcdWrite): Partial<RequestOp> {
  return value === undefined
    ? { request: { case: "requestDeleteRange", value: { key: utf8(key) } as never } }
    : {
        request: {
          case: "requestPut",
          value: { key: utf8(key), value: utf8(value), ...(lease === undefined ? {} : { lease }) } as never,
        },
      };
}

/** The first key behind all that begin with `prefix`. */
function prefixEnd(prefix: string): Uint8Array {
  const end = utf8(prefix).slice();
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i]! < 0xff) {
      end[i]!++;
      return end.subarray(0, i + 1);
    }
  }
  return new Uint8Array(1);
}
