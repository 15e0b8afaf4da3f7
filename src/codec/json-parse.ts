/**
 * JSON text → TiDB's binary JSON, with the rules of Go's `encoding/json` that TiDB builds on (`pkg/types/json_binary.go`): invalid
 * UTF-8 and lone surrogates become U+FFFD, of equal keys the last counts, keys are sorted by bytes, a number is the first of
 * signed, unsigned and double that takes it.
 */
import { compareBytes, textOf } from "../base/mod.ts";
import { ByteWriter } from "./byte-writer.ts";
import { JsonType, writeArray, writeDouble, writeInt, writeLiteral, writeObject, writeString } from "./json-binary.ts";
import { putRune, utf8SequenceLength } from "./utf8.ts";

/** MySQL's code and message of a refused document. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** 3140 invalid text, 8129 key too long, 3157 too deep. */
  readonly mysqlCode: number;

  constructor(mysqlCode: number, message: string) {
    super(message);
    this.mysqlCode = mysqlCode;
  }
}

const MAX_DEPTH = 100;
/** Go's scanner gives up at this depth, TiDB afterwards at MAX_DEPTH; both with the same error. */
const SCAN_DEPTH = 10_000;
const TRAILING = "The document root must not be followed by other values.";

function invalid(detail: string): JsonError {
  return new JsonError(3140, `Invalid JSON text: ${detail}`);
}

function tooDeep(): JsonError {
  return new JsonError(3157, "The JSON document exceeds the maximum depth.");
}

/** Type byte and value of the document `source[start, end)`; throws JsonError. */
export function parseJson(source: Uint8Array, start = 0, end = source.length): Uint8Array {
  if (start >= end) throw invalid("The document is empty");
  const parser = new Parser(source, start, end);
  parser.space();
  checkSyntaxDepth(source, start, end);
  const value = parser.value(1);
  parser.space();
  if (parser.at < end) throw invalid(TRAILING);
  // Syntax errors come first, as in TiDB. Its depth counts a scalar as one level, and one level more is allowed.
  if (parser.depth - 1 > MAX_DEPTH) throw tooDeep();
  return value;
}

/** Nesting beyond what the recursive parser takes is found before it starts. */
function checkSyntaxDepth(source: Uint8Array, start: number, end: number): void {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < end; i++) {
    const c = source[i]!;
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === ARRAY || c === OBJECT) {
      if (++depth > SCAN_DEPTH) throw tooDeep();
    } else if (c === ARRAY_END || c === OBJECT_END) depth--;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;
