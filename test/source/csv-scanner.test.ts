import assert from "node:assert/strict";
import { test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { type CsvDialect, CsvScanner, defaultCsvDialect } from "../../src/source/mod.ts";
import { fuzzCsv, fuzzCsvSkip } from "./csv-fuzz.ts";
import { type Scanned, scanAll } from "./scan.ts";

interface Case {
  text: string;
  dialect?: Partial<CsvDialect>;
  columnCount?: number;
}

function scan({ text, dialect, columnCount }: Case, step = 1 << 20): Scanned & { scanner: CsvScanner } {
  const scanner = new CsvScanner({
    file: "db.t.csv",
    dialect: { ...defaultCsvDialect, header: false, ...dialect },
    atFileStart: true,
    columnCount,
  });
  return { ...scanAll(scanner, new TextEncoder().encode(text), () => step), scanner };
}

/** Rows as texts, NULL as null. */
function rows(c: Case): (string | null)[][] {
  const { rows: found, error } = scan(c);
  if (error !== undefined) throw error;
  return found.map((row) => row.map(([kind, text]) => (kind === "null" ? null : text)));
}

test("plain, quoted and escaped fields", () => {
  assert.deepEqual(rows({ text: '1,a b,"c,d"\r\n2,"say ""hi""","x\\ny"\n3,a\\,b,\\N' }), [
    ["1", "a b", "c,d"],
    ["2", 'say "hi"', "x\ny"],
    ["3", "a,b", null],
  ]);
});

test("line ends inside quotes stay, CR, LF and CRLF end rows alike", () => {
  assert.deepEqual(rows({ text: '1,"a\r\nb"\r2,b\n3,c\r\n\n\r' }), [
    ["1", "a\r\nb"],
    ["2", "b"],
    ["3", "c"],
  ]);
});

test("a quoted NULL marker is text and is counted; Lightning's reading on demand", () => {
  const text = '"\\N","NULL",\\N,NULL\n';
  const nulls = ["\\N", "NULL"];
  assert.deepEqual(rows({ text, dialect: { nulls } }), [["\\N", "NULL", null, null]]);
  assert.equal(scan({ text, dialect: { nulls } }).scanner.quotedNullCount, 2);
  assert.deepEqual(rows({ text, dialect: { nulls, quotedNullIsText: false } }), [[null, null, null, null]]);
});

test("an unquoted \\N that is no marker is the text N and is counted", () => {
  const { scanner } = scan({ text: "\\N,\n", dialect: { nulls: [""] } });
  assert.equal(scanner.escapedNullCount, 1);
  assert.deepEqual(rows({ text: '\\N,,""\n', dialect: { nulls: [""] } }), [["N", null, ""]]);
  assert.deepEqual(rows({ text: "\\N,\n", dialect: { notNull: true } }), [["N", ""]]);
});

test("blank lines are nothing, but rows where there is one column", () => {
  assert.deepEqual(rows({ text: "a,b\n\n  \nc,d\n" }), [
    ["a", "b"],
    ["c", "d"],
  ]);
  assert.deepEqual(rows({ text: "a\n\n\\N\nb\n", columnCount: 1 }), [["a"], [""], [null], ["b"]]);
  assert.deepEqual(rows({ text: "v\na\n\nb", dialect: { header: true } }), [["a"], [""], ["b"]]);
});

test("separators, delimiters and terminators of several bytes", () => {
  const exotic = { separator: "|+|", delimiter: "'", terminator: "<EOL>\n" };
  assert.deepEqual(rows({ text: "1|+|'a|+|b<EOL>\n'|+||+<EOL>\n2|+||+|x<EOL>\n", dialect: exotic }), [
    ["1", "a|+|b<EOL>\n", "|+"],
    ["2", "", "x"],
  ]);
  assert.deepEqual(rows({ text: "1|a|\n2|b|\n", dialect: { separator: "|", terminator: "|\n" } }), [
    ["1", "a"],
    ["2", "b"],
  ]);
});

test("header, lines to skip, LINES STARTING BY, trailing separators", () => {
  const { columns, rows: found } = scan({
    text: '# x\n\n" Id ",v\n1,a\n',
    dialect: { header: true, skipLines: 1 },
  });
  assert.deepEqual(columns, [["Id", "v"]]);
  assert.equal(found.length, 1);
  assert.deepEqual(rows({ text: "xx>>1,2\nno\n>>3,4\n", dialect: { startingBy: ">>" } }), [
    ["1", "2"],
    ["3", "4"],
  ]);
  assert.deepEqual(rows({ text: "a,b,\n1,2,\n1,,\n", dialect: { header: true, trimLastSeparator: true } }), [
    ["1", "2"],
    ["1", ""],
  ]);
});

test("dumps with ESCAPED BY '' have raw quotes inside quoted fields", () => {
  const dialect = { escapedBy: "", unescapedQuote: true, nulls: ["NULL"] };
  assert.deepEqual(rows({ text: '"say "hi"",""","\\",NULL\n', dialect }), [['say "hi"', '"', "\\", null]]);
});

test("errors name file, row, column and byte", () => {
  const cases: [text: string, message: string][] = [
    ['1,a\n2,b"c\n', "a quote inside an unquoted field (row 2, column 2, byte 7)"],
    ['1,"a"b\n', "text behind a closing quote (row 1, column 2, byte 5)"],
    ['1,"a\n', "the quoted field has no end (row 1, column 2, byte 2)"],
    ["1,a\\", "the file ends with an escape character (row 1, column 2, byte 4)"],
  ];
  for (const [text, message] of cases) {
    for (const step of [1, 1000]) {
      const { error } = scan({ text }, step);
      assert.equal(error?.message, `Cannot parse row in "db.t.csv": ${message}`);
      assert.equal((error as LevinError).code, "Levin:Source:ErrSyntax");
    }
  }
});

test("more fields than the arrays had room for", () => {
  const wide = Array.from({ length: 300 }, (_, k) => `"${k}"`).join(",");
  assert.equal(rows({ text: `${wide}\n${wide}\n` })[1]!.length, 300);
});

test("the scanner equals the plain reference on random text and windows", () => {
  for (let seed = 1; seed <= 3000; seed++) fuzzCsv(seed);
});

test("skipping over rows finds the ends that reading finds", () => {
  for (let seed = 1; seed <= 3000; seed++) fuzzCsvSkip(seed);
});
