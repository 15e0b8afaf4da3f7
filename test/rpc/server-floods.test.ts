import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deferred } from "../../src/rpc/deferred.ts";
import { MESSAGE, PREFACE, requestHead, SETTINGS, TSO, talkTo, within } from "./fake-client.ts";
import { END_HEADERS, END_STREAM, frameBytes, T, uint32 } from "./fake-peer.ts";
import { routesOf, startOwnServer } from "./grpc-server.ts";

const WRITE = "/import_sstpb.ImportSST/Write";

let server: Awaited<ReturnType<typeof startOwnServer>>;
const hold = deferred<void>();
let started = 0;

before(async () => {
  server = await startOwnServer(
    routesOf(
      {
        async write() {
          started++;
          await hold.promise;
          return {};
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

after(() => {
  hold.resolve();
  return server.close();
});

async function noConnections(): Promise<void> {
  while (server.connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Sends the bytes again and again, without reading, until the server has cut the connection. */
async function flood(bytesOf: (round: number) => Buffer, rounds: number): Promise<void> {
  await within(noConnections(), "the end of the test before");
  const { socket } = talkTo(server.port);
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(Buffer.concat([PREFACE, SETTINGS]));
  while (server.connections() === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.pause();
  for (let i = 0; i < rounds && server.connections() > 0; i++) {
    if (!socket.write(bytesOf(i))) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await within(noConnections(), "the end of the connection");
  socket.destroy();
}

test("server: more pings than answers are read end the connection, though its GOAWAY is not read", async () => {
  const pings = Buffer.concat(Array.from({ length: 4000 }, () => frameBytes(T.PING, 0, 0, Buffer.alloc(8))));
  await flood(() => pings, 1000);
});

test("server: more requests than answers are read end the connection", async () => {
  const head = requestHead("/no.Such/Method");
  let id = 1;
  const requests = () =>
    Buffer.concat(
      Array.from({ length: 1000 }, () => {
        const frame = frameBytes(T.HEADERS, END_HEADERS | END_STREAM, id, head);
        id += 2;
        return frame;
      }),
    );
  await flood(requests, 240);
});

test("server: requests that are reset at once do not start handlers without limit", async () => {
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS]));
  const head = requestHead(WRITE);
  started = 0;
  for (let id = 1; id < 6000; id += 2) {
    socket.write(
      Buffer.concat([frameBytes(T.HEADERS, END_HEADERS, id, head), frameBytes(T.RST_STREAM, 0, id, uint32(8))]),
    );
  }
  const goAway = await within(next(T.GOAWAY), "GOAWAY");
  assert.equal(goAway.payload.readUInt32BE(4), 11);
  assert.ok(started <= 2048, `${started} handlers`);
  socket.destroy();
});

test("server: streams that the client makes it reset do not start handlers without limit", async () => {
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS]));
  const head = requestHead(WRITE);
  started = 0;
  for (let id = 1; id < 6000; id += 2) {
    const wrong = frameBytes(T.WINDOW_UPDATE, 0, id, uint32(0));
    socket.write(Buffer.concat([frameBytes(T.HEADERS, END_HEADERS, id, head), wrong]));
  }
  const goAway = await next(T.GOAWAY);
  assert.equal(goAway.payload.readUInt32BE(4), 11);
  assert.ok(started >= 1024 && started <= 2048, `${started} handlers`);
  socket.destroy();
});

test("server: more SETTINGS than acknowledgements are read end the connection", async () => {
  const settings = Buffer.concat(Array.from({ length: 4000 }, () => frameBytes(T.SETTINGS, 0, 0)));
  await flood(() => settings, 1000);
});

test("server: RST_STREAM again and again on a stream that is over is not answered, and others go on", async () => {
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(TSO))]));
  const reset = frameBytes(T.RST_STREAM, 0, 1, uint32(8));
  for (let i = 0; i < 50; i++) socket.write(Buffer.concat(Array.from({ length: 2000 }, () => reset)));
  socket.write(frameBytes(T.HEADERS, END_HEADERS, 3, requestHead(TSO)));
  socket.write(frameBytes(T.DATA, END_STREAM, 3, MESSAGE));
  assert.equal((await next(T.HEADERS)).id, 3);
  assert.deepEqual([...(await next(T.DATA)).payload], [...MESSAGE]);
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS | END_STREAM);
  socket.destroy();
});

test("server: a header block that never ends ends the connection, whatever its pieces", async () => {
  // Of 16 384 bytes, of one byte, of none: what is too much of each.
  for (const [size, count] of [
    [16_384, 17],
    [100, 2622],
    [1, 262_145],
    [0, 1001],
  ] as const) {
    const { socket, next } = talkTo(server.port);
    socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, 0, 1, requestHead(WRITE))]));
    const more = frameBytes(T.CONTINUATION, 0, 1, Buffer.alloc(size));
    socket.write(Buffer.alloc(count * more.length, more));
    const { payload } = await next(T.GOAWAY);
    assert.equal(payload.readUInt32BE(4), 11, `pieces of ${size} bytes`);
    assert.equal(payload.readUInt32BE(0), 0, "no stream was opened");
    socket.destroy();
  }
});
