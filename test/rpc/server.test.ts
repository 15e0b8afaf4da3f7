import assert from "node:assert/strict";
import * as http2 from "node:http2";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport as nodeTransport } from "@connectrpc/connect-node";
import { ImportSST, WriteRequestSchema } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { deferred } from "../../src/rpc/deferred.ts";
import { createGrpcTransport, createClient as createOwnClient } from "../../src/rpc/mod.ts";
import { MESSAGE, PREFACE, requestHead, SETTINGS, TSO, talkTo } from "./fake-client.ts";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  frameBytes,
  headerBlock,
  PADDED,
  settingsPayload,
  T,
  uint32,
} from "./fake-peer.ts";
import { routesOf, startOwnServer } from "./grpc-server.ts";

let server: Awaited<ReturnType<typeof startOwnServer>>;
let ended = deferred<string>();
let messages = 0;
/** Uploads are not read before it resolves. */
let hold: ReturnType<typeof deferred<void>> | undefined;

before(async () => {
  server = await startOwnServer(
    routesOf(
      {
        async write(requests, { signal }) {
          let bytes = 0;
          signal.addEventListener("abort", () => ended.resolve(signal.reason?.message ?? "answered"));
          try {
            await hold?.promise;
            for await (const { chunk } of requests) {
              if (chunk.case === "batch") for (const { value } of chunk.value.pairs) bytes += value.length;
              messages++;
            }
          } catch (error) {
            ended.resolve(`body: ${error}`);
            throw error;
          }
          return { metas: [{ totalBytes: BigInt(bytes) }] };
        },
        async *duplicateDetect(request) {
          for (let i = 0; i < 5; i++)
            yield { pairs: [{ key: request.startKey, value: new Uint8Array(300_000).fill(i) }] };
        },
      },
      {
        async *tso(requests) {
          for await (const { count } of requests) yield { count };
        },
      },
    ),
  );
});

after(() => server.close());

async function* batches(count: number, size: number) {
  yield create(WriteRequestSchema, { chunk: { case: "meta", value: {} } });
  for (let i = 0; i < count; i++) {
    const pairs = [{ key: Uint8Array.of(i), value: new Uint8Array(size).fill(i) }];
    yield create(WriteRequestSchema, { chunk: { case: "batch", value: { commitTs: 1n, pairs } } });
  }
}

test("server: messages larger than windows and frames, both ways, from our client and from node:http2", async () => {
  const own = createGrpcTransport({ baseUrl: server.url });
  for (const imports of [
    createOwnClient(ImportSST, own),
    createClient(ImportSST, nodeTransport({ baseUrl: server.url })),
  ]) {
    const { metas } = await imports.write(batches(7, 1_500_000));
    assert.equal(metas[0]!.totalBytes, 10_500_000n);
    const sizes: number[] = [];
    for await (const { pairs } of imports.duplicateDetect({ startKey: Uint8Array.of(1, 2) })) {
      assert.ok(pairs[0]!.value.every((byte) => byte === sizes.length));
      sizes.push(pairs[0]!.value.length);
    }
    assert.deepEqual(sizes, [300_000, 300_000, 300_000, 300_000, 300_000]);
  }
  own.close();
});

test("server: answers go out while requests come in", async () => {
  const pd = createClient(PD, nodeTransport({ baseUrl: server.url }));
  let go = deferred<void>();
  const requests = async function* () {
    for (let count = 1; count <= 3; count++) {
      yield { count };
      await go.promise;
      go = deferred();
    }
  };
  const seen: number[] = [];
  for await (const { count } of pd.tso(requests())) {
    seen.push(count);
    go.resolve();
  }
  assert.deepEqual(seen, [1, 2, 3]);
});

test("server: a call that is given up, and a connection that breaks, end the request's body", async () => {
  for (const how of ["cancel", "cut"] as const) {
    const imports = createClient(ImportSST, nodeTransport({ baseUrl: server.url }));
    ended = deferred();
    const controller = new AbortController();
    const stuck = deferred<void>();
    const began = messages;
    const requests = async function* () {
      yield* batches(1, 100_000);
      await stuck.promise;
    };
    const call = imports.write(requests(), { signal: controller.signal });
    call.catch(() => {});
    while (messages < began + 2) await new Promise((resolve) => setTimeout(resolve, 2));
    if (how === "cancel") controller.abort();
    else server.cut();
    assert.match(await ended.promise, how === "cancel" ? /the client reset the stream/ : /the connection was closed/);
    await assert.rejects(call);
    stuck.resolve();
  }
});

