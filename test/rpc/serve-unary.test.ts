import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { after, before, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport as nodeTransport } from "@connectrpc/connect-node";
import { ImportSST, SwitchMode, SwitchModeRequestSchema } from "../../gen/import_sstpb_pb.ts";
import { type ImportSstImpl, routesOf, startOwnServer, startServer } from "./grpc-server.ts";

/** Answers by what it is asked for, and looks at its context only where it is told to. */
const implementation: ImportSstImpl = {
  async switchMode(request, context) {
    const [what] = request.ranges.map(({ start }) => new TextDecoder().decode(start));
    if (what === "context") {
      context.responseHeader.set("x-method", context.method.name);
      context.responseTrailer.set("x-asked", context.requestHeader.get("x-ask") ?? "");
      return {};
    }
    if (what === "deadline") {
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      throw context.signal.reason;
    }
    if (what === "refuse") throw new ConnectError("no, 50 % ü", Code.FailedPrecondition, { "x-why": "so" });
    if (what === "fail") throw new TypeError("a mistake");
    return {};
  },
  getMode: async () => ({ mode: SwitchMode.Import }),
};

const PATH = "/import_sstpb.ImportSST/SwitchMode";
const servers: { url: string; close(): Promise<void> }[] = [];

before(async () => {
  // Connect's own on node:http2 is the model.
  servers.push(await startOwnServer(routesOf(implementation)), await startServer(routesOf(implementation)));
});
after(() => Promise.all(servers.map((server) => server.close())));

function requestBytes(what: string): Buffer {
  const message = toBinary(SwitchModeRequestSchema, {
    $typeName: "import_sstpb.SwitchModeRequest",
    mode: SwitchMode.Import,
    ranges: [{ $typeName: "import_sstpb.Range", start: new TextEncoder().encode(what), end: new Uint8Array(0) }],
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface Answer {
  head: http2.IncomingHttpHeaders;
  body: string;
  trailers: http2.IncomingHttpHeaders;
}

/** Sends pieces one after the other; what comes back, without what differs between servers anyway. */
async function ask(url: string, headers: Record<string, string>, pieces: Buffer[]): Promise<Answer> {
  const session = http2.connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const answer: Answer = { head: {}, body: "", trailers: {} };
  stream.on("response", (head) => {
    answer.head = head;
  });
  stream.on("trailers", (trailers) => {
    answer.trailers = trailers;
  });
  stream.on("data", (piece: Buffer) => {
    answer.body += piece.toString("hex");
  });
  const ended = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  stream.end();
  await ended;
  session.close();
  for (const part of [answer.head, answer.trailers]) delete part["date"];
  return { head: { ...answer.head }, body: answer.body, trailers: { ...answer.trailers } };
}

const plain = requestBytes("plain");
const cases: Record<string, { headers?: Record<string, string>; pieces: Buffer[]; status?: Code }> = {
  "a plain call": { pieces: [plain] },
  "a call within some time": { headers: { "grpc-timeout": "60000m" }, pieces: [plain] },
  "headers and trailers of the implementation": { headers: { "x-ask": "why" }, pieces: [requestBytes("context")] },
  "a deadline that passes": {
    headers: { "grpc-timeout": "50m" },
    pieces: [requestBytes("deadline")],
    status: Code.DeadlineExceeded,
  },
  "an error of the implementation, with its metadata": {
    pieces: [requestBytes("refuse")],
    status: Code.FailedPrecondition,
  },
  "a mistake of the implementation": { pieces: [requestBytes("fail")], status: Code.Internal },
  "a timeout that is none": { headers: { "grpc-timeout": "soon" }, pieces: [plain], status: Code.InvalidArgument },
  "a message in two pieces": { pieces: [plain.subarray(0, 3), plain.subarray(3)] },
  "no message": { pieces: [], status: Code.Unimplemented },
  "two messages": { pieces: [Buffer.concat([plain, plain])], status: Code.Unimplemented },
  "half a message": { pieces: [plain.subarray(0, plain.length - 1)], status: Code.InvalidArgument },
  "a message that is compressed by nothing": {
    pieces: [Buffer.concat([Buffer.of(1), plain.subarray(1)])],
    status: Code.Internal,
  },
  "a message that is no protobuf": { pieces: [Buffer.from([0, 0, 0, 0, 1, 0xff])], status: Code.Internal },
};

for (const [what, { headers = {}, pieces, status = 0 }] of Object.entries(cases)) {
  test(`a unary request is answered as Connect does: ${what}`, async () => {
    const [own, model] = await Promise.all(servers.map(({ url }) => ask(url, headers, pieces)));
    assert.equal(own!.trailers["grpc-status"], String(status));
    assert.deepEqual(own, model);
  });
}

test("unary methods answer their own messages", async () => {
  const client = createClient(ImportSST, nodeTransport({ baseUrl: servers[0]!.url }));
  assert.equal((await client.getMode({})).mode, SwitchMode.Import);
  await assert.rejects(client.ingest({}), (error) => ConnectError.from(error).code === Code.Unimplemented);
});
