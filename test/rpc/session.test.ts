import assert from "node:assert/strict";
import { test } from "node:test";
import { H2Code } from "../../src/rpc/frames.ts";
import { WireError } from "../../src/rpc/wire-error.ts";
import { ACK, END_HEADERS, OK_HEADERS, T, uint32 } from "./fake-peer.ts";
import { connectPair, REQUEST } from "./session-fixture.ts";

const HEADER_TABLE = 1;
const MAX_STREAMS = 3;
const MAX_HEADER_LIST = 6;

function goAway(lastStreamId: number, code: number, debug = ""): Buffer {
  return Buffer.concat([uint32(lastStreamId, code), Buffer.from(debug)]);
}

test("the client introduces itself: push off, its windows, and acks SETTINGS", async () => {
  const { peer, close } = await connectPair();
  const own = await peer.next(T.SETTINGS);
  const pairs = new Map<number, number>();
  for (let at = 0; at < own.payload.length; at += 6)
    pairs.set(own.payload.readUInt16BE(at), own.payload.readUInt32BE(at + 2));
  assert.equal(pairs.get(2), 0);
  assert.equal(pairs.get(4), 100_000);
  assert.equal(pairs.get(6), 8192);
  assert.equal((await peer.next(T.WINDOW_UPDATE)).payload.readUInt32BE(0), 200_000 - 65_535);
  assert.equal((await peer.next(T.SETTINGS)).flags, ACK);
  close();
});

test("a ping is answered with its own bytes", async () => {
  const { peer, close } = await connectPair();
  peer.send(T.PING, 0, 0, Buffer.from("abcdefgh"));
  const pong = await peer.next(T.PING);
  assert.equal(pong.flags, ACK);
  assert.equal(pong.payload.toString(), "abcdefgh");
  peer.send(T.PING, ACK, 0, Buffer.from("whatever"));
  peer.send(T.PING, 0, 0, Buffer.from("12345678"));
  assert.equal((await peer.next(T.PING)).payload.toString(), "12345678");
  close();
});

test("stream ids are odd and ascend; frames of a stream carry its bytes in order", async () => {
  const { session, peer, close } = await connectPair();
  for (const id of [1, 3, 5]) {
    const stream = (await session.open(REQUEST))!;
    assert.equal(stream.id, id);
    await stream.write([Buffer.from("a"), Buffer.alloc(0), Buffer.from("bc")]);
    stream.end();
    const headers = await peer.next(T.HEADERS, id);
    assert.equal(headers.flags, END_HEADERS);
    const data = await peer.next(T.DATA, id);
    assert.equal(data.payload.toString(), "abc");
  }
  close();
});

test("headers longer than a frame are continued", async () => {
  const { session, peer, close } = await connectPair();
  await session.open([...REQUEST, ["x-long", "v".repeat(40_000)]]);
  const first = await peer.next(T.HEADERS, 1);
  assert.equal(first.flags, 0);
  assert.equal(first.payload.length, 16_384);
  const second = await peer.next(T.CONTINUATION, 1);
  assert.equal(second.flags, 0);
  const third = await peer.next(T.CONTINUATION, 1);
  assert.equal(third.flags, END_HEADERS);
  const block = Buffer.concat([first.payload, second.payload, third.payload]);
  assert.ok(block.includes("v".repeat(40_000)));
  close();
});

test("headers larger than the server takes are not sent", async () => {
  const { session, close } = await connectPair({ [MAX_HEADER_LIST]: 300 });
  await assert.rejects(session.open([...REQUEST, ["x-long", "v".repeat(300)]]), /the server takes 300/);
  assert.ok(await session.open(REQUEST));
  close();
});

test("a smaller header table of the server is acknowledged in the next header block, once", async () => {
  const { session, peer, close } = await connectPair({ [HEADER_TABLE]: 0 });
  await session.open(REQUEST);
  assert.equal((await peer.next(T.HEADERS, 1)).payload[0], 0x20);
  await session.open(REQUEST);
  assert.notEqual((await peer.next(T.HEADERS, 3)).payload[0], 0x20);
  close();
});

