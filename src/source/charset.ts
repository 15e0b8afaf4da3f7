import { configError } from "./name-pattern.ts";

/** Character sets of source bytes. "binary": taken as they are; "utf8": likewise, columns are checked by the encoder. */
export type Charset = "binary" | "utf8" | "ascii" | "latin1" | "gbk" | "gb18030" | "utf16le" | "utf16be";

/** Names as MySQL, Lightning and WHATWG write them. MySQL's latin1 is cp1252. */
const NAMES: Readonly<Record<string, Charset>> = {
  binary: "binary",
  utf8: "utf8",
  utf8mb3: "utf8",
  utf8mb4: "utf8",
  "utf-8": "utf8",
  ascii: "ascii",
  latin1: "latin1",
  cp1252: "latin1",
  "windows-1252": "latin1",
  gbk: "gbk",
  gb2312: "gbk",
  gb18030: "gb18030",
};

/** The character set of that name; undefined: levin cannot read it. */
export function charsetOf(name: string): Charset | undefined {
  return NAMES[name.toLowerCase()];
}

/** The same for a configuration value. @throws LevinError `Levin:Config:ErrInvalid`. */
export function requireCharset(name: string, key: string): Charset {
  const charset = charsetOf(name);
  if (charset === undefined) throw configError(key, `"${name}" is no character set that levin reads`);
  return charset;
}

/** Bytes pass as they are. */
export function isIdentity(charset: Charset): boolean {
  return charset === "binary" || charset === "utf8";
}

/** Only a byte order mark says so; SET NAMES in such a file speaks of the bytes before they became UTF-16. */
export function isUtf16(charset: Charset): boolean {
  return charset === "utf16le" || charset === "utf16be";
}

/** A growing buffer of converted bytes. */
export class ByteSink {
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;

  reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + size, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends a code point as UTF-8; room for four bytes is reserved. */
  put(point: number): void {
    const { bytes } = this;
    if (point < 0x80) {
      bytes[this.length++] = point;
    } else if (point < 0x800) {
      bytes[this.length++] = 0xc0 | (point >> 6);
      bytes[this.length++] = 0x80 | (point & 63);
    } else {
      if (point < 0x10000) {
        bytes[this.length++] = 0xe0 | (point >> 12);
      } else {
        bytes[this.length++] = 0xf0 | (point >> 18);
        bytes[this.length++] = 0x80 | ((point >> 12) & 63);
      }
      bytes[this.length++] = 0x80 | ((point >> 6) & 63);
      bytes[this.length++] = 0x80 | (point & 63);
    }
  }
}

/** Reads the character at `at`: its code point in `point` and its width; 0: the data ends inside it; below 0: invalid, that wide. */
interface Decoder {
  point: number;
  width(bytes: Uint8Array, at: number, end: number): number;
}

/**
 * Converts bytes[from, end) to UTF-8 behind what `sink` holds and gives where it stopped: at `end`, before a character that the
 * data cuts, or (with `invalid` -1 changed to its width) before one that is invalid. `replacement` stands in for invalid ones.
 */
export class Converter {
  /** Width of the invalid character at which `convert` stopped; 0: none. */
  invalidWidth = 0;
  replacedCount = 0;
  private readonly decoder: Decoder;
  private readonly replacement: Uint8Array | undefined;

  constructor(charset: Charset, replacement: Uint8Array | undefined) {
    this.decoder = decoderOf(charset);
    this.replacement = replacement;
  }

  convert(bytes: Uint8Array, from: number, end: number, sink: ByteSink): number {
    const { decoder, replacement } = this;
    this.invalidWidth = 0;
    let at = from;
    while (at < end) {
      sink.reserve(4 + (replacement?.length ?? 0));
      const width = decoder.width(bytes, at, end);
      if (width > 0) {
        sink.put(decoder.point);
        at += width;
      } else if (width === 0) {
        return at;
      } else if (replacement !== undefined) {
        sink.bytes.set(replacement, sink.length);
        sink.length += replacement.length;
        this.replacedCount++;
        at -= width;
      } else {
        this.invalidWidth = -width;
        return at;
      }
    }
    return at;
  }
}

function decoderOf(charset: Charset): Decoder {
  switch (charset) {
    case "latin1":
      return tableDecoder(latin1Points());
    case "ascii":
      return tableDecoder(Uint16Array.from({ length: 256 }, (_, byte) => (byte < 0x80 ? byte : INVALID)));
    case "gbk":
      return gbDecoder(false);
    case "gb18030":
      return gbDecoder(true);
    case "utf16le":
      return utf16Decoder(0, 1);
    case "utf16be":
      return utf16Decoder(1, 0);
    default:
      return utf8Decoder();
  }
}

