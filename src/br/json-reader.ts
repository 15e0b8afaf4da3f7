import { Buffer } from "node:buffer";
import { LevinError, utf8 } from "../base/mod.ts";
import { decodeBase64 } from "./base64.ts";
import { lossyText } from "./utf8-lossy.ts";

/** Go's own limit. */
const MAX_DEPTH = 10_000;
/** What is kept untyped is read by recursion. */
const UNTYPED_DEPTH_MAX = 1000;

type ReadField = (json: JsonReader) => void;

/** Fields of an object by lower-case name; each reads its value. Unknown fields are skipped. */
export type Fields = ReadonlyMap<string, ReadField>;

/**
 * The same for objects that come by the million: `names` as the writers spell them. A writer puts the fields in one order, so the bytes of
 * each name are compared with the likely next ones before anything is made of them.
 */
export class FieldTable {
  readonly fields: Fields;
  readonly codes: Uint8Array[];
  readonly readers: ReadField[];

  constructor(fields: [name: string, read: ReadField][]) {
    this.fields = new Map(fields.map(([name, read]) => [name.toLowerCase(), read]));
    this.codes = fields.map(([name]) => utf8(name));
    this.readers = fields.map(([, read]) => read);
  }
}

/** A number of untyped JSON: bigint where a double would round an integer. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };

/** Names match as Go matches them: by Unicode's simple folding, in which the Kelvin sign is a k and the long s an s. */
function foldName(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s");
}

/**
 * Reads one JSON document from bytes the way Go's `encoding/json` fills typed values: names match without regard to case, unknown names are
 * skipped, `null` leaves a value as it is, integers must be plain and fit, bytes are padded standard base64. Every 64-bit integer is exact.
 * Throws Levin:Br:ErrFormat with the offset.
 */
