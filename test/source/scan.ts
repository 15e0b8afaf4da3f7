/** Runs a scanner over bytes in windows of a given size and gives rows as plain values. */
import { FieldKind, type Fields, newFields } from "../../src/codec/mod.ts";
import { type RowScanner, Scan, Window } from "../../src/source/mod.ts";

export const kindNames: string[] = Object.keys(FieldKind);

/** A field: its kind's name and its bytes as latin1 text. */
export type Cell = [kind: string, text: string];

export interface Scanned {
  rows: Cell[][];
  /** Position of each row's first byte. */
  starts: number[];
  /** Columns in force at each row. */
  columns: (readonly string[] | undefined)[];
  error: Error | undefined;
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
}

export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function cellsOf(fields: Fields): Cell[] {
  const cells: Cell[] = [];
  for (let k = 0; k < fields.count; k++) {
    const bytes = fields.bytes.subarray(fields.start[k]!, fields.end[k]!);
    const kind = kindNames[fields.kind[k]!]!;
    cells.push([kind, kind === "null" ? "" : latin1(bytes)]);
  }
  return cells;
}

/** `step` gives the bytes that each filling of the window adds. */
export function scanAll(scanner: RowScanner, data: Uint8Array, step: () => number, capacity = 64): Scanned {
  const out: Scanned = { rows: [], starts: [], columns: [], error: undefined };
  const window = new Window(capacity);
  const fields = newFields(2);
  let at = 0;
  try {
    for (;;) {
      const result = scanner.next(window, fields);
      if (result === Scan.end) return out;
      if (result === Scan.recode) continue;
      if (result === Scan.row) {
        out.rows.push(cellsOf(fields));
        out.starts.push(scanner.rowStart);
        out.columns.push(scanner.columns);
        continue;
      }
      if (window.final) throw new Error("the scanner wants more although the window is final");
      const size = Math.min(step(), data.length - at);
      window.append(data.subarray(at, at + size));
      at += size;
      window.final = at === data.length;
    }
  } catch (thrown) {
    out.error = thrown as Error;
    return out;
  }
}
