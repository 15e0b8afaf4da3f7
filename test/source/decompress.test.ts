import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatBytes, type LevinError } from "../../src/base/mod.ts";
import { type ByteSource, type Compression, decompressed } from "../../src/source/mod.ts";
import { archive } from "./dumps.ts";

function sourceOf(bytes: Uint8Array, step: number): ByteSource {
  let at = 0;
  return {
    read: (into) => {
      const size = Math.min(into.length, step, bytes.length - at);
      into.set(bytes.subarray(at, at + size));
      at += size;
      return Promise.resolve(size);
    },
    close: () => Promise.resolve(),
  };
}

async function readAll(source: ByteSource): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(10_000);
  try {
    for (;;) {
      const size = await source.read(buffer);
      if (size === 0) return concatBytes(...parts);
      parts.push(buffer.slice(0, size));
    }
  } finally {
    await source.close();
  }
}

const open = (bytes: Uint8Array, compression: Compression, step = 7000) =>
  readAll(decompressed(sourceOf(bytes, step), compression, "db.t.sql.x"));

const text = new TextEncoder().encode(Array.from({ length: 12_000 }, (_, k) => `row ${k * 7919}\n`).join(""));
const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../data/compressed/${name}`, import.meta.url).pathname));

/** Written by zlib and by the tools lz4 (linked blocks; independent ones with checksums) and xz. */
const packed: [Compression, Uint8Array][] = [
  ["gzip", gzipSync(text)],
  ["zstd", zstdCompressSync(text)],
  ["lz4", fixture("linked.lz4")],
  ["lz4", fixture("independent.lz4")],
  ["xz", fixture("rows.xz")],
  ["xz", fixture("blocks-sha256.xz")],
  ["xz", fixture("small-dictionary.xz")],
];

test("streams are decompressed whole, members and frames one after another", async () => {
  for (const [compression, bytes] of packed) {
    assert.deepEqual(await open(bytes, compression), text, compression);
    const twice = concatBytes(bytes, bytes);
    assert.deepEqual(await open(twice, compression, 1 << 20), concatBytes(text, text), compression);
  }
  // Frames to skip, of zstd and lz4.
  const skippable = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  assert.deepEqual(await open(concatBytes(skippable, packed[1]![1], skippable), "zstd"), text);
  assert.deepEqual(await open(concatBytes(skippable, packed[2]![1]), "lz4"), text);
  assert.deepEqual(await open(concatBytes(packed[0]![1], new Uint8Array(1000)), "gzip"), text, "padding");
});

test("truncated, damaged and foreign data is an error that names file and byte", async () => {
  const junk = new TextEncoder().encode("GARBAGE ".repeat(20));
  const snappy = archive().get("sakila/dumpling-tidb-csv-snappy/sakila.film.000000000.csv.snappy")!;
  for (const [compression, bytes] of [...packed, ["snappy", snappy] as const]) {
    const broken: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      plain: text.subarray(0, 100),
      "behind the end": concatBytes(bytes, junk),
      "behind padding": concatBytes(bytes, new Uint8Array(600), junk),
    };
    if (compression !== "zstd") {
      broken["a changed byte"] = new Uint8Array(bytes);
      broken["a changed byte"][bytes.length >> 1]! ^= 0x20;
    }
    for (const size of [1, 3, 5, 9, 1000, bytes.length - 4, bytes.length - 1])
      broken[`cut at ${size}`] = bytes.subarray(0, size);
    for (const [name, data] of Object.entries(broken)) {
      await assert.rejects(
        open(data, compression),
        (thrown: LevinError) => {
          assert.equal(thrown.code, "Levin:Source:ErrCorrupt", `${compression} ${name}: ${thrown.message}`);
          assert.match(thrown.message, /^Cannot decompress "db\.t\.sql\.x": .* \(byte \d+\)$/);
          return true;
        },
        `${compression}, ${name}`,
      );
    }
  }
});

test("streams that are open at the same time do not disturb each other", async () => {
  const piece = new Uint8Array(1000);
  const open = packed.map(([compression, bytes]) => decompressed(sourceOf(bytes, 700), compression, "x"));
  let at = 0;
  for (let round = 0; round < 5; round++) {
    const sizes = await Promise.all(
      open.map(async (source) => {
        let size = 0;
        const own = new Uint8Array(1000);
        while (size < own.length) size += await source.read(own.subarray(size));
        assert.deepEqual(own, text.subarray(at, at + size));
        return size;
      }),
    );
    assert.ok(sizes.every((size) => size === piece.length));
    at += piece.length;
  }
  for (const source of open) await source.close();
});

test("a reader may stop early", async () => {
  for (const [compression, bytes] of packed) {
    const source = decompressed(sourceOf(bytes, 100), compression, "x");
    assert.ok((await source.read(new Uint8Array(10))) > 0);
    await source.close();
  }
});
