/** What stands behind an escape character; other bytes stand for themselves. The same for CSV and MySQL string literals. */
export const ESCAPED = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) ESCAPED[byte] = byte;
ESCAPED["0".charCodeAt(0)] = 0;
ESCAPED["b".charCodeAt(0)] = 8;
ESCAPED["n".charCodeAt(0)] = 10;
ESCAPED["r".charCodeAt(0)] = 13;
ESCAPED["t".charCodeAt(0)] = 9;
ESCAPED["Z".charCodeAt(0)] = 26;

/**
 * Resolves escapes and doubled delimiters of bytes[from, to) in place; gives the new end. `delimiter` is empty for unquoted
 * fields, where nothing is doubled.
 */
export function unescapeCsv(
  bytes: Uint8Array,
  from: number,
  to: number,
  escapeBytes: Uint8Array,
  delimiter: Uint8Array,
): number {
  let write = from;
  let read = from;
  while (read < to) {
    if (escapeBytes.length > 0 && startsWith(bytes, read, to, escapeBytes) && read + escapeBytes.length < to) {
      read += escapeBytes.length;
      bytes[write++] = ESCAPED[bytes[read++]!]!;
    } else if (delimiter.length > 0 && startsWith(bytes, read, to, delimiter)) {
      bytes.copyWithin(write, read, read + delimiter.length);
      write += delimiter.length;
      read += 2 * delimiter.length;
    } else {
      bytes[write++] = bytes[read++]!;
    }
  }
  return write;
}

/** As `unescapeCsv`, for an escape and a delimiter of one byte each (-1: none); `special` is not 0 at those bytes. */
export function unescapeCsvBytes(
  bytes: Uint8Array,
  from: number,
  to: number,
  special: Uint8Array,
  escapeByte: number,
  delimiter: number,
): number {
  let read = from;
  while (read < to && special[bytes[read]!] === 0) read++;
  let write = read;
  while (read < to) {
    const byte = bytes[read++]!;
    if (byte === escapeByte && read < to) {
      bytes[write++] = ESCAPED[bytes[read++]!]!;
    } else {
      bytes[write++] = byte;
      if (byte === delimiter) read++;
    }
  }
  return write;
}

function startsWith(bytes: Uint8Array, at: number, to: number, token: Uint8Array): boolean {
  if (at + token.length > to) return false;
  for (let k = 0; k < token.length; k++) if (bytes[at + k] !== token[k]) return false;
  return true;
}
