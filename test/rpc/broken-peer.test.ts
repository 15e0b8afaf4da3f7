import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/base/mod.ts";
import { dial } from "../../src/rpc/dial.ts";
import { WireError } from "../../src/rpc/wire-error.ts";
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  type FakePeer,
  frameBytes,
  headerBlock,
  OK_HEADERS,
  PADDED,
  settingsPayload,
  startFakeServer,
  T,
  uint32,
} from "./fake-peer.ts";
import { connectPair, dialOptions, REQUEST } from "./session-fixture.ts";

const none = Buffer.alloc(0);
const okBlock = headerBlock(OK_HEADERS);
const CODE = { protocol: 1, flow: 3, closed: 5, size: 6, compression: 9, calm: 11 };

async function wireError(promise: Promise<unknown>): Promise<WireError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

// ---- before the first SETTINGS ----

const strangers: [what: string, bytes: Buffer, text: RegExp][] = [
  ["an HTTP/1 server", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /speaks HTTP\/1 and not gRPC/],
  ["a TLS server", Buffer.from([0x15, 3, 1, 0, 2, 2, 70, 0, 0]), /speaks TLS: use https/],
  [
    "a MySQL server",
    Buffer.concat([Buffer.from([0x4a, 0, 0, 0, 10]), Buffer.from("8.0.11-TiDB-v8.5.0\0")]),
    /does not speak HTTP\/2/,
  ],
  ["a first frame that is not SETTINGS", frameBytes(T.PING, 0, 0, Buffer.alloc(8)), /first frame is not SETTINGS/],
  ["a first frame that is an ack", frameBytes(T.SETTINGS, ACK, 0), /first frame is not SETTINGS/],
];

for (const [what, bytes, text] of strangers) {
  test(`the port belongs to ${what}`, async () => {
    const server = await startFakeServer();
    const dialing = wireError(dial(dialOptions(server.port)));
    const peer = await server.accept();
    peer.socket.write(bytes);
    const error = await dialing;
    assert.equal(error.kind, "protocol");
    assert.match(error.message, text);
    server.close();
  });
}

test("a server that says nothing", async () => {
  const server = await startFakeServer();
  const error = await wireError(dial(dialOptions(server.port, { connectTimeoutMs: 50 })));
  assert.equal(error.kind, "unreachable");
  assert.equal(error.message, "no connection within 50 ms");
  server.close();
});

test("a server that closes at once", async () => {
  const server = await startFakeServer();
  const dialing = wireError(dial(dialOptions(server.port)));
  (await server.accept()).socket.end();
  assert.equal((await dialing).kind, "lost");
  server.close();
});

// ---- faults that end the connection ----

