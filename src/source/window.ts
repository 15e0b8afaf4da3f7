/** Bytes kept free behind the data: scanners put a sentinel there, so that inner loops need no bounds check. */
const SLACK = 16;

/**
 * The stretch of a stream that a scanner looks at: `bytes[start, end)` is data not yet consumed, `base` the stream's position of
 * `bytes[0]`. The reader fills it, the scanner moves `start`; a row that does not fit stays and is scanned again after the
 * window has grown. Scanners write into consumed or completed bytes only (escapes are resolved in place).
 */
export class Window {
  bytes: Uint8Array<ArrayBuffer>;
  start = 0;
  end = 0;
  base = 0;
  /** No byte follows `end`. */
  final = false;
  /** Grows whenever bytes behind `start` change, as they do in another character set: copies of them are worth nothing then. */
  version = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity + SLACK);
  }

  /** Bytes that fit. */
  get capacity(): number {
    return this.bytes.length - SLACK;
  }

  /** As new, for another stream. */
  clear(): void {
    this.start = this.end = this.base = 0;
    this.final = false;
    this.version++;
  }

  /** Room behind `end`. */
  get room(): number {
    return this.bytes.length - SLACK - this.end;
  }

  /** Moves what is left to the front and, where that gives less than `room` bytes, enlarges the buffer. */
  makeRoom(room: number): void {
    if (this.room >= room) return;
    const left = this.end - this.start;
    if (left + room + SLACK <= this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      const grown = new Uint8Array(Math.max(left + room + SLACK, this.bytes.length * 2));
      grown.set(this.bytes.subarray(this.start, this.end));
      this.bytes = grown;
    }
    this.base += this.start;
    this.start = 0;
    this.end = left;
  }

  /** Adds bytes at the end (tests and small inputs; readers read straight into the buffer). */
  append(more: Uint8Array): void {
    this.makeRoom(more.length);
    this.bytes.set(more, this.end);
    this.end += more.length;
  }
}
