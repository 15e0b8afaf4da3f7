import { decompressed } from "./decompress.ts";
import type { DataFile } from "./router.ts";
import { sourceError } from "./source-error.ts";
import { type ByteSource, rangeSource, type Storage, type StoredObject } from "./storage.ts";

/** Streams that are open at once; more files are read from their begin again. */
const OPEN_MAX = 4;

/** Stretch of a decompressed file, and the bytes of the stored file that it took. */
export interface Plain {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly storedBytes: number;
}

/** @throws LevinError `ErrChanged` where a file has not the size that it was planned with. */
export async function demandSize(object: StoredObject, path: string, sizeBytes: number): Promise<void> {
  if (object.sizeBytes === sizeBytes) return;
  await object.close();
  const detail = `its size was ${sizeBytes} bytes when the import was planned and is ${object.sizeBytes} now`;
  throw sourceError("Levin:Source:ErrChanged", "read", detail, { file: path, byte: 0 });
}

/** Opens a compressed file; `storedBytes` counts what was read of it. */
export async function openCounted(
  storage: Storage,
  { file, compression }: Pick<DataFile, "file" | "compression">,
): Promise<{ source: ByteSource; storedBytes(): number }> {
  const object = await storage.open(file.path);
  await demandSize(object, file.path, file.sizeBytes);
  const raw = rangeSource(object, 0, object.sizeBytes);
  let storedBytes = 0;
  const counted: ByteSource = {
    async read(into) {
      const size = await raw.read(into);
      storedBytes += size;
      return size;
    },
    close: () => raw.close(),
  };
  return { source: decompressed(counted, compression, file.path), storedBytes: () => storedBytes };
}

/**
 * A stream that keeps what was read of it until it is taken: a cutter reads ahead of the place where it cuts.
 */
export class TapedSource implements ByteSource {
  private readonly source: ByteSource;
  private readonly blocks: Uint8Array[] = [];
  /** Position of the first block's first byte. */
  private begin = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  async read(into: Uint8Array): Promise<number> {
    const size = await this.source.read(into);
    if (size > 0) this.blocks.push(into.slice(0, size));
    return size;
  }

  close(): Promise<void> {
    return this.source.close();
  }

  /** The bytes from the end of the last ones taken up to the position `end`, which was read. */
  take(end: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(end - this.begin);
    let at = 0;
    while (at < out.length) {
      const block = this.blocks[0]!;
      const size = Math.min(block.length, out.length - at);
      out.set(block.subarray(0, size), at);
      at += size;
      if (size === block.length) this.blocks.shift();
      else this.blocks[0] = block.subarray(size);
    }
    this.begin = end;
    return out;
  }
}

interface OpenStream {
  readonly source: ByteSource;
  readonly storedBytes: () => number;
  at: number;
  /** Stored bytes that earlier stretches stand for. */
  told: number;
}

/** Compressed files that are read in stretches, one behind the other: each is decompressed once as long as stretches come in order. */
export class PlainStreams {
  private readonly storage: Storage;
  private readonly open = new Map<string, OpenStream>();

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** The decompressed bytes [start, end), fewer where the file ends before. */
  async read(file: Pick<DataFile, "file" | "compression">, start: number, end: number): Promise<Plain> {
    const { path } = file.file;
    let stream = this.open.get(path);
    this.open.delete(path);
    if (stream === undefined || stream.at > start) {
      await stream?.source.close();
      stream = { ...(await openCounted(this.storage, file)), at: 0, told: 0 };
    }
    this.open.set(path, stream);
    if (this.open.size > OPEN_MAX) await this.closeOldest();
    const skip = new Uint8Array(Math.min(start - stream.at, SKIP_BYTES));
    while (stream.at < start) {
      const size = await stream.source.read(skip.subarray(0, Math.min(skip.length, start - stream.at)));
      if (size === 0) break;
      stream.at += size;
    }
    const bytes = new Uint8Array(end - start);
    let have = 0;
    while (have < bytes.length) {
      const size = await stream.source.read(bytes.subarray(have));
      if (size === 0) break;
      have += size;
    }
    stream.at += have;
    const storedBytes = stream.storedBytes() - stream.told;
    stream.told += storedBytes;
    return { bytes: have === bytes.length ? bytes : bytes.slice(0, have), storedBytes };
  }

  async close(): Promise<void> {
    while (this.open.size > 0) await this.closeOldest();
  }

  private async closeOldest(): Promise<void> {
    for (const [path, stream] of this.open) {
      this.open.delete(path);
      return stream.source.close();
    }
  }
}

const SKIP_BYTES = 256 * 1024;
