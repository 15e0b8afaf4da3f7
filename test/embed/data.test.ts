import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compareBytes, type Random, seededRandom } from "../../src/base/mod.ts";
import { frontStorage } from "../../src/embed/mod.ts";
import {
  Cluster,
  type ClusterOptions,
  Crc64,
  encodeKey,
  fileBlocks,
  smallBlocksIn,
} from "../../src/embed/state/mod.ts";
import { checksumRange } from "../../src/embed/tikv/mod.ts";
import { memoryKvDb, openLevelKvDb } from "../../src/kvdb/mod.ts";
import { freshUuid, type Pair, packBatch, rowKey, TestClock } from "./support.ts";

const toHex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

interface Version {
  ts: bigint;
  value: Uint8Array | undefined;
}

/** All versions of all keys, the newest last; what the cluster must show is worked out naively. */
class Oracle {
  readonly versions = new Map<string, Version[]>();

  put(key: Uint8Array, ts: bigint, value: Uint8Array | undefined): void {
    const list = this.versions.get(toHex(key)) ?? [];
    this.versions.set(toHex(key), [...list.filter((version) => version.ts !== ts), { ts, value }]);
  }

  destroy(start: Uint8Array, end: Uint8Array): void {
    for (const hex of this.versions.keys()) {
      const key = fromHex(hex);
      if (compareBytes(key, start) >= 0 && compareBytes(key, end) < 0) this.versions.delete(hex);
    }
  }

  visible(start: Uint8Array, end: Uint8Array, ts: bigint): [string, string][] {
    const out: [string, string][] = [];
    for (const hex of [...this.versions.keys()].sort()) {
      const key = fromHex(hex);
      if (compareBytes(key, start) < 0 || compareBytes(key, end) >= 0) continue;
      const seen = this.versions.get(hex)!.filter((version) => version.ts <= ts);
      const newest = seen.reduce<Version | undefined>(
        (best, v) => (best === undefined || v.ts > best.ts ? v : best),
        undefined,
      );
      if (newest?.value !== undefined) out.push([hex, toHex(newest.value)]);
    }
    return out;
  }
}

const pick = (random: Random, below: number) => Math.floor(random.next() * below);

function value(random: Random): Uint8Array {
  const out = new Uint8Array(random.next() < 0.01 ? 140_000 : 1 + pick(random, 40));
  random.fill(out.subarray(0, Math.min(out.length, 8)) as Uint8Array<ArrayBuffer>);
  return out;
}

/** Ascending rows of table 1, some of them. */
function someRows(random: Random, count: number): Pair[] {
  const handles = new Set<number>();
  const from = pick(random, 300);
  while (handles.size < count) handles.add(from + pick(random, count * 3));
  return [...handles].sort((a, b) => a - b).map((handle): Pair => [rowKey(1, handle), value(random)]);
}

async function ingest(cluster: Cluster, pairs: readonly Pair[], ts: bigint): Promise<void> {
  const region = cluster.regions.all()[0]!;
  const { confVer, version } = region;
  const storeId = region.peers[0]!.storeId;
  const upload = await cluster.uploads.begin({ storeId, uuid: freshUuid(), regionId: region.id, confVer, version });
  const half = pairs.length >> 1;
  await upload.add(packBatch(ts, pairs.slice(0, half)));
  await upload.add(packBatch(ts, pairs.slice(half)));
  await upload.finish();
  await cluster.ingest(upload.file);
}

