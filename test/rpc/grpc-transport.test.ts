import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ImportSST, SwitchMode } from "../../gen/import_sstpb_pb.ts";
import { ImportSST as PackedImportSST } from "../../gen/packed_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import {
  createClient,
  createGrpcTransport,
  createInProcessTransport,
  GrpcCode,
  type RpcTransport,
  rpcFields,
  ServerCode,
  ServerError,
} from "../../src/rpc/mod.ts";
import { type RunningServer, routesOf, startServer } from "./grpc-server.ts";

const seen: string[] = [];
const routes = routesOf(
  {
    getMode: () => ({ mode: SwitchMode.Import }),
    compact: () => {
      throw new ServerError("Größe: 100 % voll", ServerCode.Unknown);
    },
    clearFiles: async (_request, context) => {
      seen.push(`deadline ${context.timeoutMs() === undefined ? "none" : "some"}`);
      await new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason));
      });
      return {};
    },
    async write(requests) {
      let batches = 0n;
      for await (const { chunk } of requests) {
        if (chunk.case === "batch") batches += BigInt(chunk.value.pairs.length);
        if (chunk.case === "meta" && chunk.value.regionId === 7n)
          throw new ServerError("RequestTooOld", ServerCode.Unknown);
      }
      return { metas: [{ totalKvs: batches }] };
    },
    async *duplicateDetect(_request, context) {
      try {
        for (let i = 0; i < 1000; i++) {
          yield { pairs: [{ key: new Uint8Array([i & 255]), value: new Uint8Array(100_000) }] };
          if (i === 3 && context.requestHeader.get("x-fail") !== null) {
            throw new ServerError("in mid-stream", ServerCode.DataLoss);
          }
        }
      } finally {
        seen.push("duplicateDetect over");
      }
    },
  },
  {
    async *tso(requests) {
      let logical = 0n;
      for await (const request of requests) {
        logical += BigInt(request.count);
        yield { count: request.count, timestamp: { physical: 1n, logical } };
      }
    },
  },
);

let server: RunningServer;
const transports: Record<string, RpcTransport> = {};

before(async () => {
  server = await startServer(routes);
  transports["network"] = createGrpcTransport({ baseUrl: server.url });
  transports["in-process"] = createInProcessTransport(routes, { target: "tikv-1" });
});

after(async () => {
  for (const transport of Object.values(transports)) transport.close();
  await server.close();
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

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition());
}

