import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImportSST, SwitchMode } from "../../gen/import_sstpb_pb.ts";
import { ImportSST as PackedImportSST } from "../../gen/packed_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { createClient, createGrpcTransport, GrpcCode, openPackedWrite, rpcFields } from "../../src/rpc/mod.ts";
import { makeCertificate } from "../certificates.ts";
import { type Case, delay, endless, failure, measured, planUpload, sendAll, sendUpload } from "./harness.ts";
import { type Core, coreVersion, type Peer, startCore, startDelay } from "./peers.ts";

const KB = 1024;
const MB = 1 << 20;

/** Message size, streams, megabytes over all streams. */
const UPLOADS: readonly (readonly [size: number, streams: number, megabytes: number])[] = [
  [16 * KB, 1, 32],
  [16 * KB, 16, 48],
  [60 * KB, 1, 64],
  [60 * KB, 4, 64],
  [128 * KB, 1, 128],
  [128 * KB, 16, 128],
  [256 * KB, 4, 128],
  [MB, 1, 300],
  [MB, 4, 256],
  [MB, 16, 256],
  [4 * MB, 1, 300],
  [4 * MB, 16, 256],
];

/** Calls against gRPC core, the library that TiKV is built on, with TiKV's options. */
export function coreCases(core: Core): Case[] {
  const title = `gRPC core ${coreVersion(core)}`;
  return [
    ...UPLOADS.map(([size, streams, megabytes]) => ({
      name: `${title}: ${megabytes} MB, messages of ${size / KB} KB, ${streams} streams`,
      run: () => throughput(core, size, streams, megabytes),
    })),
    { name: `${title}: 64 MB through connect's client stream`, run: () => throughConnect(core) },
    { name: `${title}: a server that reads slowly`, run: () => slowReader(core) },
    { name: `${title}: a path with 2 ms and with 15 ms each way`, run: () => longPath(core) },
    { name: `${title}: statuses, streams both ways, deadline, cancellation`, run: () => kinds(core) },
    { name: `${title}: an error while uploading`, run: () => errorWhileUploading(core) },
    { name: `${title}: frozen while uploading`, run: () => frozen(core) },
    { name: `${title}: killed while uploading`, run: () => killed(core) },
    { name: `${title}: mutual TLS`, run: () => mutualTls(core) },
    { name: `${title}: compressed answers and requests`, run: () => compressed(core) },
    { name: `${title}: answers its pings`, run: () => itsPings(core) },
  ];
}

async function withCore(core: Core, options: string[], work: (peer: Peer) => Promise<string>): Promise<string> {
  const peer = await startCore(core, options);
  try {
    return await work(peer);
  } finally {
    peer.kill();
  }
}

const throughput = (core: Core, size: number, streams: number, megabytes: number) =>
  withCore(core, [], async (peer) => {
    const upload = planUpload(size, Math.ceil((megabytes * MB) / size / streams));
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const figures = await measured(upload.bytes * streams, async () => {
      await Promise.all(Array.from({ length: streams }, () => sendUpload(transport, upload)));
    });
    transport.close();
    return figures;
  });

const throughConnect = (core: Core) =>
  withCore(core, [], async (peer) => {
    const upload = planUpload(MB, 64);
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const client = createClient(PackedImportSST, transport, "import_sstpb.ImportSST");
    async function* requests() {
      for (const value of upload.payloads) yield { chunk: { case: "batch" as const, value } };
    }
    const figures = await measured(upload.bytes, async () => {
      assert.equal((await client.write(requests())).metas[0]?.totalKvs, 64n);
    });
    transport.close();
    return figures;
  });

const slowReader = (core: Core) =>
  // Where the window grows with the path's speed, a server takes hundreds of messages that nobody has read yet.
  withCore(core, ["--fixed-window"], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const client = createClient(PackedImportSST, transport, "import_sstpb.ImportSST");
    let pulled = 0;
    async function* requests() {
      for (const value of endless(256 * KB)) {
        if (pulled++ === 200) return;
        yield { chunk: { case: "batch" as const, value } };
      }
    }
    const start = performance.now();
    const call = client.write(requests(), { headers: { "x-delay-ms": "5" } });
    await delay(250);
    const early = pulled;
    // What the server can have read by now, and what its window and our queue hold.
    const bound = (performance.now() - start) / 5 + 24;
    assert.equal((await call).metas[0]?.totalKvs, 200n);
    transport.close();
    assert.ok(early < bound, `the generator was pulled ${early} times`);
    return `${early} of 200 messages pulled after a quarter of a second`;
  });

