import type { LevinError } from "../../base/mod.ts";
import { RESERVED } from "./keywords.ts";
import { type Token, tokenize } from "./lexer.ts";
import { syntaxError, unsupportedError } from "./sql-error.ts";
import type { SqlMode } from "./sql-mode.ts";

/** Nesting allowed in one statement; deeper text is refused instead of exhausting the stack. */
export const MAX_DEPTH = 200;

/** Operators allowed in one chain (`a + b + c …`), which is as deep a tree. */
export const MAX_CHAIN = 2000;

/** A cursor over the tokens of a text, with the checks every parser of ours needs. */
export class TokenReader {
  readonly sql: string;
  readonly mode: SqlMode;
  readonly tokens: readonly Token[];
  private index = 0;
  private depth = 0;

  constructor(sql: string, mode: SqlMode, tokens: Token[] = tokenize(sql, mode)) {
    this.sql = sql;
    this.mode = mode;
    this.tokens = tokens;
  }

  get token(): Token {
    return this.tokens[this.index]!;
  }

  /** Position to return to with `reset`. */
  get mark(): number {
    return this.index;
  }

  reset(mark: number): void {
    this.index = mark;
  }

  peek(ahead = 1): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)]!;
  }

  advance(): Token {
    const token = this.token;
    if (token.kind !== "eof") this.index++;
    return token;
  }

  /** Offset behind the last token read. */
  get lastEnd(): number {
    return this.index === 0 ? 0 : this.tokens[this.index - 1]!.end;
  }

  isOp(text: string): boolean {
    return this.token.kind === "op" && this.token.text === text;
  }

  isWord(...words: string[]): boolean {
    return this.token.kind === "word" && words.includes(this.token.upper);
  }

  /** True when the words stand here one after the other. */
  isWords(...words: string[]): boolean {
    return words.every((word, i) => this.peek(i).upper === word);
  }

  takeOp(text: string): boolean {
    if (!this.isOp(text)) return false;
    this.advance();
    return true;
  }

  /** Takes one of the words; returns it in upper case. */
  takeWord(...words: string[]): string | undefined {
    if (!this.isWord(...words)) return undefined;
    return this.advance().upper;
  }

  /** Takes all the words in a row or nothing. */
  takeWords(...words: string[]): boolean {
    if (!this.isWords(...words)) return false;
    for (let i = 0; i < words.length; i++) this.advance();
    return true;
  }

  expectOp(text: string): Token {
    if (!this.isOp(text)) throw this.error(`"${text}" is missing here`);
    return this.advance();
  }

  expectWord(...words: string[]): string {
    const word = this.takeWord(...words);
    if (word === undefined) throw this.error(`${words.join(" or ")} is missing here`);
    return word;
  }

  expectWords(...words: string[]): void {
    for (const word of words) this.expectWord(word);
  }

  /** A name: quoted, or a word that is not reserved (after a dot, any word). */
  isName(): boolean {
    const { kind, upper } = this.token;
    return kind === "quoted" || kind === "charset" || (kind === "word" && !RESERVED.has(upper));
  }

  name(what: string): string {
    if (!this.isName()) throw this.error(`${what} is missing here`);
    const token = this.advance();
    if (token.kind === "charset") return this.sql.slice(token.start, token.end);
    return token.text;
  }

  /** A name after a dot, where reserved words are names too. */
  nameAfterDot(what: string): string {
    if (this.token.kind === "word") return this.advance().text;
    return this.name(what);
  }

  /** A name or a string, as option values allow. */
  nameOrString(what: string): string {
    if (this.token.kind === "string") return this.advance().text;
    return this.nameAfterDot(what);
  }

  string(what: string): string {
    if (this.token.kind !== "string") throw this.error(`${what} is missing here`);
    return this.advance().text;
  }

  /** An unsigned integer literal. */
  integer(what: string): bigint {
    if (this.token.kind !== "int") throw this.error(`${what} is missing here`);
    return BigInt(this.advance().text);
  }

  smallInteger(what: string, max: number): number {
    const token = this.token;
    const value = this.integer(what);
    if (value > BigInt(max)) throw this.error(`${what} ${value} is above ${max}`, token.start);
    return Number(value);
  }

  error(detail: string, at = this.token.start): LevinError {
    return syntaxError(this.sql, at, detail, at === this.token.start ? this.token.end : at);
  }

  unsupported(what: string, at = this.token.start): LevinError {
    return unsupportedError(this.sql, at, what);
  }

  /** Ends a chain of operators that has become too long. */
  limitChain(length: number): void {
    if (length > MAX_CHAIN) throw this.error(`a chain of more than ${MAX_CHAIN} operators`);
  }

  /** Runs a parser one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    try {
      return parse();
    } finally {
      this.depth--;
    }
  }
}
