import type { KvChecksum } from "../../codec/mod.ts";
import type { Kernel } from "../../kernel/mod.ts";
import {
  INDEX_COUNTS,
  INDEX_STRIDE,
  INDEX_SUMS,
  RECORD_COUNTS,
  RECORD_STRIDE,
  RECORD_SUMS,
  RESULTS,
  Result,
  SUM_VALUES,
} from "./memory.ts";
import type { BulkPlan } from "./plan.ts";
import { indexKeySizes, RECORD_KEY_SIZE } from "./row-code.ts";

/** Reads the sums that a kernel keeps in its memory, and clears them. */
export class KernelSums {
  private readonly plan: BulkPlan;
  private readonly kernel: Kernel;
  private readonly counts: Int32Array;
  private readonly message = new Uint8Array(RECORD_STRIDE);

  constructor(plan: BulkPlan, kernel: Kernel) {
    this.plan = plan;
    this.kernel = kernel;
    this.counts = new Int32Array(kernel.bytes.buffer);
  }

  drain(record: KvChecksum, index: KvChecksum): void {
    for (let size = 0; size < SUM_VALUES; size++) {
      this.take(record, RECORD_COUNTS + 4 * size, RECORD_SUMS + size * RECORD_STRIDE, RECORD_KEY_SIZE, size);
    }
    indexKeySizes(this.plan).forEach(([withHandle, alone], i) => {
      const at = INDEX_SUMS + 2 * i * INDEX_STRIDE;
      this.take(index, INDEX_COUNTS + 8 * i, at, withHandle, 1);
      this.take(index, INDEX_COUNTS + 8 * i + 4, at + INDEX_STRIDE, alone, 8);
    });
    this.kernel.functions["drain"]!();
    const result = (at: number): number => this.counts[RESULTS / 4 + at]!;
    const kvs = result(Result.crcPairs);
    if (kvs === 0) return;
    const crc64xor = (BigInt(result(Result.crcHigh) >>> 0) << 32n) | BigInt(result(Result.crcLow) >>> 0);
    record.merge({ crc64xor, kvs: BigInt(kvs), bytes: BigInt(result(Result.crcBytes) >>> 0) });
  }

  /** A sum of entries from their keys on: key, tag and length of the value, value. */
  private take(into: KvChecksum, count: number, at: number, keySize: number, valueSize: number): void {
    const pairs = this.counts[count / 4]!;
    if (pairs === 0) return;
    const { bytes } = this.kernel;
    const valueAt = at + keySize + (valueSize < 128 ? 2 : 3);
    this.message.set(bytes.subarray(at, at + keySize));
    this.message.set(bytes.subarray(valueAt, valueAt + valueSize), keySize);
    into.addXored(this.message, keySize + valueSize, pairs);
    bytes.fill(0, at, valueAt + valueSize + 8);
    this.counts[count / 4] = 0;
  }
}
