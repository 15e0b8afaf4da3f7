/**
 * Blocks in files, one file a run, next to the ordered map that keeps the runs' records. The file has its own directory at the end, so
 * that the blocks of a range are found without reading others:
 *
 *   file      := block* directory tail
 *   block     := as in layout.ts
 *   directory := (u32 block size, u32 key length, first key)*          in the order of the blocks, which lie side by side
 *   tail      := u32 CRC-32 of directory, u32 blocks, u64 offset of directory, "levinrun"
 *
 * All numbers are big-endian. The name is the run id in eight hex digits with the suffix `.run`.
 */
import { crc32 } from "node:zlib";
import {
  type AppendFile,
  assert,
  compareBytes,
  concatBytes,
  type Files,
  joinBytes,
  joinPath,
  LevinError,
  type ReadFile,
  systemWords,
  utf8,
} from "../base/mod.ts";
import type {
  BlockReader,
  BlockReadOptions,
  BlockStore,
  BlockWriter,
  KeyBounds,
  NewBlock,
  StoredBlock,
} from "./block-store.ts";

const SUFFIX = ".run";
const MAGIC = utf8("levinrun");
const TAIL_BYTES = 24;
/** Files kept open beyond those that are being read, where nothing else is said. */
const IDLE_FILES_MAX = 64;

interface BlockPlace {
  firstKey: Uint8Array;
  offset: number;
  size: number;
}

interface LoadedRun {
  file: ReadFile;
  places: BlockPlace[];
  /** The block that `readLast` read last: where ranges are small, the next ranges lie in it too. */
  last?: StoredBlock;
}

interface OpenRun {
  loaded: Promise<LoadedRun>;
  /** Those that wait for the file to be open are among them, so that nobody closes it under them. */
  readers: number;
}

export class FileBlockStore implements BlockStore {
  readonly #dir: string;
  readonly #files: Files;
  readonly #engineName: string;
  readonly #idleFilesMax: number;
  readonly #open = new Map<number, OpenRun>();

  constructor(dir: string, files: Files, engineName: string, idleFilesMax = IDLE_FILES_MAX) {
    this.#dir = dir;
    this.#files = files;
    this.#engineName = engineName;
    this.#idleFilesMax = idleFilesMax;
  }

