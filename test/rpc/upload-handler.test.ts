import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { ImportSST, WriteRequestSchema } from "../../gen/import_sstpb_pb.ts";
import { deferred } from "../../src/rpc/deferred.ts";
import { PREFACE, requestHead, SETTINGS, type Talk, talkTo, within } from "./fake-client.ts";
import { END_HEADERS, END_STREAM, frameBytes, headerBlock, T, uint32 } from "./fake-peer.ts";
import { startOwnServer } from "./grpc-server.ts";

const WRITE = "/import_sstpb.ImportSST/Write";

let server: Awaited<ReturnType<typeof startOwnServer>>;
/** What the method does with its calls. */
let take: (sizes: number[], context: HandlerContext) => Promise<void> | void = () => {};

before(async () => {
  server = await startOwnServer((router) => {
    router.rpc(ImportSST.method.write, async (requests, context) => {
      const sizes: number[] = [];
      for await (const { chunk } of requests) {
        assert.ok(chunk.case === "batch");
        const { key, value } = chunk.value.pairs[0]!;
        assert.ok(value.every((byte) => byte === key[0]));
        sizes.push(value.length);
      }
      await take(sizes, context);
      return { metas: sizes.map((size) => ({ totalBytes: BigInt(size) })) };
    });
  });
});

after(() => server.close());

function batch(fill: number, size: number): Buffer {
  const pairs = [{ key: Uint8Array.of(fill), value: new Uint8Array(size).fill(fill) }];
  const chunk = { case: "batch", value: { commitTs: 1n, pairs } } as const;
  const message = toBinary(WriteRequestSchema, create(WriteRequestSchema, { chunk }));
  return Buffer.concat([Buffer.of(0), uint32(message.length), message]);
}

/** Opens a call with more headers than the usual ones. */
function call(more: Record<string, string> = {}, head = requestHead(WRITE)): Talk {
  const talk = talkTo(server.port);
  const block = Buffer.concat([head, headerBlock(more)]);
  talk.socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, block)]));
  return talk;
}

/** The answer's headers and trailers as text. */
async function answerOf({ next, socket }: Talk): Promise<string> {
  const first = await next(T.HEADERS);
  let text = first.payload.toString("latin1");
  if ((first.flags & END_STREAM) === 0) text += (await next(T.HEADERS)).payload.toString("latin1");
  socket.destroy();
  return text;
}

test("uploads: messages in pieces of all sizes", async () => {
  const sizes = [0, 3, 20_000, 5, 3_000_000, 1];
  const bytes = Buffer.concat(sizes.map((size, i) => batch(i, size)));
  for (const step of [7_001, 65_536, 1_000_000]) {
    const talk = call();
    for (let at = 0; at < bytes.length; at += step) {
      talk.socket.write(
        frameBytes(T.DATA, at + step < bytes.length ? 0 : END_STREAM, 1, bytes.subarray(at, at + step)),
      );
    }
    let seen: number[] = [];
    take = (given) => {
      seen = given;
    };
    assert.match(await answerOf(talk), /application\/grpc\+proto.*grpc-status.0/s);
    assert.deepEqual(seen, sizes);
  }
});

test("uploads: what is thrown becomes the status, and only a ConnectError's words leave", async () => {
  const end = frameBytes(T.DATA, END_STREAM, 1);
  take = () => {
    throw new ConnectError("enough", Code.ResourceExhausted);
  };
  const first = call();
  first.socket.write(end);
  assert.match(await answerOf(first), /grpc-message.enough.*grpc-status.8/s);
  take = () => {
    throw new Error("secret");
  };
  const second = call();
  second.socket.write(end);
  const text = await answerOf(second);
  assert.match(text, /internal.*grpc-status.13/s);
  assert.doesNotMatch(text, /secret/);
});

test("uploads: requests that are none", async () => {
  take = () => {};
  const bodies: [string, Buffer, number][] = [
    ["half a head", Buffer.alloc(3), 3],
    ["half a message", batch(1, 100).subarray(0, 50), 3],
    ["no protobuf", Buffer.concat([Buffer.of(0), uint32(3), Buffer.alloc(3, 0xff)]), 3],
    ["compressed without saying so", Buffer.concat([Buffer.of(1), uint32(3), Buffer.alloc(3)]), 13],
    ["above the limit", Buffer.concat([Buffer.of(0), uint32((256 << 20) + 1)]), 8],
  ];
  for (const [what, body, status] of bodies) {
    const talk = call();
    talk.socket.write(frameBytes(T.DATA, END_STREAM, 1, body));
    assert.match(await answerOf(talk), new RegExp(`grpc-status.${status}`, "s"), what);
  }
  const gzip = await answerOf(call({ "grpc-encoding": "gzip" }));
  assert.match(gzip, /unknown%20compression.*grpc-status.12/s);
  assert.match(await answerOf(call({ "grpc-timeout": "soon" })), /timeout.*grpc-status.3/s);
  const json = { ":method": "POST", ":scheme": "http", ":path": WRITE, "content-type": "application/grpc+json" };
  assert.match(await answerOf(call({}, headerBlock(json))), /415/);
  const get = { ...json, ":method": "GET", "content-type": "application/grpc" };
  assert.match(await answerOf(call({}, headerBlock(get))), /405/);
});

test("uploads: the deadline and the end of the call are in the context's signal", async () => {
  take = (_, { signal, timeoutMs }) =>
    new Promise((_resolve, reject) => {
      assert.ok(timeoutMs()! > 0);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const talk = call({ "grpc-timeout": "30m" });
  talk.socket.write(frameBytes(T.DATA, END_STREAM, 1));
  assert.match(await answerOf(talk), /grpc-status.4/s);

  const reached = deferred<void>();
  const ended = deferred<string>();
  take = (_, { signal }) =>
    new Promise((resolve) => {
      reached.resolve();
      signal.addEventListener("abort", () => {
        ended.resolve(String(signal.reason));
        resolve();
      });
    });
  const given = call();
  given.socket.write(frameBytes(T.DATA, END_STREAM, 1));
  await within(reached.promise, "the call");
  given.socket.write(frameBytes(T.RST_STREAM, 0, 1, uint32(8)));
  assert.match(await within(ended.promise, "the signal"), /the client reset the stream/);
  given.socket.destroy();
});