async function compare(cluster: Cluster, oracle: Oracle, random: Random, times: readonly bigint[]): Promise<void> {
  const ts = times[pick(random, times.length)]!;
  const [a, b] = [pick(random, 400), pick(random, 400)];
  const [start, end] = [rowKey(1, Math.min(a, b)), rowKey(1, Math.max(a, b) + 1)];
  const want = oracle.visible(start, end, ts);
  const shown = (pairs: { key: Uint8Array; value: Uint8Array }[]) => pairs.map((p) => [toHex(p.key), toHex(p.value)]);
  assert.deepEqual(shown(await cluster.reader.scan(start, end, ts)), want);
  const limit = 1 + pick(random, 20);
  assert.deepEqual(shown(await cluster.reader.scan(start, end, ts, { limit })), want.slice(0, limit));
  const back = await cluster.reader.scan(start, end, ts, { limit, reverse: true });
  assert.deepEqual(shown(back), want.toReversed().slice(0, limit));
  const key = rowKey(1, pick(random, 400));
  const found = await cluster.mvcc.get(key, ts);
  const single = oracle.visible(key, rowKey(1, 100_000), ts).find(([hex]) => hex === toHex(key));
  assert.equal(found === undefined ? undefined : toHex(found.value), single?.[1]);
  const sum = await checksumRange(cluster, { start, end }, ts);
  let crc = 0n;
  let bytes = 0;
  for (const [k, v] of want) {
    const digest = new Crc64();
    const whole = fromHex(k + v);
    digest.update(whole, 0, whole.length);
    crc ^= digest.value();
    bytes += whole.length;
  }
  assert.deepEqual([sum.crc64Xor, sum.kvs, sum.bytes], [crc, BigInt(want.length), BigInt(bytes)]);
}

async function openOn(dir: string, options: ClusterOptions, onlyFiles = false): Promise<Cluster> {
  const db = await openLevelKvDb(join(dir, "cluster"));
  const files = await fileBlocks(join(dir, "sst"));
  return Cluster.open(db, options, onlyFiles ? files : smallBlocksIn(db, files));
}

test("data: reads see what a naive model sees, also after restarts", async () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const clock = new TestClock();
    const dir = mkdtempSync(join(tmpdir(), "levin-embed-"));
    try {
      // The second one begins as sandboxes did that kept all blocks in files.
      let cluster = await openOn(dir, { clock, random }, seed === 2);
      const oracle = new Oracle();
      const times: bigint[] = [await cluster.tso.next()];
      for (let step = 0; step < 45; step++) {
        const ts = await cluster.tso.next();
        assert.ok(ts > times[times.length - 1]!, "timestamps grow over restarts");
        times.push(ts);
        const kind = random.next();
        if (kind < 0.35) {
          const pairs = someRows(random, 5 + pick(random, 60));
          await ingest(cluster, pairs, ts);
          for (const [key, bytes] of pairs) oracle.put(key, ts, bytes);
        } else if (kind < 0.45) {
          // The same timestamp again, as when a region is written a second time.
          const pairs = someRows(random, 20);
          await ingest(cluster, pairs, ts);
          await ingest(cluster, pairs, ts);
          for (const [key, bytes] of pairs) oracle.put(key, ts, bytes);
        } else if (kind < 0.75) {
          const pairs = someRows(random, 1 + pick(random, 10)).map(([key, bytes]) => {
            return { key, value: random.next() < 0.3 ? undefined : bytes };
          });
          await cluster.mvcc.write(pairs, ts - 1n, ts);
          for (const { key, value: bytes } of pairs) oracle.put(key, ts, bytes);
        } else if (kind < 0.82) {
          const from = pick(random, 300);
          const [start, end] = [rowKey(1, from), rowKey(1, from + pick(random, 100))];
          await cluster.destroyRange(start, end);
          oracle.destroy(start, end);
        } else if (kind < 0.9) {
          await cluster.close();
          clock.now += pick(random, 5000);
          cluster = await openOn(dir, { clock, random });
        }
        await compare(cluster, oracle, random, times);
      }
      await cluster.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
});

