/**
 * The seam to the gRPC transport: how connections are made, and deadlines for what is no single gRPC call. All time is the injected
 * clock's, so a simulated run needs no real timer.
 */
import { type Clock, LevinError } from "../base/mod.ts";
import { createGrpcTransport, GrpcCode, type RpcTransport, rpcFields, type TlsOptions } from "../rpc/mod.ts";

/** Makes a connection to `host:port`. Does no I/O before the first call; the transport reconnects by itself. */
export type Connect = (address: string) => RpcTransport;

interface ConnectOptions {
  readonly clock: Clock;
  readonly tls?: TlsOptions;
  /** Compresses what is sent (Lightning's `compress-kv-pairs`); costs more processor time than most networks are worth. */
  readonly compress?: "gzip";
}

/** As TiDB's clients: pings on streams that are silent for 10 s; PD takes no more than one in 5 s (network.md 1.3). */
const pings = { pingIntervalMs: 10_000, pingTimeoutMs: 3_000 };

/** Connections over the network. */
export function grpcConnect(options: ConnectOptions): Connect {
  const { clock, tls, compress } = options;
  const scheme = tls === undefined ? "http" : "https";
  const common = {
    clock,
    ...pings,
    ...(tls === undefined ? {} : { tls }),
    ...(compress === undefined ? {} : { compress }),
  };
  return (address) => createGrpcTransport({ baseUrl: `${scheme}://${address}`, ...common });
}

export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is called and where, for the message: `PD Tso on 10.0.0.1:2379`. */
  readonly what: string;
}

/**
 * Runs something under a deadline. Throws `Levin:Rpc:ErrDeadline`, or the abort reason when `signal` is aborted; returns then even
 * when `run` does not react, so a stuck peer blocks nobody.
 */
export async function withDeadline<T>(limit: Deadline, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  limit.signal?.throwIfAborted();
  const inner = new AbortController();
  const finished = new AbortController();
  const cut = new Promise<never>((_, reject) => {
    const stop = (reason: unknown): void => {
      inner.abort(reason);
      reject(reason);
    };
    limit.signal?.addEventListener("abort", () => stop(limit.signal?.reason), { once: true, signal: finished.signal });
    limit.clock.sleep(limit.timeoutMs, finished.signal).then(
      () => stop(deadlineError(limit)),
      () => undefined,
    );
  });
  const answer = run(inner.signal);
  try {
    return await Promise.race([answer, cut]);
  } catch (thrown) {
    throw inner.signal.aborted ? inner.signal.reason : thrown;
  } finally {
    answer.catch(() => undefined);
    cut.catch(() => undefined);
    finished.abort();
  }
}

function deadlineError(limit: Deadline): LevinError {
  return new LevinError("Levin:Rpc:ErrDeadline", `Cannot call ${limit.what}: no answer within ${limit.timeoutMs} ms`, {
    fields: { what: limit.what, timeoutMs: limit.timeoutMs },
  });
}

/**
 * What a gRPC call throws when its own signal was aborted is the reason of the abort, whatever the transport makes of it, and it
 * throws at once.
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, call: Promise<T>): Promise<T> {
  if (signal === undefined) return await call;
  return await new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    call.then(
      (answer) => {
        signal.removeEventListener("abort", stop);
        resolve(answer);
      },
      (thrown) => {
        signal.removeEventListener("abort", stop);
        reject(signal.aborted ? signal.reason : thrown);
      },
    );
  });
}

/** True when the server does not know the method. */
export function isUnimplemented(thrown: unknown): boolean {
  return rpcFields(thrown)?.grpcCode === GrpcCode.Unimplemented;
}

/** The server's words, or the message of whatever was thrown. */
export function wordsOf(thrown: unknown): string {
  const text = thrown instanceof LevinError ? thrown.fields["grpcText"] : undefined;
  if (typeof text === "string" && text !== "") return text;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
