/** Seeded KV pairs in the shapes that a table makes, put into a sink without an object per pair. */
import { seededRandom } from "../../../src/base/mod.ts";
import type { PairSink } from "../../../src/codec/mod.ts";

export type PairShape = "record-ordered" | "record-random" | "index-int" | "index-text";

export interface PairMaker {
  /** Puts the next pair; returns bytes of key and value. */
  next(sink: PairSink): number;
}

/** Pairs of about 100 bytes (records) or 45 to 60 bytes (index entries). */
export function pairMaker(shape: PairShape, seed: number): PairMaker {
  const random = seededRandom(seed);
  const word = () => Math.floor(random.next() * 0x1_0000_0000);
  const key = new Uint8Array(64);
  const view = new DataView(key.buffer);
  const value = new Uint8Array(96);
  random.fill(value);
  key.set([0x74, 0x80, 0, 0, 0, 0, 0, 0, 0x6c, 0x5f, shape.startsWith("record") ? 0x72 : 0x69, 0x80]);
  let row = 0;
  let valueAt = 0;
  const record = (ordered: boolean) => (sink: PairSink) => {
    row++;
    view.setUint32(15, ordered ? row : word());
    value[valueAt++ % 80] = row;
    sink.put(key, 19, value, 81);
    return 100;
  };
  const index = (keyLength: number, fill: () => void) => (sink: PairSink) => {
    row++;
    fill();
    view.setUint32(keyLength - 4, row);
    sink.put(key, keyLength, value, 1);
    return keyLength + 1;
  };
  switch (shape) {
    case "record-ordered":
      return { next: record(true) };
    case "record-random":
      return { next: record(false) };
    case "index-int":
      // Index id, a comparable int, the handle.
      key.set([1, 0x03, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x03, 0x80], 18);
      return { next: index(37, () => view.setUint32(24, word() % 6_000_000)) };
    case "index-text":
      // Index id, a comparable string of two groups that begins alike, the handle.
      key.set([1, 0x01, 0x43, 0x75, 0x73, 0x74, 0x6f, 0x6d, 0x65, 0x72, 0xff], 18);
      key[37] = 0xf7;
      key.set([0x03, 0x80], 38);
      return {
        next: index(47, () => {
          let n = word() % 1_000_000;
          for (let i = 36; i > 28; i--) {
            key[i] = 0x30 + (n % 10);
            n = Math.floor(n / 10);
          }
        }),
      };
  }
}
