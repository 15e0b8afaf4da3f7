/**
 * How a call can fail below the level of gRPC statuses:
 *
 * | kind | meaning |
 * |---|---|
 * | `dns` | the host name has no address |
 * | `refused` | nobody listens on the port |
 * | `unreachable` | no connection within the time allowed, or no way to the host |
 * | `tls` | the handshake failed for a reason that trying again does not mend |
 * | `lost` | an open connection broke, went silent, or was closed by the peer |
 * | `unprocessed` | the server says that it did not look at the request (REFUSED_STREAM, GOAWAY) |
 * | `reset` | the server ended the stream with RST_STREAM |
 * | `protocol` | the peer does not speak HTTP/2 or gRPC as it should |
 * | `deadline` | our own timer |
 * | `canceled` | our caller's AbortSignal |
 * | `stalled` | an upload is slower than the watchdog allows |
 * | `overload` | too many calls wait for a free stream |
 * | `ended` | the server finished its answer before the request was sent; the answer says why |
 * | `closed` | we closed the transport |
 * | `source` | the caller's own request iterable threw; `cause` is what it threw |
 */
export type WireKind =
  | "dns"
  | "refused"
  | "unreachable"
  | "tls"
  | "lost"
  | "unprocessed"
  | "reset"
  | "protocol"
  | "deadline"
  | "canceled"
  | "stalled"
  | "overload"
  | "ended"
  | "closed"
  | "source";

/** Internal to this folder: the door turns it into a LevinError that names target and method. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly kind: WireKind;
  /** Code of the RST_STREAM or GOAWAY behind it. */
  readonly h2Code: number | undefined;

  constructor(kind: WireKind, message: string, options: { cause?: unknown; h2Code?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.h2Code = options.h2Code;
  }
}
