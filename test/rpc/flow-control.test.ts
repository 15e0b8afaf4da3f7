import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import type { ClientStream } from "../../src/rpc/stream.ts";
import {
  ACK,
  END_STREAM,
  type FakePeer,
  type Frame,
  OK_HEADERS,
  PADDED,
  settingsPayload,
  T,
  uint32,
} from "./fake-peer.ts";
import { connectPair, REQUEST } from "./session-fixture.ts";

const INITIAL_WINDOW = 4;
const MAX_FRAME = 5;
const LARGE = 0x7fffffff - 65_535;

/** RFC 9113 §6.9, played against a peer that counts every byte. */
async function openStream(
  settings: Record<number, number> = {},
  connection = LARGE,
): Promise<{ peer: FakePeer; stream: ClientStream; close: () => void }> {
  const { session, peer, close } = await connectPair(settings);
  if (connection > 0) peer.windowUpdate(0, connection);
  const stream = await session.open(REQUEST);
  assert.ok(stream);
  return { peer, stream, close };
}

function offer(stream: ClientStream, bytes: number): void {
  stream.write([new Uint8Array(bytes)]).catch(() => {});
}

test("a stream sends its initial window and no byte more", async () => {
  const { peer, stream, close } = await openStream();
  offer(stream, 1_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 65_535);
  close();
});

test("a raise of the initial window comes on top of WINDOW_UPDATEs", async () => {
  const { peer, stream, close } = await openStream();
  peer.windowUpdate(1, 500_000);
  peer.settings({ [INITIAL_WINDOW]: 200_000 });
  offer(stream, 2_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 700_000);
  close();
});

test("a raise in mid-stream, after the stream ran dry", async () => {
  const { peer, stream, close } = await openStream();
  offer(stream, 2_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 65_535);
  peer.settings({ [INITIAL_WINDOW]: 300_000 });
  assert.equal(await peer.dataUntilQuiet(1), 300_000 - 65_535);
  peer.settings({ [INITIAL_WINDOW]: 300_001 });
  assert.equal(await peer.dataUntilQuiet(1), 1);
  close();
});

test("a lowered initial window is kept to", async () => {
  const { peer, stream, close } = await openStream();
  peer.windowUpdate(1, 100_000);
  peer.settings({ [INITIAL_WINDOW]: 30_000 });
  offer(stream, 1_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 130_000);
  close();
});

test("a window below zero must be filled up before anything is sent", async () => {
  const { peer, stream, close } = await openStream();
  offer(stream, 1_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 65_535);
  peer.settings({ [INITIAL_WINDOW]: 1000 });
  peer.windowUpdate(1, 64_535);
  assert.equal(await peer.dataUntilQuiet(1), 0);
  peer.windowUpdate(1, 10);
  assert.equal(await peer.dataUntilQuiet(1), 10);
  peer.settings({ [INITIAL_WINDOW]: 0 });
  peer.settings({ [INITIAL_WINDOW]: 1005 });
  assert.equal(await peer.dataUntilQuiet(1), 5);
  close();
});

test("new streams start with the newest initial window", async () => {
  const { session, peer, close } = await connectPair({ [INITIAL_WINDOW]: 0 });
  const first = (await session.open(REQUEST))!;
  offer(first, 1000);
  assert.equal(await peer.dataUntilQuiet(1), 0);
  peer.settings({ [INITIAL_WINDOW]: 7 });
  assert.equal(await peer.dataUntilQuiet(1), 7);
  const second = (await session.open(REQUEST))!;
  offer(second, 1000);
  assert.equal(await peer.dataUntilQuiet(3), 7);
  close();
});

test("a window of one byte", async () => {
  const { peer, stream, close } = await openStream({ [INITIAL_WINDOW]: 1 });
  const done = stream.write([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)]);
  stream.end();
  const got: number[] = [];
  for (let i = 1; i <= 5; i++) {
    const frame = await peer.next(T.DATA, 1);
    assert.equal(frame.payload.length, 1);
    assert.equal(frame.flags & END_STREAM, i === 5 ? END_STREAM : 0);
    got.push(frame.payload[0]!);
    if (i < 5) peer.windowUpdate(1, 1);
  }
  await done;
  assert.deepEqual(got, [1, 2, 3, 4, 5]);
  close();
});

test("the end of a stream needs no credit, not even when another stream has used up the connection", async () => {
  const { session, peer, close } = await connectPair({ [INITIAL_WINDOW]: 1 << 20 });
  const greedy = (await session.open(REQUEST))!;
  offer(greedy, 1_000_000);
  assert.equal(await peer.dataUntilQuiet(1), 65_535);
  const short = (await session.open(REQUEST))!;
  short.end();
  const end = await peer.next(T.DATA, 3);
  assert.equal(end.payload.length, 0);
  assert.equal(end.flags & END_STREAM, END_STREAM);
  close();
});

