import assert from "node:assert/strict";
import { test } from "node:test";
import { IncomingBody } from "../../src/rpc/incoming-body.ts";
import { ServerMessages } from "../../src/rpc/server-messages.ts";

const WINDOW_BYTES = 1 << 30;

function openBody(): IncomingBody {
  return new IncomingBody(1, WINDOW_BYTES, () => {});
}

/** What is read of it, piece by piece. */
async function* piecesOf(body: IncomingBody): AsyncGenerator<Uint8Array> {
  for (let piece = await body.read(); piece !== undefined; piece = await body.read()) yield piece;
}

function head(size: number): Uint8Array {
  const out = new Uint8Array(5);
  new DataView(out.buffer).setUint32(1, size);
  return out;
}

test("server messages: whole, cut anywhere, long after short and short after long", async () => {
  const short = [0, 3, 300, 1, 2, 299];
  const long = [0, 3, 70_000, 1, 400_000, 65_536, 65_537];
  const cases = [
    [short, 1] as const,
    [short, 4] as const,
    ...[97, 1000, 65_536, 1e9].map((step) => [long, step] as const),
  ];
  for (const [sizes, step] of cases) {
    const bytes = Buffer.concat(sizes.flatMap((size, i) => [head(size), new Uint8Array(size).fill(i)]));
    const body = openBody();
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step);
      body.onData(piece, piece.length);
    }
    body.onEnd();
    const seen: number[] = [];
    for await (const message of new ServerMessages(piecesOf(body))) {
      assert.ok(message.every((byte) => byte === seen.length));
      seen.push(message.length);
    }
    assert.deepEqual(seen, sizes, `pieces of ${step} bytes`);
  }
});

test("server messages: memory grows with what came, not with what a head promises", async () => {
  const body = openBody();
  body.onData(Buffer.concat([head(256 << 20), new Uint8Array(1000)]), 1005);
  body.onData(new Uint8Array(100_000), 100_000);
  body.onEnd();
  const made: number[] = [];
  const plain = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(plain, {
    construct(target, args) {
      if (typeof args[0] === "number") made.push(args[0]);
      return Reflect.construct(target, args);
    },
  });
  try {
    await assert.rejects(new ServerMessages(piecesOf(body))[Symbol.asyncIterator]().next(), /incomplete envelope/);
  } finally {
    globalThis.Uint8Array = plain;
  }
  assert.ok(made.includes(64 << 10), `${made}`);
  assert.ok(Math.max(...made) <= 256 << 10, `${made}`);
});
