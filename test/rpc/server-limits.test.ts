import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { deferred } from "../../src/rpc/deferred.ts";
import { MESSAGE, PREFACE, requestHead, SETTINGS, TSO, talkTo, within } from "./fake-client.ts";
import { END_HEADERS, END_STREAM, frameBytes, settingsPayload, T, uint32 } from "./fake-peer.ts";
import { routesOf, startOwnServer } from "./grpc-server.ts";

const DUPLICATES = "/import_sstpb.ImportSST/DuplicateDetect";
const SWITCH_MODE = "/import_sstpb.ImportSST/SwitchMode";
const WRITE = "/import_sstpb.ImportSST/Write";
const LONG_ANSWER_BYTES = 600_000;
const EMPTY_MESSAGE = Buffer.alloc(5);
/** Cannot be written into trailers: half a character. */
const UNSPEAKABLE = new ConnectError("\ud800");

let server: Awaited<ReturnType<typeof startOwnServer>>;
let readerEnded = deferred<void>();
/** Ends one call of Write each. */
const ends: (() => void)[] = [];

before(async () => {
  server = await startOwnServer(
    routesOf(
      {
        async write() {
          const end = deferred<void>();
          ends.push(end.resolve);
          await end.promise;
          return {};
        },
        switchMode: () => ({}),
        async *duplicateDetect({ minCommitTs }) {
          if (minCommitTs === 2n) {
            yield { pairs: [{ value: new Uint8Array(LONG_ANSWER_BYTES) }] };
            return;
          }
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
  for (const end of ends) end();
  return server.close();
});

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

test("server: the 1025th stream at once is refused, and room is made by one that ends", async () => {
  const { socket, next } = talkTo(server.port);
  socket.write(Buffer.concat([PREFACE, SETTINGS]));
  const head = requestHead(WRITE);
  const open = (id: number) => frameBytes(T.HEADERS, END_HEADERS, id, head);
  for (let i = 0; i < 1025; i++) socket.write(open(1 + 2 * i));
  const refused = await next(T.RST_STREAM);
  assert.deepEqual([refused.id, refused.payload.readUInt32BE(0)], [2049, 7]);
  assert.equal(ends.length, 1024);

  ends[500]!();
  assert.equal((await next(T.HEADERS)).id, 1001);
  assert.equal((await next(T.RST_STREAM)).id, 1001);
  socket.write(Buffer.concat([open(2051), open(2053)]));
  const again = await next(T.RST_STREAM);
  assert.deepEqual([again.id, again.payload.readUInt32BE(0)], [2053, 7]);
  assert.equal(ends.length, 1025);
  socket.destroy();
});

test("server: a window that shrinks in the middle of an answer is kept to", async () => {
  const { socket, next, dataUntilQuiet } = talkTo(server.port);
  const settings = (window: number) => frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 4: window }));
  const grant = (id: number, bytes: number) => frameBytes(T.WINDOW_UPDATE, 0, id, uint32(bytes));
  socket.write(Buffer.concat([PREFACE, settings(100_000), grant(0, 10_000_000)]));
  socket.write(frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(DUPLICATES)));
  socket.write(frameBytes(T.DATA, END_STREAM, 1, Buffer.from([0, 0, 0, 0, 2, 0x28, 2])));
  await next(T.HEADERS);
  let seen = await dataUntilQuiet();
  assert.equal(seen, 100_000);
  // Credit is at -90 000 now.
  socket.write(settings(10_000));
  socket.write(grant(1, 90_000));
  assert.equal(await dataUntilQuiet(), 0, "credit of 0");
  socket.write(grant(1, 1));
  assert.equal(await dataUntilQuiet(), 1);
  // Back up by 20 000, with SETTINGS alone.
  socket.write(settings(30_000));
  assert.equal(await dataUntilQuiet(), 20_000);
  // Nothing was lost on the way.
  socket.write(grant(1, 1_000_000));
  seen += 20_001 + (await dataUntilQuiet());
  assert.ok(seen > LONG_ANSWER_BYTES && seen < LONG_ANSWER_BYTES + 40, `${seen}`);
  assert.equal((await next(T.HEADERS)).flags, END_HEADERS | END_STREAM);
  socket.destroy();
});

test("server: a message above the limit is refused by its head", async () => {
  for (const path of [DUPLICATES, SWITCH_MODE]) {
    const { socket, next } = talkTo(server.port);
    socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, requestHead(path))]));
    socket.write(frameBytes(T.DATA, 0, 1, Buffer.concat([Buffer.of(0), uint32((256 << 20) + 1), Buffer.alloc(1000)])));
    let answer = await next(T.HEADERS);
    if ((answer.flags & END_STREAM) === 0) answer = await next(T.HEADERS);
    assert.match(answer.payload.toString("latin1"), /grpc-status.8/, path);
    const reset = await next(T.RST_STREAM);
    assert.deepEqual([reset.id, reset.payload.readUInt32BE(0)], [1, 0]);
    socket.destroy();
  }
});

test("server: a list of headers above the limit is refused, other streams go on", async () => {
  const { socket, next } = talkTo(server.port);
  // An indexed header of one byte each time, of the table that the first one fills: small on the wire, large when it is decoded.
  const long = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 0x61)]);
  const bomb = Buffer.concat([requestHead(TSO), long, Buffer.alloc(20, 0xbe)]);
  socket.write(Buffer.concat([PREFACE, SETTINGS, frameBytes(T.HEADERS, END_HEADERS, 1, bomb)]));
  const reset = await next(T.RST_STREAM);
  assert.deepEqual([reset.id, reset.payload.readUInt32BE(0)], [1, 11]);
  socket.write(frameBytes(T.HEADERS, END_HEADERS, 3, requestHead(TSO)));
  socket.write(frameBytes(T.DATA, END_STREAM, 3, MESSAGE));
  assert.equal((await next(T.HEADERS)).id, 3);
  socket.destroy();
});
