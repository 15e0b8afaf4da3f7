/** JSON of servers that write 64-bit integers as numbers: those beyond 2^53 come back as bigint, nothing is rounded. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** Throws SyntaxError where the text is no JSON. */
export function parseJson(text: string): Json {
  // The third argument is the source text access of ECMAScript; Bun and Deno have it.
  const keepIntegers: Reviver = (_key, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
      ? BigInt(context?.source ?? 0)
      : value;
  return JSON.parse(text, keepIntegers) as Json;
}

/** The member of an object; undefined when `json` is no object or has none. */
export function member(json: Json | undefined, key: string): Json | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return Object.hasOwn(json, key) ? json[key] : undefined;
}
