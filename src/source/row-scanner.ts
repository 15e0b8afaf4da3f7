import type { Fields } from "../codec/mod.ts";
import type { PlainSyntax } from "./plain-syntax.ts";
import type { Window } from "./window.ts";

/** Longer rows are refused: Lightning's limit, TiDB's largest transaction entry (lightning.md §1.6). */
export const ROW_BYTES_MAX = 120 * 1024 * 1024;

/** What `RowScanner.next` found. */
export const Scan = {
  /** The window ends before the row does: fill it and call again. */
  more: 0,
  /** `fields` hold a row; they are valid until the next call of `next` or until the window is filled. */
  row: 1,
  /** The data is at its end; no row. */
  end: 2,
  /** A statement changed the character set of the bytes from the window's start on: `recode` them and call again. */
  recode: 3,
} as const;

/** A synchronous state machine that cuts rows out of windows: no await, no object per row or field. */
export interface RowScanner {
  /**
   * Takes the next row off the window; a value of `Scan`.
   * @throws LevinError `Levin:Source:ErrSyntax`, `ErrUnsupported` naming file, row and byte.
   */
  next(window: Window, fields: Fields): number;
  /**
   * How rows of the common spelling look from the window's start on, for callers that read them themselves; undefined where what
   * follows is no such row. The same object as long as nothing but rows was read.
   */
  plainSyntax(): PlainSyntax | undefined;
  /** The row that follows is the first of its statement. */
  readonly atFirstRow: boolean;
  /** The caller took `rows` rows, the last of which begins at offset `lastRow` of the window; `to` is behind it. */
  takePlainRows(window: Window, rows: number, lastRow: number, to: number): void;
  /** Position in the stream of the last row's first byte. */
  readonly rowStart: number;
  /** Number of the last row, from 1, counted from where the scanner began. */
  readonly rowNumber: number;
  /** Column names the last row's values stand for (header or column list); undefined: the table's own order. */
  readonly columns: readonly string[] | undefined;
  /** Grows whenever `columns` changes, so that a reader compares one number per row. */
  readonly columnsVersion: number;
}