test("data: versions of repeated keys, newest first", async () => {
  const cluster = await Cluster.open(memoryKvDb(), { clock: new TestClock(), random: seededRandom(5) });
  const first = await cluster.tso.next();
  const second = await cluster.tso.next();
  const pair = (handle: number, text: string): Pair => [rowKey(1, handle), new TextEncoder().encode(text)];
  await ingest(cluster, [pair(1, "a"), pair(2, "b"), pair(3, "c")], first);
  await ingest(cluster, [pair(2, "bb"), pair(4, "d")], second);
  const groups: string[][] = [];
  for await (const group of cluster.reader.repeated(rowKey(1, 0), undefined, 0n)) {
    groups.push(group.map(({ value: bytes, commitTs }) => `${new TextDecoder().decode(bytes)} ${commitTs}`));
  }
  assert.deepEqual(groups, [[`bb ${second}`, `b ${first}`]]);
  await cluster.close();
});

test("data: the front's view pages through many rows", async () => {
  const cluster = await Cluster.open(memoryKvDb(), { clock: new TestClock(), random: seededRandom(6) });
  const ts = await cluster.tso.next();
  const pairs: Pair[] = [];
  for (let i = 0; i < 3000; i++) pairs.push([rowKey(1, i), new Uint8Array([1, i & 255])]);
  await ingest(cluster, pairs, ts);
  let seen = 0;
  for await (const piece of frontStorage(cluster).scan(rowKey(1, 0), rowKey(1, 2500), ts)) {
    for (const { key } of piece) assert.deepEqual(key, pairs[seen++]![0]);
  }
  assert.equal(seen, 2500);
  await cluster.close();
});

test("data: files of unfinished streams leave nothing behind", async () => {
  const dir = mkdtempSync(join(tmpdir(), "levin-embed-"));
  try {
    const options = { clock: new TestClock(), random: seededRandom(7) };
    let cluster = await openOn(dir, options);
    const region = cluster.regions.all()[0]!;
    const target = {
      storeId: region.peers[0]!.storeId,
      uuid: freshUuid(),
      regionId: region.id,
      confVer: 1n,
      version: 1n,
    };
    const ts = await cluster.tso.next();
    const big: Pair[] = [1, 2, 3].map((handle) => [rowKey(1, handle), new Uint8Array(300_000).fill(7)]);
    await (await cluster.uploads.begin(target)).add(packBatch(ts, big));
    const kept = await cluster.uploads.begin({ ...target, uuid: freshUuid() });
    await kept.add(packBatch(ts, big));
    await kept.finish();
    await cluster.close();
    assert.equal(readdirSync(join(dir, "sst")).length, 2);
    cluster = await openOn(dir, options);
    assert.deepEqual(readdirSync(join(dir, "sst")), [`${kept.file.id}.sst`]);
    await cluster.ingest(cluster.uploads.byName(kept.file.name)!);
    assert.equal((await cluster.mvcc.get(rowKey(1, 3), ts))!.value.length, 300_000);
    await assert.rejects(cluster.uploads.begin(target), /was used before/);
    await cluster.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("data: files whose region moved on are removed after ten minutes", async () => {
  const clock = new TestClock();
  const cluster = await Cluster.open(memoryKvDb(), { clock, random: seededRandom(8) });
  const region = cluster.regions.all()[0]!;
  const target = { storeId: region.peers[0]!.storeId, regionId: region.id, confVer: 1n };
  const ts = await cluster.tso.next();
  for (const version of [1n, 2n]) {
    const upload = await cluster.uploads.begin({ ...target, version, uuid: freshUuid() });
    await upload.add(packBatch(ts, [[rowKey(1, 1), new Uint8Array([1])]]));
    await upload.finish();
  }
  await cluster.placement.split(region, [encodeKey(rowKey(5, 5))]);
  await cluster.sweepStaleFiles();
  assert.equal(cluster.uploads.all().length, 2);
  clock.now += 600_000;
  await cluster.sweepStaleFiles();
  assert.deepEqual(
    cluster.uploads.all().map(({ version }) => version),
    [2n],
  );
  await cluster.close();
});
