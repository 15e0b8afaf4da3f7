import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ImportSST, type WriteRequestSchema } from "../../gen/import_sstpb_pb.ts";
import { PD, type TsoRequestSchema } from "../../gen/pdpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import {
  type Client,
  createClient,
  createGrpcTransport,
  createInProcessTransport,
  GrpcCode,
  type HandlerContext,
  type RpcTransport,
  rpcFields,
  ServerError,
} from "../../src/rpc/mod.ts";
import { type RunningServer, routesOf, startServer } from "./grpc-server.ts";

/**
 * The cases of the Connect project's conformance suite that concern gRPC clients and need a well-behaved server; those with odd
 * answers are in grpc-answers.test.ts. test/interop/conformance.md lists all.
 */
type Options = NonNullable<Parameters<Client<typeof ImportSST>["getMode"]>[1]>;
type WriteRequest = MessageInitShape<typeof WriteRequestSchema>;
type TsoRequest = MessageInitShape<typeof TsoRequestSchema>;

const events: string[] = [];

/** What request headers tell a method to do: x-responses messages, then x-code with x-text; x-hang waits for the end of the call. */
async function* behave(context: HandlerContext): AsyncGenerator<number> {
  const { requestHeader, responseHeader, responseTrailer } = context;
  for (const [name, value] of requestHeader) {
    if (name === "x-test") responseHeader.append("x-test-in", value);
    if (name === "x-test") responseTrailer.append("x-test-out", value);
  }
  const timeoutMs = context.timeoutMs();
  if (timeoutMs !== undefined) responseHeader.set("x-timeout", String(timeoutMs > 0));
  const responses = Number(requestHeader.get("x-responses") ?? 1);
  const code = Number(requestHeader.get("x-code") ?? 0);
  for (let i = 1; i <= responses; i++) yield i;
  const hang = requestHeader.get("x-hang");
  if (hang !== null) {
    events.push(`${hang} hangs`);
    await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    events.push(`${hang} saw the end`);
  }
  if (code > 0)
    throw new ServerError(decodeURIComponent(requestHeader.get("x-text") ?? ""), code, { "x-meta": "of the error" });
}

async function only(context: HandlerContext): Promise<void> {
  for await (const _count of behave(context));
}

const routes = routesOf(
  {
    getMode: async (_request, context) => {
      await only(context);
      return {};
    },
    write: async (requests, context) => {
      let count = 0n;
      for await (const _request of requests) count++;
      await only(context);
      return { metas: [{ totalKvs: count }] };
    },
    async *duplicateDetect(_request, context) {
      for await (const count of behave(context)) yield { pairs: [{ commitTs: BigInt(count) }] };
    },
  },
  {
    async *tso(requests, context) {
      if (context.requestHeader.has("x-half-duplex")) for await (const _request of requests);
      for await (const count of behave(context)) yield { count };
    },
  },
);

let server: RunningServer;
const transports: Record<string, RpcTransport> = {};

before(async () => {
  server = await startServer(routes);
  transports["network"] = createGrpcTransport({ baseUrl: server.url });
  transports["in-process"] = createInProcessTransport(routes, { target: "tikv-1" });
});

after(async () => {
  for (const transport of Object.values(transports)) transport.close();
  await server.close();
});

async function* writes(count: number, gate?: Promise<void>): AsyncGenerator<WriteRequest> {
  for (let i = 0; i < count; i++) yield { chunk: { case: "meta", value: {} } };
  await gate;
}

async function* ticks(count: number, gate?: Promise<void>): AsyncGenerator<TsoRequest> {
  for (let i = 0; i < count; i++) yield { count: i };
  await gate;
}

/** Makes a call of each kind; the number is how many answers came. */
const kinds: Record<
  string,
  (transport: RpcTransport, options: Options, requests?: number, gate?: Promise<void>) => Promise<number>
> = {
  unary: async (transport, options) => {
    await createClient(ImportSST, transport).getMode({}, options);
    return 1;
  },
  "client-stream": async (transport, options, requests = 2, gate = undefined) => {
    const answer = await createClient(ImportSST, transport).write(writes(requests, gate), options);
    assert.equal(answer.metas[0]?.totalKvs, BigInt(requests));
    return 1;
  },
  "server-stream": (transport, options) => count(createClient(ImportSST, transport).duplicateDetect({}, options)),
  "bidi-stream/full-duplex": (transport, options, requests = 2, gate = undefined) =>
    count(createClient(PD, transport).tso(ticks(requests, gate), options)),
  "bidi-stream/half-duplex": (transport, options, requests = 2, gate = undefined) =>
    count(
      createClient(PD, transport).tso(ticks(requests, gate), {
        ...options,
        headers: { ...(options.headers as Record<string, string>), "x-half-duplex": "1" },
      }),
    ),
};

let answers = 0;

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

async function count(messages: AsyncIterable<unknown>): Promise<number> {
  answers = 0;
  for await (const _message of messages) answers++;
  return answers;
}

