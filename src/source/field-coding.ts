import { FieldKind, type Fields } from "../codec/mod.ts";
import { ByteSink, type Charset, Converter } from "./charset.ts";
import type { RowScanner } from "./row-scanner.ts";
import { decodeHex } from "./sql-unescape.ts";

/**
 * Converts single fields of a row to UTF-8: those behind a charset introducer, and text that a dump holds in its column's own
 * character set. The row moves to a buffer of its own, as text may grow.
 */
export class FieldConverter {
  private readonly converters = new Map<Charset, Converter>();
  private readonly replacement: Uint8Array | undefined;
  private sink = new ByteSink();

  constructor(replacement: string | undefined) {
    this.replacement = replacement === undefined ? undefined : new TextEncoder().encode(replacement);
  }

  /**
   * Converts field k from `charsets[k]` where that is set. Gives -1, or the first field that is not valid in its charset; the
   * row is unusable then.
   */
  convert(fields: Fields, charsets: readonly (Charset | undefined)[]): number {
    const { bytes } = fields;
    const { sink } = this;
    sink.length = 0;
    for (let k = 0; k < fields.count; k++) {
      const from = fields.start[k]!;
      const to = fields.end[k]!;
      const charset = charsets[k];
      fields.start[k] = sink.length;
      if (charset === undefined || charset === "utf8" || charset === "binary") {
        sink.reserve(to - from);
        sink.bytes.set(bytes.subarray(from, to), sink.length);
        sink.length += to - from;
      } else if (this.converterOf(charset).convert(bytes, from, to, sink) !== to) {
        return k;
      }
      fields.end[k] = sink.length;
    }
    fields.bytes = sink.bytes;
    return -1;
  }

  private converterOf(charset: Charset): Converter {
    let converter = this.converters.get(charset);
    if (converter === undefined) {
      converter = new Converter(charset, this.replacement);
      this.converters.set(charset, converter);
    }
    return converter;
  }
}

/** How a column's values stand in the source: text in another character set, or bytes written as text. */
export type ColumnCoding = Charset | "hex" | "base64";

/** Decodes the columns of a table that are coded in the source, field by field. */
export class ColumnDecoder {
  private readonly converter: FieldConverter;
  private readonly codings: ReadonlyMap<string, ColumnCoding>;
  private readonly columnNames: readonly string[];
  private charsets: (Charset | undefined)[] = [];
  private binary: ("hex" | "base64" | undefined)[] = [];
  private version = -1;

  /** `codings` by lower-case name; `columnNames` are the table's, for rows without a list of their own. */
  constructor(
    codings: ReadonlyMap<string, ColumnCoding>,
    columnNames: readonly string[],
    replacement: string | undefined,
  ) {
    this.converter = new FieldConverter(replacement);
    this.codings = codings;
    this.columnNames = columnNames;
  }

  /** Decodes the row that the scanner just gave; gives -1, or the first field that is not valid, of an unusable row. */
  decode(fields: Fields, scanner: RowScanner): number {
    if (scanner.columnsVersion !== this.version) this.bind(scanner);
    for (let k = 0; k < this.binary.length && k < fields.count; k++) {
      const coding = this.binary[k];
      if (coding === undefined || fields.kind[k] === FieldKind.null) continue;
      const from = fields.start[k]!;
      const to = fields.end[k]!;
      const end = coding === "hex" ? decodeHex(fields.bytes, from, to) : decodeBase64(fields.bytes, from, to);
      if (end < 0) return k;
      fields.end[k] = end;
      fields.kind[k] = FieldKind.binary;
    }
    return this.charsets.some((charset) => charset !== undefined) ? this.converter.convert(fields, this.charsets) : -1;
  }

  codingOf(field: number): ColumnCoding | undefined {
    return this.binary[field] ?? this.charsets[field];
  }

  private bind(scanner: RowScanner): void {
    this.version = scanner.columnsVersion;
    const codings = (scanner.columns ?? this.columnNames).map((name) => this.codings.get(name.toLowerCase()));
    this.binary = codings.map((coding) => (coding === "hex" || coding === "base64" ? coding : undefined));
    this.charsets = codings.map((coding) => (coding === "hex" || coding === "base64" ? undefined : coding));
  }
}

const BASE64 = new Int8Array(256).fill(-1);
for (const [k, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  BASE64[char.charCodeAt(0)] = k;
}

/** Decodes padded base64 in place; gives the new end, or -1. */
function decodeBase64(bytes: Uint8Array, from: number, to: number): number {
  if ((to - from) % 4 !== 0) return -1;
  let end = to;
  while (end > from && end > to - 2 && bytes[end - 1] === 0x3d) end--;
  let write = from;
  let bits = 0;
  let word = 0;
  for (let read = from; read < end; read++) {
    const digit = BASE64[bytes[read]!]!;
    if (digit < 0) return -1;
    word = (word << 6) | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[write++] = word >> bits;
      word &= (1 << bits) - 1;
    }
  }
  return word === 0 ? write : -1;
}