const ESCAPES = new Map<number, number>([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

class Parser {
  private readonly source: Uint8Array;
  private readonly end: number;
  at: number;
  /** Deepest level seen. */
  depth = 0;

  constructor(source: Uint8Array, start: number, end: number) {
    this.source = source;
    this.at = start;
    this.end = end;
  }

  space(): void {
    while (this.at < this.end) {
      const c = this.source[this.at]!;
      if (c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) return;
      this.at++;
    }
  }

  private peek(): number {
    return this.at < this.end ? this.source[this.at]! : -1;
  }

  private expect(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (this.peek() !== text.charCodeAt(i)) throw invalid(TRAILING);
      this.at++;
    }
  }

  /** The value at the cursor, which is on level `depth`; below the allowed depth it is only checked. */
  value(depth: number): Uint8Array {
    if (depth > this.depth) this.depth = depth;
    if (depth > MAX_DEPTH + 1) {
      this.skip();
      return writeLiteral(null);
    }
    switch (this.peek()) {
      case OBJECT:
        return this.object(depth);
      case ARRAY:
        return this.array(depth);
      default:
        return this.scalar();
    }
  }

  /** Passes over a value of any depth without recursion. */
  private skip(): void {
    const ends: number[] = [];
    for (;;) {
      this.space();
      const c = this.peek();
      if (c !== OBJECT && c !== ARRAY) this.scalar();
      else {
        this.at++;
        this.space();
        const end = c === OBJECT ? OBJECT_END : ARRAY_END;
        if (this.peek() === end) this.at++;
        else {
          ends.push(end);
          if (end === OBJECT_END) this.key();
          continue;
        }
      }
      if (!this.nextOf(ends)) return;
    }
  }

  /** Behind a value inside containers that end with `ends`: goes to the next value; false where the outermost has ended. */
  private nextOf(ends: number[]): boolean {
    for (;;) {
      const end = ends[ends.length - 1];
      if (end === undefined) return false;
      this.space();
      const c = this.peek();
      this.at++;
      if (c === end) {
        ends.pop();
        continue;
      }
      if (c !== COMMA) throw invalid(TRAILING);
      if (end === OBJECT_END) this.key();
      return true;
    }
  }

  /** A member's key and colon. */
  private key(): Uint8Array {
    this.space();
    if (this.peek() !== QUOTE) throw invalid(TRAILING);
    const key = this.string();
    this.space();
    this.expect(":");
    this.space();
    return key;
  }

  private scalar(): Uint8Array {
    switch (this.peek()) {
      case QUOTE:
        return writeString(this.string());
      case 0x74:
        this.expect("true");
        return writeLiteral(true);
      case 0x66:
        this.expect("false");
        return writeLiteral(false);
      case 0x6e:
        this.expect("null");
        return writeLiteral(null);
      default:
        return this.number();
    }
  }

  private object(depth: number): Uint8Array {
    this.at++;
    const members: { key: Uint8Array; value: Uint8Array }[] = [];
    this.space();
    if (this.peek() === OBJECT_END) this.at++;
    else {
      do {
        const key = this.key();
        members.push({ key, value: this.value(depth + 1) });
      } while (this.another(OBJECT_END));
    }
    return writeObject(uniqueSorted(members));
  }

  private array(depth: number): Uint8Array {
    this.at++;
    const items: Uint8Array[] = [];
    this.space();
    if (this.peek() === ARRAY_END) this.at++;
    else {
      do {
        this.space();
        items.push(this.value(depth + 1));
      } while (this.another(ARRAY_END));
    }
    return writeArray(items);
  }

  /** Passes the comma behind an item, or the container's end. */
  private another(end: number): boolean {
    this.space();
    const c = this.peek();
    this.at++;
    if (c === end) return false;
    if (c !== COMMA) throw invalid(TRAILING);
    return true;
  }

  private number(): Uint8Array {
    const start = this.at;
    if (this.peek() === 0x2d) this.at++;
    const first = this.peek();
    if (!isDigit(first)) throw invalid(TRAILING);
    this.at++;
    if (first !== 0x30) while (isDigit(this.peek())) this.at++;
    let integer = true;
    if (this.peek() === 0x2e) {
      integer = false;
      this.at++;
      this.someDigits();
    }
    if (this.peek() === 0x65 || this.peek() === 0x45) {
      integer = false;
      this.at++;
      if (this.peek() === 0x2b || this.peek() === 0x2d) this.at++;
      this.someDigits();
    }
    const text = textOf(this.source.subarray(start, this.at));
    if (integer && text.length <= 20) {
      const value = BigInt(text);
      if (value >= -(1n << 63n) && value < 1n << 63n) return writeInt(JsonType.int64, value);
      if (value >= 0n && value < 1n << 64n) return writeInt(JsonType.uint64, value);
    }
    const value = Number(text);
    if (!Number.isFinite(value)) throw invalid(`strconv.ParseFloat: parsing "${text}": value out of range`);
    return writeDouble(value);
  }

  private someDigits(): void {
    if (!isDigit(this.peek())) throw invalid(TRAILING);
    while (isDigit(this.peek())) this.at++;
  }

  /** Bytes of a string, escapes resolved, always valid UTF-8. */
  private string(): Uint8Array {
    this.at++;
    const start = this.at;
    let plain = true;
    for (;;) {
      const c = this.peek();
      if (c === QUOTE) break;
      if (c < 0x20) throw invalid(TRAILING);
      if (c === BACKSLASH || c >= 0x80) plain = false;
      this.at += c === BACKSLASH ? 2 : 1;
    }
    const end = this.at;
    this.at++;
    return plain ? this.source.slice(start, end) : resolveEscapes(this.source, start, end);
  }
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function resolveEscapes(source: Uint8Array, start: number, end: number): Uint8Array {
  const out = new ByteWriter(end - start + 8);
  let at = start;
  while (at < end) {
    const c = source[at]!;
    if (c !== BACKSLASH) {
      at += copyRune(out, source, at, end);
      continue;
    }
    const kind = source[at + 1]!;
    if (kind !== 0x75) {
      const value = ESCAPES.get(kind);
      if (value === undefined) throw invalid(TRAILING);
      out.u8(value);
      at += 2;
      continue;
    }
    let rune = hex4(source, at + 2, end);
    if (rune < 0) throw invalid(TRAILING);
    at += 6;
    if (rune >= 0xd800 && rune <= 0xdfff) {
      const low = source[at] === BACKSLASH && source[at + 1] === 0x75 ? hex4(source, at + 2, end) : -1;
      if (rune < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
        rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      } else rune = 0xfffd;
    }
    putRune(out, rune);
  }
  return out.toBytes();
}

function hex4(source: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const c = source[i]! | 0x20;
    const digit = c >= 0x61 && c <= 0x66 ? c - 0x57 : isDigit(source[i]!) ? source[i]! - 0x30 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function copyRune(out: ByteWriter, source: Uint8Array, at: number, end: number): number {
  const size = utf8SequenceLength(source, at, end);
  if (size === 0) {
    putRune(out, 0xfffd);
    return 1;
  }
  out.slice(source, at, at + size);
  return size;
}

/** Members in key order, of equal keys the last. */
function uniqueSorted(members: { key: Uint8Array; value: Uint8Array }[]): { key: Uint8Array; value: Uint8Array }[] {
  const order = members.map((_, i) => i);
  order.sort((a, b) => compareBytes(members[a]!.key, members[b]!.key) || a - b);
  const out: { key: Uint8Array; value: Uint8Array }[] = [];
  for (const i of order) {
    const member = members[i]!;
    if (member.key.length > 0xffff)
      throw new JsonError(8129, "TiDB does not yet support JSON objects with the key length >= 65536");
    const last = out[out.length - 1];
    if (last !== undefined && compareBytes(last.key, member.key) === 0) out[out.length - 1] = member;
    else out.push(member);
  }
  return out;
}