async function failure(promise: Promise<unknown>): Promise<LevinError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

const streaming = (kind: string) => kind === "server-stream" || kind.startsWith("bidi");
const codes = Object.values(GrpcCode).filter((code) => typeof code === "number");

for (const place of ["network", "in-process"]) {
  for (const [kind, call] of Object.entries(kinds)) {
    const at = () => transports[place]!;

    test(`${place} ${kind}: success, also without requests or answers`, async () => {
      assert.equal(await call(at(), { headers: { "x-responses": "1" } }), 1);
      if (kind !== "unary" && kind !== "server-stream") assert.equal(await call(at(), {}, 0), 1);
      if (!streaming(kind)) return;
      assert.equal(await call(at(), { headers: { "x-responses": "5" } }), 5);
      assert.equal(await call(at(), { headers: { "x-responses": "0" } }), 0);
    });

    test(`${place} ${kind}: every status code`, async () => {
      assert.equal(codes.length, 16);
      for (const code of codes) {
        const headers = {
          "x-code": String(code),
          "x-text": encodeURIComponent("Grund: 世界 100%"),
          "x-responses": "0",
        };
        const error = await failure(call(at(), { headers }));
        assert.equal(rpcFields(error)?.grpcCode, code);
        assert.equal(rpcFields(error)?.grpcText, "Grund: 世界 100%");
        assert.equal(rpcFields(error)?.kind, "status");
        assert.equal((error.cause as ServerError).metadata.get("x-meta"), "of the error");
      }
    });

    test(`${place} ${kind}: an error after answers`, async () => {
      if (!streaming(kind)) return;
      const error = await failure(call(at(), { headers: { "x-code": "10", "x-responses": "3" } }));
      assert.equal(rpcFields(error)?.grpcCode, GrpcCode.Aborted);
      assert.equal(answers, 3);
    });

    test(`${place} ${kind}: metadata that come twice`, async () => {
      const headers = new Headers([
        ["x-test", "one"],
        ["x-test", "two"],
      ]);
      let inHeader = "";
      let inTrailer = "";
      const options: Options = {
        headers: kind.endsWith("half-duplex") ? { "x-test": "one, two" } : headers,
        onHeader: (values) => {
          inHeader = values.get("x-test-in") ?? "";
        },
        onTrailer: (values) => {
          inTrailer = values.get("x-test-out") ?? "";
        },
      };
      await call(at(), options);
      assert.deepEqual([inHeader, inTrailer], ["one, two", "one, two"]);
    });

    test(`${place} ${kind}: the deadline reaches the server`, async () => {
      let seen = "";
      const onHeader = (values: Headers) => {
        seen = values.get("x-timeout") ?? "";
      };
      await call(at(), { timeoutMs: 10_000, onHeader });
      assert.equal(seen, "true");
    });

    test(`${place} ${kind}: the deadline ends the call`, async () => {
      const error = await failure(call(at(), { timeoutMs: 50, headers: { "x-hang": "1", "x-responses": "0" } }));
      assert.equal(error.code, "Levin:Rpc:ErrDeadline");
      assert.equal(rpcFields(error)?.kind, "deadline");
      assert.equal(rpcFields(error)?.grpcCode, GrpcCode.DeadlineExceeded);
    });

    for (const [when, requestsEnd] of [
      ["before", false],
      ["after", true],
    ] as const) {
      test(`${place} ${kind}: cancel ${when} the requests have ended`, async () => {
        answers = 0;
        const stop = new AbortController();
        const gate = requestsEnd ? undefined : new Promise<void>(() => {});
        const hang = failure(
          call(at(), { signal: stop.signal, headers: { "x-hang": "1", "x-responses": "2" } }, 2, gate),
        );
        const silent = kind.endsWith("half-duplex") && !requestsEnd;
        if (streaming(kind) && !silent) while (answers < 2) await pause();
        else for (let i = 0; i < 10; i++) await pause();
        stop.abort(new Error("enough"));
        const error = await hang;
        assert.equal(error.code, "Levin:Rpc:ErrCanceled");
        assert.equal(rpcFields(error)?.grpcCode, GrpcCode.Canceled);
        if (streaming(kind) && !silent) assert.equal(answers, 2);
      });
    }
  }

  test(`${place}: the server is told of a cancellation`, async () => {
    const stop = new AbortController();
    const headers = { "x-hang": `the one ${place}` };
    const hang = failure(kinds["unary"]!(transports[place]!, { signal: stop.signal, headers }));
    const mine = () => events.filter((event) => event.startsWith(headers["x-hang"]));
    while (mine().length === 0) await pause();
    stop.abort();
    await hang;
    for (let i = 0; i < 1000 && mine().length === 1; i++) await pause();
    assert.deepEqual(mine(), [`the one ${place} hangs`, `the one ${place} saw the end`]);
  });
}