const INVALID = 0xffff;

function tableDecoder(points: Uint16Array): Decoder {
  return {
    point: 0,
    width(bytes, at) {
      const point = points[bytes[at]!]!;
      if (point === INVALID) return -1;
      this.point = point;
      return 1;
    },
  };
}

function latin1Points(): Uint16Array {
  const text = new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  return Uint16Array.from({ length: 256 }, (_, byte) => text.charCodeAt(byte));
}

const FIRST_LEAD = 0x81;
const FIRST_TRAIL = 0x40;
const TRAILS = 0xff - FIRST_TRAIL;
let gbTable: Uint16Array | undefined;

/** Code points of the two-byte characters, made once from the runtime's own decoder. */
function gbPoints(): Uint16Array {
  if (gbTable !== undefined) return gbTable;
  const decoder = new TextDecoder("gb18030");
  const table = new Uint16Array((0xff - FIRST_LEAD) * TRAILS).fill(INVALID);
  for (let lead = FIRST_LEAD; lead < 0xff; lead++) {
    for (let trail = FIRST_TRAIL; trail < 0xff; trail++) {
      if (trail === 0x7f) continue;
      const text = decoder.decode(Uint8Array.of(lead, trail));
      if (text.length === 1 && text !== "\ufffd")
        table[(lead - FIRST_LEAD) * TRAILS + trail - FIRST_TRAIL] = text.charCodeAt(0);
    }
  }
  gbTable = table;
  return table;
}

/** GBK, and GB18030 with its characters of four bytes. */
function gbDecoder(fourBytes: boolean): Decoder {
  const points = gbPoints();
  const decoder = new TextDecoder("gb18030");
  return {
    point: 0,
    width(bytes, at, end) {
      const lead = bytes[at]!;
      this.point = lead;
      if (lead < 0x80) return 1;
      if (lead < FIRST_LEAD || lead === 0xff) return -1;
      if (at + 1 >= end) return 0;
      const trail = bytes[at + 1]!;
      if (trail >= 0x30 && trail <= 0x39 && fourBytes) {
        if (at + 3 >= end) return 0;
        const text = decoder.decode(bytes.subarray(at, at + 4));
        const point = text.codePointAt(0)!;
        if (text.length !== (point > 0xffff ? 2 : 1) || point === 0xfffd) return -1;
        this.point = point;
        return 4;
      }
      const point = trail < FIRST_TRAIL ? INVALID : points[(lead - FIRST_LEAD) * TRAILS + trail - FIRST_TRAIL]!;
      if (point === INVALID) return -1;
      this.point = point;
      return 2;
    },
  };
}

function utf16Decoder(low: number, high: number): Decoder {
  return {
    point: 0,
    width(bytes, at, end) {
      if (at + 1 >= end) return 0;
      const unit = bytes[at + low]! | (bytes[at + high]! << 8);
      this.point = unit;
      if (unit < 0xd800 || unit > 0xdfff) return 2;
      if (unit > 0xdbff) return -2;
      if (at + 3 >= end) return 0;
      const second = bytes[at + 2 + low]! | (bytes[at + 2 + high]! << 8);
      if (second < 0xdc00 || second > 0xdfff) return -2;
      this.point = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
      return 4;
    },
  };
}

/** For checking text that should be UTF-8. */
function utf8Decoder(): Decoder {
  return {
    point: 0,
    width(bytes, at, end) {
      const lead = bytes[at]!;
      this.point = lead;
      if (lead < 0x80) return 1;
      const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
      if (lead < 0xc2 || lead > 0xf4) return -1;
      let point = lead & (0xff >> (width + 1));
      for (let k = 1; k < width; k++) {
        if (at + k >= end) return 0;
        const byte = bytes[at + k]!;
        if ((byte & 0xc0) !== 0x80) return -1;
        point = (point << 6) | (byte & 63);
      }
      if ((width === 3 && point < 0x800) || (point >= 0xd800 && point <= 0xdfff)) return -1;
      if (width === 4 && (point < 0x10000 || point > 0x10ffff)) return -1;
      this.point = point;
      return width;
    },
  };
}

/** Offset of the first byte of bytes[from, to) that is not valid UTF-8, or -1. */
export function invalidUtf8At(bytes: Uint8Array, from: number, to: number): number {
  const decoder = UTF8;
  let at = from;
  while (at < to) {
    if (bytes[at]! < 0x80) {
      at++;
      continue;
    }
    const width = decoder.width(bytes, at, to);
    if (width <= 0) return at;
    at += width;
  }
  return -1;
}

const UTF8 = utf8Decoder();
