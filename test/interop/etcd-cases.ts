import assert from "node:assert/strict";
import { KV, Lease, Watch, type WatchResponse } from "../../gen/etcdserverpb_pb.ts";
import { createClient, createGrpcTransport, GrpcCode, rpcFields } from "../../src/rpc/mod.ts";
import { type Case, delay, failure, measured } from "./harness.ts";
import { type Peer, startEtcd } from "./peers.ts";

const MB = 1 << 20;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Calls against grpc-go, the library that PD is built on, in the form of etcd. */
export function etcdCases(): Case[] {
  return [
    { name: "grpc-go (etcd): unary, statuses", run: unary },
    { name: "grpc-go (etcd): 300 unary requests of 1 MB, 16 at a time", run: largeUnary },
    { name: "grpc-go (etcd): 300 messages of 1 MB on one stream", run: largeStream },
    { name: "grpc-go (etcd): watch and lease streams", run: streams },
    { name: "grpc-go (etcd): pings both ways, too many of them", run: pings },
    { name: "grpc-go (etcd): stopped and killed with open streams", run: stopped },
  ];
}

async function withEtcd(work: (peer: Peer) => Promise<string>, options: string[] = []): Promise<string> {
  const peer = await startEtcd(options);
  try {
    return await work(peer);
  } finally {
    peer.kill();
  }
}

const unary = () =>
  withEtcd(async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const kv = createClient(KV, transport);
    for (let i = 0; i < 50; i++) await kv.put({ key: bytes(`k${i}`), value: bytes(`v${i}`) });
    const range = await kv.range({ key: bytes("k"), rangeEnd: bytes("l") });
    assert.equal(range.kvs.length, 50);
    const empty = await failure(kv.put({}));
    assert.equal(rpcFields(empty)?.grpcCode, GrpcCode.InvalidArgument);
    assert.equal(rpcFields(empty)?.grpcText, "etcdserver: key is not provided");
    const gone = await failure(createClient(Lease, transport).leaseRevoke({ ID: 99n }));
    assert.equal(rpcFields(gone)?.grpcCode, GrpcCode.NotFound);
    const revision = await failure(kv.range({ key: bytes("k"), revision: 1_000_000n }));
    assert.equal(rpcFields(revision)?.grpcCode, GrpcCode.OutOfRange);
    transport.close();
    return "";
  });

const largeUnary = () =>
  withEtcd(async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const kv = createClient(KV, transport);
    const key = new Uint8Array(MB).fill(65);
    const figures = await measured(300 * MB, async () => {
      let next = 0;
      const worker = async () => {
        while (next++ < 300) assert.equal((await kv.range({ key, serializable: true })).count, 0n);
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    });
    transport.close();
    return figures;
  });

const largeStream = () =>
  withEtcd(async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const key = new Uint8Array(MB).fill(65);
    let created = 0;
    async function* requests() {
      for (let i = 1; i <= 300; i++) {
        yield { requestUnion: { case: "createRequest" as const, value: { key, watchId: BigInt(i) } } };
        yield { requestUnion: { case: "cancelRequest" as const, value: { watchId: BigInt(i) } } };
      }
      await new Promise(() => {});
    }
    const figures = await measured(300 * MB, async () => {
      for await (const answer of createClient(Watch, transport).watch(requests())) {
        // etcd does not end a watch stream when its requests end.
        if (answer.created && ++created === 300) break;
      }
    });
    assert.equal(created, 300);
    transport.close();
    return figures;
  });

const streams = () =>
  withEtcd(async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const kv = createClient(KV, transport);
    const lease = createClient(Lease, transport);
    const { ID } = await lease.leaseGrant({ TTL: 60n });
    async function* alive() {
      for (let i = 0; i < 200; i++) yield { ID };
    }
    let answers = 0;
    for await (const answer of lease.leaseKeepAlive(alive())) {
      assert.equal(answer.TTL, 60n);
      answers++;
    }
    assert.equal(answers, 200);

    const stop = new AbortController();
    async function* requests() {
      yield { requestUnion: { case: "createRequest" as const, value: { key: bytes("w") } } };
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    }
    const seen: bigint[] = [];
    for await (const answer of createClient(Watch, transport).watch(requests()) as AsyncIterable<WatchResponse>) {
      for (const event of answer.events) seen.push(event.kv!.version);
      if (seen.length === 20) break;
      await kv.put({ key: bytes("w"), value: bytes(String(seen.length)) });
    }
    stop.abort();
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => BigInt(i + 1)),
    );
    transport.close();
    return "";
  });

/** An open stream on which nothing happens; resolves with its end. */
function silentWatch(transport: Parameters<typeof createClient>[1], signal?: AbortSignal): Promise<Error> {
  async function* requests() {
    yield { requestUnion: { case: "createRequest" as const, value: { key: bytes("silent") } } };
    await new Promise(() => {});
  }
  const read = async () => {
    const options = signal === undefined ? {} : { signal };
    for await (const _answer of createClient(Watch, transport).watch(requests(), options));
  };
  return failure(read());
}

const pings = () =>
  withEtcd(
    async (peer) => {
      // Polite: nothing but an open stream, pinged by both sides.
      const polite = createGrpcTransport({ baseUrl: peer.url, pingIntervalMs: 700, pingTimeoutMs: 500 });
      const stop = new AbortController();
      const watch = silentWatch(polite, stop.signal);
      // Impolite: the server complains, and every new connection pings at half the rate of the one before.
      const impolite = createGrpcTransport({ baseUrl: peer.url, pingIntervalMs: 60, pingTimeoutMs: 60 });
      const first = await silentWatch(impolite);
      assert.match(first.message, /ENHANCE_YOUR_CALM, "too_many_pings"/);
      for (let i = 0; i < 3; i++) {
        const quiet = new AbortController();
        const again = silentWatch(impolite, quiet.signal);
        const ended = await Promise.race([again, delay(1200).then(() => undefined)]);
        if (ended === undefined) {
          quiet.abort();
          await again;
          stop.abort();
          assert.match((await watch).message, /canceled by the caller/);
          impolite.close();
          polite.close();
          return `calm after ${i + 1} complaints`;
        }
      }
      throw new Error("the server never calms down");
    },
    ["--grpc-keepalive-min-time=150ms", "--grpc-keepalive-interval=400ms", "--grpc-keepalive-timeout=1500ms"],
  );

const stopped = async () => {
  for (const how of ["stop", "kill"] as const) {
    await withEtcd(async (peer) => {
      const transport = createGrpcTransport({ baseUrl: peer.url });
      const watch = silentWatch(transport);
      await createClient(KV, transport).range({ key: bytes("a") });
      if (how === "stop") void peer.stop();
      else peer.kill();
      const error = await watch;
      assert.equal(rpcFields(error)?.grpcCode === undefined, false);
      assert.match(String((error as { code?: string }).code), /ErrUnavailable/, error.message);
      const next = await failure(createClient(KV, transport).range({ key: bytes("a") }, { timeoutMs: 5000 }));
      assert.equal(next.code, "Levin:Rpc:ErrUnavailable", next.message);
      transport.close();
      return "";
    });
  }
  return "";
};
