import { create, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type ConnectError, createHandlerContext, type HandlerContext } from "@connectrpc/connect";
import { grpcStatusOk, parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { readUint32 } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import type { UnaryMethod } from "./mount-routes.ts";
import { asFailure, enveloped, PREFIX_BYTES } from "./server-answer.ts";
import type { ServerStream } from "./server-stream.ts";

const LONGEST_TIMEOUT_MS = Number.MAX_SAFE_INTEGER;
const HEAD = { "content-type": "application/grpc+proto" };
const TRAILERS = { "grpc-status": grpcStatusOk };

/** Connect's context of a call, made when the implementation first looks at it: most never do, and signals and headers cost much. */
class LateContext implements HandlerContext {
  made: ReturnType<typeof createHandlerContext> | undefined;
  readonly method: DescMethodUnary;
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly #stream: ServerStream;
  readonly #list: HeaderList;

  constructor(method: DescMethodUnary, stream: ServerStream, list: HeaderList) {
    this.method = method;
    this.#stream = stream;
    this.#list = list;
  }

  get service() {
    return this.method.parent;
  }

  get signal() {
    return this.#make().signal;
  }

  get requestHeader() {
    return this.#make().requestHeader;
  }

  get responseHeader() {
    return this.#make().responseHeader;
  }

  get responseTrailer() {
    return this.#make().responseTrailer;
  }

  get values() {
    return this.#make().values;
  }

  get url() {
    return this.#make().url;
  }

  readonly timeoutMs = (): number | undefined => this.#make().timeoutMs();

  #make(): NonNullable<LateContext["made"]> {
    if (this.made !== undefined) return this.made;
    const requestHeader = new Headers();
    const pseudo = new Map<string, string>();
    for (const [name, value] of this.#list)
      if (name.startsWith(":")) pseudo.set(name, value);
      else requestHeader.append(name, value);
    const { timeoutMs } = parseTimeout(requestHeader.get("grpc-timeout"), LONGEST_TIMEOUT_MS);
    this.made = createHandlerContext({
      service: this.service,
      method: this.method,
      protocolName: this.protocolName,
      requestMethod: this.requestMethod,
      url: `${pseudo.get(":scheme") ?? "http"}://${pseudo.get(":authority") ?? "localhost"}${pseudo.get(":path") ?? ""}`,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      requestSignal: this.#stream.signal,
      requestHeader,
      responseHeader: HEAD,
      responseTrailer: TRAILERS,
    });
    return this.made;
  }
}

/**
 * Answers a request that is one plain message, as Connect does, without its chains of generators: they are most of what a small call
 * costs. Gives the pieces that it has read of any other, which is for Connect to answer or to refuse.
 */
export async function serveUnary(
  { method, call }: UnaryMethod,
  stream: ServerStream,
  list: HeaderList,
): Promise<Uint8Array[] | undefined> {
  const pieces: Uint8Array[] = [];
  let request: MessageShape<DescMethodUnary["input"]>;
  try {
    const whole = await stream.read();
    if (whole === undefined) return pieces;
    pieces.push(whole);
    // Of a message that is not there as a whole its head may be enough to refuse it.
    if (whole.length < PREFIX_BYTES || whole[0] !== 0) return pieces;
    if (readUint32(whole, 1) !== whole.length - PREFIX_BYTES) return pieces;
    const more = await stream.read();
    if (more !== undefined) return [...pieces, more];
    // A copy: what is kept of the request must not keep all that came with it from the socket.
    const bytes = new Uint8Array(whole.length - PREFIX_BYTES);
    bytes.set(whole.subarray(PREFIX_BYTES));
    request = fromBinary(method.input, bytes);
  } catch {
    return pieces;
  }
  const context = new LateContext(method, stream, list);
  let answer: Uint8Array | undefined;
  let failure: ConnectError | undefined;
  try {
    const output = await call(request, context);
    answer = enveloped(toBinary(method.output, create(method.output, output as Record<string, unknown>)));
  } catch (thrown) {
    failure = asFailure(thrown);
  }
  const { made } = context;
  stream.respond([[":status", "200"], ...(made?.responseHeader ?? Object.entries(HEAD))], false);
  try {
    if (answer !== undefined) await stream.write(answer);
    const trailers = made?.responseTrailer ?? new Headers(TRAILERS);
    if (failure !== undefined) setTrailerStatus(trailers, failure);
    stream.end([...trailers]);
  } catch {
    // The client is gone.
  }
  made?.abort(failure);
  return undefined;
}