test("the connection's window bounds all streams together, and they share it", async () => {
  const { session, peer, close } = await connectPair({ [INITIAL_WINDOW]: 1 << 20 });
  const bytes = new Map<number, number>();
  peer.onFrame = (frame) => {
    if (frame.type !== T.DATA) return false;
    bytes.set(frame.id, (bytes.get(frame.id) ?? 0) + frame.payload.length);
    return true;
  };
  for (let i = 0; i < 3; i++) offer((await session.open(REQUEST))!, 500_000);
  await peer.dataUntilQuiet(99);
  const sum = () => [...bytes.values()].reduce((a, b) => a + b, 0);
  assert.equal(sum(), 65_535);
  peer.windowUpdate(0, 200_000);
  await peer.dataUntilQuiet(99);
  assert.equal(sum(), 265_535);
  assert.equal(bytes.size, 3);
  for (const share of bytes.values()) assert.ok(share > 265_535 / 5, `shares ${[...bytes.values()]}`);
  close();
});

test("updates that are withheld until half of the window is used", async () => {
  const { peer, stream, close } = await openStream({ [INITIAL_WINDOW]: 50_000 });
  let used = 0;
  let sum = 0;
  peer.onFrame = (frame) => {
    if (frame.type !== T.DATA) return false;
    used += frame.payload.length;
    sum += frame.payload.length;
    assert.ok(used <= 50_000);
    if (used >= 25_000) {
      peer.windowUpdate(1, used);
      used = 0;
    }
    return true;
  };
  await stream.write([new Uint8Array(700_001)]);
  stream.end();
  await peer.dataUntilQuiet(99);
  assert.equal(sum, 700_001);
  close();
});

test("frames follow the peer's frame size, up and down", async () => {
  const { peer, stream, close } = await openStream({ [INITIAL_WINDOW]: 10_000_000 });
  await stream.write([new Uint8Array(40_000)]);
  assert.deepEqual(
    [
      (await peer.next(T.DATA)).payload.length,
      (await peer.next(T.DATA)).payload.length,
      (await peer.next(T.DATA)).payload.length,
    ],
    [16_384, 16_384, 7_232],
  );
  peer.settings({ [MAX_FRAME]: 100_000 });
  await peer.next(T.SETTINGS);
  await stream.write([new Uint8Array(150_000)]);
  assert.deepEqual(
    [(await peer.next(T.DATA)).payload.length, (await peer.next(T.DATA)).payload.length],
    [100_000, 50_000],
  );
  peer.settings({ [MAX_FRAME]: 16_384 });
  await peer.next(T.SETTINGS);
  await stream.write([new Uint8Array(20_000)]);
  assert.equal((await peer.next(T.DATA)).payload.length, 16_384);
  close();
});

for (const [what, bytes] of [
  ["WINDOW_UPDATE of 0", uint32(0)],
  ["WINDOW_UPDATE beyond 2^31-1", uint32(0x7fffffff)],
] as const) {
  const code = what.endsWith("0") ? 1 : 3;
  test(`${what} on a stream ends the stream`, async () => {
    const { peer, stream, close } = await openStream();
    peer.send(T.WINDOW_UPDATE, 0, 1, bytes);
    const reset = await peer.next(T.RST_STREAM, 1);
    assert.equal(reset.payload.readUInt32BE(0), code);
    await assert.rejects(stream.head, /WINDOW_UPDATE/);
    close();
  });

  test(`${what} on the connection ends the connection`, async () => {
    const { peer, stream, close } = await openStream({}, 0);
    peer.send(T.WINDOW_UPDATE, 0, 0, bytes);
    const goAway = await peer.next(T.GOAWAY);
    assert.equal(goAway.payload.readUInt32BE(4), code);
    await assert.rejects(stream.head, /WINDOW_UPDATE/);
    await peer.closed;
    close();
  });
}

test("an initial window that lifts a stream beyond 2^31-1 ends the connection", async () => {
  const { peer, close } = await openStream();
  peer.windowUpdate(1, 0x7fffffff - 65_535);
  peer.settings({ [INITIAL_WINDOW]: 65_536 });
  assert.equal((await peer.next(T.GOAWAY)).payload.readUInt32BE(4), 3);
  close();
});

