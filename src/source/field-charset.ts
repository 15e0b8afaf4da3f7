import type { Fields } from "../codec/mod.ts";
import { ByteSink, type Charset, Converter } from "./charset.ts";

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