const fatal: [what: string, frames: Buffer[], h2Code: number][] = [
  ["a frame longer than allowed", [frameBytes(T.DATA, 0, 1, Buffer.alloc(65_537))], CODE.size],
  ["SETTINGS of a wrong size", [frameBytes(T.SETTINGS, 0, 0, Buffer.alloc(5))], CODE.size],
  ["SETTINGS ack with a payload", [frameBytes(T.SETTINGS, ACK, 0, settingsPayload({ 4: 1 }))], CODE.size],
  ["SETTINGS on a stream", [frameBytes(T.SETTINGS, 0, 1)], CODE.protocol],
  ["SETTINGS_ENABLE_PUSH of a server", [frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 2: 1 }))], CODE.protocol],
  ["SETTINGS_MAX_FRAME_SIZE too small", [frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 5: 16_383 }))], CODE.protocol],
  [
    "SETTINGS_MAX_FRAME_SIZE too large",
    [frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 5: 16_777_216 }))],
    CODE.protocol,
  ],
  [
    "SETTINGS_INITIAL_WINDOW_SIZE too large",
    [frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 4: 2 ** 31 }))],
    CODE.flow,
  ],
  ["PING of a wrong size", [frameBytes(T.PING, 0, 0, Buffer.alloc(7))], CODE.size],
  ["PING on a stream", [frameBytes(T.PING, 0, 1, Buffer.alloc(8))], CODE.protocol],
  ["GOAWAY of a wrong size", [frameBytes(T.GOAWAY, 0, 0, Buffer.alloc(7))], CODE.size],
  ["GOAWAY on a stream", [frameBytes(T.GOAWAY, 0, 1, Buffer.alloc(8))], CODE.protocol],
  ["WINDOW_UPDATE of a wrong size", [frameBytes(T.WINDOW_UPDATE, 0, 0, Buffer.alloc(5))], CODE.size],
  ["WINDOW_UPDATE on an idle stream", [frameBytes(T.WINDOW_UPDATE, 0, 3, uint32(1))], CODE.protocol],
  ["RST_STREAM of a wrong size", [frameBytes(T.RST_STREAM, 0, 1, Buffer.alloc(3))], CODE.size],
  ["RST_STREAM on stream 0", [frameBytes(T.RST_STREAM, 0, 0, uint32(8))], CODE.protocol],
  ["RST_STREAM on an idle stream", [frameBytes(T.RST_STREAM, 0, 5, uint32(8))], CODE.protocol],
  ["PUSH_PROMISE", [frameBytes(T.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), okBlock]))], CODE.protocol],
  ["DATA on stream 0", [frameBytes(T.DATA, 0, 0, Buffer.alloc(1))], CODE.protocol],
  ["DATA on an idle stream", [frameBytes(T.DATA, 0, 7, Buffer.alloc(1))], CODE.protocol],
  ["DATA on a stream of the server's", [frameBytes(T.DATA, 0, 2, Buffer.alloc(1))], CODE.protocol],
  ["HEADERS on stream 0", [frameBytes(T.HEADERS, END_HEADERS, 0, okBlock)], CODE.protocol],
  ["HEADERS on an idle stream", [frameBytes(T.HEADERS, END_HEADERS, 9, okBlock)], CODE.protocol],
  ["HEADERS on a stream of the server's", [frameBytes(T.HEADERS, END_HEADERS, 4, okBlock)], CODE.protocol],
  ["padding as long as its frame", [frameBytes(T.DATA, PADDED, 1, Buffer.from([5, 1, 2, 3, 4]))], CODE.protocol],
  ["a padded frame without room for its length", [frameBytes(T.DATA, PADDED, 1)], CODE.size],
  ["CONTINUATION without HEADERS", [frameBytes(T.CONTINUATION, END_HEADERS, 1, okBlock)], CODE.protocol],
  [
    "a frame between HEADERS and CONTINUATION",
    [frameBytes(T.HEADERS, 0, 1, okBlock), frameBytes(T.PING, 0, 0, Buffer.alloc(8))],
    CODE.protocol,
  ],
  [
    "CONTINUATION of another stream",
    [frameBytes(T.HEADERS, 0, 1, okBlock), frameBytes(T.CONTINUATION, END_HEADERS, 3, okBlock)],
    CODE.protocol,
  ],
  [
    "a header index that does not exist",
    [frameBytes(T.HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0x20]))],
    CODE.compression,
  ],
  [
    "a header block that ends too early",
    [frameBytes(T.HEADERS, END_HEADERS, 1, okBlock.subarray(0, -1))],
    CODE.compression,
  ],
  [
    "a header table larger than allowed",
    [frameBytes(T.HEADERS, END_HEADERS, 1, Buffer.from([0x3f, 0xe2, 0x1f]))],
    CODE.compression,
  ],
  [
    "a header block without end",
    Array.from({ length: 20 }, (_, i) => frameBytes(i === 0 ? T.HEADERS : T.CONTINUATION, 0, 1, Buffer.alloc(16_000))),
    CODE.calm,
  ],
  [
    "a flood of empty frames",
    Array.from({ length: 1100 }, () => frameBytes(T.PRIORITY, 0, 1, Buffer.alloc(5))),
    CODE.calm,
  ],
  [
    "DATA after the end of the stream",
    [frameBytes(T.HEADERS, END_HEADERS | END_STREAM, 1, okBlock), frameBytes(T.DATA, 0, 1, Buffer.alloc(1))],
    CODE.closed,
  ],
  [
    "HEADERS after the end of the stream",
    [frameBytes(T.HEADERS, END_HEADERS | END_STREAM, 1, okBlock), frameBytes(T.HEADERS, END_HEADERS, 1, okBlock)],
    CODE.closed,
  ],
];

