import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** One JSON value a line of a compressed file under test/golden. */
export function readJsonLines<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(new URL(`../golden/${name}`, import.meta.url))).toString();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
