/** Readers of the two simple text forms of the golden tables (their README says how they are written). */
import { FieldKind, type Fields, growFields, newFields } from "../../src/codec/mod.ts";

interface Value {
  kind: number;
  bytes: number[];
}

const ESCAPED: Record<string, number> = { "0": 0, n: 10, r: 13, t: 9, Z: 26, b: 8 };

/** Calls `row` with the fields of each row of a CSV text; the header line is skipped. */
export function readCsv(bytes: Uint8Array, row: (fields: Fields) => void): void {
  let at = 0;
  let line = 0;
  let values: Value[] = [];
  const fields = newFields(1);
  while (at < bytes.length) {
    const quoted = bytes[at] === 0x22;
    if (quoted) at++;
    const value: Value = { kind: FieldKind.string, bytes: [] };
    for (;;) {
      const c = bytes[at]!;
      if (c === 0x5c) {
        const next = String.fromCharCode(bytes[at + 1]!);
        if (!quoted && next === "N") value.kind = FieldKind.null;
        else value.bytes.push(ESCAPED[next] ?? bytes[at + 1]!);
        at += 2;
        continue;
      }
      if (quoted ? c === 0x22 : c === 0x2c || c === 0x0a) break;
      value.bytes.push(c);
      at++;
    }
    if (quoted) at++;
    values.push(value);
    const end = bytes[at++];
    if (end === 0x2c) continue;
    if (line++ > 0) {
      fill(fields, values);
      row(fields);
    }
    values = [];
  }
}

/** Calls `row` with the fields of each row of INSERT statements. Strings are UTF-8. */
export function readInserts(text: string, row: (fields: Fields) => void): void {
  const bytes = new TextEncoder().encode(text);
  const fields = newFields(1);
  let at = 0;
  const peek = (): string => String.fromCharCode(bytes[at] ?? 0);
  while (at < bytes.length) {
    at = find(bytes, "VALUES", at);
    if (at < 0) return;
    at += 6;
    for (;;) {
      while (/[\s,]/.test(peek())) at++;
      if (peek() !== "(") break;
      at++;
      const values: Value[] = [];
      for (;;) {
        while (/[\s,]/.test(peek())) at++;
        if (peek() === ")") break;
        if (peek() === "'") {
          const [value, end] = quotedBytes(bytes, at + 1);
          values.push({ kind: FieldKind.string, bytes: value });
          at = end;
          continue;
        }
        const start = at;
        while (!/[,)'\s]/.test(peek())) at++;
        let word = new TextDecoder().decode(bytes.subarray(start, at));
        if (peek() === "'" && /^x$/i.test(word)) {
          const [value, end] = quotedBytes(bytes, at + 1);
          word = `0x${new TextDecoder().decode(Uint8Array.from(value))}`;
          at = end;
        }
        values.push(bareValue(word));
      }
      at++;
      fill(fields, values);
      row(fields);
    }
  }
}

function find(bytes: Uint8Array, word: string, from: number): number {
  outer: for (let i = from; i + word.length <= bytes.length; i++) {
    for (let k = 0; k < word.length; k++) if (bytes[i + k] !== word.charCodeAt(k)) continue outer;
    return i;
  }
  return -1;
}

function quotedBytes(bytes: Uint8Array, start: number): [number[], number] {
  const out: number[] = [];
  let at = start;
  while (bytes[at] !== 0x27) {
    if (bytes[at] === 0x5c) {
      at++;
      out.push(ESCAPED[String.fromCharCode(bytes[at]!)] ?? bytes[at]!);
    } else out.push(bytes[at]!);
    at++;
  }
  return [out, at + 1];
}

function bareValue(word: string): Value {
  const text = [...new TextEncoder().encode(word)];
  if (/^null$/i.test(word)) return { kind: FieldKind.null, bytes: [] };
  if (/^true$/i.test(word)) return { kind: FieldKind.true, bytes: [] };
  if (/^false$/i.test(word)) return { kind: FieldKind.false, bytes: [] };
  if (/^0x/.test(word)) {
    const hex = word.length % 2 === 0 ? word.slice(2) : `0${word.slice(2)}`;
    return { kind: FieldKind.hex, bytes: (hex.match(/../g) ?? []).map((h) => Number.parseInt(h, 16)) };
  }
  if (/^\d+$/.test(word)) return { kind: FieldKind.uint, bytes: text };
  if (/^-\d+$/.test(word)) return { kind: FieldKind.int, bytes: text };
  // Every other bare word is a string to Lightning's reader, 1.5 and 1e3 too.
  return { kind: FieldKind.string, bytes: text };
}

/** Puts the values into one buffer, as a scanner does. */
export function fill(fields: Fields, values: readonly { kind: number; bytes: ArrayLike<number> }[]): void {
  growFields(fields, values.length);
  let size = 0;
  for (const v of values) size += v.bytes.length;
  fields.bytes = new Uint8Array(size);
  fields.count = values.length;
  let at = 0;
  values.forEach((v, i) => {
    fields.kind[i] = v.kind;
    fields.start[i] = at;
    fields.bytes.set(v.bytes, at);
    at += v.bytes.length;
    fields.end[i] = at;
  });
}