test("server: frames cut at every byte, padding, trailers of the client, pings", async () => {
  const { socket, next } = talkTo(server.port);
  const padded = Buffer.concat([Buffer.from([3]), MESSAGE.subarray(4), Buffer.alloc(3)]);
  const bytes = Buffer.concat([
    PREFACE,
    SETTINGS,
    frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(TSO)),
    frameBytes(T.PING, 0, 0, Buffer.from("12345678")),
    frameBytes(T.DATA, 0, 1, MESSAGE.subarray(0, 4)),
    frameBytes(T.DATA, PADDED, 1, padded),
    frameBytes(T.HEADERS, END_HEADERS | END_STREAM, 1, headerBlock({ "x-end": "1" })),
  ]);
  for (let i = 0; i < bytes.length; i++) {
    socket.write(bytes.subarray(i, i + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const pong = await next(T.PING);
  assert.deepEqual([pong.flags, pong.payload.toString()], [ACK, "12345678"]);
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS);
  assert.deepEqual([...(await next(T.DATA)).payload], [...MESSAGE]);
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS | END_STREAM);
  socket.destroy();
});

test("server: what breaks the protocol ends the connection with GOAWAY, or the stream with RST_STREAM", async () => {
  const open = frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(TSO));
  const goAway: [string, Buffer, number][] = [
    ["no preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), 1],
    ["no SETTINGS first", Buffer.concat([PREFACE, open]), 1],
    ["DATA on an idle stream", Buffer.concat([PREFACE, SETTINGS, frameBytes(T.DATA, 0, 1, MESSAGE)]), 1],
    [
      "a wrong SETTINGS_ENABLE_PUSH",
      Buffer.concat([PREFACE, frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 2: 7 }))]),
      1,
    ],
    ["an even stream", Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 2, requestHead(TSO))]), 1],
    [
      "a frame that is too large",
      Buffer.concat([PREFACE, SETTINGS, open, Buffer.from([0x10, 0, 1, 0, 0, 0, 0, 0, 1])]),
      6,
    ],
    [
      "a header index that does not exist",
      Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0]))]),
      9,
    ],
  ];
  for (const [what, bytes, code] of goAway) {
    const { socket, next } = talkTo(server.port);
    socket.write(bytes);
    assert.equal((await next(T.GOAWAY)).payload.readUInt32BE(4), code, what);
    socket.destroy();
  }
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS, open, frameBytes(T.WINDOW_UPDATE, 0, 1, uint32(0))]));
  assert.equal((await next(T.RST_STREAM)).payload.readUInt32BE(0), 1, "an increment of 0");
  const closed = frameBytes(T.HEADERS, END_HEADERS | END_STREAM, 3, requestHead("/no.Such/Method"));
  socket.write(closed);
  const answer = await next(T.HEADERS);
  assert.deepEqual([answer.id, answer.flags], [3, END_HEADERS | END_STREAM]);
  socket.destroy();
});

test("server: a stream that sends beyond its window is reset, others go on", async () => {
  const { socket, next } = talkTo(server.port);
  hold = deferred();
  const head = frameBytes(T.HEADERS, END_HEADERS, 1, requestHead("/import_sstpb.ImportSST/Write"));
  socket.write(Buffer.concat([PREFACE, SETTINGS, head]));
  const piece = frameBytes(T.DATA, 0, 1, Buffer.alloc(1 << 20));
  for (let i = 0; i < 5; i++) socket.write(piece);
  const reset = await next(T.RST_STREAM);
  assert.deepEqual([reset.id, reset.payload.readUInt32BE(0)], [1, 3]);
  hold.resolve();
  socket.write(frameBytes(T.HEADERS, END_HEADERS, 3, requestHead(TSO)));
  socket.write(frameBytes(T.DATA, END_STREAM, 3, MESSAGE));
  assert.equal((await next(T.HEADERS)).id, 3);
  socket.destroy();
});

test("server: node:http2 as a client, headers and trailers", async () => {
  const session = http2.connect(server.url);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": TSO,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const trailers = deferred<http2.IncomingHttpHeaders>();
    stream.on("trailers", (headers) => trailers.resolve(headers));
    const head = deferred<http2.IncomingHttpHeaders>();
    stream.on("response", (headers) => head.resolve(headers));
    stream.resume();
    stream.end(MESSAGE);
    assert.equal((await head.promise)[":status"], 200);
    assert.equal((await trailers.promise)["grpc-status"], "0");
  } finally {
    session.destroy();
  }
});
