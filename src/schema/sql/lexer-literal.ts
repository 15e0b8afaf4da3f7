import { isDigit, isNameChar } from "./lexer-chars.ts";
import { syntaxError } from "./sql-error.ts";

const ESCAPES: Record<string, string> = { "0": "\0", b: "\b", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

/** A string from its opening quote on: the value and the offset behind the closing quote. */
export function scanString(sql: string, at: number, backslash: boolean): { text: string; end: number } {
  const quote = sql.charCodeAt(at);
  let text = "";
  let from = at + 1;
  for (let i = from; i < sql.length; i++) {
    const c = sql.charCodeAt(i);
    if (c === quote) {
      text += sql.slice(from, i);
      if (sql.charCodeAt(i + 1) !== quote) return { text, end: i + 1 };
      from = ++i;
    } else if (c === 92 && backslash && i + 1 < sql.length) {
      const escaped = sql[i + 1]!;
      // `\%` and `\_` keep the backslash: it means something to LIKE.
      if (escaped === "%" || escaped === "_") text += sql.slice(from, i + 2);
      else text += sql.slice(from, i) + (ESCAPES[escaped] ?? escaped);
      from = i + 2;
      i++;
    }
  }
  throw syntaxError(sql, at, "a string has no end");
}

interface Radix {
  kind: "hex" | "bit";
  text: string;
  end: number;
}

/** `0x1f`; undefined where it is no such literal (`0xg` is a name). */
export function scanHex(sql: string, at: number): Radix | undefined {
  return radixLiteral(sql, at, "x", /[0-9a-fA-F]/, "hex");
}

/** `0b101`. */
export function scanBits(sql: string, at: number): Radix | undefined {
  return radixLiteral(sql, at, "b", /[01]/, "bit");
}

function radixLiteral(sql: string, at: number, mark: string, digit: RegExp, kind: Radix["kind"]): Radix | undefined {
  if (sql[at] !== "0" || sql[at + 1] !== mark) return undefined;
  let end = at + 2;
  while (end < sql.length && digit.test(sql[end]!)) end++;
  if (end === at + 2 || (end < sql.length && isNameChar(sql.charCodeAt(end)))) return undefined;
  return { kind, text: sql.slice(at + 2, end), end };
}

interface NumberLiteral {
  kind: "int" | "decimal" | "float";
  text: string;
  end: number;
}

/** A number without sign; undefined where name characters follow the digits (`2abc` is a name). */
export function scanNumber(sql: string, at: number): NumberLiteral | undefined {
  let end = skipDigits(sql, at);
  let kind: NumberLiteral["kind"] = "int";
  if (sql.charCodeAt(end) === 46) {
    kind = "decimal";
    end = skipDigits(sql, end + 1);
  }
  const e = sql.charCodeAt(end);
  if (e === 101 || e === 69) {
    const sign = sql.charCodeAt(end + 1);
    const digits = sign === 43 || sign === 45 ? end + 2 : end + 1;
    const after = skipDigits(sql, digits);
    if (after > digits) {
      kind = "float";
      end = after;
    }
  }
  if (kind === "int" && end < sql.length && isNameChar(sql.charCodeAt(end))) return undefined;
  return { kind, text: sql.slice(at, end), end };
}

function skipDigits(sql: string, at: number): number {
  let end = at;
  while (end < sql.length && isDigit(sql.charCodeAt(end))) end++;
  return end;
}
