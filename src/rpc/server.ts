/** The serving side, for the sandbox: Connect's router on connections of our own. */
export {
  Code as ServerCode,
  ConnectError as ServerError,
  type ConnectRouter,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
export { grpcServer, type ServeConnection } from "./serve.ts";
