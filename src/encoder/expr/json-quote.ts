/** Quoted JSON strings as TiDB's functions unquote them (`pkg/types/json_binary_functions.go`). Byte strings. */
import { joinBytes, utf8 } from "../../base/mod.ts";
import { bytesOf } from "../cast/mod.ts";

/** Whether the text is one JSON string, quotes included. */
export function isJsonString(text: string): boolean {
  return /^"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*"$/.test(text);
}

const PLAIN: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function unitAt(text: string, at: number): number | undefined {
  const digits = text.slice(at, at + 4);
  return /^[0-9A-Fa-f]{4}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** A `\u` and, of a surrogate, its other half, from the first digit on. */
function unicodeAt(text: string, at: number): { code: number; size: number } | undefined {
  const unit = unitAt(text, at);
  if (unit === undefined) return undefined;
  if (!isSurrogate(unit)) return { code: unit, size: 4 };
  if (!text.startsWith("\\u", at + 4)) return undefined;
  const low = unitAt(text, at + 6);
  if (low === undefined) return undefined;
  const isPair = unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff;
  return { code: isPair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd, size: 10 };
}

/** The text between the quotes with its escapes resolved; undefined if one makes no character. */
export function unquoteEscapes(text: string): Uint8Array | undefined {
  if (!text.includes("\\")) return bytesOf(text);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("\\", at);
    const end = next < 0 ? text.length : next;
    parts.push(bytesOf(text.slice(at, end)));
    if (next < 0) break;
    const c = text[next + 1];
    if (c === undefined) return undefined;
    at = next + 2;
    if (c !== "u") {
      parts.push(bytesOf(PLAIN[c] ?? c));
      continue;
    }
    const found = unicodeAt(text, at);
    if (found === undefined) return undefined;
    parts.push(utf8(String.fromCodePoint(found.code)));
    at += found.size;
  }
  return joinBytes(parts);
}
