import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import {
  createGrpcTransport,
  createInProcessTransport,
  GrpcCode,
  type GrpcTransportOptions,
  openPackedWrite,
  type RpcTransport,
  rpcFields,
  ServerCode,
  ServerError,
} from "../../src/rpc/mod.ts";
import { type FakePeer, OK_HEADERS, startFakeServer, T } from "./fake-peer.ts";
import { type RunningServer, routesOf, startOwnServer, startServer } from "./grpc-server.ts";

const arrived: string[] = [];
let sawEnd: string | undefined;

const routes = routesOf({
  async write(requests, context) {
    arrived.length = 0;
    sawEnd = undefined;
    let region = 0n;
    context.signal.addEventListener("abort", () => {
      sawEnd ??= "aborted";
    });
    for await (const { chunk } of requests) {
      if (chunk.case === "meta") {
        arrived.push(`meta ${chunk.value.regionId}`);
        region = chunk.value.regionId;
        if (region === 7n) throw new ServerError("RequestTooOld", ServerCode.Unknown);
        if (region === 8n) return { metas: [{ regionId: 8n }] };
      } else if (chunk.case === "batch") {
        for (const { key, value } of chunk.value.pairs) {
          arrived.push(`${chunk.value.commitTs} ${Buffer.from(key)}=${Buffer.from(value)}`);
        }
      }
    }
    sawEnd = "end";
    if (region === 9n) await new Promise((resolve) => setTimeout(resolve, 300));
    return { metas: [{ totalKvs: BigInt(arrived.length) }] };
  },
});

let server: RunningServer;
let ownServer: Awaited<ReturnType<typeof startOwnServer>>;
const transports: Record<string, RpcTransport> = {};

before(async () => {
  server = await startServer(routes);
  transports["network"] = createGrpcTransport({ baseUrl: server.url });
  transports["network, gzip"] = createGrpcTransport({ baseUrl: server.url, compress: "gzip" });
  ownServer = await startOwnServer(routes);
  transports["own server"] = createGrpcTransport({ baseUrl: ownServer.url });
  transports["in-process"] = createInProcessTransport(routes, { target: "tikv-1" });
});

after(async () => {
  for (const transport of Object.values(transports)) transport.close();
  await server.close();
  await ownServer.close();
});

async function failure(promise: Promise<unknown>): Promise<LevinError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

/** What is sent until the server's answer: our server, in this process, has its turn when its window of 4 MiB is used up. */
const filler = (kind: string) => new Uint8Array(kind === "own server" ? 60_000 : 0);

/** One `pairs` element. */
function pair(key: string, value: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0x0a, key.length]),
    Buffer.from(key),
    Buffer.from([0x12, value.length]),
    Buffer.from(value),
  ]);
  return Buffer.concat([Buffer.from([0x12, body.length]), body]);
}