  async write(runId: number): Promise<BlockWriter> {
    const path = this.#pathOf(runId);
    return named(path, async () => {
      await this.#files.makeDir(this.#dir);
      await this.#files.remove(path);
      return new FileBlockWriter(path, await this.#files.openAppend(path), () => this.#files.syncDir(this.#dir));
    });
  }

  async read(runId: number, options: BlockReadOptions): Promise<BlockReader> {
    const run = this.#acquire(runId);
    const release = (): Promise<void> => this.#release(runId, run);
    try {
      return new FileBlockReader(this.#pathOf(runId), await run.loaded, options, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  async readLast(runId: number, end: Uint8Array | undefined): Promise<StoredBlock | undefined> {
    const run = this.#acquire(runId);
    try {
      const loaded = await run.loaded;
      const { file, places } = loaded;
      const ordinal = (end === undefined ? places.length : lowerBound(places, end)) - 1;
      const place = places[ordinal];
      if (place === undefined || loaded.last?.ordinal === ordinal) return place && loaded.last;
      const value = new Uint8Array(place.size);
      await named(this.#pathOf(runId), () => file.readAt(value, place.offset));
      loaded.last = { ordinal, value };
      return loaded.last;
    } finally {
      await this.#release(runId, run);
    }
  }

  async runIds(): Promise<number[]> {
    const names = await named(this.#dir, () => this.#files.list(this.#dir));
    return names.filter((name) => name.endsWith(SUFFIX)).map((name) => Number.parseInt(name, 16));
  }

  async remove(runId: number): Promise<void> {
    await this.#closeRun(runId);
    await named(this.#pathOf(runId), () => this.#files.remove(this.#pathOf(runId)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((runId) => this.#closeRun(runId)));
  }

  #pathOf(runId: number): string {
    return joinPath(this.#dir, `${runId.toString(16).padStart(8, "0")}${SUFFIX}`);
  }

  #acquire(runId: number): OpenRun {
    let run = this.#open.get(runId);
    if (run === undefined) {
      run = { loaded: named(this.#pathOf(runId), () => this.#load(runId)), readers: 0 };
      this.#open.set(runId, run);
      run.loaded.catch(() => this.#open.delete(runId));
    }
    run.readers++;
    return run;
  }

  async #load(runId: number): Promise<LoadedRun> {
    const file = await this.#files.openRead(this.#pathOf(runId));
    if (file === undefined) throw this.#corrupt(runId, "its file is missing");
    try {
      const size = await file.size();
      const tail = new Uint8Array(TAIL_BYTES);
      if (size < TAIL_BYTES || (await file.readAt(tail, size - TAIL_BYTES)) < TAIL_BYTES) {
        throw this.#corrupt(runId, "its file is cut off");
      }
      const places = await readDirectory(file, size, tail);
      if (places === undefined) throw this.#corrupt(runId, "the directory of its file is damaged");
      return { file, places };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #release(runId: number, run: OpenRun): Promise<void> {
    run.readers--;
    // One that could not be opened is no longer there, and another may stand in its place.
    const isOpen = this.#open.get(runId) === run;
    if (isOpen && run.readers === 0 && this.#open.size > this.#idleFilesMax) await this.#closeRun(runId);
  }

  async #closeRun(runId: number): Promise<void> {
    const run = this.#open.get(runId);
    if (run === undefined) return;
    assert(run.readers === 0, "a run is not removed or closed while it is read");
    this.#open.delete(runId);
    await (await run.loaded).file.close();
  }

  #corrupt(runId: number, detail: string): LevinError {
    const text = `Cannot read engine "${this.#engineName}": run ${runId} is damaged: ${detail} ("${this.#pathOf(runId)}")`;
    return new LevinError("Levin:Engine:ErrCorrupt", text, { fields: { engine: this.#engineName, run: runId } });
  }
}

class FileBlockWriter implements BlockWriter {
  readonly #path: string;
  readonly #file: AppendFile;
  readonly #syncDir: () => Promise<void>;
  readonly #directory: Uint8Array[] = [];
  #size = 0;
  /** Appends go one after the other: their order is the file's. */
  #tail: Promise<void> = Promise.resolve();

  constructor(path: string, file: AppendFile, syncDir: () => Promise<void>) {
    this.#path = path;
    this.#file = file;
    this.#syncDir = syncDir;
  }

  put(blocks: readonly NewBlock[]): Promise<void> {
    const first = blocks[0]!.value;
    let size = 0;
    for (const { firstKey, value } of blocks) {
      assert(value.byteOffset === first.byteOffset + size, "blocks that are stored together lie side by side");
      const head = new Uint8Array(8);
      new DataView(head.buffer).setUint32(0, value.length);
      new DataView(head.buffer).setUint32(4, firstKey.length);
      this.#directory.push(concatBytes(head, firstKey));
      size += value.length;
    }
    this.#size += size;
    const bytes = new Uint8Array(first.buffer, first.byteOffset, size);
    this.#tail = this.#tail.then(() => named(this.#path, () => this.#file.append(bytes)));
    return this.#tail;
  }

  async finish(): Promise<void> {
    await this.#tail;
    const directory = joinBytes(this.#directory);
    const tail = new Uint8Array(TAIL_BYTES);
    const view = new DataView(tail.buffer);
    view.setUint32(0, crc32(directory));
    view.setUint32(4, this.#directory.length);
    view.setBigUint64(8, BigInt(this.#size));
    tail.set(MAGIC, 16);
    await named(this.#path, async () => {
      await this.#file.append(concatBytes(directory, tail));
      await this.#file.sync();
      await this.#file.close();
      await this.#syncDir();
    });
  }

  async abandon(): Promise<void> {
    await this.#tail.catch(() => {});
    await this.#file.close().catch(() => {});
  }
}

/** Reads blocks that lie side by side with one operation. */
class FileBlockReader implements BlockReader {
  readonly firstOrdinal: number;
  readonly endOrdinal: number;
  readonly #path: string;
  readonly #run: LoadedRun;
  readonly #options: BlockReadOptions;
  #release: (() => Promise<void>) | undefined;
  #next: number;
  /** Used in turn: one is being filled while the other is being consumed. */
  readonly #buffers: (Uint8Array | undefined)[] = [undefined, undefined];
  #turn = 0;

  constructor(path: string, run: LoadedRun, options: BlockReadOptions, release: () => Promise<void>) {
    const [first, behind] = placesIn(run.places, options.bounds);
    this.#path = path;
    this.#run = run;
    this.firstOrdinal = first;
    this.#next = first;
    this.endOrdinal = behind;
    this.#options = options;
    this.#release = release;
  }

  async read(): Promise<StoredBlock[]> {
    const first = this.#next;
    const places = this.#run.places;
    if (first >= this.endOrdinal) return [];
    if (this.#run.last?.ordinal === first) {
      this.#next++;
      return [this.#run.last];
    }
    const at = places[first]!.offset;
    let size = 0;
    while (this.#next < this.endOrdinal) {
      const place = places[this.#next]!;
      if (size > 0 && size + place.size > this.#options.readBytes) break;
      size += place.size;
      this.#next++;
    }
    const bytes = this.#buffer(size).subarray(0, size);
    const got = await named(this.#path, () => this.#run.file.readAt(bytes, at));
    // What is missing at the end of a file that was cut reads as zeros, which no checksum fits.
    bytes.fill(0, got);
    return places.slice(first, this.#next).map((place, i) => ({
      ordinal: first + i,
      value: bytes.subarray(place.offset - at, place.offset - at + place.size),
    }));
  }

  async close(): Promise<void> {
    const release = this.#release;
    if (release === undefined) return;
    this.#release = undefined;
    for (const buffer of this.#buffers) if (buffer !== undefined) this.#options.buffers.give(buffer);
    await release();
  }

  #buffer(size: number): Uint8Array {
    this.#turn = (this.#turn + 1) % this.#buffers.length;
    let buffer = this.#buffers[this.#turn];
    if (buffer === undefined || buffer.length < size) {
      const { buffers, readBytes } = this.#options;
      if (buffer !== undefined) buffers.give(buffer);
      buffer = buffers.take(Math.max(size, readBytes));
      this.#buffers[this.#turn] = buffer;
    }
    return buffer;
  }
}

async function readDirectory(file: ReadFile, size: number, tail: Uint8Array): Promise<BlockPlace[] | undefined> {
  const tailView = new DataView(tail.buffer);
  const directoryAt = Number(tailView.getBigUint64(8));
  const length = size - TAIL_BYTES - directoryAt;
  if (compareBytes(tail.subarray(16), MAGIC) !== 0 || length < 0 || length > size) return undefined;
  const directory = new Uint8Array(length);
  if ((await file.readAt(directory, directoryAt)) < length || crc32(directory) !== tailView.getUint32(0))
    return undefined;
  const view = new DataView(directory.buffer);
  const places: BlockPlace[] = [];
  let offset = 0;
  for (let at = 0; at < length; ) {
    const blockSize = view.getUint32(at);
    const keyEnd = at + 8 + view.getUint32(at + 4);
    places.push({ firstKey: directory.subarray(at + 8, keyEnd), offset, size: blockSize });
    offset += blockSize;
    at = keyEnd;
  }
  return places.length === tailView.getUint32(4) ? places : undefined;
}

/** Blocks that may hold keys of the range: from the last that begins before it to the last that begins in it. */
function placesIn(places: readonly BlockPlace[], { start, end }: KeyBounds): [first: number, behind: number] {
  const first = start === undefined ? 0 : Math.max(0, lowerBound(places, start) - 1);
  return [first, end === undefined ? places.length : lowerBound(places, end)];
}

/** Index of the first block whose first key is not below `key`. */
function lowerBound(places: readonly BlockPlace[], key: Uint8Array): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(places[middle]!.firstKey, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Errors of the file system as `Levin:Engine:ErrDisk`, with the path. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LevinError) throw error;
    throw new LevinError("Levin:Engine:ErrDisk", `Cannot use "${path}": ${systemWords(error)}`, {
      cause: error,
      fields: { path },
    });
  }
}
