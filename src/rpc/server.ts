/** The serving side, for the sandbox: Connect's router on connections of our own, and its adapter for `node:http2`. */
export {
  Code as ServerCode,
  ConnectError as ServerError,
  type ConnectRouter,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
export { connectNodeAdapter } from "@connectrpc/connect-node";
export { grpcServer, type MessagesHandler, type ServeConnection } from "./serve.ts";
