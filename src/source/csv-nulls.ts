import { utf8 } from "../base/mod.ts";
import type { CsvDialect } from "./csv-dialect.ts";

/** Which raw fields (escapes not yet resolved) are NULL. Lightning: an empty list without `not-null` makes the empty field NULL. */
export class NullMarkers {
  private readonly markers: Uint8Array[];
  /** Fields of at least this length are no marker. */
  readonly lengthEnd: number;
  /** 1 for each byte that a marker begins with. */
  readonly mayBegin = new Uint8Array(256);
  /** 1 at each length that a marker has. */
  private readonly lengths: Uint8Array;

  constructor(dialect: CsvDialect) {
    const texts = dialect.notNull ? [] : dialect.nulls.length === 0 ? [""] : dialect.nulls;
    this.markers = texts.map(utf8);
    this.lengths = new Uint8Array(1 + Math.max(-1, ...this.markers.map((marker) => marker.length)));
    for (const marker of this.markers) {
      this.lengths[marker.length] = 1;
      if (marker.length > 0) this.mayBegin[marker[0]!] = 1;
    }
    this.lengthEnd = this.lengths.length;
  }

  /** Whether bytes[from, to) is a marker. */
  has(bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (length >= this.lengths.length || this.lengths[length] === 0) return false;
    for (let k = 0; k < this.markers.length; k++) {
      const marker = this.markers[k]!;
      if (marker.length !== length) continue;
      let at = 0;
      while (at < length && bytes[from + at] === marker[at]) at++;
      if (at === length) return true;
    }
    return false;
  }
}
