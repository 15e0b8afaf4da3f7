/**
 * Regular expressions in the syntax of Go's `regexp/syntax` with its Perl extensions, which TiDB's functions take, as trees.
 * There are no references back and no looking around, so that matching takes linear time.
 */
import { anyOf, folded, one, POSIX, perlClass, range, type Test, unicodeClass } from "./charset.ts";

export type Assertion = "begin" | "end" | "beginLine" | "endLine" | "word" | "notWord";

export type Tree =
  | { readonly kind: "empty" }
  | { readonly kind: "char"; readonly test: Test }
  | { readonly kind: "all" | "any"; readonly items: readonly Tree[] }
  | { readonly kind: "repeat"; readonly item: Tree; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: "group"; readonly index: number; readonly item: Tree }
  | { readonly kind: "assert"; readonly what: Assertion };

/** What Go says of a pattern that is none. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  constructor(reason: string, part: string) {
    super(`error parsing regexp: ${reason}: \`${part}\``);
  }
}

interface Flags {
  readonly fold: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly ungreedy: boolean;
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 500;

export interface Pattern {
  readonly tree: Tree;
  /** Groups, the whole match not counted. */
  readonly groups: number;
}

/** Parses a pattern; throws PatternError. */
export function parsePattern(pattern: string): Pattern {
  const parser = new Parser([...pattern]);
  return { tree: parser.parse(), groups: parser.groups };
}