test("calls wait for a free stream, in their order, and not for ever", async () => {
  const { session, peer, close } = await connectPair({ [MAX_STREAMS]: 1 });
  const first = (await session.open(REQUEST))!;
  const order: number[] = [];
  const stop = new AbortController();
  const given = session.open(REQUEST, stop.signal).catch((error: unknown) => error);
  const second = session.open(REQUEST).then((stream) => {
    order.push(2);
    return stream!;
  });
  const third = session.open(REQUEST).then((stream) => {
    order.push(3);
    return stream!;
  });
  const fourth = session.open(REQUEST);
  await assert.rejects(session.open(REQUEST), (error) => error instanceof WireError && error.kind === "overload");
  const reason = new Error("no longer needed");
  stop.abort(reason);
  assert.equal(await given, reason);
  first.end();
  peer.answer(first.id);
  const two = await second;
  assert.deepEqual(order, [2]);
  two.end();
  peer.answer(two.id);
  const three = await third;
  assert.deepEqual(order, [2, 3]);
  peer.settings({ [MAX_STREAMS]: 5 });
  assert.ok(await fourth);
  three.abort(H2Code.cancel, new Error("over"));
  close();
});

test("GOAWAY: open streams finish, later ones were not processed, new ones go elsewhere", async () => {
  const { session, peer, close } = await connectPair();
  const first = (await session.open(REQUEST))!;
  const second = (await session.open(REQUEST))!;
  const lost = assert.rejects(second.head, (error) => error instanceof WireError && error.kind === "unprocessed");
  peer.send(T.GOAWAY, 0, 0, goAway(1, 0));
  await lost;
  assert.equal(session.usable, false);
  assert.equal(await session.open(REQUEST), undefined);
  first.end();
  peer.answer(1, Buffer.from("late"));
  assert.equal((await first.head).status, 200);
  assert.equal(
    Buffer.from((await first.read())!)
      .subarray(5)
      .toString(),
    "late",
  );
  assert.equal(await first.read(), undefined);
  await session.closed;
  await peer.closed;
  close();
});

test("GOAWAY wakes calls that wait for a stream", async () => {
  const { session, peer, close } = await connectPair({ [MAX_STREAMS]: 0 });
  const waiting = session.open(REQUEST);
  peer.send(T.GOAWAY, 0, 0, goAway(0, 0));
  assert.equal(await waiting, undefined);
  close();
});

test("GOAWAY with an error: its name and text are the reason when the connection breaks", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  peer.send(T.GOAWAY, 0, 0, goAway(1, H2Code.enhanceYourCalm, "too_many_pings"));
  peer.socket.end();
  await assert.rejects(stream.head, /GOAWAY ENHANCE_YOUR_CALM, "too_many_pings"/);
  assert.equal((await session.closed).h2Code, H2Code.enhanceYourCalm);
  close();
});

test("RST_STREAM: the code tells a refused stream from a broken one", async () => {
  const { session, peer, close } = await connectPair();
  for (const [code, kind] of [
    [H2Code.refusedStream, "unprocessed"],
    [H2Code.internalError, "reset"],
    [H2Code.cancel, "reset"],
  ] as const) {
    const stream = (await session.open(REQUEST))!;
    const writing = assert.rejects(
      stream.write([Buffer.alloc(100_000)]),
      (e) => e instanceof WireError && e.kind === kind,
    );
    peer.send(T.RST_STREAM, 0, stream.id, uint32(code));
    await assert.rejects(
      stream.head,
      (error) => error instanceof WireError && error.kind === kind && error.h2Code === code,
    );
    await writing;
  }
  close();
});

test("RST_STREAM after part of the answer fails the reader", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  peer.headers(1, OK_HEADERS);
  peer.send(T.DATA, 0, 1, Buffer.from("part"));
  await stream.head;
  assert.equal(Buffer.from((await stream.read())!).toString(), "part");
  const reading = assert.rejects(stream.read(), /the server reset the stream: CANCEL/);
  peer.send(T.RST_STREAM, 0, 1, uint32(H2Code.cancel));
  await reading;
  close();
});