for (const kind of ["network", "in-process"]) {
  test(`${kind}: unary`, async () => {
    const client = createClient(ImportSST, transports[kind]!);
    assert.equal((await client.getMode({})).mode, SwitchMode.Import);
  });

  test(`${kind}: status of a server keeps code and text`, async () => {
    const client = createClient(ImportSST, transports[kind]!);
    const error = await failure(client.compact({}));
    assert.equal(error.code, "Levin:Rpc:ErrRefused");
    assert.equal(rpcFields(error)?.kind, "status");
    assert.equal(rpcFields(error)?.grpcCode, GrpcCode.Unknown);
    assert.equal(rpcFields(error)?.grpcText, "Größe: 100 % voll");
    assert.match(error.message, /^Cannot call import_sstpb\.ImportSST\/Compact at \S+: Unknown: Größe/);
  });

  test(`${kind}: unknown method`, async () => {
    const error = await failure(createClient(ImportSST, transports[kind]!).ingest({}));
    assert.equal(rpcFields(error)?.grpcCode, GrpcCode.Unimplemented);
  });

  test(`${kind}: client stream through the packed twin`, async () => {
    const client = createClient(PackedImportSST, transports[kind]!, "import_sstpb.ImportSST");
    async function* requests() {
      yield { chunk: { case: "meta" as const, value: { regionId: 1n } } };
      for (let i = 0; i < 3; i++) {
        yield { chunk: { case: "batch" as const, value: Uint8Array.of(0x08, 9, 0x12, 3, 0x0a, 1, 0x61) } };
      }
    }
    assert.equal((await client.write(requests())).metas[0]?.totalKvs, 3n);
  });

  test(`${kind}: an early error ends the request generator`, async () => {
    const client = createClient(PackedImportSST, transports[kind]!, "import_sstpb.ImportSST");
    let over = false;
    async function* requests() {
      try {
        yield { chunk: { case: "meta" as const, value: { regionId: 7n } } };
        for (;;) yield { chunk: { case: "batch" as const, value: new Uint8Array(0) } };
      } finally {
        over = true;
      }
    }
    const error = await failure(client.write(requests()));
    assert.equal(rpcFields(error)?.grpcText, "RequestTooOld");
    await until(() => over);
  });

  test(`${kind}: server stream, error in mid-stream`, async () => {
    const client = createClient(ImportSST, transports[kind]!);
    let pairs = 0;
    const read = async () => {
      for await (const answer of client.duplicateDetect({}, { headers: { "x-fail": "1" } }))
        pairs += answer.pairs.length;
    };
    const error = await failure(read());
    assert.equal(pairs, 4);
    assert.equal(rpcFields(error)?.grpcCode, GrpcCode.DataLoss);
  });

  test(`${kind}: leaving a server stream by a signal ends it on the server`, async () => {
    seen.length = 0;
    const client = createClient(ImportSST, transports[kind]!);
    const stop = new AbortController();
    const read = async () => {
      for await (const _answer of client.duplicateDetect({}, { signal: stop.signal })) stop.abort(new Error("enough"));
    };
    const error = await failure(read());
    assert.equal(error.code, "Levin:Rpc:ErrCanceled");
    await until(() => seen.length > 0);
    assert.deepEqual(seen, ["duplicateDetect over"]);
  });

  test(`${kind}: leaving a server stream by break ends it on the server`, async () => {
    seen.length = 0;
    const client = createClient(ImportSST, transports[kind]!);
    for await (const _answer of client.duplicateDetect({})) break;
    await until(() => seen.length > 0);
    assert.deepEqual(seen, ["duplicateDetect over"]);
  });

  test(`${kind}: bidirectional stream in lockstep`, async () => {
    const client = createClient(PD, transports[kind]!);
    let release = () => {};
    async function* requests() {
      for (let i = 1; i <= 5; i++) {
        const answered = new Promise<void>((resolve) => {
          release = resolve;
        });
        yield { count: i };
        await answered;
      }
    }
    const logical: bigint[] = [];
    for await (const answer of client.tso(requests())) {
      logical.push(answer.timestamp?.logical ?? 0n);
      release();
    }
    assert.deepEqual(logical, [1n, 3n, 6n, 10n, 15n]);
  });

  test(`${kind}: deadline`, async () => {
    seen.length = 0;
    const client = createClient(ImportSST, transports[kind]!);
    const error = await failure(client.clearFiles({}, { timeoutMs: 250 }));
    assert.equal(error.code, "Levin:Rpc:ErrDeadline");
    assert.match(error.message, /no answer within 250 ms$/);
    assert.deepEqual(seen, ["deadline some"]);
  });

  test(`${kind}: cancellation before and during a call`, async () => {
    const client = createClient(ImportSST, transports[kind]!);
    const reason = new LevinError("Levin:Command:ErrInterrupted", "interrupted");
    assert.equal(await failure(client.getMode({}, { signal: AbortSignal.abort(reason) })), reason);
    const stop = new AbortController();
    const call = failure(client.clearFiles({}, { signal: stop.signal }));
    setTimeout(() => stop.abort(reason), 30);
    assert.equal(await call, reason);
  });

  test(`${kind}: an exception of the request generator comes back as it is`, async () => {
    const client = createClient(PackedImportSST, transports[kind]!, "import_sstpb.ImportSST");
    const reason = new LevinError("Levin:Engine:ErrCorrupt", "a block is damaged");
    async function* requests() {
      yield { chunk: { case: "meta" as const, value: { regionId: 1n } } };
      throw reason;
    }
    assert.equal(await failure(client.write(requests())), reason);
  });
}

test("connection refused", async () => {
  const other = await startServer(routes);
  await other.close();
  const transport = createGrpcTransport({ baseUrl: other.url });
  const error = await failure(createClient(ImportSST, transport).getMode({}));
  assert.equal(error.code, "Levin:Rpc:ErrUnavailable");
  assert.equal(rpcFields(error)?.kind, "refused");
  transport.close();
});

test("a cut connection is lost, and the next call opens another", async () => {
  const other = await startServer(routes);
  const transport = createGrpcTransport({ baseUrl: other.url });
  const client = createClient(ImportSST, transport);
  await client.getMode({});
  const call = failure(client.clearFiles({}));
  setTimeout(() => other.cut(), 30);
  const error = await call;
  assert.equal(error.code, "Levin:Rpc:ErrUnavailable");
  assert.equal((await client.getMode({})).mode, SwitchMode.Import);
  transport.close();
  await other.close();
});