const longPath = (core: Core) =>
  withCore(core, [], async (peer) => {
    const figures: string[] = [];
    for (const delayMs of [2, 15]) {
      const path = await startDelay(peer.port, delayMs);
      const transport = createGrpcTransport({ baseUrl: path.url });
      const upload = planUpload(256 * KB, 200);
      figures.push((await measured(upload.bytes, () => sendUpload(transport, upload))).split(",")[0]!);
      transport.close();
      path.close();
    }
    return figures.join(", ");
  });

const kinds = (core: Core) =>
  withCore(core, [], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url, readMaxBytes: 64 * MB });
    const client = createClient(ImportSST, transport);
    assert.equal((await client.getMode({})).mode, SwitchMode.Import);
    const status = await failure(client.getMode({}, { headers: { "x-fail-after": "0" } }));
    assert.equal(rpcFields(status)?.grpcCode, GrpcCode.ResourceExhausted);
    assert.equal(rpcFields(status)?.grpcText, "voll: 100 % größer");
    assert.equal(rpcFields(await failure(client.ingest({})))?.grpcCode, GrpcCode.Unimplemented);

    let bytes = 0;
    const large = client.duplicateDetect({}, { headers: { "x-count": "20", "x-size": String(4 * MB) } });
    for await (const answer of large) bytes += answer.pairs[0]!.value.length;
    assert.equal(bytes, 80 * MB);
    let count = 0;
    const broken = async () => {
      const options = { headers: { "x-count": "9", "x-fail-after": "5" } };
      for await (const answer of client.duplicateDetect({}, options)) count += answer.pairs.length;
    };
    assert.equal(rpcFields(await failure(broken()))?.grpcCode, GrpcCode.DataLoss);
    assert.equal(count, 5);
    for await (const _answer of client.duplicateDetect({}, { headers: { "x-count": "1000000", "x-size": "100000" } }))
      break;

    async function* ticks() {
      for (let i = 0; i < 5000; i++) yield { count: 1 };
    }
    let answers = 0;
    for await (const answer of createClient(PD, transport).tso(ticks())) assert.equal(answer.count, ++answers);
    assert.equal(answers, 5000);

    const late = await failure(client.getMode({}, { timeoutMs: 50, headers: { "x-delay-ms": "400" } }));
    assert.equal(late.code, "Levin:Rpc:ErrDeadline");
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 50);
    const canceled = await failure(client.getMode({}, { signal: stop.signal, headers: { "x-delay-ms": "400" } }));
    assert.equal(canceled.code, "Levin:Rpc:ErrCanceled");
    await Promise.all(Array.from({ length: 300 }, () => client.getMode({})));
    transport.close();
    return "";
  });

const errorWhileUploading = (core: Core) =>
  withCore(core, [], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const client = createClient(PackedImportSST, transport, "import_sstpb.ImportSST");
    let over = false;
    async function* requests() {
      try {
        for (const value of endless(MB)) yield { chunk: { case: "batch" as const, value } };
      } finally {
        over = true;
      }
    }
    const error = await failure(client.write(requests(), { headers: { "x-fail-after": "20" } }));
    assert.equal(rpcFields(error)?.grpcText, 'RequestTooOld("region 7 is not found")');
    for (let i = 0; i < 100 && !over; i++) await delay(10);
    assert.ok(over, "the generator was closed");
    await sendUpload(transport, planUpload(MB, 10));
    transport.close();
    return "";
  });

