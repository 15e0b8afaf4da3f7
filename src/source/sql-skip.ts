import { MORE, type SqlLexer, Unclosed } from "./sql-lexer.ts";
import type { SqlSession } from "./sql-session.ts";
import { delimiterAt } from "./sql-statement.ts";
import type { Window } from "./window.ts";

/**
 * Bytes at which the skipping stops to look: quotes, brackets, what begins comments or ON DUPLICATE KEY UPDATE, the sentinel.
 */
const STOP = new Uint8Array(256);
for (const char of "'\"`()-#/*oO") STOP[char.charCodeAt(0)] = 1;
STOP[0] = 1;

/**
 * Steps over the rows of an INSERT without reading their values: only quotes, comments, brackets and the delimiter count. Finds
 * the same row ends as reading does in every file that can be read.
 */
export class SqlSkipper {
  private depth = 0;
  private rowEnded = false;
  /** Behind the last row: in ON DUPLICATE KEY UPDATE. */
  private behindRows = false;
  private readonly lexer: SqlLexer;
  private readonly session: SqlSession;
  private readonly stop = STOP.slice();

  constructor(lexer: SqlLexer, session: SqlSession) {
    this.lexer = lexer;
    this.session = session;
  }

  /** Makes ready for the rows of another statement. */
  begin(): void {
    this.depth = 0;
    this.behindRows = false;
    this.stop.set(STOP);
    this.stop[this.session.delimiter.charCodeAt(0) & 0xff] = 1;
  }

  /**
   * Goes on from the window's start to the statement's end (true) or the window's (false), and moves the start to where it
   * stopped. `onRow` takes the offset behind each row's ")".
   */
  skip(window: Window, onRow: (offset: number) => void): boolean {
    const { lexer, stop } = this;
    const { bytes, end, final } = window;
    let i = window.start;
    for (;;) {
      while (stop[bytes[i]!] === 0) i++;
      if (i >= end) {
        window.start = end;
        if (final && this.depth > 0) throw new Unclosed("the file ends inside a row", end);
        return final;
      }
      const { inVersionComment } = lexer;
      const next = this.step(bytes[i]!, i);
      window.start = i;
      if (next === MORE) {
        lexer.inVersionComment = inVersionComment;
        return false;
      }
      if (next === DONE) {
        window.start = i + this.session.delimiter.length;
        return true;
      }
      i = next;
      if (this.rowEnded) {
        this.rowEnded = false;
        onRow(i);
      }
    }
  }

  /** Behind what begins with `byte` at `i`; `DONE` at the delimiter, `MORE` where the window cuts it. */
  private step(byte: number, i: number): number {
    const { lexer, session } = this;
    switch (byte) {
      case 0x27:
      case 0x22:
      case 0x60:
        return lexer.quoted(i, session);
      case 0x28:
        this.depth++;
        return i + 1;
      case 0x29:
        this.depth--;
        this.rowEnded = this.depth === 0 && !this.behindRows;
        return i + 1;
      case 0x4f:
      case 0x6f:
        if (this.depth === 0) this.behindRows = true;
        return i + 1;
      default:
    }
    const width = delimiterAt(lexer, session, i);
    if (width !== 0) return width === MORE ? MORE : DONE;
    const next = lexer.blank(i);
    return next === i ? i + 1 : next;
  }
}

const DONE = -2;
