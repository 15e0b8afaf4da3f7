/** JSON paths (TiDB `pkg/types/json_path_expr.go`). */
import { textOf, utf8 } from "../../base/mod.ts";
import { byteString, CastError } from "../cast/mod.ts";
import { isJsonString, unquoteEscapes } from "./json-quote.ts";

/** Negative: from the end, -1 is the last. */
type Index = number;

export type Leg =
  | { readonly kind: "key"; readonly key: Uint8Array }
  | { readonly kind: "anyKey" }
  | { readonly kind: "index"; readonly index: Index }
  | { readonly kind: "range"; readonly from: Index; readonly to: Index }
  | { readonly kind: "anyIndex" }
  /** `**`: here and anywhere below. */
  | { readonly kind: "anyDepth" };

export interface JsonPath {
  readonly legs: readonly Leg[];
  /** Has `*`, `**` or a range. */
  readonly many: boolean;
}

const MAX_INDEX = 4294967295;

function isSpace(c: string | undefined): boolean {
  return c !== undefined && /[\t\n\v\f\r \x85\xa0]/.test(c);
}

const IDENTIFIER = /^[A-Za-z_$\x80-\xff][0-9A-Za-z_$\x80-\xff]*$/;

class PathReader {
  readonly text: string;
  at = 0;
  readonly legs: Leg[] = [];
  many = false;

  /** A byte string. */
  constructor(text: string) {
    this.text = text;
  }

  peek(): string | undefined {
    return this.text[this.at];
  }

  skipSpace(): void {
    while (isSpace(this.peek())) this.at++;
  }

  leg(): boolean {
    switch (this.peek()) {
      case ".":
        return this.member();
      case "[":
        return this.cell();
      case "*":
        return this.depth();
      default:
        return false;
    }
  }

  private depth(): boolean {
    this.at++;
    if (this.peek() === undefined) return false;
    if (this.text[this.at++] !== "*") return false;
    if (this.peek() === undefined || this.peek() === "*") return false;
    this.many = true;
    this.legs.push({ kind: "anyDepth" });
    return true;
  }

  /** The first character behind `.` or `[` and spaces. */
  private legStart(): string | undefined {
    this.at++;
    this.skipSpace();
    return this.peek();
  }

  private star(kind: "anyKey" | "anyIndex"): true {
    this.at++;
    this.many = true;
    this.legs.push({ kind });
    return true;
  }

  private member(): boolean {
    const c = this.legStart();
    if (c === undefined) return false;
    if (c === "*") return this.star("anyKey");
    const raw = c === '"' ? this.quoted() : this.bare();
    if (raw === undefined || !isJsonString(`"${raw}"`)) return false;
    const key = unquoteEscapes(raw);
    if (key === undefined || (c !== '"' && !IDENTIFIER.test(byteString(key)))) return false;
    // TiDB does not tell `"*"` from `*` here.
    this.legs.push(byteString(key) === "*" ? { kind: "anyKey" } : { kind: "key", key });
    return true;
  }

  private quoted(): string | undefined {
    const from = ++this.at;
    while (this.at < this.text.length && this.peek() !== '"') this.at += this.peek() === "\\" ? 2 : 1;
    if (this.at >= this.text.length) return undefined;
    return this.text.slice(from, this.at++);
  }

  private bare(): string {
    const from = this.at;
    while (this.at < this.text.length && !isSpace(this.peek()) && !".[*".includes(this.peek()!)) this.at++;
    return this.text.slice(from, this.at);
  }

  private cell(): boolean {
    const c = this.legStart();
    if (c === undefined) return false;
    if (c === "*") this.star("anyIndex");
    else {
      const leg = this.selection();
      if (leg === undefined) return false;
      this.legs.push(leg);
    }
    this.skipSpace();
    return this.at < this.text.length && this.text[this.at++] === "]";
  }

  private selection(): Leg | undefined {
    const from = this.index();
    if (from === undefined) return undefined;
    if (!isSpace(this.peek())) return { kind: "index", index: from };
    this.skipSpace();
    if (!this.word("to") || !isSpace(this.peek())) return { kind: "index", index: from };
    this.skipSpace();
    const to = this.index();
    if (to === undefined || (from < 0 === to < 0 && from > to)) return undefined;
    this.many = true;
    return { kind: "range", from, to };
  }

  private index(): Index | undefined {
    const start = this.at;
    this.skipSpace();
    const index = this.word("last") ? this.fromLast() : this.number();
    if (index === undefined) this.at = start;
    return index;
  }

  private fromLast(): Index | undefined {
    this.skipSpace();
    if (this.peek() !== "-") return -1;
    this.at++;
    this.skipSpace();
    const back = this.number();
    return back === undefined ? undefined : -1 - back;
  }

  /** Digits with something behind them. */
  private number(): number | undefined {
    const digits = /^[0-9]+(?=[^0-9])/s.exec(this.text.slice(this.at))?.[0];
    if (digits === undefined || Number(digits) > MAX_INDEX) return undefined;
    this.at += digits.length;
    return Number(digits);
  }

  /** The word with something behind it. */
  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at) || this.at + word.length >= this.text.length) return false;
    this.at += word.length;
    return true;
  }
}

export function badPath(at: number | string): CastError {
  return new CastError(3143, `Invalid JSON path expression. The error is around character position ${at}.`);
}

export function parsePath(source: Uint8Array): JsonPath {
  const reader = new PathReader(byteString(source));
  reader.skipSpace();
  if (reader.peek() !== "$") throw badPath(1);
  reader.at++;
  reader.skipSpace();
  while (reader.at < reader.text.length) {
    if (!reader.leg()) throw badPath(reader.at);
    reader.skipSpace();
  }
  const { legs, many } = reader;
  if (legs[legs.length - 1]?.kind === "anyDepth") throw badPath(reader.at);
  return { legs, many };
}

function keyText(key: Uint8Array): string {
  const text = byteString(key);
  if (IDENTIFIER.test(text)) return textOf(key);
  const short: Record<string, string> = { "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const escaped = textOf(key).replace(/[\\"\b\f\n\r\t]/g, (c) => short[c] ?? `\\${c}`);
  return `"${escaped}"`;
}

/** A path of keys and indexes as JSON_SEARCH gives it. */
export function pathText(legs: readonly Leg[]): Uint8Array {
  let out = "$";
  for (const leg of legs) {
    if (leg.kind === "key") out += `.${keyText(leg.key)}`;
    if (leg.kind === "index") out += leg.index < 0 ? `[last-${-leg.index - 1}]` : `[${leg.index}]`;
  }
  return utf8(out);
}