for (const [what, frames, h2Code] of fatal) {
  test(`${what} ends the connection`, async () => {
    const { session, peer, close } = await connectPair();
    const stream = (await session.open(REQUEST))!;
    const failed = wireError(stream.head.then(() => session.closed.then((reason) => Promise.reject(reason))));
    for (const bytes of frames) peer.socket.write(bytes);
    const goAway = await peer.next(T.GOAWAY);
    assert.equal(goAway.payload.readUInt32BE(4), h2Code);
    const error = await failed;
    assert.equal(error.kind, "protocol");
    assert.equal(error.h2Code, h2Code);
    assert.equal(session.usable, false);
    await peer.closed;
    close();
  });
}

test("more pings than their answers are read", async () => {
  const { session, peer, close } = await connectPair();
  peer.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frameBytes(T.PING, 0, 0, Buffer.alloc(8))));
  let ended: WireError | undefined;
  void session.closed.then((reason) => {
    ended = reason;
  });
  for (let i = 0; i < 3000 && ended === undefined; i++) {
    peer.socket.write(pings);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(String(ended?.message), /asks for more answers than it reads/);
  close();
});

// ---- faults that end one stream ----

const single: [what: string, send: (peer: FakePeer) => void, h2Code: number, text: RegExp][] = [
  ["DATA before HEADERS", (peer) => peer.send(T.DATA, 0, 1, Buffer.alloc(3)), CODE.protocol, /DATA before HEADERS/],
  [
    "headers without a status",
    (peer) => peer.headers(1, { "content-type": "x" }),
    CODE.protocol,
    /malformed answer: status/,
  ],
  [
    "a status that is no number",
    (peer) => peer.headers(1, { ":status": "2x0" }),
    CODE.protocol,
    /malformed answer: status/,
  ],
  [
    "a pseudo-header after others",
    (peer) => peer.headers(1, { a: "b", ":status": "200" }),
    CODE.protocol,
    /pseudo-header ":status"/,
  ],
  ["an unknown pseudo-header", (peer) => peer.headers(1, { ":path": "/" }), CODE.protocol, /pseudo-header ":path"/],
  [
    "a header name in upper case",
    (peer) => peer.headers(1, { ":status": "200", Grpc: "0" }),
    CODE.protocol,
    /header "Grpc"/,
  ],
  [
    "a connection header",
    (peer) => peer.headers(1, { ":status": "200", connection: "close" }),
    CODE.protocol,
    /header "connection"/,
  ],
  [
    "a header value with a line break",
    (peer) => peer.headers(1, { ":status": "200", a: "b\nc" }),
    CODE.protocol,
    /header "a"/,
  ],
  ["switching protocols", (peer) => peer.headers(1, { ":status": "101" }), CODE.protocol, /status 101/],
  [
    "headers larger than allowed",
    (peer) => {
      const line = headerBlock({ ["x".repeat(100)]: "y".repeat(100) });
      peer.send(T.HEADERS, END_HEADERS, 1, Buffer.concat([okBlock, ...Array.from({ length: 60 }, () => line)]));
    },
    CODE.calm,
    /headers of the answer are larger than allowed/,
  ],
  [
    "PRIORITY of a wrong size",
    (peer) => peer.send(T.PRIORITY, 0, 1, Buffer.alloc(4)),
    CODE.size,
    /PRIORITY of a wrong size/,
  ],
];

for (const [what, send, h2Code, text] of single) {
  test(`${what} ends the stream, and others go on`, async () => {
    const { session, peer, close } = await connectPair();
    const stream = (await session.open(REQUEST))!;
    const other = (await session.open(REQUEST))!;
    const failed = wireError(stream.head);
    send(peer);
    assert.equal((await peer.next(T.RST_STREAM, 1)).payload.readUInt32BE(0), h2Code);
    const error = await failed;
    assert.equal(error.kind, "protocol");
    assert.match(error.message, text);
    other.end();
    peer.answer(3);
    assert.equal((await other.head).status, 200);
    close();
  });
}

