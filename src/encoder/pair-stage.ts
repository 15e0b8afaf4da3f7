import { ByteWriter, type PairSink } from "../codec/mod.ts";

/** Pairs of one row, held back until all of them could be made. */
export class PairStage implements PairSink {
  private readonly data = new ByteWriter(1024);
  /** Key length and value length of each pair, alternating. */
  private lengths: number[] = [];
  private key = new Uint8Array(256);
  private value = new Uint8Array(1024);

  clear(): void {
    this.data.clear();
    this.lengths.length = 0;
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.data.slice(key, 0, keyLength);
    this.data.slice(value, 0, valueLength);
    this.lengths.push(keyLength, valueLength);
  }

  /** Hands the pairs over in their order and forgets them. */
  flush(sink: PairSink): void {
    let at = 0;
    for (let i = 0; i < this.lengths.length; i += 2) {
      const keyLength = this.lengths[i]!;
      const valueLength = this.lengths[i + 1]!;
      if (keyLength > this.key.length) this.key = new Uint8Array(keyLength * 2);
      if (valueLength > this.value.length) this.value = new Uint8Array(valueLength * 2);
      this.key.set(this.data.bytes.subarray(at, at + keyLength));
      this.value.set(this.data.bytes.subarray(at + keyLength, at + keyLength + valueLength));
      sink.put(this.key, keyLength, this.value, valueLength);
      at += keyLength + valueLength;
    }
    this.clear();
  }
}
