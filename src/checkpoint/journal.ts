/**
 * The journal: what a job has done, append-only.
 *
 *   journal := magic record*
 *   magic   := "levin-journal-1\n"                      16 bytes
 *   record  := length u32 LE ‖ crc32 u32 LE ‖ payload    crc over the payload (IEEE), payload = UTF-8 JSON of `length` bytes
 *
 * A torn last record (a crash in the middle of an append) is cut off on open. A damaged record with good ones behind it is an
 * error: something else than a crash wrote there. 64-bit integers are decimal strings inside the JSON.
 */

import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { type AppendFile, assert, type Files, LevinError, utf8 } from "../base/mod.ts";

const MAGIC = utf8("levin-journal-1\n");
const HEADER_SIZE = 8;
/** One record may not be larger: a length beyond it is damage, not data. */
const RECORD_SIZE_MAX = 256 << 20;

export interface Journal<T> {
  /** Appends; with `sync` the record and all before it are on disk when it resolves. Calls are put in order. */
  append(record: T, options?: { sync?: boolean }): Promise<void>;
  close(): Promise<void>;
}

function stateError(path: string, cause: unknown, action: string): LevinError {
  const error = cause as { code?: string; message?: string };
  return new LevinError(
    "Levin:State:ErrDisk",
    `Cannot ${action} the journal "${path}": ${error.message ?? String(cause)}`,
    {
      cause,
      fields: { path, cause: error.code },
    },
  );
}

interface Scan<T> {
  records: T[];
  /** Bytes that are good; the rest is torn. */
  goodSize: number;
}

function scan<T>(bytes: Uint8Array, path: string): Scan<T> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < Math.min(MAGIC.length, bytes.length); i++) {
    if (bytes[i] !== MAGIC[i]) {
      throw new LevinError(
        "Levin:State:ErrFormat",
        `Cannot read the journal "${path}": it is not a journal of format 1`,
      );
    }
  }
  if (bytes.length < MAGIC.length) return { records: [], goodSize: 0 };
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const records: T[] = [];
  let at = MAGIC.length;
  while (at + HEADER_SIZE <= bytes.length) {
    const length = view.getUint32(at, true);
    const end = at + HEADER_SIZE + length;
    if (length > RECORD_SIZE_MAX || end > bytes.length) break;
    const payload = bytes.subarray(at + HEADER_SIZE, end);
    if (crc32(payload) !== view.getUint32(at + 4, true)) {
      if (end >= bytes.length) break;
      throw new LevinError(
        "Levin:State:ErrFormat",
        `Cannot read the journal "${path}": the record at byte ${at} is damaged and is not the last one`,
      );
    }
    records.push(JSON.parse(decoder.decode(payload)) as T);
    at = end;
  }
  return { records, goodSize: at };
}

/** Records of a journal without opening it for writing (`levin status`); [] when there is none. */
export async function readJournal<T>(files: Files, path: string): Promise<T[]> {
  const bytes = await files.read(path);
  return bytes === undefined ? [] : scan<T>(bytes, path).records;
}

/** Opens or creates a journal; gives what it holds and the handle to append. The caller holds the job's lock. */
export async function openJournal<T>(files: Files, path: string): Promise<{ records: T[]; journal: Journal<T> }> {
  let opened: AppendFile | undefined;
  let records: T[] = [];
  try {
    const bytes = await files.read(path);
    const found: Scan<T> = bytes === undefined ? { records: [], goodSize: 0 } : scan(bytes, path);
    records = found.records;
    if (bytes !== undefined && found.goodSize < bytes.length) await files.truncate(path, found.goodSize);
    opened = await files.openAppend(path);
    if (found.goodSize === 0) await opened.append(MAGIC);
    // Also of a journal that is there already: who made it may have died before its name was on disk, and a power cut would take the
    // name, and with it all that is recorded from here on.
    await opened.sync();
    await files.syncDir(dirname(path));
  } catch (error) {
    await opened?.close().catch(() => undefined);
    throw error instanceof LevinError ? error : stateError(path, error, "open");
  }
  const file = opened;
  let tail: Promise<void> = Promise.resolve();
  let failed: unknown;
  let closed = false;
  return {
    records,
    journal: {
      append(record, options) {
        assert(!closed, "a closed journal is not appended to");
        const payload = utf8(JSON.stringify(record));
        const framed = new Uint8Array(HEADER_SIZE + payload.length);
        const view = new DataView(framed.buffer);
        view.setUint32(0, payload.length, true);
        view.setUint32(4, crc32(payload), true);
        framed.set(payload, HEADER_SIZE);
        const next = tail.then(async () => {
          // After a failed append the file's end is unknown: nothing may follow until it is opened again.
          if (failed !== undefined) throw failed;
          try {
            await file.append(framed);
            if (options?.sync) await file.sync();
          } catch (error) {
            failed = stateError(path, error, "write");
            throw failed;
          }
        });
        tail = next.catch(() => undefined);
        return next;
      },
      async close() {
        if (closed) return;
        closed = true;
        await tail;
        try {
          await file.sync();
        } finally {
          await file.close();
        }
      },
    },
  };
}
