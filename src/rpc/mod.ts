/**
 * gRPC for everybody else. `@connectrpc/*` is imported here and nowhere else.
 *
 * From the wire up: frames (`frames`, `frame-reader`, `inbound`), header compression (`hpack-*`), flow control (`flow`), sending
 * (`send-batch`, `outbox`), the halves of a stream (`incoming-body`, `outgoing-body`), what both ends of a connection do (`connection`,
 * `peer-settings`, `goodbye`). The client's end: one request (`stream`), one connection (`session`, `stream-gate`, `keepalive`), its
 * making (`dial`, `tls`), the connections to one authority (`channel`), Connect's gRPC on top (`http-client`, `grpc-transport`,
 * `in-memory`), uploads beside it (`upload`, `upload-links`, `packed-write`), and around all calls deadline, cancellation and errors
 * (`call`, `transport`, `errors`). The server's end, for the sandbox: `server-stream`, `server-session`, Connect's services
 * on them (`serve`, `mount-routes`), and past Connect unary calls (`serve-unary`) and uploads (`upload-handler`, `server-messages`).
 *
 * Invariants: everything thrown is a LevinError, with the gRPC status in its fields (`rpcFields`). A caller's bytes are not copied,
 * and are free again when the write has resolved. Nothing that a server may have seen is repeated here. Every queue and wait has a
 * bound. At most one connection of an authority takes new streams.
 *
 * Lacks: push, priorities, proxies, load balancing, our own dynamic header table and Huffman coding.
 */
export { type BackoffOptions, backoffMs, type RetryContext, retry } from "./backoff.ts";
export { type Client, createClient } from "./client.ts";
export { GrpcCode, rpcFields } from "./errors.ts";
export { createGrpcTransport, type GrpcTransportOptions } from "./grpc-transport.ts";
export { createInProcessTransport } from "./in-memory.ts";
export { openPackedWrite, type PackedWrite } from "./packed-write.ts";
export * from "./server.ts";
export type { TlsMaterial, TlsOptions } from "./tls.ts";
export type { RpcTransport } from "./transport.ts";
export type { WireKind } from "./wire-error.ts";
