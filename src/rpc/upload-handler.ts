import {
  create,
  type DescMessage,
  type DescMethodClientStreaming,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import {
  compressionNegotiate,
  type UniversalHandlerFn,
  type UniversalServerRequest,
  uResponseMethodNotAllowed,
  uResponseOk,
  uResponseUnsupportedMediaType,
} from "@connectrpc/connect/protocol";
import { grpcStatusOk, parseContentType, parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { asFailure, enveloped } from "./server-answer.ts";
import { ServerMessages } from "./server-messages.ts";

/** Serves a client-streaming method. A request's bytes are views that hold until the next request is asked for. */
export type UploadImpl<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  context: HandlerContext,
) => Promise<MessageInitShape<O>>;

/** A client-streaming method without Connect's pipeline, which copies each message several times. No compression. */
export function uploadHandler<I extends DescMessage, O extends DescMessage>(
  method: DescMethodClientStreaming<I, O>,
  impl: UploadImpl<I, O>,
): UniversalHandlerFn {
  return async (request) => {
    if (parseContentType(request.header.get("content-type"))?.binary !== true) return uResponseUnsupportedMediaType;
    if (request.method !== "POST") return uResponseMethodNotAllowed;
    const trailer = new Headers({ "grpc-status": grpcStatusOk });
    const header = new Headers({ "content-type": "application/grpc+proto" });
    const body: Uint8Array[] = [];
    try {
      const answer = create(method.output, await call(method, impl, request, header));
      body.push(enveloped(toBinary(method.output, answer)));
    } catch (thrown) {
      setTrailerStatus(trailer, asFailure(thrown));
    }
    return { ...uResponseOk, header, body: each(body), trailer };
  };
}

async function call<I extends DescMessage, O extends DescMessage>(
  method: DescMethodClientStreaming<I, O>,
  impl: UploadImpl<I, O>,
  request: UniversalServerRequest,
  responseHeader: Headers,
): Promise<MessageInitShape<O>> {
  const encoding = compressionNegotiate([], request.header.get("grpc-encoding"), null, "grpc-accept-encoding");
  const timeout = parseTimeout(request.header.get("grpc-timeout"), Number.MAX_SAFE_INTEGER);
  const error = encoding.error ?? timeout.error;
  if (error !== undefined) throw error;
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName: "grpc",
    requestMethod: request.method,
    url: request.url,
    timeoutMs: timeout.timeoutMs,
    requestSignal: request.signal,
    requestHeader: request.header,
    responseHeader,
  });
  try {
    return await impl(decoded(method.input, request.body as AsyncIterable<Uint8Array>), context);
  } finally {
    context.abort();
  }
}

async function* decoded<I extends DescMessage>(
  schema: I,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<MessageShape<I>> {
  for await (const message of new ServerMessages(body)) {
    let request: MessageShape<I>;
    try {
      request = fromBinary(schema, message);
    } catch (error) {
      throw ConnectError.from(error, Code.InvalidArgument);
    }
    yield request;
  }
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
