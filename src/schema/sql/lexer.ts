import { isDigit, isNameChar } from "./lexer-chars.ts";
import { skipBlank } from "./lexer-comment.ts";
import { scanBits, scanHex, scanNumber, scanString } from "./lexer-literal.ts";
import { syntaxError } from "./sql-error.ts";
import type { SqlMode } from "./sql-mode.ts";

/**
 * - `word`: an unquoted word, keyword or name, `text` as written;
 * - `quoted`: a quoted name, `text` without quotes;
 * - `string`: a string literal, `text` decoded; `national` for N'…';
 * - `int`, `decimal`, `float`: numbers without sign as written;
 * - `hex`, `bit`: `text` is the digits without prefix and quotes;
 * - `uservar`: `text` without `@`; `sysvar`: `text` without `@@`;
 * - `charset`: an introducer such as `_utf8mb4`, `text` lower case without the underscore;
 * - `op`: an operator or punctuation mark; `param`: `?`; `eof`.
 */
export type TokenKind =
  | "word"
  | "quoted"
  | "string"
  | "int"
  | "decimal"
  | "float"
  | "hex"
  | "bit"
  | "uservar"
  | "sysvar"
  | "charset"
  | "op"
  | "param"
  | "eof";

export interface Token {
  kind: TokenKind;
  text: string;
  /** String offsets of the first and after the last character. */
  start: number;
  end: number;
  /** Upper case of a word, else "". */
  upper: string;
  national?: boolean;
}

/** Character sets that make an introducer of a word with an underscore in front. */
const INTRODUCERS = new Set(
  "utf8 utf8mb3 utf8mb4 ascii latin1 binary gbk gb18030 big5 dec8 cp850 hp8 koi8r latin2 swe7 ujis sjis hebrew tis620 euckr koi8u gb2312 greek cp1250 latin5 armscii8 ucs2 cp866 keybcs2 macce macroman cp852 latin7 utf16 utf16le cp1251 cp1256 cp1257 utf32 geostd8 cp932 eucjpms".split(
    " ",
  ),
);

/** Operators of more than one character, longest first. */
const OPERATORS = ["->>", "<=>", "->", "<<", ">>", "<=", ">=", "<>", "!=", "&&", "||", ":="];

/**
 * Turns SQL text into tokens, one at a time. Comments are skipped; what stands in MySQL's version comments and in TiDB's
 * feature comments is read as if the marks were not there (`pkg/parser/lexer.go`). Never goes back; each call takes at least one character.
 */
export class Lexer {
  readonly sql: string;
  readonly mode: SqlMode;
  /** Offset of the next character to read. */
  at: number;
  /** Inside a comment whose content is executed. */
  inComment = false;
  private afterDot = false;

  constructor(sql: string, mode: SqlMode, at = 0) {
    this.sql = sql;
    this.mode = mode;
    this.at = at;
  }

  next(): Token {
    skipBlank(this);
    const token = this.scan();
    this.at = token.end;
    this.afterDot = token.kind === "op" && token.text === ".";
    return token;
  }

  private scan(): Token {
    const { sql, at } = this;
    if (at >= sql.length) return this.token("eof", "", at);
    const c = sql.charCodeAt(at);
    const following = at + 1 < sql.length ? sql.charCodeAt(at + 1) : 0;
    if (c === 39) return this.stringAt(at, at);
    if (c === 34) return this.mode.has("ANSI_QUOTES") ? this.quotedName(34) : this.stringAt(at, at);
    if (c === 96) return this.quotedName(96);
    if (following === 39 && (c === 120 || c === 88)) return this.quotedDigits("hex");
    if (following === 39 && (c === 98 || c === 66)) return this.quotedDigits("bit");
    if (following === 39 && (c === 110 || c === 78)) return { ...this.stringAt(at + 1, at), national: true };
    if (isDigit(c) || (c === 46 && isDigit(following) && !this.precededByName())) return this.numberOrName();
    if (isNameChar(c)) return this.wordAt(at);
    if (c === 64) return this.variable();
    if (c === 63) return this.token("param", "?", at + 1);
    for (const operator of OPERATORS) {
      if (sql.startsWith(operator, at)) return this.token("op", operator, at + operator.length);
    }
    if (c < 33 || c === 127) throw syntaxError(sql, at, "a control character stands here");
    return this.token("op", sql[at]!, at + 1);
  }