const frozen = (core: Core) =>
  withCore(core, [], async (peer) => {
    const pinging = createGrpcTransport({ baseUrl: peer.url, pingIntervalMs: 300, pingTimeoutMs: 300 });
    const watching = createGrpcTransport({ baseUrl: peer.url, watchdog: { intervalMs: 500, minBytes: MB } });
    const byPing = failure(uploadForEver(pinging));
    const byRate = failure(uploadForEver(watching));
    await delay(200);
    peer.freeze();
    const start = performance.now();
    const [silence, crawl] = await Promise.all([byPing, byRate]);
    const seconds = (performance.now() - start) / 1000;
    assert.equal(silence.code, "Levin:Rpc:ErrUnavailable");
    assert.match(silence.message, /no sign of life/);
    assert.equal(crawl.code, "Levin:Rpc:ErrStalled");
    assert.ok(seconds < 8, `${seconds} s`);
    peer.thaw();
    for (const transport of [pinging, watching]) {
      await sendUpload(transport, planUpload(MB, 10));
      transport.close();
    }
    return `found after ${seconds.toFixed(1)} s`;
  });

async function uploadForEver(transport: Parameters<typeof openPackedWrite>[0]): Promise<void> {
  await sendAll(await openPackedWrite(transport), endless(MB));
}

const killed = (core: Core) =>
  withCore(core, [], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const uploads = [failure(uploadForEver(transport)), failure(uploadForEver(transport))];
    await delay(150);
    peer.kill();
    for (const error of await Promise.all(uploads)) {
      assert.equal(error.code, "Levin:Rpc:ErrUnavailable");
      assert.equal(rpcFields(error)?.kind, "lost");
    }
    // For a moment the port may still take connections and break them.
    let kind: string | undefined;
    for (let attempt = 0; attempt < 50 && kind !== "refused"; attempt++) {
      const next = await failure(uploadForEver(transport));
      assert.equal(next.code, "Levin:Rpc:ErrUnavailable", next.message);
      kind = rpcFields(next)?.kind;
      await delay(10);
    }
    assert.equal(kind, "refused");
    transport.close();
    return "";
  });

const mutualTls = async (core: Core) => {
  const authority = makeCertificate({ name: "authority", isAuthority: true });
  const server = makeCertificate({ name: "tikv", issuer: authority, hosts: ["127.0.0.1"] });
  const own = makeCertificate({ name: "levin", issuer: authority });
  const foreign = makeCertificate({ name: "levin", issuer: makeCertificate({ name: "other", isAuthority: true }) });
  const folder = mkdtempSync(join(tmpdir(), "levin-tls-"));
  const files = { ca: authority.cert, cert: server.cert, key: server.key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  try {
    return await withCore(core, ["--tls", ...Object.keys(files).map((name) => join(folder, name))], async (peer) => {
      const dial = (identity: typeof own) =>
        createGrpcTransport({
          baseUrl: peer.url,
          tls: { material: { ca: authority.cert, cert: identity.cert, key: identity.key } },
        });
      const transport = dial(own);
      const upload = planUpload(MB, 128);
      const figures = await measured(upload.bytes, () => sendUpload(transport, upload));
      transport.close();
      const refused = dial(foreign);
      const error = await failure(createClient(ImportSST, refused).getMode({}));
      assert.match(error.code, /ErrTls|ErrUnavailable/);
      assert.match(error.message, /handshake/);
      refused.close();
      const plain = createGrpcTransport({ baseUrl: peer.url.replace("https", "http") });
      assert.match((await failure(createClient(ImportSST, plain).getMode({}))).message, /TLS/);
      plain.close();
      return figures;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const compressed = (core: Core) =>
  withCore(core, ["--compress"], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url, compress: "gzip" });
    let bytes = 0;
    const options = { headers: { "x-count": "3", "x-size": String(MB) } };
    for await (const answer of createClient(ImportSST, transport).duplicateDetect({}, options)) {
      bytes += answer.pairs[0]!.value.length;
    }
    assert.equal(bytes, 3 * MB);
    await sendUpload(transport, planUpload(100_000, 30));
    transport.close();
    return "";
  });

const itsPings = (core: Core) =>
  withCore(core, ["--keepalive", "600", "1200"], async (peer) => {
    const transport = createGrpcTransport({ baseUrl: peer.url });
    const write = await openPackedWrite(transport);
    await write.sendMeta({});
    await delay(2500);
    assert.equal((await write.finish()).metas[0]?.totalKvs, 1n);
    transport.close();
    return "silent for 2.5 s, pinged every 0.6 s";
  });
