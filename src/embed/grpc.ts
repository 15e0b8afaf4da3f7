/** Connect's server side, as the embedded services call it. */
export {
  type ConnectRouter,
  grpcServer,
  type HandlerContext,
  ServerCode as Code,
  ServerError as ConnectError,
  type ServiceImpl,
} from "../rpc/mod.ts";
