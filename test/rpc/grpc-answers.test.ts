import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ImportSST, SwitchMode } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import {
  type Client,
  createClient,
  createGrpcTransport,
  GrpcCode,
  type RpcTransport,
  rpcFields,
} from "../../src/rpc/mod.ts";
import { END_STREAM, type FakePeer, type FakeServer, OK_HEADERS, startFakeServer, T, uint32 } from "./fake-peer.ts";

/** The answers that a gRPC client must understand or refuse, whatever the server's library is. */
let server: FakeServer;
let transport: RpcTransport;
let client: Client<typeof ImportSST>;
let peer: FakePeer;

before(async () => {
  server = await startFakeServer();
  transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}`, readMaxBytes: 1000 });
  client = createClient(ImportSST, transport);
  const first = client.getMode({});
  peer = await server.accept();
  peer.settings();
  await play((id) => peer.answer(id));
  await first;
});

after(() => {
  transport.close();
  server.close();
});

async function play(script: (id: number) => void): Promise<void> {
  const request = await peer.next(T.HEADERS);
  let ended = false;
  while (!ended) ended = ((await peer.next(T.DATA, request.id)).flags & END_STREAM) !== 0;
  script(request.id);
}

async function failure(call: Promise<unknown>): Promise<LevinError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

function message(bytes: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([Buffer.from([flag]), uint32(bytes.length), bytes]);
}

/** GetModeResponse { mode: Import } */
const IMPORT = Buffer.from([8, 1]);
const trailers = (id: number, values: Record<string, string> = { "grpc-status": "0" }) =>
  peer.headers(id, values, true);
const data = (id: number, bytes: Uint8Array, flags = 0) => peer.send(T.DATA, flags, id, bytes);

function whole(id: number, bytes: Uint8Array, headers: Record<string, string> = OK_HEADERS): void {
  peer.headers(id, headers);
  data(id, bytes);
  trailers(id);
}

const good: [what: string, script: (id: number) => void][] = [
  ["one message", (id) => whole(id, message(IMPORT))],
  [
    "a message in single bytes",
    (id) => {
      peer.headers(id, OK_HEADERS);
      for (const byte of message(IMPORT)) data(id, Buffer.from([byte]));
      trailers(id);
    },
  ],
  [
    "content-type without a codec",
    (id) => whole(id, message(IMPORT), { ":status": "200", "content-type": "application/grpc" }),
  ],
  ["grpc-encoding identity", (id) => whole(id, message(IMPORT), { ...OK_HEADERS, "grpc-encoding": "identity" })],
  ["a gzip message", (id) => whole(id, message(gzipSync(IMPORT), 1), { ...OK_HEADERS, "grpc-encoding": "gzip" })],
  [
    "a plain message although gzip is announced",
    (id) => whole(id, message(IMPORT), { ...OK_HEADERS, "grpc-encoding": "gzip" }),
  ],
];

for (const [what, script] of good) {
  test(`unary: ${what}`, async () => {
    const call = client.getMode({});
    await play(script);
    assert.equal((await call).mode, SwitchMode.Import);
  });
}

for (const [httpStatus, grpcCode] of [
  [400, GrpcCode.Internal],
  [401, GrpcCode.Unauthenticated],
  [403, GrpcCode.PermissionDenied],
  [404, GrpcCode.Unimplemented],
  [409, GrpcCode.Unknown],
  [412, GrpcCode.Unknown],
  [413, GrpcCode.Unknown],
  [415, GrpcCode.Unknown],
  [418, GrpcCode.Unknown],
  [429, GrpcCode.Unavailable],
  [431, GrpcCode.Unknown],
  [502, GrpcCode.Unavailable],
  [503, GrpcCode.Unavailable],
  [504, GrpcCode.Unavailable],
  [505, GrpcCode.Unknown],
  [800, GrpcCode.Unknown],
] as const) {
  test(`unary: HTTP ${httpStatus}`, async () => {
    const call = failure(client.getMode({}));
    await play((id) => peer.headers(id, { ":status": String(httpStatus) }, true));
    const error = await call;
    assert.match(error.message, new RegExp(`HTTP ${httpStatus}$`));
    assert.equal(rpcFields(error)?.grpcCode, grpcCode);
    const away = grpcCode === GrpcCode.Unavailable;
    assert.equal(error.code, away ? "Levin:Rpc:ErrUnavailable" : "Levin:Rpc:ErrProtocol");
  });
}

const status = (code: string, extra: Record<string, string> = {}) => ({ ...OK_HEADERS, "grpc-status": code, ...extra });

const bad: [what: string, script: (id: number) => void, code: string, grpcCode: number, text: RegExp][] = [
  [
    "trailers only",
    (id) => peer.headers(id, status("5", { "grpc-message": "no such thing" }), true),
    "ErrRefused",
    GrpcCode.NotFound,
    /NotFound: no such thing$/,
  ],
  [
    "trailers only in two frames",
    (id) => {
      peer.headers(id, status("5", { "grpc-message": "no such thing" }));
      data(id, Buffer.alloc(0), END_STREAM);
    },
    "ErrRefused",
    GrpcCode.NotFound,
    /no such thing$/,
  ],
  [
    "a status in trailers",
    (id) => {
      peer.headers(id, OK_HEADERS);
      trailers(id, { "grpc-status": "8", "grpc-message": "voll: 100 %25 gr%C3%B6%C3%9Fer" });
    },
    "ErrRefused",
    GrpcCode.ResourceExhausted,
    /ResourceExhausted: voll: 100 % größer$/,
  ],
  [
    "a status after the message",
    (id) => {
      peer.headers(id, OK_HEADERS);
      data(id, message(IMPORT));
      trailers(id, { "grpc-status": "15", "grpc-message": "gone" });
    },
    "ErrRefused",
    GrpcCode.DataLoss,
    /gone$/,
  ],
  ["unavailable", (id) => peer.headers(id, status("14"), true), "ErrUnavailable", GrpcCode.Unavailable, /Unavailable/],
  [
    "canceled by the server",
    (id) => peer.headers(id, status("1"), true),
    "ErrUnavailable",
    GrpcCode.Canceled,
    /Canceled/,
  ],
  [
    "deadline by the server",
    (id) => peer.headers(id, status("4"), true),
    "ErrDeadline",
    GrpcCode.DeadlineExceeded,
    /Deadline/,
  ],
  [
    "a status that gRPC does not know",
    (id) => peer.headers(id, status("99"), true),
    "ErrRefused",
    GrpcCode.Internal,
    /grpc-status/,
  ],
  [
    "a status that is no number",
    (id) => peer.headers(id, status("abc"), true),
    "ErrRefused",
    GrpcCode.Internal,
    /grpc-status/,
  ],
  [
    "a grpc-message that is badly escaped",
    (id) => peer.headers(id, status("2", { "grpc-message": "50% %zz %C3" }), true),
    "ErrRefused",
    GrpcCode.Unknown,
    /50% %zz \ufffd$/,
  ],
  [
    "a status in the headers of an answer with a body",
    (id) => {
      peer.headers(id, status("9"));
      data(id, message(IMPORT), END_STREAM);
    },
    "ErrProtocol",
    GrpcCode.Internal,
    /missing status/,
  ],
  [
    "a status in headers and another one in trailers",
    (id) => {
      peer.headers(id, status("8"));
      trailers(id, { "grpc-status": "9", foo: "bar" });
    },
    "ErrRefused",
    GrpcCode.FailedPrecondition,
    /FailedPrecondition/,
  ],
  [
    "another codec",
    (id) => whole(id, message(IMPORT), { ":status": "200", "content-type": "application/grpc+json" }),
    "ErrProtocol",
    GrpcCode.Internal,
    /codec/,
  ],
  [
    "no status at all",
    (id) => {
      peer.headers(id, OK_HEADERS);
      data(id, message(IMPORT), END_STREAM);
    },
    "ErrProtocol",
    GrpcCode.Internal,
    /missing status/,
  ],
  [
    "OK without a message",
    (id) => {
      peer.headers(id, OK_HEADERS);
      trailers(id);
    },
    "ErrProtocol",
    GrpcCode.Unimplemented,
    /missing output message/,
  ],
  [
    "trailers only with OK",
    (id) => peer.headers(id, status("0"), true),
    "ErrProtocol",
    GrpcCode.Unknown,
    /missing output message/,
  ],
  [
    "two messages",
    (id) => whole(id, Buffer.concat([message(IMPORT), message(IMPORT)])),
    "ErrProtocol",
    GrpcCode.Unimplemented,
    /extra output message/,
  ],
  [
    "a cut message",
    (id) => whole(id, message(IMPORT).subarray(0, -1)),
    "ErrProtocol",
    GrpcCode.InvalidArgument,
    /incomplete envelope/,
  ],
  [
    "a message that does not parse",
    (id) => whole(id, message(Buffer.from([0xff]))),
    "ErrProtocol",
    GrpcCode.Internal,
    /parse binary/,
  ],
  [
    "a message larger than allowed",
    (id) => whole(id, message(Buffer.alloc(1001))),
    "ErrProtocol",
    GrpcCode.ResourceExhausted,
    /1001 is larger than configured readMaxBytes 1000/,
  ],
  [
    "a message that unpacks to more than allowed",
    (id) => whole(id, message(gzipSync(Buffer.alloc(100_000)), 1), { ...OK_HEADERS, "grpc-encoding": "gzip" }),
    "ErrProtocol",
    GrpcCode.ResourceExhausted,
    /readMaxBytes/,
  ],
  [
    "an encoding that we did not offer",
    (id) => whole(id, message(IMPORT, 1), { ...OK_HEADERS, "grpc-encoding": "snappy" }),
    "ErrProtocol",
    GrpcCode.Internal,
    /unsupported response encoding "snappy"/,
  ],
  [
    "a compressed message without encoding",
    (id) => whole(id, message(gzipSync(IMPORT), 1)),
    "ErrProtocol",
    GrpcCode.Internal,
    /compressed/,
  ],
  [
    "another content type",
    (id) => whole(id, message(IMPORT), { ":status": "200", "content-type": "text/html" }),
    "ErrProtocol",
    GrpcCode.Unknown,
    /unsupported content type text\/html/,
  ],
  [
    "RST_STREAM REFUSED_STREAM",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(7)),
    "ErrUnavailable",
    GrpcCode.Unavailable,
    /refused the stream/,
  ],
  [
    "RST_STREAM CANCEL",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(8)),
    "ErrUnavailable",
    GrpcCode.Canceled,
    /CANCEL/,
  ],
  [
    "RST_STREAM ENHANCE_YOUR_CALM",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(11)),
    "ErrUnavailable",
    GrpcCode.ResourceExhausted,
    /ENHANCE_YOUR_CALM/,
  ],
  [
    "RST_STREAM INADEQUATE_SECURITY",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(12)),
    "ErrProtocol",
    GrpcCode.PermissionDenied,
    /INADEQUATE_SECURITY/,
  ],
  [
    "RST_STREAM PROTOCOL_ERROR",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(1)),
    "ErrProtocol",
    GrpcCode.Internal,
    /PROTOCOL_ERROR/,
  ],
  [
    "RST_STREAM INTERNAL_ERROR",
    (id) => peer.send(T.RST_STREAM, 0, id, uint32(2)),
    "ErrUnavailable",
    GrpcCode.Internal,
    /INTERNAL_ERROR/,
  ],
];

for (const [what, script, code, grpcCode, text] of bad) {
  test(`unary: ${what}`, async () => {
    const call = failure(client.getMode({}));
    await play(script);
    const error = await call;
    assert.match(error.message, text);
    assert.equal(error.code, `Levin:Rpc:${code}`);
    assert.equal(rpcFields(error)?.grpcCode, grpcCode);
    assert.equal(rpcFields(error)?.method, "import_sstpb.ImportSST/GetMode");
    assert.match(error.message, /^Cannot call import_sstpb\.ImportSST\/GetMode at 127\.0\.0\.1:\d+: /);
  });
}

test("request headers are gRPC's", async () => {
  const headers = Promise.withResolvers<Buffer>();
  const before = peer.onFrame;
  peer.onFrame = (frame) => {
    if (frame.type === T.HEADERS) headers.resolve(frame.payload);
    return before(frame);
  };
  const call = client.getMode({}, { timeoutMs: 2500, headers: { "x-meta": "v", "x-data-bin": "AAE" } });
  await play((id) => whole(id, message(IMPORT)));
  await call;
  peer.onFrame = before;
  const text = (await headers.promise).toString("latin1");
  for (const part of [
    "/import_sstpb.ImportSST/GetMode",
    "application/grpc+proto",
    "trailers",
    "2500m",
    "x-meta",
    "AAE",
    "grpc-accept-encoding",
    `127.0.0.1:${server.port}`,
  ]) {
    assert.ok(text.includes(part), part);
  }
});

test("headers and trailers reach the caller", async () => {
  let header = "";
  let trailer = "";
  const call = client.getMode(
    {},
    {
      onHeader: (headers) => {
        header = headers.get("x-h") ?? "";
      },
      onTrailer: (headers) => {
        trailer = headers.get("x-t") ?? "";
      },
    },
  );
  await play((id) => {
    peer.headers(id, { ...OK_HEADERS, "x-h": "1" });
    data(id, message(IMPORT));
    trailers(id, { "grpc-status": "0", "x-t": "2" });
  });
  await call;
  assert.deepEqual([header, trailer], ["1", "2"]);
});

async function drain(answers: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _answer of answers) count++;
  return count;
}

test("server stream: no message, several messages, a status after messages", async () => {
  const empty = drain(client.duplicateDetect({}));
  await play((id) => {
    peer.headers(id, OK_HEADERS);
    trailers(id);
  });
  assert.equal(await empty, 0);
  const emptyTrailersOnly = drain(client.duplicateDetect({}));
  await play((id) => peer.headers(id, status("0"), true));
  assert.equal(await emptyTrailersOnly, 0);
  const several = drain(client.duplicateDetect({}));
  await play((id) => whole(id, Buffer.concat([message(Buffer.alloc(0)), message(Buffer.alloc(0))])));
  assert.equal(await several, 2);
  const failing = failure(drain(client.duplicateDetect({})));
  await play((id) => {
    peer.headers(id, OK_HEADERS);
    data(id, message(Buffer.alloc(0)));
    trailers(id, { "grpc-status": "10", "grpc-message": "try again" });
  });
  assert.equal(rpcFields(await failing)?.grpcCode, GrpcCode.Aborted);
  const cut = failure(drain(client.duplicateDetect({})));
  await play((id) => {
    peer.headers(id, OK_HEADERS);
    data(id, message(Buffer.alloc(0)), END_STREAM);
  });
  assert.match((await cut).message, /missing status/);
});

test("an empty message is a message, for every kind of call", async () => {
  const empty = (id: number) => whole(id, message(Buffer.alloc(0)));
  const unary = client.getMode({});
  await play(empty);
  assert.equal((await unary).mode, SwitchMode.Normal);
  async function* none() {}
  const upload = client.write(none());
  await play(empty);
  assert.deepEqual((await upload).metas, []);
  const download = drain(client.duplicateDetect({}));
  await play(empty);
  assert.equal(await download, 1);
  const both = drain(createClient(PD, transport).tso(none()));
  await play(empty);
  assert.equal(await both, 1);
});

test("client stream: no answer, two answers", async () => {
  async function* requests() {
    yield { chunk: { case: "meta" as const, value: {} } };
  }
  const none = failure(client.write(requests()));
  await play((id) => {
    peer.headers(id, OK_HEADERS);
    trailers(id);
  });
  assert.match((await none).message, /0 answers to a client stream, expected 1/);
  const two = failure(client.write(requests()));
  await play((id) => whole(id, Buffer.concat([message(Buffer.alloc(0)), message(Buffer.alloc(0))])));
  assert.match((await two).message, /2 answers to a client stream, expected 1/);
});
