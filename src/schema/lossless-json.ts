import { LevinError } from "../base/mod.ts";

/**
 * JSON as TiDB and PD write it: integers that a double cannot hold (beyond 2^53) become bigint, all other numbers are numbers.
 * Throws Levin:Schema:ErrSyntax with the offset.
 */
export function parseLosslessJson(text: string): unknown {
  const parser = new JsonParser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

/** The inverse: a bigint is written as an integer. Values that JSON has not (undefined members) are left out. */
export function stringifyLossless(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  if (Array.isArray(value)) return `[${value.map((item) => stringifyLossless(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members: string[] = [];
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) members.push(`${JSON.stringify(key)}:${stringifyLossless(member)}`);
    }
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

const MAX_DEPTH = 500;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const LITERALS: [string, unknown][] = [
  ["null", null],
  ["true", true],
  ["false", false],
];

class JsonParser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  end(): void {
    this.blank();
    if (this.at < this.text.length) throw this.error("more text behind the value");
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH} levels`);
    this.blank();
    const c = this.text[this.at];
    if (c === "{") return this.object(depth);
    if (c === "[") return this.array(depth);
    if (c === '"') return this.string();
    for (const [word, value] of LITERALS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    return this.number();
  }

  private blank(): void {
    while (" \n\r\t".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private take(mark: string): boolean {
    this.blank();
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private object(depth: number): Record<string, unknown> {
    this.at++;
    const object: Record<string, unknown> = {};
    if (this.take("}")) return object;
    do {
      this.blank();
      if (this.text[this.at] !== '"') throw this.error("a member name is missing");
      const key = this.string();
      if (!this.take(":")) throw this.error('":" is missing');
      const value = this.value(depth + 1);
      // A member called __proto__ must not change the object's prototype.
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    } while (this.take(","));
    if (!this.take("}")) throw this.error('"}" is missing');
    return object;
  }

  private array(depth: number): unknown[] {
    this.at++;
    const items: unknown[] = [];
    if (this.take("]")) return items;
    do {
      items.push(this.value(depth + 1));
    } while (this.take(","));
    if (!this.take("]")) throw this.error('"]" is missing');
    return items;
  }

  private string(): string {
    const start = this.at;
    let at = start + 1;
    for (;;) {
      PLAIN.lastIndex = at;
      PLAIN.exec(this.text);
      at = PLAIN.lastIndex;
      const c = this.text[at];
      if (c === '"') break;
      if (c !== "\\") throw this.error("a string has no end");
      at += 2;
    }
    this.at = at + 1;
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      throw this.error("a string is not valid", start);
    }
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (!match) throw this.error("a value is missing");
    this.at = NUMBER.lastIndex;
    const number = Number(match[0]);
    const integer = match[1] === undefined && match[2] === undefined;
    return integer && !Number.isSafeInteger(number) ? BigInt(match[0]) : number;
  }

  private error(detail: string, at = this.at): LevinError {
    return new LevinError("Levin:Schema:ErrSyntax", `Cannot parse JSON: ${detail} (offset ${at})`, {
      fields: { offset: at },
    });
  }
}
