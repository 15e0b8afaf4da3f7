/** Words, numbers and signs of a kernel's source. */
import { assert } from "../base/mod.ts";

interface Token {
  /** `end` behind the last one. */
  readonly kind: "word" | "number" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /\s+|\/\/[^\n]*|(?<word>[A-Za-z_]\w*)|(?<number>(?:0x[0-9a-fA-F]+|\d+)L?)|(?<sign>>>>|<<|>>|[-+*&|^<>=!]=|&&|\|\||[-+*&|^~!<>=(){},;:])/y;

export class Tokens {
  private readonly source: string;
  private readonly list: Token[] = [];
  private next = 0;

  constructor(source: string) {
    this.source = source;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < source.length) {
      const at = TOKEN.lastIndex;
      const groups = TOKEN.exec(source)?.groups;
      assert(groups !== undefined, `a kernel is made of tokens: ${source.slice(at, at + 20)}`);
      const { word, number, sign } = groups;
      if (word !== undefined) this.list.push({ kind: "word", text: word, at });
      else if (number !== undefined) this.list.push({ kind: "number", text: number, at });
      else if (sign !== undefined) this.list.push({ kind: "sign", text: sign, at });
    }
    this.list.push({ kind: "end", text: "", at: source.length });
  }

  get kind(): Token["kind"] {
    return this.list[this.next]!.kind;
  }

  get text(): string {
    return this.list[this.next]!.text;
  }

  /** Whether the text behind the next token is this. */
  followedBy(text: string): boolean {
    return this.list[this.next + 1]?.text === text;
  }

  take(): string {
    return this.list[this.next++]!.text;
  }

  /** Takes the next token if it is this. */
  takeIf(text: string): boolean {
    if (this.kind === "end" || this.text !== text) return false;
    this.next++;
    return true;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) this.fail(`expected ${text}`);
  }

  word(): string {
    if (this.kind !== "word") this.fail("expected a name");
    return this.take();
  }

  /** From the first token again. */
  rewind(): void {
    this.next = 0;
  }

  fail(detail: string): never {
    const { at, text } = this.list[this.next]!;
    const line = this.source.slice(0, at).split("\n").length;
    throw new Error(`Bug in a kernel, line ${line} at "${text}": ${detail}`);
  }
}
