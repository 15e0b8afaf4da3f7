/** Random dialects and random CSV text: the scanner against the plain reference, with random windows. */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { CsvSkipper } from "../../src/source/csv-skip.ts";
import { CsvTokens } from "../../src/source/csv-tokens.ts";
import { type CsvDialect, CsvScanner, defaultCsvDialect, Window } from "../../src/source/mod.ts";
import { referenceCsv } from "./reference-csv.ts";
import { scanAll } from "./scan.ts";

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!;
}

function randomDialect(random: Random): CsvDialect {
  const separator = pick(random, [",", ",", "\t", "|", "|+|", "é", ";;", "ab"]);
  const delimiter = pick(random, ['"', '"', '"', "'", "", "''", "|q|", "ba"]);
  const terminator = pick(random, ["", "", "\n", "\r\n", "|\n", "<EOL>\n", ",\n", "\n\n", "aab"]);
  const prefix = delimiter !== "" && (separator.startsWith(delimiter) || delimiter.startsWith(separator));
  return {
    ...defaultCsvDialect,
    separator: prefix ? "," : separator,
    delimiter: prefix ? '"' : delimiter,
    terminator,
    escapedBy: pick(random, ["\\", "\\", "", "!", "é"]),
    nulls: pick(random, [["\\N"], ["NULL"], [], ["\\N", "NULL", ""], ["a"]]),
    notNull: random.next() < 0.1,
    header: random.next() < 0.3,
    trimLastSeparator: random.next() < 0.2,
    startingBy: random.next() < 0.1 ? ">>" : "",
    skipLines: random.next() < 0.1 ? 2 : 0,
    blankLines: pick(random, ["auto", "auto", "skip", "row"]),
    quotedNullIsText: random.next() < 0.7,
    unescapedQuote: random.next() < 0.15,
  };
}

/** Text made of the dialect's own tokens and things that look like them; half of the fields are well-formed. */
function randomText(random: Random, dialect: CsvDialect): string {
  const { separator, delimiter, terminator, escapedBy } = dialect;
  const end = terminator === "" ? "\n" : terminator;
  const bits = ["a", "b", " ", "\r", "\n", "\r\n", "\\N", "NULL", '"', "'", "|", ",", "é", "\0", "x".repeat(40), ">>"];
  bits.push(separator, delimiter, end, escapedBy, `${escapedBy}n`, `${delimiter}${delimiter}`);
  const wild = random.next() < 0.3;
  let text = "";
  const fieldCount = 1 + Math.floor(random.next() * 4);
  const rowCount = Math.floor(random.next() * 8);
  for (let row = 0; row < rowCount; row++) {
    text += dialect.startingBy;
    for (let k = 0; k < fieldCount; k++) {
      if (k > 0) text += separator;
      let inner = "";
      for (let n = Math.floor(random.next() * 4); n > 0; n--)
        inner += pick(random, wild ? bits : ["a", "b", " ", "\\N", "NULL", ""]);
      const quote = delimiter !== "" && random.next() < 0.5;
      if (quote && !wild && random.next() < 0.5) inner += pick(random, [separator, end, delimiter + delimiter, "\n"]);
      text += quote ? delimiter + inner + delimiter : inner;
    }
    if (random.next() < 0.05) text += separator;
    if (random.next() < 0.97) text += end;
  }
  return text;
}

/** One case; throws with the seed where scanner and reference differ. */
export function fuzzCsv(seed: number): void {
  const random = seededRandom(seed);
  const dialect = randomDialect(random);
  const data = new TextEncoder().encode(randomText(random, dialect));
  const columnCount = pick(random, [undefined, 1, 3]);
  const wanted = referenceCsv(String.fromCharCode(...data), dialect, columnCount);
  for (const step of [() => 1 + Math.floor(random.next() * 9), () => 1 << 20]) {
    const scanner = new CsvScanner({ file: "f.csv", dialect, atFileStart: true, columnCount });
    const got = scanAll(scanner, data.slice(), step, 4);
    const place = `seed ${seed}, dialect ${JSON.stringify(dialect)}, text ${JSON.stringify(new TextDecoder().decode(data))}`;
    if (got.error !== undefined) assert.match(got.error.message, /^Cannot parse row in "f.csv": /, place);
    assert.deepEqual({ rows: got.rows, failed: got.error !== undefined }, wanted, place);
  }
}

/**
 * One case of the pass that finds row ends without reading fields: it counts the rows that reading gives, and stops at the places
 * where rows end.
 */
export function fuzzCsvSkip(seed: number): void {
  const random = seededRandom(seed);
  const dialect = { ...randomDialect(random), header: false, skipLines: 0 };
  const tokens = new CsvTokens(dialect);
  if (!CsvSkipper.fits(tokens, dialect)) return;
  const data = new TextEncoder().encode(randomText(random, dialect));
  const columnCount = pick(random, [undefined, 1, 3]);
  const scanner = new CsvScanner({ file: "f.csv", dialect, atFileStart: true, columnCount });
  const read = scanAll(scanner, data.slice(), () => 1 << 20);
  if (read.error !== undefined) return;
  const skipper = new CsvSkipper(tokens, scanner.blankIsRow);
  const window = new Window(4);
  const place = `seed ${seed}, dialect ${JSON.stringify(dialect)}, text ${JSON.stringify(new TextDecoder().decode(data))}`;
  const starts = new Set([...read.starts, data.length]);
  const goal = Math.floor(random.next() * data.length);
  let at = 0;
  for (;;) {
    for (;;) {
      const end = skipper.skip(window, goal - window.base);
      if (end < 0) break;
      // Blank lines may follow before the next row.
      const rest = String.fromCharCode(...data.subarray(window.base + end));
      const next = [...starts].filter((start) => start >= window.base + end).sort((a, b) => a - b)[0]!;
      assert.match(rest.slice(0, next - window.base - end), /^\s*$/, place);
    }
    if (window.final) break;
    const size = Math.min(1 + Math.floor(random.next() * 9), data.length - at);
    window.append(data.subarray(at, at + size));
    at += size;
    window.final = at === data.length;
  }
  const unfinished = skipper.unfinished ? 1 : 0;
  const blankEnd = scanner.blankIsRow && !/[\r\n]$/.test(String.fromCharCode(...data)) && data.length > 0;
  assert.ok(blankEnd || skipper.rowCount + unfinished === read.rows.length, `${skipper.rowCount} rows, ${place}`);
}
