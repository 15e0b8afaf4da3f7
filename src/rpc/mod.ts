/**
 * gRPC for everybody else: a client of our own for HTTP/2 under Connect's gRPC transport, deadlines, cancellation, and one error
 * class. `@connectrpc/*` is imported here and nowhere else.
 */

export { type BackoffOptions, backoffMs, type RetryContext, retry } from "./backoff.ts";
export { type Client, createClient, renamed } from "./client.ts";
export { type CallPlace, GrpcCode, type RpcErrorFields, rpcFields } from "./errors.ts";
export { createGrpcTransport, type GrpcTransportOptions } from "./grpc-transport.ts";
export { createInProcessTransport, type InProcessOptions } from "./in-memory.ts";
export { openPackedWrite, type PackedWrite } from "./packed-write.ts";
export * from "./server.ts";
export type { TlsMaterial, TlsOptions } from "./tls.ts";
export type { RpcTransport } from "./transport.ts";
export type { Upload, UploadOptions } from "./upload.ts";
export type { WatchdogOptions } from "./watchdog.ts";
export type { WireKind } from "./wire-error.ts";
