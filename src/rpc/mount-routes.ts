import type { DescMethod, DescMethodClientStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { createMethodUrl, type UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { LARGEST_MESSAGE_BYTES } from "./server-messages.ts";
import { uploadHandler } from "./upload-handler.ts";

/** A unary method as it was mounted. */
export interface UnaryMethod {
  readonly method: DescMethodUnary;
  readonly call: (request: unknown, context: HandlerContext) => unknown;
}

/** What is served, by path. */
export interface Mounted {
  readonly handlers: ReadonlyMap<string, UniversalHandlerFn>;
  /** Unary methods beside that. */
  readonly unary: ReadonlyMap<string, UnaryMethod>;
}

/**
 * Mounts services on a router of Connect's and takes down their unary methods. Client-streaming methods that are mounted by themselves,
 * with `rpc`, are not Connect's: their requests are views that hold until the next one is asked for (`UploadImpl`).
 */
export function mountRoutes(routes: (router: ConnectRouter) => void): Mounted {
  const router = createConnectRouter({
    grpc: true,
    grpcWeb: false,
    connect: false,
    acceptCompression: [],
    readMaxBytes: LARGEST_MESSAGE_BYTES,
  });
  const unary = new Map<string, UnaryMethod>();
  const uploads = new Map<string, UniversalHandlerFn>();
  const note = (method: DescMethodUnary, own: unknown, self: unknown): void => {
    if (method.methodKind !== "unary" || typeof own !== "function") return;
    unary.set(createMethodUrl("/", method), { method, call: own.bind(self) as UnaryMethod["call"] });
  };
  const noting: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      const own = implementation as Record<string, unknown>;
      for (const method of service.methods) note(method as DescMethodUnary, own[method.localName], implementation);
      router.service(service, implementation, options);
      return noting;
    },
    rpc(method, implementation, options) {
      const { methodKind }: DescMethod = method;
      if (methodKind === "client_streaming") {
        const upload = uploadHandler(method as DescMethodClientStreaming, implementation as never);
        uploads.set(createMethodUrl("/", method), upload);
        return noting;
      }
      note(method as DescMethodUnary, implementation, undefined);
      router.rpc(method, implementation, options);
      return noting;
    },
  };
  routes(noting);
  const connects = router.handlers.map((handler) => [handler.requestPath, handler] as const);
  return { handlers: new Map<string, UniversalHandlerFn>([...connects, ...uploads]), unary };
}
