/** Rows of the common spelling, described for callers that read them without a scanner: no escapes, no line begins, one byte a token. */
import { utf8 } from "../base/mod.ts";
import type { CsvDialect } from "./csv-dialect.ts";

/** All tokens are one byte; -1: there is none. */
export interface PlainSyntax {
  readonly separator: number;
  readonly quote: number;
  /** A field with this byte is not plain. */
  readonly escapedBy: number;
  /** Each row begins with these bytes. */
  readonly rowBegin: readonly number[];
  /** What ends a row: `)`, LF, or CR and LF, where a CR stands before an LF only. */
  readonly rowEnds: readonly number[];
  /** Between two rows, white space around it. */
  readonly between: number;
  /** Unquoted fields that are NULL. */
  readonly nulls: readonly Uint8Array[];
  /** Text has quotes, always; else without quotes it goes on up to a token. */
  readonly textIsQuoted: boolean;
}

const LF = 10;
const CR = 13;

/** Null for dialects that have no plain rows. */
export function csvPlainSyntax(dialect: CsvDialect): PlainSyntax | null {
  const { separator, delimiter, terminator, escapedBy, startingBy, trimLastSeparator, unescapedQuote, blankLines } =
    dialect;
  const tokens = [separator, delimiter, escapedBy].map(utf8);
  if (tokens.some(({ length }) => length > 1) || startingBy !== "" || trimLastSeparator || unescapedQuote) return null;
  if (terminator !== "" && terminator !== "\n") return null;
  // A blank line in a file of one column is no row there.
  if (blankLines === "skip") return null;
  const [separatorByte = -1, quote = -1, escapeByte = -1] = tokens.map((token) => token[0] ?? -1);
  const rowEnds = terminator === "" ? [LF, CR] : [LF];
  const special = [separatorByte, quote, escapeByte, ...rowEnds].filter((byte) => byte >= 0);
  // Numbers must not begin as a token does, and no byte may be two tokens.
  if (new Set(special).size < special.length || special.some(isNumberByte)) return null;
  const nulls = (dialect.notNull ? [] : dialect.nulls.length === 0 ? [""] : dialect.nulls).map(utf8);
  const ends = new Set([separatorByte, quote, ...rowEnds]);
  const odd = (marker: Uint8Array): boolean => isNumberByte(marker[0] ?? 0) || marker.some((byte) => ends.has(byte));
  if (nulls.some(odd)) return null;
  return {
    separator: separatorByte,
    quote,
    escapedBy: escapeByte,
    rowBegin: [],
    rowEnds,
    between: -1,
    nulls,
    textIsQuoted: false,
  };
}

function isNumberByte(byte: number): boolean {
  return (byte >= 0x2d && byte <= 0x3a) || byte === 0x2b || byte === 0x20;
}

const BACKSLASH = 0x5c;
const NULL_WORD = utf8("NULL");

function sqlSyntax(escapedBy: number): PlainSyntax {
  return {
    separator: 0x2c,
    quote: 0x27,
    escapedBy,
    rowBegin: [0x28],
    rowEnds: [0x29],
    between: 0x2c,
    nulls: [NULL_WORD],
    textIsQuoted: true,
  };
}

const WITH_BACKSLASH = sqlSyntax(BACKSLASH);
const WITHOUT_BACKSLASH = sqlSyntax(-1);

/** Rows as dumps write them: `(1,'text',NULL)`; the same object for the same mode, as kernels are made for one. */
export function sqlPlainSyntax(noBackslashEscapes: boolean): PlainSyntax {
  return noBackslashEscapes ? WITHOUT_BACKSLASH : WITH_BACKSLASH;
}
