import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import { concatBytes } from "../base/mod.ts";
import { H2Code, readUint32 } from "./frames.ts";
import { assertProtobuf } from "./response-head.ts";
import type { ClientStream } from "./stream.ts";
import { WireError } from "./wire-error.ts";

/** Flag and length before each message (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;
const COMPRESSED = 1;

export interface UnaryAnswer<O extends DescMessage> {
  readonly header: Headers;
  readonly message: MessageShape<O>;
  readonly trailer: Headers;
}

/**
 * One message there and one back. Refuses what Connect's transport refuses, in its words and order, without the chains of generators
 * that it has for messages of any number: they are half of what a small call costs.
 */
export async function unaryOver<O extends DescMessage>(
  stream: ClientStream,
  output: O,
  request: Uint8Array,
  readMaxBytes: number,
): Promise<UnaryAnswer<O>> {
  const { length } = request;
  const prefix = Uint8Array.of(0, length >>> 24, length >>> 16, length >>> 8, length);
  // What ends the stream while it is written fails the answer, too.
  stream.write([prefix, request]).catch(() => undefined);
  stream.end();
  try {
    return await readAnswer(stream, output, readMaxBytes);
  } catch (error) {
    stream.abort(H2Code.cancel, new WireError("canceled", "the answer is not wanted any more"));
    throw error;
  }
}

async function readAnswer<O extends DescMessage>(
  stream: ClientStream,
  output: O,
  readMaxBytes: number,
): Promise<UnaryAnswer<O>> {
  const head = await stream.head;
  assertProtobuf(head);
  const { compression, headerError } = validateResponseWithCompression([compressionGzip], head.status, head.headers);
  const body = await readMessage(stream, readMaxBytes);
  let bytes = body?.subarray(PREFIX_BYTES);
  if (bytes !== undefined && (body![0]! & COMPRESSED) !== 0) {
    if (compression === null || compression === undefined) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    bytes = await compression.decompress(bytes, readMaxBytes);
  }
  const message = bytes === undefined ? undefined : parse(output, bytes);
  validateTrailer(stream.trailers, head.headers);
  if (message === undefined) {
    if (headerError !== undefined) throw headerError;
    const code = stream.trailers.has("grpc-status") ? Code.Unimplemented : Code.Unknown;
    throw new ConnectError("protocol error: missing output message for unary method", code);
  }
  if (headerError !== undefined) {
    const text = "protocol error: received output message for unary method with error status";
    throw new ConnectError(text, Code.Unknown);
  }
  return { header: head.headers, message, trailer: stream.trailers };
}

/** The one message with its prefix; undefined: there is none. */
async function readMessage(stream: ClientStream, readMaxBytes: number): Promise<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let whole: number | undefined;
  for (;;) {
    const piece = await stream.read();
    if (piece === undefined) break;
    parts.push(piece);
    bytes += piece.length;
    if (whole === undefined && bytes >= PREFIX_BYTES) {
      parts = [concatBytes(...parts)];
      const size = readUint32(parts[0]!, 1);
      if (size > readMaxBytes) {
        const text = `message size ${size} is larger than configured readMaxBytes ${readMaxBytes}`;
        throw new ConnectError(text, Code.ResourceExhausted);
      }
      whole = PREFIX_BYTES + size;
    }
    if (whole !== undefined && bytes > whole) {
      throw new ConnectError("protocol error: received extra output message for unary method", Code.Unimplemented);
    }
  }
  if (bytes === 0) return undefined;
  if (bytes !== whole) throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  return parts.length === 1 ? parts[0]! : concatBytes(...parts);
}

function parse<O extends DescMessage>(output: O, bytes: Uint8Array): MessageShape<O> {
  try {
    return fromBinary(output, bytes);
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ConnectError(`parse binary: ${text}`, Code.Internal, undefined, undefined, thrown);
  }
}
