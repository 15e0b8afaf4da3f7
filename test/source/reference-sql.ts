/** Dump SQL read slowly and plainly over a latin1 string, with regular expressions: what the fast scanner must agree with. */
import type { Cell } from "./scan.ts";

const CONTROLS: Record<string, string> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
  "%": "\\%",
  _: "\\_",
};
const WORD = /[\w$\x80-\xff]+/y;

interface Value {
  cell: Cell;
  /** A string literal, which may be joined with the next one. */
  literal: boolean;
}

export interface Read {
  rows: Cell[][];
  columns: (string[] | undefined)[];
  failed: boolean;
}

export class ReferenceSql {
  private readonly text: string;
  private readonly backslash: boolean;
  private pos = 0;
  private versioned = false;

  constructor(text: string, backslash = true) {
    this.text = text;
    this.backslash = backslash;
  }

  read(): Read {
    const out: Read = { rows: [], columns: [], failed: false };
    try {
      while (this.blank()) this.statement(out);
    } catch (thrown) {
      if (!(thrown instanceof Error)) throw thrown;
      out.failed = true;
    }
    return out;
  }

  private fail(why: string): never {
    throw new Error(why);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.pos;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.pos += found[0].length;
    return found[0];
  }

  private peek(): string {
    return this.text[this.pos] ?? "";
  }

