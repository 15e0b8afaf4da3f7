/** Words, numbers and signs of a kernel's source. */

type Kind = "word" | "number" | "sign" | "end";

/** Behind white space and comments; the last alternative is what no kernel has. */
const TOKEN =
  /(?:\s|\/\/[^\n]*)*([A-Za-z_]\w*|(?:0x[0-9a-fA-F]+|\d+)L?|>>>|<<|>>|[-+*&|^<>=!]=|&&|\|\||[-+*&|^~!<>=(){},;:]|\S)/g;
const SIGNS = "-+*&|^~!<>=(){},;:";

function kindOf(token: string): Kind {
  if (token === "") return "end";
  const first = token.charCodeAt(0);
  if (first >= 0x30 && first <= 0x39) return "number";
  return SIGNS.includes(token[0]!) ? "sign" : "word";
}

export class Tokens {
  private readonly source: string;
  private readonly list: string[];
  private next = 0;

  constructor(source: string) {
    this.source = source;
    // An empty text stands behind the last token.
    this.list = source.split(TOKEN).filter((_, i) => i % 2 === 1);
    this.list.push("");
  }

  get kind(): Kind {
    return kindOf(this.text);
  }

  get text(): string {
    return this.list[this.next]!;
  }

  /** Whether the text behind the next token is this. */
  followedBy(text: string): boolean {
    return this.list[this.next + 1] === text;
  }

  take(): string {
    return this.list[this.next++]!;
  }

  /** Takes the next token if it is this. */
  takeIf(text: string): boolean {
    if (this.text !== text) return false;
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
    let at = 0;
    for (let i = 0; i <= this.next && i + 1 < this.list.length; i++) {
      TOKEN.lastIndex = at;
      TOKEN.exec(this.source);
      at = TOKEN.lastIndex;
    }
    const line = this.source.slice(0, at).split("\n").length;
    throw new Error(`Bug in a kernel, line ${line} at "${this.text}": ${detail}`);
  }
}
