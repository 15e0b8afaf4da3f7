import type { CsvDialect } from "./csv-dialect.ts";
import type { CsvTokens } from "./csv-tokens.ts";
import type { Window } from "./window.ts";

const LF = 10;
const CR = 13;

/**
 * Steps over rows of a CSV file whose tokens are single bytes, without looking at its fields: only delimiters, escapes and line
 * ends count. Finds the row ends that `CsvScanner` finds in every file that can be read; in a file that cannot, readers of the
 * chunks cut here notice, for a chunk never ends inside quotes or behind an escape.
 */
export class CsvSkipper {
  /** Rows passed, blank lines not counted unless they are rows. */
  rowCount = 0;
  private readonly stop = new Uint8Array(256);
  private readonly delimiter: number;
  private readonly escapeByte: number;
  private readonly terminator: number;
  private readonly separator: number;
  private readonly blankIsRow: boolean;
  private inQuotes = false;
  /** Something other than white space was passed since the last row end. */
  private content = false;

  constructor(tokens: CsvTokens, blankIsRow: boolean) {
    this.separator = tokens.separator[0]!;
    this.delimiter = tokens.delimiter[0] ?? -1;
    this.escapeByte = tokens.escape[0] ?? -1;
    this.terminator = tokens.terminator[0] ?? -1;
    this.blankIsRow = blankIsRow;
    if (this.delimiter >= 0) this.stop[this.delimiter] = 1;
    if (this.escapeByte >= 0) this.stop[this.escapeByte] = 1;
    if (this.terminator >= 0) this.stop[this.terminator] = 1;
    else this.stop[LF] = this.stop[CR] = 1;
  }

  /** Whether a dialect is simple enough. */
  static fits(tokens: CsvTokens, dialect: CsvDialect): boolean {
    const single =
      tokens.separator.length === 1 &&
      tokens.delimiter.length <= 1 &&
      tokens.terminator.length <= 1 &&
      tokens.escape.length <= 1;
    return single && !dialect.unescapedQuote && dialect.startingBy === "";
  }

  /**
   * Goes on from the window's start to its end and moves the start; stops early behind the first row end at or behind `goal`
   * (an offset into the window) and gives that offset, else -1.
   */
  skip(window: Window, goal: number): number {
    const { bytes, end, final } = window;
    const { stop, delimiter, escapeByte } = this;
    // The sentinel stops every loop: LF or the terminator, of which a row end is made only before the end.
    bytes[end] = this.terminator >= 0 ? this.terminator : LF;
    let i = window.start;
    let from = i;
    for (;;) {
      while (stop[bytes[i]!] === 0) i++;
      if (i >= end) break;
      const byte = bytes[i]!;
      if (byte === delimiter) {
        this.inQuotes = !this.inQuotes;
        this.content = true;
        i++;
      } else if (byte === escapeByte) {
        if (i + 1 >= end && !final) break;
        this.content = true;
        i += 2;
      } else if (this.inQuotes) {
        i++;
      } else {
        let next = i + 1;
        if (byte === CR && this.terminator < 0) {
          if (next >= end && !final) break;
          if (bytes[next] === LF && next < end) next++;
        }
        this.row(bytes, from, i);
        i = from = next;
        if (next >= goal) {
          window.start = next;
          return next;
        }
      }
    }
    this.pass(bytes, from, Math.min(i, end));
    window.start = Math.min(i, end);
    return -1;
  }

  /** Whether a row is unfinished: at the end of the data it is the last one. */
  get unfinished(): boolean {
    return this.content || this.inQuotes;
  }

  private row(bytes: Uint8Array, from: number, to: number): void {
    this.pass(bytes, from, to);
    if (this.content || this.blankIsRow) this.rowCount++;
    this.content = false;
  }

  private pass(bytes: Uint8Array, from: number, to: number): void {
    if (this.content) return;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      if ((byte === 32 || (byte >= 9 && byte <= 13)) && byte !== this.separator) continue;
      this.content = true;
      return;
    }
  }
}