for (const kind of ["network", "network, gzip", "own server", "in-process"]) {
  test(`${kind}: pairs arrive in order, also where they straddle pieces`, async () => {
    const write = await openPackedWrite(transports[kind]!);
    await write.sendMeta({ regionId: 1n });
    const both = Buffer.concat([pair("a", "1"), pair("b", "2")]);
    const sends = [
      write.sendPairs(443852055297916933n, [both.subarray(0, 3), both.subarray(3, 11), both.subarray(11)]),
      write.sendPairs(5n, [pair("c", "3")]),
      write.sendPairs(5n, [pair("d", "4")]),
    ];
    await Promise.all(sends);
    const answer = await write.finish();
    assert.equal(answer.metas[0]?.totalKvs, 5n);
    assert.deepEqual(arrived, ["meta 1", "443852055297916933 a=1", "443852055297916933 b=2", "5 c=3", "5 d=4"]);
    write.abort();
  });

  test(`${kind}: a buffer may be used again after its send`, async () => {
    const write = await openPackedWrite(transports[kind]!);
    await write.sendMeta({ regionId: 1n });
    const buffer = pair("k", "?");
    for (const letter of "abcdefgh") {
      buffer[buffer.length - 1] = letter.charCodeAt(0);
      await write.sendPairs(1n, [buffer]);
    }
    buffer[buffer.length - 1] = 0x21;
    await write.finish();
    assert.equal(arrived.slice(1).join(), [..."abcdefgh"].map((letter) => `1 k=${letter}`).join());
  });

  test(`${kind}: an error of the server ends the sends with its words`, async () => {
    const write = await openPackedWrite(transports[kind]!);
    const sending = async () => {
      await write.sendMeta({ regionId: 7n });
      for (;;) await write.sendPairs(1n, [filler(kind)]);
    };
    const error = await failure(sending());
    assert.equal(rpcFields(error)?.grpcCode, GrpcCode.Unknown);
    assert.equal(rpcFields(error)?.grpcText, "RequestTooOld");
    assert.equal(rpcFields(await failure(write.finish()))?.grpcText, "RequestTooOld");
  });

  test(`${kind}: an early answer`, async () => {
    const write = await openPackedWrite(transports[kind]!);
    await write.sendMeta({ regionId: 8n });
    assert.equal((await write.finish()).metas[0]?.regionId, 8n);
    const early = await openPackedWrite(transports[kind]!);
    const sending = async () => {
      await early.sendMeta({ regionId: 8n });
      for (;;) await early.sendPairs(1n, [filler(kind)]);
    };
    assert.equal(rpcFields(await failure(sending()))?.kind, "ended");
  });

  test(`${kind}: abort reaches the server, and everybody who waits gets the reason`, async () => {
    const write = await openPackedWrite(transports[kind]!);
    await write.sendMeta({ regionId: 1n });
    await write.sendPairs(1n, [pair("a", "1")]);
    const reason = new LevinError("Levin:Engine:ErrCorrupt", "a block is damaged");
    write.abort(reason);
    assert.equal(await failure(write.sendPairs(1n, [pair("b", "2")])), reason);
    assert.equal(await failure(write.finish()), reason);
    for (let i = 0; i < 100 && sawEnd === undefined; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(sawEnd, "aborted");
  });

  test(`${kind}: a signal, before and in between`, async () => {
    const reason = new LevinError("Levin:Command:ErrInterrupted", "interrupted");
    assert.equal(await failure(openPackedWrite(transports[kind]!, { signal: AbortSignal.abort(reason) })), reason);
    const stop = new AbortController();
    const write = await openPackedWrite(transports[kind]!, { signal: stop.signal });
    await write.sendMeta({ regionId: 1n });
    stop.abort(reason);
    assert.equal(await failure(write.finish()), reason);
  });

  test(`${kind}: deadlines of the whole and of the answer`, async () => {
    const slow = await openPackedWrite(transports[kind]!, { answerTimeoutMs: 40 });
    await slow.sendMeta({ regionId: 9n });
    const late = await failure(slow.finish());
    assert.equal(late.code, "Levin:Rpc:ErrDeadline");
    assert.match(late.message, /no answer within 40 ms after the end of the upload/);
    const tooLong = async () => {
      const write = await openPackedWrite(transports[kind]!, { timeoutMs: 40 });
      await write.sendMeta({ regionId: 1n });
      await new Promise((resolve) => setTimeout(resolve, 80));
      await write.sendPairs(1n, [pair("a", "1")]);
    };
    const over = await failure(tooLong());
    assert.equal(over.code, "Levin:Rpc:ErrDeadline");
    assert.match(over.message, /no answer within 40 ms$/);
  });
}

// ---- against a peer that is played by hand ----

async function withPeer(
  options: Partial<GrpcTransportOptions>,
  work: (transport: RpcTransport, peer: FakePeer) => Promise<void>,
): Promise<void> {
  const fake = await startFakeServer();
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${fake.port}`, ...options });
  const peers = fake.accept().then((peer) => {
    peer.settings();
    return peer;
  });
  const first = openPackedWrite(transport);
  await work(transport, await peers);
  (await first).abort();
  transport.close();
  fake.close();
}

test("an upload that crawls is ended by its rate, not by silence", async () => {
  await withPeer({ watchdog: { intervalMs: 100, minBytes: 100_000 } }, async (transport, peer) => {
    peer.onFrame = (frame) => {
      if (frame.type === T.DATA) setTimeout(() => peer.windowUpdate(frame.id, 100), 5);
      return frame.type === T.DATA;
    };
    const write = await openPackedWrite(transport);
    const sent = await failure(write.sendPairs(1n, [new Uint8Array(10_000_000)]));
    assert.equal(sent.code, "Levin:Rpc:ErrStalled");
    assert.match(sent.message, /the server took \d+ bytes in 100 ms, expected at least 100000/);
  });
});

test("a caller that has nothing to send is not taken for a crawl", async () => {
  await withPeer({ watchdog: { intervalMs: 200, minBytes: 100_000 } }, async (transport, peer) => {
    const write = await openPackedWrite(transport);
    const ids: number[] = [];
    peer.onFrame = (frame) => {
      if (frame.type === T.DATA) ids.push(frame.id);
      return frame.type === T.DATA;
    };
    for (let i = 0; i < 8; i++) {
      await write.sendPairs(1n, [pair("a", "1")]);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    peer.headers(ids[0]!, OK_HEADERS);
    peer.send(T.DATA, 0, ids[0]!, Buffer.alloc(5));
    peer.headers(ids[0]!, { "grpc-status": "0" }, true);
    assert.deepEqual((await write.finish()).metas, []);
  });
});

test("pings find a server that is frozen in the middle of an upload", async () => {
  await withPeer({ pingIntervalMs: 40, pingTimeoutMs: 40 }, async (transport) => {
    const write = await openPackedWrite(transport);
    const error = await failure(write.sendPairs(1n, [new Uint8Array(1_000_000)]));
    assert.equal(error.code, "Levin:Rpc:ErrUnavailable");
    assert.match(error.message, /no sign of life for 40 ms after a ping/);
  });
});

test("an upload waits for its turn at the socket: sends resolve one after another", async () => {
  await withPeer({}, async (transport, peer) => {
    const write = await openPackedWrite(transport);
    const order: number[] = [];
    const sends = [0, 1, 2].map((i) => write.sendPairs(1n, [new Uint8Array(50_000)]).then(() => order.push(i)));
    while (order.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(order, [0]);
    peer.windowUpdate(0, 1_000_000);
    for (const id of [1, 3]) peer.windowUpdate(id, 1_000_000);
    await Promise.all(sends);
    assert.deepEqual(order, [0, 1, 2]);
    write.abort();
  });
});
