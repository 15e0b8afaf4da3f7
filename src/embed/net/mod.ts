/**
 * The sandbox's side of the wire: one listening port with gRPC (HTTP/2) and HTTP/1.1 behind it, plain or TLS.
 * It knows no service.
 */
export { type HttpAnswer, type HttpRequest, httpListener } from "./http.ts";
export { Port, type PortOptions, type ServerTls } from "./server.ts";
