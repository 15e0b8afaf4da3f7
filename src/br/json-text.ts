import { assert } from "../base/mod.ts";
import { encodeBase64 } from "./base64.ts";
import type { Json } from "./json-reader.ts";
import { lossyText } from "./utf8-lossy.ts";

/** A text as BR's Go strings are: usually text, possibly bytes that are no UTF-8. */
export type GoText = string | Uint8Array;

const NEEDS_CARE = /[^\x20-\x21\x23-\x25\x27-\x3b\x3d\x3f-\x5b\x5d-\x7f]/;
const ESCAPED =
  /["\\<>&\u2028\u2029\u0000-\u001f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SHORT: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function escaped(c: string): string {
  const code = c.charCodeAt(0);
  return SHORT[c] ?? (code >= 0xd800 && code < 0xe000 ? "\\ufffd" : `\\u${code.toString(16).padStart(4, "0")}`);
}

/** A JSON string as Go's encoder writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped, bytes that are no UTF-8 become `\ufffd`. */
export function quoteGo(text: GoText): string {
  if (typeof text === "string") {
    return NEEDS_CARE.test(text) ? `"${text.replace(ESCAPED, escaped)}"` : `"${text}"`;
  }
  // A lone surrogate cannot come out of bytes, so it can stand for the bad ones.
  return `"${lossyText(text, "\ud800").replace(ESCAPED, escaped)}"`;
}

/** Bytes as JSON: base64, `null` for null. */
export function quoteBytes(bytes: Uint8Array | null): string {
  return bytes === null ? "null" : `"${encodeBase64(bytes)}"`;
}

/** Untyped JSON as Go writes it: names sorted by their bytes, bigint as an integer. */
export function printJson(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return quoteGo(value);
  if (typeof value === "bigint" || typeof value === "boolean") return `${value}`;
  if (typeof value === "number") {
    assert(Number.isFinite(value), "a JSON number is finite");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(printJson).join(",")}]`;
  const names = Object.keys(value).sort(byUtf8);
  return `{${names.map((name) => `${quoteGo(name)}:${printJson(value[name]!)}`).join(",")}}`;
}

/** Order of the UTF-8 bytes, which is that of code points. */
function byUtf8(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const d = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (d !== 0) return d;
  }
  return x.length - y.length;
}
