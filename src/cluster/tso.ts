/**
 * Timestamps from PD over one stream: callers that wait at the same time share one request, one request is under way at a time,
 * and the stream is opened anew when it ends or falls silent. A timestamp is handed out once.
 */
import { create } from "@bufbuild/protobuf";
import { type TsoRequest, TsoRequestSchema, type TsoResponse } from "../../gen/pdpb_pb.ts";
import { LevinError } from "../base/mod.ts";
import { Backoff } from "./backoff.ts";
import { isTransient, type PdLimits } from "./pd-call.ts";
import type { PdEnvironment, PdMembers, PdRoute } from "./pd-members.ts";
import { withDeadline } from "./wire.ts";

/** PD refuses more than 2^18 - 1 timestamps in one request. */
const batchMax = 10_000;
/** How long one request may stay without an answer on an open stream. */
const answerTimeoutMs = 3_000;
const logicalBits = 18n;

interface Waiter {
  resolve(ts: bigint): void;
  reject(error: unknown): void;
}

/** An open stream: `ask` sends one request and returns its answer. */
interface TsoStream {
  readonly route: PdRoute;
  ask(count: number): Promise<TsoResponse>;
  close(): void;
}

export class TsoClient {
  readonly #env: PdEnvironment;
  readonly #members: PdMembers;
  readonly #limits: PdLimits;
  readonly #waiting: Waiter[] = [];
  readonly #closed = new AbortController();
  #stream: TsoStream | undefined;
  #running = false;
  #last = 0n;

  constructor(env: PdEnvironment, members: PdMembers, limits: PdLimits) {
    this.#env = env;
    this.#members = members;
    this.#limits = limits;
  }

  /** The next timestamp: physical milliseconds << 18 + logical. Strictly growing over the whole cluster. */
  next(signal?: AbortSignal): Promise<bigint> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason);
      };
      const settle = (): void => signal?.removeEventListener("abort", stop);
      const waiter: Waiter = {
        resolve: (ts) => {
          settle();
          resolve(ts);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.push(waiter);
      if (!this.#running) {
        this.#running = true;
        void this.#serve();
      }
    });
  }

  close(): void {
    this.#closed.abort(new LevinError("Levin:Rpc:ErrCanceled", "Cannot get a timestamp: the client is closed"));
    this.#dropStream();
  }

  async #serve(): Promise<void> {
    // One turn of the event loop gathers the callers of the same moment.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchMax);
      try {
        let ts = await this.#take(batch.length);
        for (const waiter of batch) waiter.resolve(ts++);
      } catch (thrown) {
        for (const waiter of batch) waiter.reject(thrown);
      }
    }
    this.#running = false;
  }

  /** First of `count` consecutive timestamps. */
  async #take(count: number): Promise<bigint> {
    const { clock, random } = this.#env;
    const giveUpAt = clock.monotonicMs() + this.#limits.overallTimeoutMs;
    const backoff = new Backoff({ clock, random, firstMs: 50, maxMs: 1_000 });
    for (;;) {
      try {
        this.#closed.signal.throwIfAborted();
        this.#stream ??= this.#open(await this.#members.route(this.#closed.signal));
        return this.#read(await this.#ask(this.#stream, count), count);
      } catch (thrown) {
        const route = this.#stream?.route;
        this.#dropStream();
        if (this.#closed.signal.aborted || !isTransient(thrown)) throw thrown;
        if (route !== undefined) this.#members.forget(route);
        const waitMs = backoff.nextMs();
        if (clock.monotonicMs() + waitMs >= giveUpAt) throw thrown;
        await clock.sleep(waitMs, this.#closed.signal);
      }
    }
  }

  #ask(stream: TsoStream, count: number): Promise<TsoResponse> {
    const limit = {
      clock: this.#env.clock,
      timeoutMs: answerTimeoutMs,
      signal: this.#closed.signal,
      what: `PD Tso on ${stream.route.address}`,
    };
    return withDeadline(limit, () => stream.ask(count));
  }

  #read(answer: TsoResponse, count: number): bigint {
    const error = answer.header?.error;
    const timestamp = answer.timestamp;
    if (error !== undefined && error.type !== 0) {
      throw new LevinError("Levin:Cluster:ErrPd", `Cannot get a timestamp from PD: ${error.message}`);
    }
    if (timestamp === undefined || answer.count !== count) {
      throw new LevinError(
        "Levin:Cluster:ErrPd",
        `Cannot get a timestamp from PD: asked for ${count}, got ${answer.count}`,
      );
    }
    // PD names the last timestamp of the batch.
    const last = (timestamp.physical << logicalBits) + timestamp.logical;
    const first = last - BigInt(count) + 1n;
    if (first <= this.#last) {
      const detail = `${first} comes after ${this.#last}`;
      throw new LevinError("Levin:Cluster:ErrPd", `Cannot use a timestamp from PD: ${detail}, PD's clock went back`);
    }
    this.#last = last;
    return first;
  }

  #open(route: PdRoute): TsoStream {
    const abort = new AbortController();
    const requests = new RequestQueue<TsoRequest>();
    const answers = route.grpc
      .tso(requests.drain(), { signal: abort.signal, headers: { ...route.headers } })
      [Symbol.asyncIterator]();
    return {
      route,
      ask: async (count) => {
        requests.push(create(TsoRequestSchema, { header: { clusterId: this.#members.clusterId }, count }));
        const answer = await answers.next();
        if (answer.done) {
          throw new LevinError("Levin:Rpc:ErrUnavailable", `Cannot call PD Tso on ${route.address}: the stream ended`);
        }
        return answer.value;
      },
      close: () => {
        requests.end();
        abort.abort();
      },
    };
  }

  #dropStream(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

/** Requests of a stream as they come; `drain` is an async generator, as the transport demands. */
class RequestQueue<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *drain(): AsyncGenerator<T> {
    while (!this.#ended) {
      const item = this.#items.shift();
      if (item !== undefined) {
        yield item;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
