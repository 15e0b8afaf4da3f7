/** A file written row by row from bytes, without a string per field: the generators must not be slower than what they feed. */
import { closeSync, openSync, writeSync } from "node:fs";

const BUFFER_BYTES = 1024 * 1024;
/** Rows are smaller than this. */
const SLACK_BYTES = 64 * 1024;

/** One for all writers: they are used one after the other, and a table of twenty rows should not cost a megabyte. */
const shared = new Uint8Array(BUFFER_BYTES + SLACK_BYTES);

export class RowWriter {
  readonly #file: number;
  readonly #buffer = shared;
  #used = 0;
  #flushed = 0;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#flushed + this.#used;
  }

  bytes(bytes: Uint8Array): this {
    const buffer = this.#buffer;
    let at = this.#used;
    for (let i = 0; i < bytes.length; i++) buffer[at++] = bytes[i]!;
    this.#used = at;
    return this;
  }

  /** ASCII text. */
  text(text: string): this {
    const buffer = this.#buffer;
    let at = this.#used;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.#used = at;
    return this;
  }

  /** A whole number below 2^53, with leading zeros up to `width`. */
  int(value: number, width = 1): this {
    if (value >= 1e9) {
      this.int(Math.floor(value / 1e9), width - 9);
      return this.int(value % 1e9, 9);
    }
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    if (digits < width) digits = width;
    const buffer = this.#buffer;
    let rest = value | 0;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const next = (rest / 10) | 0;
      buffer[at] = 48 + rest - 10 * next;
      rest = next;
    }
    this.#used += digits;
    return this;
  }

  /** A number of hundredths as a decimal with two places. */
  cents(value: number): this {
    return this.int(Math.floor(value / 100))
      .text(".")
      .int(value % 100, 2);
  }

  /** Ends a row: the place where the buffer may be written out. */
  endRow(text: string): this {
    this.text(text);
    if (this.#used >= BUFFER_BYTES) this.#flush();
    return this;
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#used);
    this.#flushed += this.#used;
    this.#used = 0;
  }
}
