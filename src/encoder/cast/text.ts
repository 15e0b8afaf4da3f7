/** Casts to the string types (TiDB `pkg/types/datum.go`, `convertToString` and `ProduceStrWithSpecifiedTp`). */
import { toHex, utf8 } from "../../base/mod.ts";
import { countRunes, type Datum, skipRunes, trimBlanks, utf8SequenceLength } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { type Fitted, fitBinary, fitText } from "./charset.ts";
import { Code, type Fault } from "./fault.ts";
import { encodeGbk } from "./gbk.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, isBinaryString, isBlobType, isCharType } from "./source.ts";
import { sourceText } from "./source-text.ts";

function isCutWhite(c: number): boolean {
  return c === 0x20 || c === 9 || c === 10 || c === 13;
}

function isWhite(bytes: Uint8Array, start: number): boolean {
  for (let i = start; i < bytes.length; i++) if (!isCutWhite(bytes[i]!)) return false;
  return true;
}

/** Offset at or before `limit` where a whole character ends; 0 if there is none. */
function wholeRunesEnd(bytes: Uint8Array, limit: number): number {
  for (let end = limit; end > 0; end--) {
    for (let size = 1; size <= 4 && size <= end; size++) {
      if (utf8SequenceLength(bytes, end - size, end) === size) return end;
    }
  }
  return 0;
}

/** Where a text is cut to fit the type, and its length in the unit that the type counts. */
function limitOf(bytes: Uint8Array, type: FieldTypeInfo): { end: number; length: number } {
  const limit = type.Flen;
  if (bytes.length <= limit) return { end: bytes.length, length: bytes.length };
  if (type.Charset === "binary") return { end: limit, length: bytes.length };
  if (isBlobType(type.Tp)) return { end: wholeRunesEnd(bytes, limit), length: bytes.length };
  const length = countRunes(bytes, 0, bytes.length);
  return { end: length > limit ? skipRunes(bytes, 0, bytes.length, limit) : bytes.length, length };
}

/** Cuts to the length of the type, pads BINARY. White space at the end is cut in every mode, of VARCHAR with a warning. */
export function fitLength(session: CastSession, bytes: Uint8Array, type: FieldTypeInfo): Uint8Array {
  if (type.Flen < 0) return bytes;
  const { end, length } = limitOf(bytes, type);
  let fitted = bytes;
  if (end < bytes.length) {
    if (isCharType(type.Tp) && !isBinaryString(type) && isWhite(bytes, end)) {
      if (type.Tp === Tp.varchar) {
        session.warn(Code.truncated, `Data truncated, field len ${type.Flen}, data len ${length}`);
      }
    } else {
      const message = `Data Too Long, field len ${type.Flen}, data len ${length}`;
      session.raise(session.forgive({ code: Code.tooLong, message }));
    }
    fitted = bytes.slice(0, end);
  }
  if (type.Tp !== Tp.string || !isBinaryString(type) || fitted.length >= type.Flen) return fitted;
  const padded = new Uint8Array(type.Flen);
  padded.set(fitted);
  return padded;
}

function incorrectString(invalid: Uint8Array, column: string): Fault {
  const shown = toHex(invalid).toUpperCase().replace(/../g, "\\x$&");
  return { code: Code.wrongString, message: `Incorrect string value '${shown}' for column '${column}'` };
}

/** The bytes in the column's character set. */
function convert(session: CastSession, source: CastSource, type: FieldTypeInfo, from?: FieldTypeInfo): Fitted {
  if (source.kind === "literal") return fitBinary(source.value, type.Charset);
  if (source.kind === "bit") return { text: utf8(String(source.value)), invalid: null };
  if (source.kind !== "bytes") return { text: utf8(sourceText(source, from, session.jsonDoubles)), invalid: null };
  const fromBinary = source.collation === "binary";
  if (type.Charset === "binary") {
    const gbk = source.collation.startsWith("gbk_");
    return { text: gbk ? encodeGbk(source.value) : source.value, invalid: null };
  }
  return fromBinary ? fitBinary(source.value, type.Charset) : fitText(source.value, type.Charset);
}

/** `column` is quoted in messages. The result shares bytes with the source. */
export function castText(
  session: CastSession,
  source: CastSource,
  type: FieldTypeInfo,
  column: string,
  from?: FieldTypeInfo,
): Datum {
  const { text, invalid } = convert(session, source, type, from);
  let value = text;
  if (invalid !== null) session.raise(incorrectString(invalid, column));
  else value = fitLength(session, text, type);
  if (type.Tp === Tp.string && !isBinaryString(type)) value = value.subarray(0, trimBlanks(value, 0, value.length));
  return { kind: "bytes", value, collation: type.Charset === "binary" ? "binary" : type.Collate };
}