test("what we receive: credit is given back after half a window, of the stream only when it was read", async () => {
  const { peer, stream, close } = await openStream();
  const updates: [id: number, increment: number][] = [];
  peer.onFrame = (frame: Frame) => {
    if (frame.type !== T.WINDOW_UPDATE) return false;
    updates.push([frame.id, frame.payload.readUInt32BE(0)]);
    return true;
  };
  stream.end();
  peer.headers(1, OK_HEADERS);
  for (let i = 0; i < 10; i++) peer.send(T.DATA, 0, 1, Buffer.alloc(10_000));
  await peer.dataUntilQuiet(99);
  // 200,000 for the connection, of which 65,535 were there at the start and the difference came with the preface.
  assert.deepEqual(updates.splice(0), [
    [0, 134_465],
    [0, 100_000],
  ]);
  for (let i = 0; i < 10; i++) await stream.read();
  await peer.dataUntilQuiet(99);
  assert.deepEqual(updates, [
    [1, 50_000],
    [1, 50_000],
  ]);
  close();
});

test("padding counts for flow control and is given back", async () => {
  const { peer, stream, close } = await openStream();
  peer.headers(1, OK_HEADERS);
  const padded = Buffer.concat([Buffer.from([200]), Buffer.from("hallo"), Buffer.alloc(200)]);
  for (let i = 0; i < 1000; i++) {
    peer.send(T.DATA, PADDED, 1, padded);
    assert.equal(Buffer.from((await stream.read())!).toString(), "hallo");
  }
  close();
});

test("a peer that sends more than it may", async () => {
  const { peer, stream, close } = await openStream();
  peer.headers(1, OK_HEADERS);
  for (let i = 0; i < 7; i++) peer.send(T.DATA, 0, 1, Buffer.alloc(15_000));
  assert.equal((await peer.next(T.RST_STREAM, 1)).payload.readUInt32BE(0), 3);
  await assert.rejects(async () => {
    for (;;) await stream.read();
  }, /15000 bytes of DATA, allowed are 10000/);
  close();
});

test("random windows and settings: never a byte too many, all bytes arrive in order", async () => {
  for (let seed = 1; seed <= 6; seed++) await randomRun(seed);
});

/** The peer's books: credit rises when it sends an update, and falls when our ack of a lowering arrives. */
async function randomRun(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { session, peer, close } = await connectPair({ [INITIAL_WINDOW]: 10_000 });
  const STREAMS = 4;
  const SIZE = 150_000;
  let initial = 10_000;
  let connection = 65_535;
  const unacked: number[] = [];
  const credit = new Map<number, number>();
  const received = new Map<number, Buffer[]>();
  let ended = 0;

  peer.onFrame = (frame) => {
    if (frame.type === T.SETTINGS && (frame.flags & ACK) !== 0) {
      const lowering = unacked.shift() ?? 0;
      for (const [id, n] of credit) credit.set(id, n + Math.min(lowering, 0));
      return true;
    }
    if (frame.type !== T.DATA) return false;
    connection -= frame.payload.length;
    credit.set(frame.id, credit.get(frame.id)! - frame.payload.length);
    assert.ok(connection >= 0 && credit.get(frame.id)! >= (frame.payload.length === 0 ? -SIZE : 0), `seed ${seed}`);
    received.get(frame.id)!.push(frame.payload);
    if ((frame.flags & END_STREAM) !== 0) ended++;
    return true;
  };
  unacked.push(0);

  for (let i = 0; i < STREAMS; i++) {
    const id = 2 * i + 1;
    credit.set(id, initial);
    received.set(id, []);
    const stream = (await session.open(REQUEST))!;
    const bytes = Uint8Array.from({ length: SIZE }, (_, at) => (at * 7 + id) & 255);
    stream.write([bytes.subarray(0, 3), bytes.subarray(3, 70_000)]).catch(() => {});
    stream.write([bytes.subarray(70_000)]).catch(() => {});
    stream.end();
  }

  for (let step = 0; ended < STREAMS; step++) {
    assert.ok(step < 5000, `seed ${seed} comes to an end`);
    const dice = random.next();
    const id = 1 + 2 * Math.floor(random.next() * STREAMS);
    if (dice < 0.2) {
      const next = Math.floor(random.next() * 30_000);
      const delta = next - initial;
      initial = next;
      for (const [key, n] of credit) credit.set(key, n + Math.max(delta, 0));
      unacked.push(delta);
      peer.send(T.SETTINGS, 0, 0, settingsPayload({ [INITIAL_WINDOW]: next }));
    } else if (dice < 0.6) {
      const increment = 1 + Math.floor(random.next() * 20_000);
      credit.set(id, credit.get(id)! + increment);
      peer.windowUpdate(id, increment);
    } else if (dice < 0.9) {
      const increment = 1 + Math.floor(random.next() * 20_000);
      connection += increment;
      peer.windowUpdate(0, increment);
    } else {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (step % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [id, parts] of received) {
    const all = Buffer.concat(parts);
    assert.equal(all.length, SIZE);
    for (let at = 0; at < SIZE; at += 997) assert.equal(all[at], (at * 7 + id) & 255);
  }
  close();
}
