/** Random dump SQL, some of it damaged: the scanner against the plain reference, with random windows, read and skipped. */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { newSqlSession, SqlScanner } from "../../src/source/mod.ts";
import { pick } from "./csv-fuzz.ts";
import { ReferenceSql } from "./reference-sql.ts";
import { fromLatin1, type Scanned, scanAll } from "./scan.ts";

const BLANKS = [
  "",
  "",
  "",
  " ",
  "\n",
  " /* c */ ",
  "-- x'\n",
  '# y"\n',
  "/*!40101 ",
  " */ ",
  "\t",
  "/*!999999 skip ' */",
];
const CONTENT = [
  "a",
  "\\'",
  "''",
  '\\"',
  "\\\\",
  "\\n",
  "\\%",
  "\\0",
  ");\n(",
  "-- ",
  "/*",
  "*/",
  "\n",
  "\xe4\xb8",
  '""',
  "`",
  ";",
  "x".repeat(30),
];
const NUMBERS = [
  "0",
  "00012",
  "18446744073709551615",
  "18446744073709551616",
  "9223372036854775808",
  "1.5",
  ".5",
  "5.",
  "1e5",
  "1E-5",
  "99999999999999999999999",
];
const OTHERS = [
  "NULL",
  "null",
  "TRUE",
  "False",
  "DEFAULT",
  "\\N",
  "x'4a'",
  "X'0A0b'",
  "0x41",
  "0x4",
  "b'101'",
  "0b1",
  "_binary 'x'",
  "_utf8mb4'u'",
  "_binary 0x41",
  "N'n'",
  "(1)",
  "('p')",
];

function value(random: Random): string {
  const roll = random.next();
  if (roll < 0.45) {
    let text = "";
    for (let k = Math.floor(random.next() * 4); k > 0; k--) text += pick(random, CONTENT);
    const quote = pick(random, ["'", "'", '"']);
    const clean = text.replaceAll(quote, random.next() < 0.95 ? quote + quote : quote);
    return quote + clean + quote;
  }
  if (roll < 0.75) return pick(random, ["", "", "-", "+", "- "]) + pick(random, NUMBERS);
  return pick(random, OTHERS);
}

function dump(random: Random): string {
  let text = "";
  const blank = (): string => (random.next() < 0.2 ? pick(random, BLANKS) : "");
  for (let statements = Math.floor(random.next() * 4); statements >= 0; statements--) {
    const roll = random.next();
    if (roll < 0.15) {
      text += pick(random, [
        "LOCK TABLES `t` WRITE;",
        "CREATE TABLE `t` (a int COMMENT 'x;''y');",
        "USE `d;b`;",
        ";",
        "UNLOCK TABLES",
      ]);
      continue;
    }
    if (roll < 0.9)
      text += pick(random, ["INSERT INTO t VALUES", "insert ignore `t` (`a`, b)values", "REPLACE INTO `d`.`t` VALUE "]);
    const rows = 1 + Math.floor(random.next() * 4);
    for (let row = 0; row < rows; row++) {
      const cells = Array.from({ length: 1 + Math.floor(random.next() * 3) }, () => blank() + value(random) + blank());
      text += `${row > 0 ? `,${blank()}` : blank()}(${cells.join(",")})${blank()}`;
    }
    if (statements > 0 || random.next() < 0.8) text += ";";
  }
  return random.next() < 0.35 ? damage(random, text) : text;
}

/** Cuts, repeats or changes a bit of the text. */
function damage(random: Random, text: string): string {
  const at = Math.floor(random.next() * text.length);
  const roll = random.next();
  if (roll < 0.4) return text.slice(0, at);
  if (roll < 0.7) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random.next() * 3));
  return (
    text.slice(0, at) +
    pick(random, ["'", '"', "\\", ",", "(", ")", ";", "*/", "/*", "-- ", "1", "\0", "`"]) +
    text.slice(at)
  );
}

function scan(text: string, step: () => number, onSkippedRow?: () => void): Scanned {
  const session = newSqlSession();
  const scanner = new SqlScanner({ file: "f.sql", session, onStatement: () => undefined, onSkippedRow });
  return scanAll(scanner, fromLatin1(text), step, 4);
}

/** One case; throws with the seed where scanner and reference differ. */
export function fuzzSql(seed: number): void {
  const random = seededRandom(seed);
  const text = dump(random);
  if (/delimiter/i.test(text)) return;
  const wanted = new ReferenceSql(text).read();
  const place = `seed ${seed}, text ${JSON.stringify(text)}`;
  for (const step of [() => 1 + Math.floor(random.next() * 9), () => 1 << 20]) {
    const got = scan(text, step);
    if (got.error !== undefined)
      assert.match(got.error.message, /^Cannot (?:parse row|import statement) in "f.sql": /, place);
    assert.deepEqual(
      { rows: got.rows, columns: got.columns, failed: got.error !== undefined },
      wanted,
      `${place} ${got.error?.message}`,
    );
    let skipped = 0;
    const skim = scan(text, step, () => skipped++);
    if (wanted.failed) continue;
    assert.equal(skim.error, undefined, place);
    assert.equal(skipped, wanted.rows.length, place);
  }
}
