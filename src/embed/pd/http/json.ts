/** JSON that PD writes and reads. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | { [key: string]: JsonValue | undefined };

/** JSON text; bigints become plain numbers of any size, as Go writes them. Undefined fields are left out. */
export function jsonText(value: JsonValue | undefined): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** The parsed body or Go's words on why it is none. */
export function parseJson(text: string): { value: JsonValue; error?: undefined } | { error: string; offset: number } {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    const odd = /^\s*\{\s*([^"}\s])/.exec(text);
    if (odd === null) return { error: "unexpected end of JSON input", offset: text.length };
    const error = `invalid character '${odd[1]}' looking for beginning of object key string`;
    return { error, offset: odd[0].length };
  }
}

/** The fields of a JSON object; undefined where the value is something else. */
export function objectOf(value: JsonValue | undefined): { [key: string]: JsonValue | undefined } | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
}
