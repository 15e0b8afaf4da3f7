import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { deferred } from "../../src/rpc/deferred.ts";
import { MESSAGE, PREFACE, requestHead, SETTINGS, TSO, talkTo } from "./fake-client.ts";
import { END_HEADERS, END_STREAM, frameBytes, T, uint32 } from "./fake-peer.ts";
import { routesOf, startOwnServer } from "./grpc-server.ts";

const DUPLICATES = "/import_sstpb.ImportSST/DuplicateDetect";
const WRITE = "/import_sstpb.ImportSST/Write";
const EMPTY_MESSAGE = Buffer.alloc(5);
/** Cannot be written into trailers: half a character. */
const UNSPEAKABLE = new ConnectError("\ud800");

let server: Awaited<ReturnType<typeof startOwnServer>>;
let readerEnded = deferred<void>();
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
        async *duplicateDetect({ minCommitTs }) {
          if (minCommitTs === 0n) yield {};
          throw UNSPEAKABLE;
        },
      },
      {
        async *tso(requests) {
          void (async () => {
            try {
              for await (const _ of requests);
            } finally {
              readerEnded.resolve();
            }
          })();
          yield { count: 1 };
        },
      },
    ),
  );
});

after(() => {
  hold.resolve();
  return server.close();
});

async function within<V>(promise: Promise<V>, what: string): Promise<V> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within 4 s`)), 4000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function noConnections(): Promise<void> {
  while (server.connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("server: an early answer ends the reading of the request", async () => {
  readerEnded = deferred();
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(TSO))]));
  socket.write(frameBytes(T.DATA, 0, 1, MESSAGE));
  await next(T.HEADERS);
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS | END_STREAM);
  const reset = await next(T.RST_STREAM);
  assert.deepEqual([reset.id, reset.payload.readUInt32BE(0)], [1, 0]);
  await within(readerEnded.promise, "the reader's end");
  socket.destroy();
});

test("server: an answer that cannot be ended is reset, or is a status where nothing was sent", async () => {
  const { socket, next } = talkTo(server.port);
  const head = requestHead(DUPLICATES);
  socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, head)]));
  socket.write(frameBytes(T.DATA, END_STREAM, 1, EMPTY_MESSAGE));
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS);
  const reset = await within(next(T.RST_STREAM), "RST_STREAM");
  assert.deepEqual([reset.id, reset.payload.readUInt32BE(0)], [1, 2]);

  socket.write(frameBytes(T.HEADERS, END_HEADERS, 3, head));
  const minCommitTs = Buffer.from([0, 0, 0, 0, 2, 0x28, 1]);
  socket.write(frameBytes(T.DATA, END_STREAM, 3, minCommitTs));
  const answer = await within(next(T.HEADERS), "HEADERS");
  assert.deepEqual([answer.id, answer.flags], [3, END_HEADERS | END_STREAM]);
  assert.match(answer.payload.toString("latin1"), /grpc-status.13/);
  socket.destroy();
});

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