const PUNCTUATION = /^[!-/:-@[-`{-~]$/;
const CONTROLS: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

class Parser {
  groups = 0;
  private readonly chars: readonly string[];
  private readonly names = new Set<string>();
  private at = 0;
  private depth = 0;
  private flags: Flags = { fold: false, multiline: false, dotAll: false, ungreedy: false };

  constructor(chars: ReadonlyArray<string>) {
    this.chars = chars;
  }

  parse(): Tree {
    const tree = this.alternatives();
    if (this.at < this.chars.length) throw new PatternError("unexpected )", this.chars.join(""));
    return tree;
  }

  private peek(offset = 0): string | undefined {
    return this.chars[this.at + offset];
  }

  private take(text: string): boolean {
    const found = this.chars.slice(this.at, this.at + text.length).join("") === text;
    if (found) this.at += text.length;
    return found;
  }

  private from(start: number): string {
    return this.chars.slice(start, this.at).join("");
  }

  private alternatives(): Tree {
    if (++this.depth > MAX_DEPTH) throw new PatternError("expression nests too deeply", this.chars.join(""));
    const items = [this.sequence()];
    while (this.take("|")) items.push(this.sequence());
    this.depth--;
    return items.length === 1 ? items[0]! : { kind: "any", items };
  }

  private sequence(): Tree {
    const items: Tree[] = [];
    for (let c = this.peek(); c !== undefined && c !== "|" && c !== ")"; c = this.peek()) {
      const start = this.at;
      const atom = this.atom();
      if (atom === undefined) continue;
      items.push(...(Array.isArray(atom) ? atom.slice(0, -1) : []));
      const last = Array.isArray(atom) ? atom[atom.length - 1] : atom;
      if (last === undefined) continue;
      items.push(this.repeated(last, start));
    }
    return items.length === 1 ? items[0]! : { kind: "all", items };
  }

  /** One item; several of \Q…\E, of which the last may be repeated; undefined for flags. */
  private atom(): Tree | Tree[] | undefined {
    const c = this.peek()!;
    const start = this.at;
    this.at++;
    switch (c) {
      case "(":
        return this.group();
      case "[":
        return { kind: "char", test: this.charClass(start) };
      case ".": {
        const { dotAll } = this.flags;
        return { kind: "char", test: (code) => dotAll || code !== 10 };
      }
      case "^":
        return { kind: "assert", what: this.flags.multiline ? "beginLine" : "begin" };
      case "$":
        return { kind: "assert", what: this.flags.multiline ? "endLine" : "end" };
      case "*":
      case "+":
      case "?":
        throw new PatternError("missing argument to repetition operator", c);
      case "{":
        this.at = start;
        if (this.bounds() !== undefined)
          throw new PatternError("missing argument to repetition operator", this.from(start));
        this.at = start + 1;
        return this.literal(c);
      case "\\":
        return this.escape(start);
      default:
        return this.literal(c);
    }
  }

  private literal(c: string): Tree {
    return { kind: "char", test: one(c.codePointAt(0)!, this.flags.fold) };
  }

  private repeated(item: Tree, start: number): Tree {
    const before = this.at;
    const bounds = this.bounds();
    if (bounds === undefined) return item;
    const [min, max] = bounds;
    if (min > MAX_REPEAT || max > MAX_REPEAT || (max >= 0 && min > max)) {
      throw new PatternError("invalid repeat count", this.from(before));
    }
    const lazy = this.take("?") !== this.flags.ungreedy;
    const after = this.at;
    if (this.bounds() !== undefined) {
      throw new PatternError("invalid nested repetition operator", this.from(before));
    }
    this.at = after;
    if (item.kind === "repeat" && tooMany(item, max < 0 ? min : max)) {
      throw new PatternError("invalid repeat count", this.from(start));
    }
    return { kind: "repeat", item, min, max, lazy };
  }

  /** `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}` as least and most, -1 for no end. */
  private bounds(): readonly [number, number] | undefined {
    if (this.take("*")) return [0, -1];
    if (this.take("+")) return [1, -1];
    if (this.take("?")) return [0, 1];
    if (this.peek() !== "{") return undefined;
    const close = this.chars.indexOf("}", this.at);
    if (close < 0) return undefined;
    const found = /^(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?$/.exec(this.chars.slice(this.at + 1, close).join(""));
    if (found === null) return undefined;
    this.at = close + 1;
    const min = Math.min(Number(found[1]), 1e8);
    if (found[2] === undefined) return [min, min];
    return [min, found[3] === undefined ? -1 : Math.min(Number(found[3]), 1e8)];
  }

  private group(): Tree | undefined {
    const start = this.at - 1;
    const outer = this.flags;
    let index = 0;
    if (this.take("?P<") || this.take("?<")) {
      this.name(start);
      index = ++this.groups;
    } else if (this.take("?")) {
      if (this.groupFlags(start)) return undefined;
    } else index = ++this.groups;
    const item = this.alternatives();
    if (!this.take(")")) throw new PatternError("missing closing )", this.chars.join(""));
    this.flags = outer;
    return index === 0 ? item : { kind: "group", index, item };
  }

  private name(start: number): void {
    const nameAt = this.at;
    while (this.peek() !== undefined && this.peek() !== ">") this.at++;
    const name = this.from(nameAt);
    if (!this.take(">") || !/^[\p{L}\p{N}_]+$/u.test(name))
      throw new PatternError("invalid named capture", this.from(start));
    if (this.names.has(name)) throw new PatternError("duplicate capture group name", name);
    this.names.add(name);
  }

  /** `(?i-s:` opens a group; `(?i)` sets flags to the end of the group around it: true. */
  private groupFlags(start: number): boolean {
    const bad = (): PatternError => new PatternError("invalid or unsupported Perl syntax", this.from(start));
    const letters: Record<string, keyof Flags> = { i: "fold", m: "multiline", s: "dotAll", U: "ungreedy" };
    let flags = this.flags;
    let value = true;
    let some = false;
    for (;;) {
      const c = this.peek();
      if (c === undefined) throw new PatternError("missing argument to repetition operator", "?");
      this.at++;
      if (c === ":" || c === ")") {
        if (!value && !some) throw bad();
        this.flags = flags;
        return c === ")";
      }
      if (c === "-") {
        if (!value) throw bad();
        value = false;
        some = false;
        continue;
      }
      const flag = letters[c];
      if (flag === undefined) throw bad();
      flags = { ...flags, [flag]: value };
      some = true;
    }
  }

  private escape(start: number): Tree | Tree[] | undefined {
    const c = this.peek();
    if (c === undefined) throw new PatternError("trailing backslash at end of expression", "");
    const asserts: Record<string, Assertion> = { A: "begin", z: "end", b: "word", B: "notWord" };
    const what = asserts[c];
    if (what !== undefined) {
      this.at++;
      return { kind: "assert", what };
    }
    if (c === "Q") return this.quoted();
    const test = this.classEscape(start);
    if (test !== undefined) return { kind: "char", test: this.flags.fold ? folded(test) : test };
    return { kind: "char", test: one(this.escapedCode(start), this.flags.fold) };
  }

  private quoted(): Tree[] | undefined {
    this.at++;
    const rest = this.chars.slice(this.at);
    let end = rest.findIndex((c, i) => c === "\\" && rest[i + 1] === "E");
    if (end < 0) end = rest.length;
    this.at = Math.min(this.at + end + 2, this.chars.length);
    return end === 0 ? undefined : rest.slice(0, end).map((c) => this.literal(c));
  }

  /** \d and the like, \p{…}; the backslash is read. */
  private classEscape(start: number): Test | undefined {
    const c = this.peek()!;
    const perl = perlClass(c);
    if (perl !== undefined) {
      this.at++;
      return perl;
    }
    if (c !== "p" && c !== "P") return undefined;
    this.at++;
    const first = this.peek();
    if (first === undefined) throw new PatternError("invalid character class range", this.from(start));
    this.at++;
    let name = first;
    if (first === "{") {
      const close = this.chars.indexOf("}", this.at);
      if (close < 0) throw new PatternError("invalid character class range", this.from(start));
      name = this.chars.slice(this.at, close).join("");
      this.at = close + 1;
    }
    const negated = name.startsWith("^") !== (c === "P");
    const test = unicodeClass(name.replace(/^\^/, ""));
    if (test === undefined) throw new PatternError("invalid character class range", this.from(start));
    return negated ? (code) => !test(code) : test;
  }

  /** The code of an escape of one character. */
  private escapedCode(start: number): number {
    const c = this.peek()!;
    this.at++;
    const control = CONTROLS[c];
    if (control !== undefined) return control;
    if (PUNCTUATION.test(c)) return c.codePointAt(0)!;
    if (c >= "0" && c <= "7" && c.length === 1) {
      const next = this.peek();
      if (c === "0" || (next !== undefined && /^[0-7]$/.test(next))) return this.octal(c);
    }
    if (c === "x") {
      const rest = this.chars.slice(this.at, this.at + 12).join("");
      const found = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})/.exec(rest);
      const code = found === null ? -1 : Number.parseInt(found[1] ?? found[2]!, 16);
      if (found !== null && code <= 0x10ffff) {
        this.at += found[0].length;
        return code;
      }
    }
    throw new PatternError("invalid escape sequence", this.from(start));
  }

  private octal(first: string): number {
    let digits = first;
    while (digits.length < 3 && /^[0-7]$/.test(this.peek() ?? "")) {
      digits += this.peek();
      this.at++;
    }
    return Number.parseInt(digits, 8);
  }

  /** `[…]`; the opening bracket is read. */
  private charClass(start: number): Test {
    const negated = this.take("^");
    const tests: Test[] = [];
    for (let first = true; first || this.peek() !== "]"; first = false) {
      if (this.peek() === undefined) throw new PatternError("missing closing ]", this.chars.slice(start).join(""));
      tests.push(this.classItem());
    }
    this.at++;
    const all = anyOf(tests);
    const test = this.flags.fold ? folded(all) : all;
    return negated ? (c) => !test(c) : test;
  }

  private classItem(): Test {
    const start = this.at;
    if (this.peek() === "[" && this.peek(1) === ":") {
      const named = this.posixClass();
      if (named !== undefined) return named;
    }
    if (this.peek() === "\\" && this.peek(1) !== undefined) {
      this.at++;
      const test = this.classEscape(start);
      if (test !== undefined) return test;
      this.at--;
    }
    const low = this.classChar(start);
    if (this.peek() !== "-" || this.peek(1) === "]" || this.peek(1) === undefined) return range(low, low);
    this.at++;
    const high = this.classChar(start);
    if (high < low) throw new PatternError("invalid character class range", this.from(start));
    return range(low, high);
  }

  private classChar(start: number): number {
    const c = this.peek();
    if (c === undefined) throw new PatternError("missing closing ]", this.chars.slice(start).join(""));
    this.at++;
    if (c !== "\\") return c.codePointAt(0)!;
    if (this.peek() === undefined) throw new PatternError("trailing backslash at end of expression", "");
    return this.escapedCode(this.at - 1);
  }

  private posixClass(): Test | undefined {
    const rest = this.chars.slice(this.at, this.at + 16).join("");
    const found = /^\[:(\^?)([^:\]]*):\]/.exec(rest);
    if (found === null) return undefined;
    const test = Object.hasOwn(POSIX, found[2]!) ? POSIX[found[2]!]! : undefined;
    if (test === undefined) throw new PatternError("invalid character class range", found[0]);
    this.at += [...found[0]].length;
    return found[1] === "^" ? (c) => !test(c) : test;
  }
}

/** Whether repeats in repeats come to more than Go allows. */
function tooMany(item: Tree, times: number): boolean {
  let product = Math.max(times, 1);
  for (let tree = item; tree.kind === "repeat"; tree = tree.item) {
    product *= Math.max(tree.max < 0 ? tree.min : tree.max, 1);
    if (product > MAX_REPEAT) return true;
  }
  return false;
}
