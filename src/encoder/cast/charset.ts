/**
 * Text for columns of each character set (TiDB `pkg/parser/charset/encoding_*.go`). Columns hold UTF-8 whatever their character set;
 * the set only says which characters are allowed. latin1 takes any bytes.
 */
import { ByteWriter, isValidUtf8, utf8SequenceLength } from "../../codec/mod.ts";
import { codePointAt, decodeGbk, gbkCode } from "./gbk.ts";

/** Text fit for the column, and the first bytes that were not: they became "?" or end the text. */
export interface Fitted {
  readonly text: Uint8Array;
  readonly invalid: Uint8Array | null;
}

const QUESTION = 0x3f;

/** Length of a character by its lead byte alone; what is there may be no character. */
function peekLength(text: Uint8Array, at: number): number {
  const lead = text[at]!;
  const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return Math.min(size, text.length - at);
}

/** The piece of text that counts as one character: its length, negative if the set does not have it. */
type Piece = (text: Uint8Array, at: number) => number;

function utf8Piece(text: Uint8Array, at: number): number {
  return utf8SequenceLength(text, at, text.length) || -1;
}

function utf8mb3Piece(text: Uint8Array, at: number): number {
  const size = utf8SequenceLength(text, at, text.length);
  return size === 4 ? -4 : size || -1;
}

function asciiPiece(text: Uint8Array, at: number): number {
  return text[at]! < 0x80 ? 1 : -peekLength(text, at);
}

function gbkPiece(text: Uint8Array, at: number): number {
  const size = peekLength(text, at);
  if (utf8SequenceLength(text, at, text.length) !== size) return -size;
  return gbkCode(codePointAt(text, at, size)) < 0 ? -size : size;
}

const PIECES: ReadonlyMap<string, Piece> = new Map([
  ["utf8mb4", utf8Piece],
  ["utf8", utf8mb3Piece],
  ["utf8mb3", utf8mb3Piece],
  ["ascii", asciiPiece],
  ["gbk", gbkPiece],
]);

function isAscii(text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (text[i]! >= 0x80) return false;
  return true;
}

/** Offset of the first piece that the set does not have, the length if there is none. */
function firstInvalid(text: Uint8Array, piece: Piece): number {
  let at = 0;
  while (at < text.length) {
    if (text[at]! < 0x80) at++;
    else {
      const size = piece(text, at);
      if (size < 0) return at;
      at += size;
    }
  }
  return at;
}

/** A text for a column of the set: every character that it does not have becomes "?". */
export function fitText(text: Uint8Array, charset: string): Fitted {
  const piece = PIECES.get(charset);
  if (piece === undefined || isAscii(text)) return { text, invalid: null };
  if (charset === "utf8mb4" && isValidUtf8(text, 0, text.length)) return { text, invalid: null };
  let at = firstInvalid(text, piece);
  if (at === text.length) return { text, invalid: null };
  const invalid = text.slice(at, at - piece(text, at));
  const out = new ByteWriter(text.length);
  out.slice(text, 0, at);
  while (at < text.length) {
    const size = piece(text, at);
    if (size < 0) out.u8(QUESTION);
    else out.slice(text, at, at + size);
    at += Math.abs(size);
  }
  return { text: out.bytes.slice(0, out.length), invalid };
}

/** A binary string for a column of the set: cut before the first bytes that are none of its characters; GBK is decoded. */
export function fitBinary(bytes: Uint8Array, charset: string): Fitted {
  if (charset === "gbk") {
    const { text, bad } = decodeGbk(bytes);
    return { text, invalid: bad === bytes.length ? null : bytes.slice(bad, bad + 2) };
  }
  const piece = PIECES.get(charset);
  const at = piece === undefined ? bytes.length : firstInvalid(bytes, piece);
  if (at === bytes.length) return { text: bytes, invalid: null };
  return { text: bytes.slice(0, at), invalid: bytes.slice(at, at - piece!(bytes, at)) };
}
