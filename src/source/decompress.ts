import { once } from "node:events";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { assertNever, LevinError } from "../base/mod.ts";
import { BlockCursor, corrupt } from "./block-cursor.ts";
import type { Compression } from "./file-name.ts";
import { lz4Blocks } from "./lz4.ts";
import { snappyBlocks } from "./snappy.ts";
import type { ByteSource } from "./storage.ts";
import { xzBlocks } from "./xz.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** Compressed bytes handed to a decoder, and decoded bytes taken from it, at once. */
const BLOCK_BYTES = 256 * 1024;

/**
 * The decompressed bytes of a file. Decoding runs in node:zlib's threads, ahead of the reader by a few blocks.
 * A truncated or damaged stream and bytes behind its end are `Levin:Source:ErrCorrupt` naming file and compressed byte.
 */
export function decompressed(raw: ByteSource, compression: Compression, file: string): ByteSource {
  switch (compression) {
    case "none":
      return raw;
    case "gzip":
      return pulled(raw, gunzipped(raw, file));
    case "zstd":
      return pulled(raw, unzstandard(raw, file));
    case "snappy":
      return pulled(raw, snappyBlocks(new BlockCursor(blocksOf(raw), file, "snappy")));
    case "lz4":
      return pulled(raw, lz4Blocks(new BlockCursor(blocksOf(raw), file, "lz4")));
    case "xz":
      return pulled(raw, xzBlocks(new BlockCursor(blocksOf(raw), file, "xz")));
    default:
      assertNever(compression, "compression");
  }
}

/** A stream of blocks as a source that is pulled. */
function pulled(raw: ByteSource, blocks: AsyncGenerator<Uint8Array>): ByteSource {
  let block: Uint8Array = new Uint8Array(0);
  let at = 0;
  return {
    async read(into) {
      while (at >= block.length) {
        const next = await blocks.next();
        if (next.done === true) return 0;
        block = next.value;
        at = 0;
      }
      const size = Math.min(into.length, block.length - at);
      into.set(block.subarray(at, at + size));
      at += size;
      return size;
    },
    async close() {
      await blocks.return(undefined);
      await raw.close();
    },
  };
}

/** All members of a gzip file; zero bytes behind the last one are padding (tar, tape), anything else is damage. */
async function* gunzipped(raw: ByteSource, file: string): AsyncGenerator<Uint8Array> {
  const decoder = createGunzip({ chunkSize: BLOCK_BYTES });
  let size = 0;
  /** Input from `tailStart` on, kept only while it may be padding. */
  let zerosFrom = 0;
  async function* inputs(): AsyncGenerator<Uint8Array> {
    for await (const block of blocksOf(raw)) {
      let end = block.length;
      while (end > 0 && block[end - 1] === 0) end--;
      if (end > 0) zerosFrom = size + end;
      size += block.length;
      yield block;
    }
    if (size === 0) throw corrupt(file, "gzip: the file is empty", 0);
  }
  try {
    yield* throughDecoder(decoder, inputs());
  } catch (thrown) {
    if (thrown instanceof LevinError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw corrupt(file, `gzip: ${why}`, decoder.bytesWritten, thrown);
  }
  if (decoder.bytesWritten < zerosFrom) {
    throw corrupt(file, "gzip: there are bytes behind the end", decoder.bytesWritten);
  }
}

/**
 * All frames of a zstd file. node:zlib gives no error where a frame is cut short, and on Deno knows one frame only; so the
 * frames are told apart here and each gets its own decoder.
 */
async function* unzstandard(raw: ByteSource, file: string): AsyncGenerator<Uint8Array> {
  const cursor = new BlockCursor(blocksOf(raw), file, "zstd");
  const frames = new ZstdFrames(cursor);
  while (await frames.begin()) {
    const from = cursor.position;
    try {
      yield* throughDecoder(createZstdDecompress({ chunkSize: BLOCK_BYTES }), frames.frame());
    } catch (thrown) {
      if (thrown instanceof LevinError) throw thrown;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw corrupt(file, `zstd: ${why}`, from, thrown);
    }
  }
  if (cursor.position === 0) throw cursor.damage("the file is empty");
}

/** What a decoder makes of the inputs. Errors of either side end both. */
async function* throughDecoder(decoder: Transform, inputs: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let failed: unknown;
  const pump = (async () => {
    for await (const block of inputs) {
      if (decoder.destroyed) return;
      if (!decoder.write(block)) await once(decoder, "drain");
    }
    decoder.end();
  })().catch((thrown: unknown) => {
    failed ??= thrown;
    decoder.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
  });
  try {
    for await (const block of decoder) yield block as Uint8Array;
  } catch (thrown) {
    throw failed ?? thrown;
  } finally {
    decoder.destroy();
  }
  await pump;
  if (failed !== undefined) throw failed;
}

/** The source in blocks of their own, which may be kept. */
async function* blocksOf(raw: ByteSource): AsyncGenerator<Uint8Array> {
  for (;;) {
    const block = new Uint8Array(BLOCK_BYTES);
    const size = await raw.read(block);
    if (size === 0) return;
    yield size === block.length ? block : block.subarray(0, size);
  }
}
