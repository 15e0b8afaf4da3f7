import { Code, ConnectError } from "@connectrpc/connect";

/** Flag and length before each message. */
export const PREFIX_BYTES = 5;

/** What a client is told of what an implementation has thrown. */
export function asFailure(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}

/** A message with its head. */
export function enveloped(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(out.buffer).setUint32(1, message.length);
  out.set(message, PREFIX_BYTES);
  return out;
}
