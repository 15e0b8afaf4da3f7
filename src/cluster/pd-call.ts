/** One unary call to PD's leader with everything that can go wrong on the way: see `callPd`. */
import { ErrorType as PdErrorType, type ResponseHeader } from "../../gen/pdpb_pb.ts";
import { LevinError } from "../base/mod.ts";
import { Backoff } from "./backoff.ts";
import type { PdEnvironment, PdGrpc, PdMembers, PdRoute } from "./pd-members.ts";
import { unlessAborted, wordsOf } from "./wire.ts";

export interface PdLimits {
  /** One attempt of one call. */
  readonly callTimeoutMs: number;
  /** All attempts of one call together. */
  readonly overallTimeoutMs: number;
}

export const defaultPdLimits: PdLimits = { callTimeoutMs: 10_000, overallTimeoutMs: 60_000 };

export interface PdCallOptions {
  signal?: AbortSignal;
  timeoutMs: number;
  headers: Record<string, string>;
}

export interface PdCall<T> {
  /** Method name, for messages. */
  readonly method: string;
  readonly signal?: AbortSignal | undefined;
  /** Header errors of these types are an answer, returned as undefined. */
  readonly absentOn?: readonly PdErrorType[];
  send(grpc: PdGrpc, options: PdCallOptions): Promise<T>;
}

/**
 * Sends to the leader; searches it anew and sends again when the member is not leader, was not started, or the connection was
 * lost, until the overall time is over. PD fails in two ways: a gRPC status, or status OK with `header.error`; both are looked at.
 * Throws `Levin:Cluster:ErrPd` for what PD refuses, `Levin:Rpc:*` for the last lost connection.
 */
export async function callPd<T extends { header?: ResponseHeader | undefined }>(
  env: PdEnvironment,
  members: PdMembers,
  limits: PdLimits,
  call: PdCall<T>,
): Promise<T | undefined> {
  const giveUpAt = env.clock.monotonicMs() + limits.overallTimeoutMs;
  const backoff = new Backoff({ clock: env.clock, random: env.random, firstMs: 50, maxMs: 2_000 });
  for (;;) {
    let route: PdRoute | undefined;
    try {
      route = await members.route(call.signal);
      const { grpc, headers, address } = route;
      const options: PdCallOptions = { timeoutMs: limits.callTimeoutMs, headers: { ...headers } };
      if (call.signal !== undefined) options.signal = call.signal;
      const answer = await unlessAborted(call.signal, call.send(grpc, options));
      const error = answer.header?.error;
      if (error === undefined || error.type === PdErrorType.OK) return answer;
      if (call.absentOn?.includes(error.type)) return undefined;
      throw new LevinError("Levin:Cluster:ErrPd", `Cannot call PD ${call.method} on ${address}: ${error.message}`, {
        fields: { method: call.method, address, pdError: PdErrorType[error.type], pdText: error.message },
      });
    } catch (thrown) {
      if (call.signal?.aborted || !isTransient(thrown)) throw thrown;
      if (route !== undefined) members.forget(route);
      const waitMs = backoff.nextMs();
      if (env.clock.monotonicMs() + waitMs >= giveUpAt) throw thrown;
      await env.clock.sleep(waitMs, call.signal);
    }
  }
}

/** Texts of a member that is no leader (any more) or not ready; the code differs from call to call (network.md 3.1). */
const notLeaderText = /not leader|server not started|ErrGenerateTimestamp|no leader/i;

/** What a search for the leader may mend. */
export function isTransient(thrown: unknown): boolean {
  if (!(thrown instanceof LevinError)) return false;
  switch (thrown.code) {
    case "Levin:Rpc:ErrUnavailable":
    case "Levin:Rpc:ErrDeadline":
    case "Levin:Rpc:ErrProtocol":
    case "Levin:Cluster:ErrPdUnavailable":
      return true;
    case "Levin:Rpc:ErrRefused":
      return notLeaderText.test(wordsOf(thrown));
    default:
      return false;
  }
}
