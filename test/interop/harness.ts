import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { LevinError } from "../../src/base/mod.ts";
import { openPackedWrite, type PackedWrite, type RpcTransport } from "../../src/rpc/mod.ts";

export interface Case {
  readonly name: string;
  /** Text for the report: figures, or nothing. */
  run(): Promise<string>;
}

export async function failure(promise: Promise<unknown>): Promise<LevinError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  throw new Error("expected a failure");
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** 16 MB of noise; payloads are slices of it. */
const noise = new Uint8Array(16 << 20);
let word = 1;
for (let i = 0; i < noise.length; i++) {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  noise[i] = word >>> 24;
}

const COMMIT_TS = 443_852_055_297_916_933n;

export interface Upload {
  readonly payloads: readonly Uint8Array[];
  readonly bytes: number;
  /** Of all WriteRequest messages as the server sees them. */
  readonly crc: number;
  readonly length: number;
}

function varint(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}

/** Payloads of `size` bytes, `count` of them, and what the server must say that it got: an empty meta, then the batches. */
export function planUpload(size: number, count: number): Upload {
  const payloads: Uint8Array[] = [];
  let crc = crc32(Uint8Array.of(0x0a, 0));
  let length = 2;
  const timestamp = [0x08, ...varint(COMMIT_TS)];
  for (let i = 0; i < count; i++) {
    const at = (i * 65_537) % (noise.length - size + 1);
    const payload = noise.subarray(at, at + size);
    const head = Uint8Array.from([0x12, ...varint(BigInt(timestamp.length + size)), ...timestamp]);
    payloads.push(payload);
    crc = crc32(payload, crc32(head, crc));
    length += head.length + size;
  }
  return { payloads, bytes: size * count, crc, length };
}

/** Sends the upload with two messages under way, as a region job does, and checks the answer. */
export async function sendUpload(transport: RpcTransport, upload: Upload): Promise<void> {
  const write = await openPackedWrite(transport);
  await write.sendMeta({});
  await sendAll(write, upload.payloads);
  const answer = await write.finish();
  assert.deepEqual(
    [answer.metas[0]?.crc32, answer.metas[0]?.length, answer.metas[0]?.totalKvs],
    [upload.crc, BigInt(upload.length), BigInt(upload.payloads.length + 1)],
  );
}

export async function sendAll(write: PackedWrite, payloads: Iterable<Uint8Array>): Promise<void> {
  let before: Promise<void> = Promise.resolve();
  for (const payload of payloads) {
    const now = write.sendPairs(COMMIT_TS, [payload]);
    now.catch(() => {});
    await before;
    before = now;
  }
  await before;
}

/** The same payload for ever. */
export function* endless(size: number): Generator<Uint8Array> {
  for (;;) yield noise.subarray(0, size);
}

export async function measured(bytes: number, work: () => Promise<void>): Promise<string> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perGb = (user + system) / 1e6 / (bytes / 1e9);
  return `${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${perGb.toFixed(2)} CPU s/GB`;
}
