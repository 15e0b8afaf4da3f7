import type { KvChecksum } from "../../codec/mod.ts";
import type { Kernel } from "../../kernel/mod.ts";
import { INDEX_ALONE, INDEX_GROUPS, RECORD_ALONE, RECORD_GROUPS, SUM_GROUPS, SUM_STRIDE, SUMS_AT } from "./memory.ts";

/** Reads the sums that a kernel keeps in its memory, and clears them. */
export class KernelSums {
  private readonly kernel: Kernel;
  private readonly words: Int32Array;
  private readonly message = new Uint8Array(SUM_STRIDE);

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.words = new Int32Array(kernel.bytes.buffer);
  }

  drain(record: KvChecksum, index: KvChecksum): void {
    this.takeGroups(record, RECORD_GROUPS);
    this.takeGroups(index, INDEX_GROUPS);
    this.takeAlone(record, RECORD_ALONE);
    this.takeAlone(index, INDEX_ALONE);
  }

  private takeGroups(into: KvChecksum, groups: number): void {
    for (let group = 0; group < SUM_GROUPS; group++) {
      const at = groups + 8 * group;
      const lengths = this.words[at / 4]!;
      this.take(into, at + 4, groups + SUMS_AT + group * SUM_STRIDE, lengths >>> 16, lengths & 0xffff);
      this.words[at / 4] = 0;
    }
  }

  /** A sum of entries from their keys on: key, tag and length of the value, value. */
  private take(into: KvChecksum, count: number, at: number, keySize: number, valueSize: number): void {
    const pairs = this.words[count / 4]!;
    if (pairs === 0) return;
    const { bytes } = this.kernel;
    const valueAt = at + keySize + (valueSize < 128 ? 2 : 3);
    this.message.set(bytes.subarray(at, at + keySize));
    this.message.set(bytes.subarray(valueAt, valueAt + valueSize), keySize);
    into.addXored(this.message, keySize + valueSize, pairs);
    bytes.fill(0, at, valueAt + valueSize + 8);
    this.words[count / 4] = 0;
  }

  private takeAlone(into: KvChecksum, at: number): void {
    const sums = this.words.subarray(at / 4, at / 4 + 6);
    const value = (word: number): bigint => (BigInt(sums[word + 1]! >>> 0) << 32n) | BigInt(sums[word]! >>> 0);
    if (value(4) > 0n) into.merge({ crc64xor: value(0), bytes: value(2), kvs: value(4) });
    sums.fill(0);
  }
}