export class JsonReader {
  private readonly bytes: Uint8Array;
  private readonly buffer: Buffer;
  private at = 0;
  private depth = 0;
  private readonly what: string;

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.what = what;
  }

  /** After the value nothing but blanks may follow. */
  end(): void {
    if (this.peek() !== -1) throw this.error("more text behind the value");
  }

  error(detail: string): LevinError {
    return new LevinError("Levin:Br:ErrFormat", `Cannot parse ${this.what}: ${detail} (byte ${this.at})`, {
      fields: { document: this.what, offset: this.at },
    });
  }

  /** The next byte that is no blank, not consumed; -1 at the end. */
  private peek(): number {
    const { bytes } = this;
    let { at } = this;
    while (at < bytes.length) {
      const c = bytes[at]!;
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
      at++;
    }
    this.at = at;
    return at < bytes.length ? bytes[at]! : -1;
  }

  private take(c: number): boolean {
    if (this.peek() !== c) return false;
    this.at++;
    return true;
  }

  private literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.at + i] !== word.charCodeAt(i)) throw this.unexpected();
    }
    this.at += word.length;
  }

  private unexpected(): LevinError {
    const c = this.at < this.bytes.length ? this.bytes[this.at]! : -1;
    if (c === -1) return this.error("unexpected end of JSON input");
    const shown = c >= 0x20 && c < 0x7f ? `'${String.fromCharCode(c)}'` : `byte 0x${c.toString(16).padStart(2, "0")}`;
    return this.error(`unexpected ${shown}`);
  }

  /** Consumes a `null` if one is next. */
  takeNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.literal("null");
    return true;
  }

  /** Reads an object through `fields`; false for `null`. */
  object(fields: Fields): boolean {
    return this.members((name) => {
      const field = fields.get(name) ?? fields.get(foldName(name));
      if (field === undefined) this.skip();
      else field(this);
    });
  }

  /** As `object`, for objects that come often. */
  record(table: FieldTable): boolean {
    if (this.takeNull()) return false;
    if (this.peek() !== 0x7b) throw this.typeError("an object");
    this.at++;
    this.enter();
    if (!this.take(0x7d)) {
      let next = 0;
      do {
        if (this.peek() !== 0x22) throw this.unexpected();
        const found = this.knownName(table.codes, next);
        if (found >= 0) {
          next = found + 1;
          if (!this.take(0x3a)) throw this.unexpected();
          table.readers[found]!(this);
          continue;
        }
        const name = this.rawString();
        if (!this.take(0x3a)) throw this.unexpected();
        const read = table.fields.get(foldName(name));
        if (read === undefined) this.skip();
        else read(this);
      } while (this.take(0x2c));
      if (!this.take(0x7d)) throw this.unexpected();
    }
    this.depth--;
    return true;
  }

  /** Index of the name that stands here, looked for from `next` on; consumes it. -1 for any other name. */
  private knownName(codes: readonly Uint8Array[], next: number): number {
    const { bytes } = this;
    const start = this.at + 1;
    for (let i = next; i < codes.length; i++) {
      const code = codes[i]!;
      if (bytes[start + code.length] !== 0x22) continue;
      let j = 0;
      while (j < code.length && bytes[start + j] === code[j]) j++;
      if (j < code.length) continue;
      this.at = start + code.length + 1;
      return i;
    }
    return -1;
  }

  /** Reads an object, calling `member` where each value begins; it must consume it. False for `null`. */
  members(member: (name: string) => void): boolean {
    if (this.takeNull()) return false;
    if (this.peek() !== 0x7b) throw this.typeError("an object");
    this.at++;
    this.enter();
    if (!this.take(0x7d)) {
      do {
        if (this.peek() !== 0x22) throw this.unexpected();
        const name = this.rawString();
        if (!this.take(0x3a)) throw this.unexpected();
        member(name);
      } while (this.take(0x2c));
      if (!this.take(0x7d)) throw this.unexpected();
    }
    this.depth--;
    return true;
  }

  /** Reads an array, calling `item` where each element begins; it must consume it. False for `null`. */
  array(item: () => void): boolean {
    if (this.takeNull()) return false;
    if (this.peek() !== 0x5b) throw this.typeError("an array");
    this.at++;
    this.enter();
    if (!this.take(0x5d)) {
      do {
        item();
      } while (this.take(0x2c));
      if (!this.take(0x5d)) throw this.unexpected();
    }
    this.depth--;
    return true;
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
  }

  private typeError(wanted: string): LevinError {
    const c = this.peek();
    if (c === -1) return this.unexpected();
    const kinds: Record<string, string> = { "{": "an object", "[": "an array", '"': "a string", t: "true", f: "false" };
    const found = kinds[String.fromCharCode(c)] ?? (c === 0x2d || (c >= 0x30 && c <= 0x39) ? "a number" : undefined);
    return found === undefined ? this.unexpected() : this.error(`expected ${wanted}, found ${found}`);
  }

  /** A string; undefined for `null`. */
  string(): string | undefined {
    if (this.takeNull()) return undefined;
    if (this.peek() !== 0x22) throw this.typeError("a string");
    return this.rawString();
  }

  /** Bytes of a base64 string or of an array of small integers, their own copy; null for `null`. */
  base64(): Uint8Array | null {
    if (this.takeNull()) return null;
    if (this.peek() === 0x5b) {
      const bytes: number[] = [];
      this.array(() => void bytes.push(Number(this.integer(0n, 255n, "uint8") ?? 0n)));
      return Uint8Array.from(bytes);
    }
    if (this.peek() !== 0x22) throw this.typeError("a base64 string");
    const start = this.at + 1;
    const end = this.bytes.indexOf(0x22, start);
    if (end < 0) {
      this.at = this.bytes.length;
      throw this.unexpected();
    }
    const fast = decodeBase64(this.bytes, start, end);
    if (fast !== undefined) {
      this.at = end + 1;
      return fast;
    }
    // An escape (a newline may stand as \n, which is ignored) or damage.
    const text = this.rawString().replace(/[\r\n]/g, "");
    const codes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) codes[i] = Math.min(text.charCodeAt(i), 255);
    const slow = decodeBase64(codes, 0, codes.length);
    if (slow === undefined) throw this.error("illegal base64 data");
    return slow;
  }

  boolean(): boolean | undefined {
    const c = this.peek();
    if (c === 0x74) {
      this.literal("true");
      return true;
    }
    if (c === 0x66) {
      this.literal("false");
      return false;
    }
    if (this.takeNull()) return undefined;
    throw this.typeError("a boolean");
  }

  /** A plain integer within the bounds; undefined for `null`. */
  private integer(min: bigint, max: bigint, type: string): bigint | undefined {
    const c = this.peek();
    if (c === 0x6e && this.takeNull()) return undefined;
    if (c >= 0x31 && c <= 0x39) {
      const value = this.shortInteger();
      if (value !== undefined) {
        if (value <= max) return value;
        throw this.error(`number ${value} does not fit ${type}`);
      }
    }
    if (c !== 0x2d && !(c >= 0x30 && c <= 0x39)) throw this.typeError(`an integer (${type})`);
    const text = this.number();
    if (!/^-?\d+$/.test(text) || (min === 0n && c === 0x2d)) throw this.error(`number ${text} is no ${type}`);
    const value = BigInt(text);
    if (value < min || value > max) throw this.error(`number ${text} does not fit ${type}`);
    return value;
  }

  /** Up to 20 digits that no part of another number follows, without a text in between; undefined and nothing consumed otherwise. */
  private shortInteger(): bigint | undefined {
    const { bytes } = this;
    let at = this.at;
    let head = 0;
    let tail = 0;
    let digits = 0;
    let tailScale = 1;
    for (; at < bytes.length; at++, digits++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      if (digits < 15) head = head * 10 + digit;
      else {
        tail = tail * 10 + digit;
        tailScale *= 10;
      }
    }
    const next = at < bytes.length ? bytes[at]! : 0;
    if (digits > 20 || next === 0x2e || next === 0x65 || next === 0x45) return undefined;
    const value = digits <= 15 ? BigInt(head) : BigInt(head) * BigInt(tailScale) + BigInt(tail);
    if (value > 0xffff_ffff_ffff_ffffn) return undefined;
    this.at = at;
    return value;
  }

  uint64(): bigint | undefined {
    return this.integer(0n, 0xffff_ffff_ffff_ffffn, "uint64");
  }

  int64(): bigint | undefined {
    return this.integer(-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, "int64");
  }

  /** Text of a number, its syntax checked. */
  private number(): string {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    const digits = (): void => {
      const from = at;
      while (at < bytes.length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
      if (at === from) {
        this.at = at;
        throw this.unexpected();
      }
    };
    if (bytes[at] === 0x2d) at++;
    if (bytes[at] === 0x30) at++;
    else digits();
    if (bytes[at] === 0x2e) {
      at++;
      digits();
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      digits();
    }
    this.at = at;
    let text = "";
    for (let i = start; i < at; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }

  private ascii(start: number, end: number): string {
    return this.buffer.toString("latin1", start, end);
  }

  private rawString(): string {
    const { bytes } = this;
    const start = this.at + 1;
    let at = start;
    let plain = true;
    let escaped = false;
    for (;;) {
      if (at >= bytes.length) {
        this.at = at;
        throw this.unexpected();
      }
      const c = bytes[at]!;
      if (c === 0x22) break;
      if (c === 0x5c) {
        escaped = true;
        at++;
      } else if (c >= 0x80) plain = false;
      else if (c < 0x20) {
        this.at = at;
        throw this.unexpected();
      }
      at++;
    }
    this.at = at + 1;
    if (plain && !escaped) return this.ascii(start, at);
    const text = plain ? this.ascii(start, at) : lossyText(bytes.subarray(start, at));
    return escaped ? this.unescape(text) : text;
  }

  private unescape(text: string): string {
    let out: string;
    try {
      out = JSON.parse(`"${text}"`) as string;
    } catch {
      throw this.error("a string has a wrong escape");
    }
    return out.isWellFormed() ? out : out.toWellFormed();
  }

  /** An object is next. */
  atObject(): boolean {
    return this.peek() === 0x7b;
  }

  /** Any value, as Go keeps it untyped; a number beyond a double is an error. */
  any(depth = 0): Json {
    if (depth > UNTYPED_DEPTH_MAX) throw this.error(`nested deeper than ${UNTYPED_DEPTH_MAX} levels`);
    switch (this.peek()) {
      case 0x7b: {
        const object: { [name: string]: Json } = {};
        this.members((name) => {
          Object.defineProperty(object, name, {
            value: this.any(depth + 1),
            writable: true,
            enumerable: true,
            configurable: true,
          });
        });
        return object;
      }
      case 0x5b: {
        const items: Json[] = [];
        this.array(() => void items.push(this.any(depth + 1)));
        return items;
      }
      default: {
        const scalar = this.scalar();
        if (scalar === null || typeof scalar !== "object") return scalar;
        const number = Number(scalar.number);
        if (!Number.isFinite(number)) throw this.error(`number ${scalar.number} does not fit float64`);
        return /^-?\d+$/.test(scalar.number) && !Number.isSafeInteger(number) ? BigInt(scalar.number) : number;
      }
    }
  }

  private scalar(): null | boolean | string | { number: string } {
    switch (this.peek()) {
      case 0x22:
        return this.rawString();
      case 0x74:
      case 0x66:
        return this.boolean()!;
      case 0x6e:
        this.literal("null");
        return null;
      default: {
        const c = this.peek();
        if (c !== 0x2d && !(c >= 0x30 && c <= 0x39)) throw this.unexpected();
        return { number: this.number() };
      }
    }
  }

  /** Passes over any value, checking its syntax; without recursion, as anything may stand there. */
  skip(): void {
    const closers: number[] = [];
    for (;;) {
      const open = this.peek();
      if (open === 0x7b || open === 0x5b) {
        this.at++;
        this.enter();
        if (!this.take(open + 2)) {
          closers.push(open + 2);
          if (open === 0x7b) this.memberName();
          continue;
        }
        this.depth--;
      } else this.scalar();
      for (let more = false; !more; ) {
        const close = closers.at(-1);
        if (close === undefined) return;
        more = this.take(0x2c);
        if (more && close === 0x7d) this.memberName();
        if (more) continue;
        if (!this.take(close)) throw this.unexpected();
        closers.pop();
        this.depth--;
      }
    }
  }

  private memberName(): void {
    if (this.peek() !== 0x22) throw this.unexpected();
    this.rawString();
    if (!this.take(0x3a)) throw this.unexpected();
  }
}
