/** Patterns in Go's syntax: what matches where, which groups, and which patterns are none. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { utf8 } from "../../../src/base/mod.ts";
import {
  allMatches,
  compilePattern,
  matchFrom,
  PatternError,
  runesOfText,
} from "../../../src/encoder/expr/regex/mod.ts";

/** Begin and end of the first match and its groups. */
function first(pattern: string, text: string): number[] | null {
  const match = matchFrom(compilePattern(pattern), runesOfText(utf8(text)), 0);
  return match === null ? null : [...match];
}

function all(pattern: string, text: string): string[] {
  const found = allMatches(compilePattern(pattern), runesOfText(utf8(text)), 100);
  return found.map((match) => [...text].slice(match[0], match[1]).join(""));
}

test("matches are the leftmost, and of several the one that comes first in the pattern", () => {
  assert.deepEqual(first("a|ab", "xab"), [1, 2]);
  assert.deepEqual(first("(a+)(b?)", "caab"), [1, 4, 1, 3, 3, 4]);
  assert.deepEqual(first("a+?", "aaa"), [0, 1]);
  assert.deepEqual(first("(a*)*", "b"), [0, 0, 0, 0]);
  assert.deepEqual(first("(a*)+", "b"), [0, 0, 0, 0]);
  assert.deepEqual(first("(?:(a)|b)*", "ab"), [0, 2, 0, 1]);
  assert.deepEqual(first("x{2,3}", "xxxx"), [0, 3]);
  assert.deepEqual(first("x{2,}?", "xxxx"), [0, 2]);
  assert.deepEqual(first("(?U)x+", "xxx"), [0, 1]);
  assert.equal(first("^b", "ab"), null);
  assert.deepEqual(first("(?m)^b$", "a\nb\nc"), [2, 3]);
  assert.equal(first("b$", "b\n"), null);
  assert.deepEqual(first("\\bfoo\\b", "a foo b"), [2, 5]);
});

test("all matches skip the empty one right behind another", () => {
  assert.deepEqual(all("a*", "baac"), ["", "aa", ""]);
  assert.deepEqual(all("", "ab"), ["", "", ""]);
  assert.deepEqual(all("[^,]+", "x,yy,z"), ["x", "yy", "z"]);
});

test("classes and case", () => {
  assert.deepEqual(all("[a-c\\d-]+", "ab-9xyz0"), ["ab-9", "0"]);
  assert.deepEqual(all("[[:alpha:]_]+", "ab_1cd"), ["ab_", "cd"]);
  assert.deepEqual(all("[]a]+", "]a]b"), ["]a]"]);
  assert.deepEqual(all("[^\\s]+", "a b\tc"), ["a", "b", "c"]);
  assert.deepEqual(all("\\p{Lu}+", "aÄÖb"), ["ÄÖ"]);
  assert.deepEqual(all("\\p{Greek}+", "abγδe"), ["γδ"]);
  assert.deepEqual(all("(?i)straSSE|k", "STRAſse \u212a"), ["STRAſse", "\u212a"]);
  assert.deepEqual(all("(?i)[ä-ö]+", "ÄxÖ"), ["Ä", "Ö"]);
  assert.deepEqual(all("a.c", "a\nc abc"), ["abc"]);
  assert.deepEqual(all("(?s)a.c", "a\nc"), ["a\nc"]);
  assert.deepEqual(all("\\x41\\x{42}\\103\\.", "ABC."), ["ABC."]);
  assert.deepEqual(all("\\Qa.b\\E+", "a.bbb"), ["a.bbb"]);
  assert.deepEqual(all("a{,2}", "a{,2}"), ["a{,2}"]);
});

test("patterns that Go refuses are errors", () => {
  for (const bad of [
    "(",
    ")",
    "[a",
    "a**",
    "*a",
    "a{2}{3}{1000}",
    "a{1001}",
    "a{3,2}",
    "\\8",
    "(?<n>a)(?<n>b)",
    "(?=a)",
  ]) {
    assert.throws(() => compilePattern(bad), PatternError, bad);
  }
  for (const bad of ["[b-a]", "\\p{Nonsense}", "(?z)", "a\\", "(?P<>a)", "[[:nope:]]", "(a{1000}){1000}", "\\C"]) {
    assert.throws(() => compilePattern(bad), PatternError, bad);
  }
});

test("patterns that make others run for years take time in proportion", () => {
  const text = "a".repeat(2000);
  assert.equal(first("(a*)*b", text), null);
  assert.equal(first("(a|aa)+$b", text), null);
  assert.equal(first("(x+x+)+y", "x".repeat(2000)), null);
});
