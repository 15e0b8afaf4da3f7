import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../../src/rpc/channel.ts";
import type { DialOptions } from "../../src/rpc/dial.ts";
import { H2Code } from "../../src/rpc/frames.ts";
import { WireError, type WireKind } from "../../src/rpc/wire-error.ts";
import { type FakePeer, type FakeServer, startFakeServer, T, uint32 } from "./fake-peer.ts";
import { ManualClock } from "./manual-clock.ts";
import { dialOptions, REQUEST } from "./session-fixture.ts";

async function withChannel(
  work: (channel: Channel, server: FakeServer) => Promise<void>,
  options: Partial<DialOptions> = {},
): Promise<void> {
  const server = await startFakeServer();
  const channel = new Channel(dialOptions(server.port, options));
  await work(channel, server);
  channel.close();
  server.close();
}

async function accept(server: FakeServer, settings: Record<number, number> = {}): Promise<FakePeer> {
  const peer = await server.accept();
  peer.settings(settings);
  return peer;
}

const isKind = (kind: WireKind) => (error: unknown) => error instanceof WireError && error.kind === kind;

test("calls that come together share one connection", async () => {
  await withChannel(async (channel, server) => {
    const opening = [channel.open(REQUEST), channel.open(REQUEST), channel.open(REQUEST)];
    await accept(server);
    const ids = (await Promise.all(opening)).map((stream) => stream.id);
    assert.deepEqual(ids, [1, 3, 5]);
    assert.equal((await channel.open(REQUEST)).id, 7);
  });
});

test("after a lost connection the next call opens another", async () => {
  await withChannel(async (channel, server) => {
    const opening = channel.open(REQUEST);
    const peer = await accept(server);
    const stream = await opening;
    peer.socket.destroy();
    await assert.rejects(stream.head, isKind("lost"));
    const again = channel.open(REQUEST);
    await accept(server);
    assert.equal((await again).id, 1);
  });
});

test("while a connection drains, new calls go to another and old ones finish", async () => {
  await withChannel(async (channel, server) => {
    const opening = channel.open(REQUEST);
    const old = await accept(server);
    const stream = await opening;
    old.send(T.GOAWAY, 0, 0, uint32(1, 0));
    old.send(T.PING, 0, 0, Buffer.alloc(8));
    await old.next(T.PING);
    const again = channel.open(REQUEST);
    await accept(server);
    assert.equal((await again).id, 1);
    stream.end();
    old.answer(1);
    assert.equal((await stream.head).status, 200);
  });
});

test("a call that waits for a stream moves on when the connection drains", async () => {
  await withChannel(async (channel, server) => {
    const first = channel.open(REQUEST);
    const old = await accept(server, { 3: 1 });
    await first;
    const waiting = channel.open(REQUEST);
    await old.next(T.HEADERS, 1);
    old.send(T.GOAWAY, 0, 0, uint32(1, 0));
    await accept(server);
    assert.equal((await waiting).id, 1);
  });
});

test("a server that closes every connection before a call can be made", async () => {
  await withChannel(async (channel, server) => {
    const opening = assert.rejects(channel.open(REQUEST), isKind("unprocessed"));
    for (let i = 0; i < 5; i++) {
      const peer = await server.accept();
      peer.settings();
      peer.send(T.GOAWAY, 0, 0, uint32(0, 0));
    }
    await opening;
  });
});

test("who gives up while the connection is being opened takes nobody along", async () => {
  await withChannel(async (channel, server) => {
    const stop = new AbortController();
    const reason = new Error("no longer needed");
    const impatient = assert.rejects(channel.open(REQUEST, stop.signal), (error) => error === reason);
    const patient = channel.open(REQUEST);
    const peer = await server.accept();
    stop.abort(reason);
    await impatient;
    peer.settings();
    assert.equal((await patient).id, 1);
    await assert.rejects(channel.open(REQUEST, stop.signal), (error) => error === reason);
  });
});

test("close ends streams, connections that are being opened, and later calls", async () => {
  await withChannel(async (channel, server) => {
    const opening = channel.open(REQUEST);
    const peer = await accept(server);
    const stream = await opening;
    channel.close();
    await assert.rejects(stream.head, isKind("closed"));
    await peer.closed;
    await assert.rejects(channel.open(REQUEST), isKind("closed"));
  });
  await withChannel(async (channel, server) => {
    const opening = assert.rejects(channel.open(REQUEST), isKind("closed"));
    const peer = await server.accept();
    channel.close();
    peer.settings();
    await opening;
    await peer.closed;
  });
});

test("a server that finds our pings too frequent is pinged half as often", async () => {
  const clock = new ManualClock();
  /** How far the clock must go until a ping comes. */
  const pingAfter = async (peer: FakePeer): Promise<number> => {
    let pings = 0;
    peer.onFrame = (frame) => {
      if (frame.type === T.PING) pings++;
      return frame.type === T.PING;
    };
    for (let ms = 0; ms < 10_000; ms += 100) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (pings > 0) return ms;
      await clock.advance(100);
    }
    return Number.NaN;
  };
  await withChannel(
    async (channel, server) => {
      const opening = channel.open(REQUEST);
      const peer = await accept(server);
      await opening;
      const first = await pingAfter(peer);
      peer.send(T.GOAWAY, 0, 0, Buffer.concat([uint32(1, H2Code.enhanceYourCalm), Buffer.from("too_many_pings")]));
      peer.socket.end();
      await peer.closed;
      const again = channel.open(REQUEST);
      const next = await accept(server);
      await again;
      const second = await pingAfter(next);
      assert.ok(first >= 1000 && first < 1900, `first ${first}`);
      assert.ok(second >= 2000 && second < 2900, `second ${second}`);
    },
    { clock, pingIntervalMs: 1000, pingTimeoutMs: 5000 },
  );
});

test("a name without address, and a port without server", async () => {
  const nameless = new Channel({ ...dialOptions(1), host: "no-such-host.invalid" });
  await assert.rejects(nameless.open(REQUEST), isKind("dns"));
  const server = await startFakeServer();
  server.close();
  const deserted = new Channel(dialOptions(server.port));
  await assert.rejects(deserted.open(REQUEST), isKind("refused"));
});

test("localhost, wherever it leads", async () => {
  await withChannel(
    async (channel, server) => {
      const opening = channel.open(REQUEST);
      await accept(server);
      assert.equal((await opening).id, 1);
    },
    { host: "localhost" },
  );
});
