import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, type ErrorFields, LevinError } from "../base/mod.ts";
import { H2Code } from "./frames.ts";
import { WireError, type WireKind } from "./wire-error.ts";

/** gRPC's status numbers: `grpcCode` in the fields of an error. */
export { Code as GrpcCode };

/** Whom a call went to. */
export interface CallPlace {
  /** `host:port`. */
  readonly target: string;
  /** `pdpb.PD/GetMembers`. */
  readonly method: string;
}

/**
 * Fields of every error that a call throws.
 * `kind`: how it failed (see `WireKind`), or `status` for an error that the server answered with.
 * `grpcCode`, `grpcText`: status number and text, of the server when `kind` is `status`, otherwise what gRPC's rules make of the fault.
 */
interface RpcErrorFields extends ErrorFields {
  readonly kind: WireKind | "status";
  readonly target: string;
  readonly method: string;
  readonly grpcCode: number;
  readonly grpcText: string;
  readonly h2Code?: number;
}

const WIRE_CODES: Record<Exclude<WireKind, "reset" | "source">, ErrorCode> = {
  dns: "Levin:Rpc:ErrUnavailable",
  refused: "Levin:Rpc:ErrUnavailable",
  unreachable: "Levin:Rpc:ErrUnavailable",
  lost: "Levin:Rpc:ErrUnavailable",
  unprocessed: "Levin:Rpc:ErrUnavailable",
  ended: "Levin:Rpc:ErrUnavailable",
  overload: "Levin:Rpc:ErrUnavailable",
  tls: "Levin:Rpc:ErrTls",
  protocol: "Levin:Rpc:ErrProtocol",
  deadline: "Levin:Rpc:ErrDeadline",
  stalled: "Levin:Rpc:ErrStalled",
  canceled: "Levin:Rpc:ErrCanceled",
  closed: "Levin:Rpc:ErrCanceled",
};

const WIRE_STATUS: Record<WireKind, Code> = {
  dns: Code.Unavailable,
  refused: Code.Unavailable,
  unreachable: Code.Unavailable,
  lost: Code.Unavailable,
  unprocessed: Code.Unavailable,
  ended: Code.Unavailable,
  tls: Code.Unavailable,
  overload: Code.ResourceExhausted,
  protocol: Code.Internal,
  reset: Code.Internal,
  deadline: Code.DeadlineExceeded,
  stalled: Code.DeadlineExceeded,
  canceled: Code.Canceled,
  closed: Code.Canceled,
  source: Code.Unknown,
};

/** gRPC's mapping of RST_STREAM codes to statuses (doc/PROTOCOL-HTTP2.md); all others are `internal`. */
const RESET_STATUS = new Map<number, Code>([
  [H2Code.refusedStream, Code.Unavailable],
  [H2Code.cancel, Code.Canceled],
  [H2Code.enhanceYourCalm, Code.ResourceExhausted],
  [H2Code.inadequateSecurity, Code.PermissionDenied],
]);

/** Resets by which a server (or a proxy) says that it gave up, and not that we broke the protocol. */
const GIVEN_UP = new Set<number>([H2Code.noError, H2Code.internalError, H2Code.cancel, H2Code.enhanceYourCalm]);

/**
 * Total: what a call threw, as a LevinError with RpcErrorFields. An error of the caller's own making (the reason of its signal, an
 * exception of its request generator) comes back as it is when it is a LevinError.
 */
export function rpcError(place: CallPlace, thrown: unknown): LevinError {
  if (thrown instanceof WireError) return fromWire(place, thrown);
  if (thrown instanceof ConnectError) {
    if (thrown.cause instanceof LevinError) return thrown.cause;
    if (thrown.cause instanceof WireError) return fromWire(place, thrown.cause);
    return fromStatus(place, thrown);
  }
  return LevinError.from(thrown);
}

function fromWire(place: CallPlace, error: WireError): LevinError {
  if (error.kind === "source" || (error.kind === "canceled" && error.cause instanceof LevinError)) {
    return LevinError.from(error.cause);
  }
  const grpcCode = (error.kind === "reset" && RESET_STATUS.get(error.h2Code ?? -1)) || WIRE_STATUS[error.kind];
  return make(codeOf(error), place, error.message, error, { kind: error.kind, grpcCode, h2Code: error.h2Code });
}

function codeOf(error: WireError): ErrorCode {
  if (error.kind === "source") return "Levin:Internal:ErrUnexpected";
  if (error.kind !== "reset") return WIRE_CODES[error.kind];
  return GIVEN_UP.has(error.h2Code ?? -1) ? "Levin:Rpc:ErrUnavailable" : "Levin:Rpc:ErrProtocol";
}

/** A server's status, or Connect's complaint about an answer that is none. */
function fromStatus(place: CallPlace, error: ConnectError): LevinError {
  const text = error.rawMessage;
  const facts = { grpcCode: error.code as number };
  if (!error.isWireError) {
    // HTTP 502, 503 and 504 of something between us and the server.
    const away = error.code === Code.Unavailable;
    return make(away ? "Levin:Rpc:ErrUnavailable" : "Levin:Rpc:ErrProtocol", place, text, error, {
      kind: away ? "lost" : "protocol",
      ...facts,
    });
  }
  return make(statusCode(error.code), place, `${Code[error.code]}: ${text}`, error, { kind: "status", ...facts }, text);
}

function statusCode(code: Code): ErrorCode {
  if (code === Code.DeadlineExceeded) return "Levin:Rpc:ErrDeadline";
  if (code === Code.Unavailable || code === Code.Canceled) return "Levin:Rpc:ErrUnavailable";
  return "Levin:Rpc:ErrRefused";
}

function make(
  code: ErrorCode,
  place: CallPlace,
  detail: string,
  cause: unknown,
  facts: { kind: WireKind | "status"; grpcCode: number; h2Code?: number | undefined },
  grpcText = detail,
): LevinError {
  const fields: RpcErrorFields = {
    kind: facts.kind,
    target: place.target,
    method: place.method,
    grpcCode: facts.grpcCode,
    grpcText,
    ...(facts.h2Code === undefined ? {} : { h2Code: facts.h2Code }),
  };
  return new LevinError(code, `Cannot call ${place.method} at ${place.target}: ${detail}`, { cause, fields });
}

/** The facts of an error that a call threw; undefined for any other error. */
export function rpcFields(error: unknown): RpcErrorFields | undefined {
  return error instanceof LevinError && "grpcCode" in error.fields ? (error.fields as RpcErrorFields) : undefined;
}