  private token(kind: TokenKind, text: string, end: number): Token {
    return { kind, text, start: this.at, end, upper: kind === "word" ? text.toUpperCase() : "" };
  }

  /** `t.1a`: what follows a name and a dot without a gap is a name, not a number. */
  private precededByName(): boolean {
    const before = this.at > 0 ? this.sql.charCodeAt(this.at - 1) : 0;
    return isNameChar(before) || before === 96;
  }

  private stringAt(quote: number, start: number): Token {
    const { text, end } = scanString(this.sql, quote, !this.mode.has("NO_BACKSLASH_ESCAPES"));
    return { kind: "string", text, start, end, upper: "" };
  }

  private quotedName(quote: number): Token {
    const { sql, at } = this;
    const mark = String.fromCharCode(quote);
    let text = "";
    for (let i = at + 1; ; ) {
      const close = sql.indexOf(mark, i);
      if (close < 0) throw syntaxError(sql, at, "a quoted name has no end");
      text += sql.slice(i, close);
      if (sql.charCodeAt(close + 1) !== quote) return this.token("quoted", text, close + 1);
      text += mark;
      i = close + 2;
    }
  }

  private quotedDigits(kind: "hex" | "bit"): Token {
    const { sql, at } = this;
    const close = sql.indexOf("'", at + 2);
    const digits = close < 0 ? "" : sql.slice(at + 2, close);
    const good = kind === "hex" ? /^[0-9a-fA-F]*$/.test(digits) && digits.length % 2 === 0 : /^[01]*$/.test(digits);
    if (close < 0 || !good) throw syntaxError(sql, at, `a ${kind} literal is not valid`);
    return this.token(kind, digits, close + 1);
  }

  private numberOrName(): Token {
    const { sql, at } = this;
    if (!this.afterDot || sql.charCodeAt(at - 1) !== 46) {
      const radix = scanHex(sql, at) ?? scanBits(sql, at);
      if (radix) return this.token(radix.kind, radix.text, radix.end);
      const number = scanNumber(sql, at);
      if (number) return this.token(number.kind, number.text, number.end);
    }
    return this.wordAt(at);
  }

  private wordAt(at: number): Token {
    const { sql } = this;
    let end = at;
    while (end < sql.length && isNameChar(sql.charCodeAt(end))) end++;
    const text = sql.slice(at, end);
    if (text.charCodeAt(0) === 95) {
      const charset = text.slice(1).toLowerCase();
      if (INTRODUCERS.has(charset)) return this.token("charset", charset, end);
    }
    return this.token("word", text, end);
  }

  private variable(): Token {
    const { sql, at } = this;
    const system = sql.charCodeAt(at + 1) === 64;
    const from = at + (system ? 2 : 1);
    const quote = sql.charCodeAt(from);
    if (quote === 39 || quote === 34 || quote === 96) {
      const { text, end } = scanString(sql, from, quote !== 96 && !this.mode.has("NO_BACKSLASH_ESCAPES"));
      return this.token(system ? "sysvar" : "uservar", text, end);
    }
    let end = from;
    while (end < sql.length && (isNameChar(sql.charCodeAt(end)) || sql.charCodeAt(end) === 46)) end++;
    if (system && end === from) throw syntaxError(sql, at, "a variable has no name");
    return this.token(system ? "sysvar" : "uservar", sql.slice(from, end), end);
  }
}

/** All tokens of a text, the last one `eof`. */
export function tokenize(sql: string, mode: SqlMode): Token[] {
  const lexer = new Lexer(sql, mode);
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    tokens.push(token);
    if (token.kind === "eof") return tokens;
  }
}
