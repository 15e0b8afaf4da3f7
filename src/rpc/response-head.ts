import { H2Code, PeerError } from "./frames.ts";
import { mendGrpcMessage } from "./grpc-message.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { WireError } from "./wire-error.ts";

export interface ResponseHead {
  readonly status: number;
  readonly headers: Headers;
}

/** Not allowed in HTTP/2 (RFC 9113 §8.2.2). */
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/** The headers of a response, or an informational (1xx) one. A malformed list is a PeerError of the stream. */
export function parseResponseHead(list: HeaderList, streamId: number): ResponseHead {
  let status: string | undefined;
  const headers = new Headers();
  let regular = false;
  for (const [name, value] of list) {
    if (name.startsWith(":")) {
      if (name !== ":status" || regular || status !== undefined) malformed(`pseudo-header "${name}"`, streamId);
      status = value;
      continue;
    }
    regular = true;
    append(headers, name, value, streamId);
  }
  if (status === undefined || !/^[1-9][0-9][0-9]$/.test(status)) malformed(`status "${status}"`, streamId);
  return { status: Number(status), headers };
}

export function appendTrailers(trailers: Headers, list: HeaderList, streamId: number): void {
  for (const [name, value] of list) append(trailers, name, value, streamId);
}

/** A gRPC answer in another codec than protobuf; Connect would parse it as protobuf all the same. */
export function assertProtobuf({ headers }: ResponseHead): void {
  const type = headers.get("content-type");
  if (type !== null && /^application\/grpc\+(?!proto\b)/i.test(type)) {
    throw new WireError("protocol", `unexpected codec, content type ${type}`);
  }
}

const STATUS_HEADERS = ["grpc-status", "grpc-message", "grpc-status-details-bin"];

/**
 * Takes a gRPC status out of the headers of an answer that goes on. It counts only if nothing else follows: some servers send
 * "trailers only" as HEADERS and an empty DATA frame with END_STREAM. A body or trailers make it void.
 */
export function takeEarlyStatus(headers: Headers): HeaderList {
  const out: (readonly [string, string])[] = [];
  for (const name of STATUS_HEADERS) {
    const value = headers.get(name);
    if (value !== null) out.push([name, value]);
    headers.delete(name);
  }
  return out;
}

function append(headers: Headers, name: string, value: string, streamId: number): void {
  if (name !== name.toLowerCase() || CONNECTION_HEADERS.has(name)) malformed(`header "${name}"`, streamId);
  try {
    headers.append(name, name === "grpc-message" ? mendGrpcMessage(value) : value);
  } catch {
    malformed(`header "${name}"`, streamId);
  }
}

function malformed(what: string, streamId: number): never {
  throw new PeerError(H2Code.protocolError, `malformed answer: ${what}`, streamId);
}
