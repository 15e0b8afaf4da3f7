import { LevinError } from "../base/mod.ts";
import { parseJson } from "../cluster/mod.ts";
import type { TableInfo } from "../schema/mod.ts";

/** The list that TiDB's status port gives at `/schema/{db}`. */
export function parseTableInfoList(text: string): TableInfo[] {
  const parsed = (elementsOf(text)?.map(parseJson) ?? parseJson(text)) as unknown;
  if (parsed === null) return [];
  if (!Array.isArray(parsed) || parsed.some((one) => typeof one?.id !== "number" || !Array.isArray(one?.cols ?? []))) {
    throw new LevinError(
      "Levin:Schema:ErrSyntax",
      "Cannot read table models: TiDB's status port gave no list of tables",
    );
  }
  return parsed as TableInfo[];
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING = new Set([0x5b, 0x7b]);
const END_OF_ARRAY = 0x5d;
const CLOSING = new Set([END_OF_ARRAY, 0x7d]);

/**
 * The texts of an array's elements; undefined for what is no array with elements. The models of ten thousand tables are parsed one by one,
 * because parsing them at once, with what it takes to keep 64-bit integers, takes ten times their size.
 */
export function elementsOf(text: string): string[] | undefined {
  const whole = text.trim();
  if (!/^\[\s*[^\]\s]/.test(whole)) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 0; at < whole.length; at++) {
    const code = whole.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(whole, at);
    } else if (OPENING.has(code)) {
      depth++;
    } else if (CLOSING.has(code)) {
      depth--;
      if (depth > 0) continue;
      elements.push(whole.slice(start, at));
      return at === whole.length - 1 && code === END_OF_ARRAY ? elements : undefined;
    } else if (code === COMMA && depth === 1) {
      elements.push(whole.slice(start, at));
      start = at + 1;
    }
  }
  return undefined;
}

/** Where the string that begins at `at` ends; behind the text, if it does not. */
function endOfString(text: string, at: number): number {
  for (let next = at + 1; next < text.length; next++) {
    const code = text.charCodeAt(next);
    if (code === BACKSLASH) next++;
    else if (code === QUOTE) return next;
  }
  return text.length;
}