test("trailers without END_STREAM end the stream", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  peer.headers(1, OK_HEADERS);
  peer.headers(1, { "grpc-status": "0" });
  assert.equal((await peer.next(T.RST_STREAM, 1)).payload.readUInt32BE(0), CODE.protocol);
  await assert.rejects(stream.read(), /trailers without END_STREAM/);
  close();
});

// ---- odd, but allowed ----

test("unknown frames, PRIORITY, informational answers, padding and continued headers are no faults", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  peer.send(0x42, 0xff, 1, Buffer.alloc(100));
  peer.send(0x42, 0, 0);
  peer.send(T.PRIORITY, 0, 99, Buffer.alloc(5));
  peer.headers(1, { ":status": "103", link: "x" });
  const padded = Buffer.concat([
    Buffer.from([3]),
    uint32(0),
    Buffer.from([0]),
    okBlock.subarray(0, 7),
    Buffer.alloc(3),
  ]);
  peer.send(T.HEADERS, PADDED | 0x20, 1, padded);
  for (const byte of okBlock.subarray(7)) peer.send(T.CONTINUATION, 0, 1, Buffer.from([byte]));
  peer.send(T.CONTINUATION, END_HEADERS, 1, none);
  peer.send(T.DATA, 0, 1, none);
  peer.send(T.DATA, PADDED, 1, Buffer.from([2, 65, 66, 0, 0]));
  peer.headers(1, { "grpc-status": "0", "grpc-message": "x" }, true);
  const head = await stream.head;
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-type"), "application/grpc+proto");
  assert.equal(Buffer.from((await stream.read())!).toString(), "AB");
  assert.equal(await stream.read(), undefined);
  assert.equal(stream.trailers.get("grpc-message"), "x");
  close();
});

test("frames cut at every byte", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  stream.end();
  const answer = Buffer.concat([
    frameBytes(T.HEADERS, END_HEADERS, 1, okBlock),
    frameBytes(T.PING, 0, 0, Buffer.from("12345678")),
    frameBytes(T.DATA, 0, 1, Buffer.from("some data")),
    frameBytes(T.HEADERS, END_HEADERS | END_STREAM, 1, headerBlock({ "grpc-status": "0" })),
  ]);
  peer.socket.setNoDelay(true);
  for (const byte of answer) {
    peer.socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await stream.head).status, 200);
  assert.equal(Buffer.from((await stream.read())!).toString(), "some data");
  assert.equal(await stream.read(), undefined);
  assert.equal((await peer.next(T.PING)).payload.toString(), "12345678");
  close();
});

test("frames of a stream that we reset a moment ago are ignored", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  stream.abort(8, new Error("enough"));
  await peer.next(T.RST_STREAM, 1);
  peer.headers(1, OK_HEADERS);
  peer.send(T.DATA, 0, 1, Buffer.alloc(1000));
  peer.send(T.RST_STREAM, 0, 1, uint32(8));
  const other = (await session.open(REQUEST))!;
  other.end();
  peer.answer(3);
  assert.equal((await other.head).status, 200);
  close();
});

test("random bytes never hang or crash the client", async () => {
  const clock: Clock = systemClock;
  for (let seed = 1; seed <= 20; seed++) {
    const { session, peer, close } = await connectPair({}, { clock });
    const stream = (await session.open(REQUEST))!;
    const done = stream.head.then(
      () => "answered",
      () => "failed",
    );
    const bytes = Buffer.alloc(3000);
    let word = seed * 2654435761;
    for (let i = 0; i < bytes.length; i++) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
      // Every ninth byte is made a small type, and lengths are kept short, so that many frames are whole.
      bytes[i] = i % 9 < 2 ? 0 : i % 9 === 3 ? word % 11 : word >>> 24;
    }
    peer.socket.end(bytes);
    assert.match(await done, /answered|failed/);
    await session.closed;
    close();
  }
});