  /** Steps over white space and comments; false at the end of the text. */
  private blank(): boolean {
    for (;;) {
      if (this.match(/[\t-\r ]+/y) !== undefined) continue;
      if (this.match(/#[^\n]*\n?/y) !== undefined) continue;
      if (this.match(/--(?=[\x00-\x20]|$)[^\n]*\n?/y) !== undefined) continue;
      if (this.versioned && this.match(/\*\//y) !== undefined) {
        this.versioned = false;
        continue;
      }
      const version = /\/\*!(\d*)/y;
      version.lastIndex = this.pos;
      const found = version.exec(this.text);
      if (found !== null && Number(found[1]) <= 99999) {
        this.versioned = true;
        this.pos += found[0].length;
        continue;
      }
      if (this.text.startsWith("/*", this.pos)) {
        const end = this.text.indexOf("*/", this.pos + 2);
        if (end < 0) this.fail("comment without end");
        this.pos = end + 2;
        continue;
      }
      return this.pos < this.text.length;
    }
  }

  /** Behind a quoted text, and its content with escapes resolved. */
  private quoted(backslash: boolean): string {
    const quote = this.peek();
    this.pos++;
    let out = "";
    for (;;) {
      const char = this.text[this.pos++];
      if (char === undefined) this.fail("quote without end");
      if (char === "\\" && backslash) {
        const next = this.text[this.pos++];
        if (next === undefined) this.fail("quote without end");
        out += CONTROLS[next] ?? next;
      } else if (char !== quote) out += char;
      else if (this.peek() === quote) {
        out += quote;
        this.pos++;
      } else return out;
    }
  }

  private statement(out: Read): void {
    if (this.peek() === ";") {
      this.pos++;
      return;
    }
    const start = this.pos;
    const word = this.peek() === "(" ? "(" : this.match(WORD)?.toLowerCase();
    if (word === "(" || word === "insert" || word === "replace") {
      this.rows(out, word === "(" ? undefined : this.head());
      return;
    }
    this.pos = start;
    while (this.blank() && this.peek() !== ";") this.token();
    this.pos++;
  }

  private token(): void {
    const char = this.peek();
    if (char === "'" || char === '"' || char === "`") this.quoted(char !== "`" && this.backslash);
    else if (this.match(WORD) === undefined) this.pos++;
  }

  private name(): string {
    this.blank();
    if (this.peek() === "`") return this.quoted(false);
    return this.match(WORD) ?? this.fail("expected a name");
  }

  private head(): string[] | undefined {
    for (;;) {
      const start = this.pos;
      this.blank();
      const word = this.match(WORD)?.toLowerCase();
      if (word !== undefined && ["into", "ignore", "low_priority", "delayed", "high_priority"].includes(word)) continue;
      this.pos = start;
      break;
    }
    this.name();
    this.blank();
    if (this.peek() === ".") {
      this.pos++;
      this.name();
      this.blank();
    }
    let columns: string[] | undefined;
    if (this.peek() === "(") {
      this.pos++;
      columns = [];
      for (;;) {
        const { pos, versioned } = this;
        this.blank();
        const from = this.pos;
        Object.assign(this, { pos, versioned });
        let name = this.name();
        this.blank();
        // Backticks that mydumper did not double.
        if (!/[,)]/.test(this.peek()) && this.text[from] === "`") {
          this.pos = from;
          const loose = this.match(/`([^\n]{0,256}?)`(?=[\t-\r ]*[,)])/y);
          if (loose === undefined) this.fail("expected , or )");
          name = loose.slice(1, -1);
          this.blank();
        }
        columns.push(name);
        const next = this.text[this.pos++];
        if (next === ")") break;
        if (next !== ",") this.fail("expected , or )");
      }
    }
    this.blank();
    const word = this.match(WORD)?.toLowerCase();
    if (word !== "values" && word !== "value") this.fail("expected VALUES");
    return columns;
  }

  private rows(out: Read, columns: string[] | undefined): void {
    for (;;) {
      this.blank();
      if (this.peek() !== "(") this.fail("expected a row");
      this.pos++;
      const row: Cell[] = [];
      for (;;) {
        row.push(this.value(0).cell);
        this.blank();
        const next = this.text[this.pos++];
        if (next === ")") break;
        if (next !== ",") this.fail("expected , or )");
      }
      out.rows.push(row);
      out.columns.push(columns);
      if (!this.blank()) return;
      if (this.peek() === ";") {
        this.pos++;
        return;
      }
      if (this.peek() !== ",") this.fail("expected , or ;");
      this.pos++;
    }
  }

  private value(depth: number): Value {
    if (!this.blank() || depth > 16) this.fail("expected a value");
    const char = this.peek();
    if (char === "'" || char === '"') return this.joined();
    if (char === "(") {
      this.pos++;
      const { cell } = this.value(depth + 1);
      this.blank();
      if (this.text[this.pos++] !== ")") this.fail("expected )");
      return { cell, literal: false };
    }
    if (char === "-" || char === "+") {
      this.pos++;
      this.blank();
      const number = this.number();
      if (number === undefined) this.fail("expected a number");
      if (char === "+") return { cell: number, literal: false };
      if (number[0] === "hex" || number[0] === "bit") this.fail("an expression");
      return { cell: negative(number), literal: false };
    }
    if (/[0-9.]/.test(char)) {
      const number = this.number() ?? this.fail("expected a value");
      return { cell: number, literal: false };
    }
    if (char === "\\") {
      if (this.match(/\\N(?![\w$\x80-\xff])/y) === undefined) this.fail("expected a value");
      return { cell: ["null", ""], literal: false };
    }
    const bits = this.match(/[xXbB]'/y);
    if (bits !== undefined) {
      this.pos--;
      const hex = /x/i.test(bits);
      const content = this.raw();
      if (!(hex ? /^(?:[0-9a-f]{2})*$/i : /^[01]*$/).test(content)) this.fail("bad digits");
      return { cell: hex ? ["hex", unhex(content)] : ["bit", unbit(content)], literal: false };
    }
    if (this.match(/[nN](?=')/y) !== undefined) return this.joined();
    const word = (this.match(WORD) ?? this.fail("expected a value")).toLowerCase();
    if (word === "null") return { cell: ["null", ""], literal: false };
    if (word === "true" || word === "false") return { cell: [word, ""], literal: false };
    if (word === "default") {
      this.blank();
      if (this.peek() === "(") this.fail("a call");
      return { cell: ["default", ""], literal: false };
    }
    if (word === "_binary" || word === "_utf8mb4" || word === "_utf8") {
      this.blank();
      if (!/['"0xXbB]/.test(this.peek())) this.fail("an introducer of nothing");
      const { cell } = this.value(depth);
      return { cell: [word === "_binary" ? "binary" : "string", cell[1]], literal: false };
    }
    this.fail("a word");
  }

  /** The content between quotes as it stands. */
  private raw(): string {
    const from = this.pos + 1;
    this.quoted(this.backslash);
    return this.text.slice(from, this.pos - 1);
  }

  private joined(): Value {
    let text = this.quoted(this.backslash);
    for (;;) {
      const { pos, versioned } = this;
      if (this.blank() && (this.peek() === "'" || this.peek() === '"')) text += this.quoted(this.backslash);
      else {
        Object.assign(this, { pos, versioned });
        return { cell: ["string", text], literal: true };
      }
    }
  }

  private number(): Cell | undefined {
    const hex = this.match(/0x[0-9a-fA-F]+(?![\w$\x80-\xff])/y);
    if (hex !== undefined) return ["hex", unhex(hex.slice(2))];
    const bits = this.match(/0b[01]+(?![\w$\x80-\xff])/y);
    if (bits !== undefined) return ["bit", unbit(bits.slice(2))];
    const text = this.match(/(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w$\x80-\xff])/y);
    if (text === undefined) return undefined;
    if (/e/i.test(text)) return ["float", text];
    if (text.includes(".")) return ["decimal", text];
    return BigInt(text) < 2n ** 64n ? ["uint", text] : ["decimal", text];
  }
}

function negative([kind, text]: Cell): Cell {
  if (kind === "uint") return [BigInt(text) <= 2n ** 63n ? "int" : "decimal", `-${text}`];
  return [kind, `-${text}`];
}

function unhex(digits: string): string {
  const even = digits.length % 2 === 1 ? `0${digits}` : digits;
  return even.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

function unbit(digits: string): string {
  const whole = digits.padStart(Math.ceil(digits.length / 8) * 8, "0");
  return whole.replace(/.{8}/g, (byte) => String.fromCharCode(Number.parseInt(byte, 2)));
}
