/**
 * The seam to the gRPC transport: how a connection is made, how long a call may take, and what a failed call becomes.
 * Deadlines run on the injected clock and cancel the stream, so that a simulated run needs no real timer.
 */
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { type Clock, LevinError } from "../base/mod.ts";

export type { CallOptions, Client, Transport } from "@connectrpc/connect";
export { createClient } from "@connectrpc/connect";

/** One connection to one address; it reconnects by itself. */
export interface Connection {
  readonly transport: Transport;
  /** Ends what is open; idempotent. */
  close(): void;
}

/** Makes a connection to `host:port`; knows TLS, pings and message limits. Does no I/O before the first call. */
export type Connect = (address: string) => Connection;

export interface CallScope {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is called, for messages: `PD GetRegion`. */
  readonly what: string;
  readonly address: string;
}

/**
 * Runs one call under a deadline. Throws LevinError `Levin:Rpc:*`; the abort reason when `signal` is aborted. Returns then even
 * when the call itself does not react, so a stuck peer blocks nobody.
 */
export async function callWithin<T>(scope: CallScope, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  scope.signal?.throwIfAborted();
  const call = new AbortController();
  const finished = new AbortController();
  let expired = false;
  const cut = new Promise<never>((_, reject) => {
    const stop = (reason: unknown): void => {
      call.abort(reason);
      reject(reason);
    };
    const onAbort = (): void => stop(scope.signal?.reason);
    scope.signal?.addEventListener("abort", onAbort, { once: true, signal: finished.signal });
    scope.clock.sleep(scope.timeoutMs, finished.signal).then(
      () => {
        expired = true;
        stop(deadlineError(scope));
      },
      () => undefined,
    );
  });
  const answer = run(call.signal);
  try {
    return await Promise.race([answer, cut]);
  } catch (thrown) {
    answer.catch(() => undefined);
    if (scope.signal?.aborted) throw scope.signal.reason;
    throw expired ? deadlineError(scope) : wireError(thrown, scope);
  } finally {
    cut.catch(() => undefined);
    finished.abort();
  }
}

function deadlineError(scope: CallScope): LevinError {
  return new LevinError(
    "Levin:Rpc:ErrDeadline",
    `Cannot call ${scope.what} on ${scope.address}: no answer within ${scope.timeoutMs} ms`,
    { fields: { what: scope.what, address: scope.address, timeoutMs: scope.timeoutMs } },
  );
}

/** Errors of TLS handshakes, as OpenSSL and Node name them in `cause.code`. */
const tlsCause = /^(ERR_SSL_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|EPROTO)/;

/** Texts of connections that ended under a call, though their code says something else (network.md 1.3). */
const lostText =
  /session closed|premature close|stream closed|connection closed|ECONNRESET|EPIPE|socket|PING timed out/i;

/**
 * What a failed call means for us. `canceled` without an abort of our own is a lost connection; `fields.grpcCode` and
 * `fields.grpcText` keep the server's words for those who must read them.
 */
export function wireError(thrown: unknown, scope: Pick<CallScope, "what" | "address">): LevinError {
  if (thrown instanceof LevinError) return thrown;
  const error = ConnectError.from(thrown);
  const grpcCode = Code[error.code].toLowerCase();
  const fields = { what: scope.what, address: scope.address, grpcCode, grpcText: error.rawMessage };
  const make = (code: "ErrUnavailable" | "ErrDeadline" | "ErrTls" | "ErrRefused"): LevinError =>
    new LevinError(`Levin:Rpc:${code}`, `Cannot call ${scope.what} on ${scope.address}: ${error.rawMessage}`, {
      cause: thrown,
      fields,
    });
  if (tlsCause.test(causeCode(error))) return make("ErrTls");
  switch (error.code) {
    case Code.Canceled:
    case Code.Unavailable:
    case Code.Aborted:
      return make("ErrUnavailable");
    case Code.DeadlineExceeded:
      return make("ErrDeadline");
    case Code.Internal:
    case Code.Unknown:
    case Code.ResourceExhausted:
      return make(lostText.test(error.rawMessage) && !isServerText(error.rawMessage) ? "ErrUnavailable" : "ErrRefused");
    default:
      return make("ErrRefused");
  }
}

/** TiKV's debug forms (`Io(Os {…})`, `Engine(…)`) may contain such words too, yet come from the server. */
function isServerText(text: string): boolean {
  return /^[A-Z]\w+\(/.test(text);
}

function causeCode(error: ConnectError): string {
  const cause: unknown = error.cause;
  if (typeof cause === "object" && cause !== null && "code" in cause) return String(cause.code);
  return "";
}

/** True when the server does not know the method. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof LevinError && error.fields["grpcCode"] === "unimplemented";
}