test("an answer before the end of the request ends the writes, and resets the stream without error", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  const writing = assert.rejects(
    stream.write([Buffer.alloc(200_000)]),
    (e) => e instanceof WireError && e.kind === "ended",
  );
  peer.headers(1, { ...OK_HEADERS, "grpc-status": "5" }, true);
  await writing;
  assert.equal((await stream.head).headers.get("grpc-status"), "5");
  assert.equal((await peer.next(T.RST_STREAM, 1)).payload.readUInt32BE(0), H2Code.noError);
  await assert.rejects(stream.write([Buffer.alloc(1)]), (e) => e instanceof WireError && e.kind === "ended");
  close();
});

test("a complete answer can be read after the connection broke", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  stream.end();
  peer.answer(1, Buffer.from("kept"));
  peer.socket.end();
  await session.closed;
  assert.equal((await stream.head).status, 200);
  assert.equal(
    Buffer.from((await stream.read())!)
      .subarray(5)
      .toString(),
    "kept",
  );
  assert.equal(await stream.read(), undefined);
  close();
});

test("a lost connection fails everybody who waits", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  const isLost = (error: unknown) => error instanceof WireError && error.kind === "lost";
  const all = Promise.all([
    assert.rejects(stream.head, isLost),
    assert.rejects(stream.write([Buffer.alloc(100_000)]), isLost),
  ]);
  await peer.next(T.DATA, 1);
  peer.socket.destroy();
  await all;
  assert.equal(session.streamCount, 0);
  close();
});

test("close says goodbye, after what it was about to send", async () => {
  const { session, peer, close } = await connectPair();
  const stream = (await session.open(REQUEST))!;
  const failed = assert.rejects(stream.head, /enough of it/);
  session.close(new WireError("closed", "enough of it"));
  await failed;
  assert.equal((await peer.next(T.GOAWAY)).payload.readUInt32BE(4), 0);
  await peer.closed;
  close();
});

test("a write larger than all buffers waits for the socket and does not pile up", async () => {
  const { session, peer, close } = await connectPair({ 4: 0x7fffffff, 5: 1 << 20 });
  peer.windowUpdate(0, 0x7fffffff - 65_535);
  peer.socket.pause();
  const stream = (await session.open(REQUEST))!;
  const block = new Uint8Array(32 << 20);
  let done = false;
  const writing = stream.write([block]).then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(done, false);
  assert.ok(stream.acceptedBytes < block.length, `${stream.acceptedBytes}`);
  assert.ok(stream.waiting);
  peer.onFrame = () => true;
  peer.socket.resume();
  await writing;
  assert.equal(stream.acceptedBytes, block.length);
  assert.equal(stream.waiting, false);
  close();
});

test("buffers may be changed as soon as their write has resolved, also when the peer reads in jerks", async () => {
  const { session, peer, close } = await connectPair({ 4: 0x7fffffff, 5: 1 << 20 });
  peer.windowUpdate(0, 0x7fffffff - 65_535);
  const stream = (await session.open(REQUEST))!;
  const sums: number[] = [];
  let received = 0;
  peer.onFrame = (frame) => {
    if (frame.type !== T.DATA) return false;
    for (let at = 0; at < frame.payload.length; at++) {
      const round = Math.floor((received + at) / SIZE);
      sums[round] = (sums[round] ?? 0) + frame.payload[at]!;
    }
    received += frame.payload.length;
    return true;
  };
  const SIZE = 3_000_000;
  const ROUNDS = 8;
  const jerks = setInterval(() => {
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), 8);
  }, 12);
  const buffer = new Uint8Array(SIZE);
  for (let round = 0; round < ROUNDS; round++) {
    buffer.fill(round + 1);
    await stream.write([buffer.subarray(0, 5), buffer.subarray(5, 50_000), buffer.subarray(50_000)]);
  }
  buffer.fill(200);
  stream.end();
  while (received < SIZE * ROUNDS) await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(jerks);
  assert.deepEqual(
    sums,
    Array.from({ length: ROUNDS }, (_, round) => SIZE * (round + 1)),
  );
  close();
});
