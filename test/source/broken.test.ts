/**
 * Broken and awkward dumps: what the source makes of each, rows that are right or an error with its place. (What only an encoder
 * can find, such as values out of range, is not looked at here.)
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { folder, formOptions, json, load, readTable } from "./dumps.ts";

interface Case {
  note: string;
  config?: string;
  rows: Record<string, (string | null)[][]>;
}

const cases = json<Record<string, Case>>("broken/truth.json");

/** Errors, as code and message. */
const errors: Record<string, [code: string, message: RegExp]> = {
  "truncated-sql-midrow": ["ErrSyntax", /"bk\.t\.sql": the file ends where a row should begin \(row 9, byte 229\)/],
  "truncated-sql-after-insert": ["ErrSyntax", /the file ends where a row should begin \(row 1, byte 125\)/],
  "truncated-csv-midquote": ["ErrSyntax", /the quoted field has no end \(row 10, column 2, byte 116\)/],
  "truncated-zst": ["ErrCorrupt", /"bk\.t\.sql\.zst": zstd: the data ends too early \(byte 196\)/],
  "gz-trailing-garbage": ["ErrCorrupt", /"bk\.t\.sql\.gz": gzip: .* \(byte \d+\)/],
  "unterminated-quote-csv": ["ErrSyntax", /text behind a closing quote \(row 6, column 2, byte 84\)/],
  "unterminated-comment": ["ErrSyntax", /the comment has no end \(row 11, byte 259\)/],
  "unterminated-quote-sql-maxerror": ["ErrSyntax", /has no end \(row 6, .*byte 265\)/],
  "latin1-schema": ["ErrEncoding", /"bk\.t-schema\.sql": it is neither UTF-8 nor GB18030 \(byte 177\)/],
  "suffix-gz-on-plain": ["ErrCorrupt", /gzip: /],
  "suffix-zst-on-gz": ["ErrCorrupt", /zstd: not a frame \(byte 0\)/],
  "empty-gz": ["ErrCorrupt", /the file is empty/],
  "insert-names-other-table": ["ErrWrongTable", /its INSERT names the table "other", its file name "t"/],
  "schema-names-other-table": ["ErrWrongTable", /its statement makes "other", its name says "t"/],
  "sql-use-create-db": ["ErrWrongTable", /its INSERT names the table "zz\.t"/],
  "names-dots": ["ErrWrongTable", /"bk\.t\.a\.b\.sql": its INSERT names the table "t", its file name "t\.a\.b"/],
  "case-two-tables": ["ErrWrongTable", /two tables of one name: bk\.T \("bk\.T-schema\.sql"\) and bk\.t/],
  "schema-not-create": ["ErrSchemaFile", /it has rows of the table "t"/],
  "schema-empty": ["ErrSchemaFile", /it holds no CREATE TABLE/],
  "lf-file-crlf-terminator": ["ErrSyntax", /text behind a closing quote \(row 1, column 3, byte 12\)/],
  "sql-insert-set": ["ErrUnsupported", /INSERT … SET is not row data \(row 1, byte 119\)/],
  "sql-insert-select": ["ErrUnsupported", /INSERT … SELECT is not row data \(row 1, byte 119\)/],
  "sql-value-uservar": ["ErrUnsupported", /a variable is no constant \(row 1, column 2, byte 129\)/],
};

/** Rows that Lightning reads wrongly, loses, refuses or changes in the target: their number here. */
const counts: Record<string, number> = {
  "row-many-sql": 11,
  "row-few-csv-noheader": 11,
  "row-few-sql-maxerror": 11,
  "csv-trim-last-separator": 10,
  "row-column-list-twice": 1,
  "csv-header-unknown": 10,
  "csv-header-missing": 9,
  "gbk-file": 11,
  "gbk-file-csv": 11,
  "utf16-csv": 10,
  "duplicate-pk-across-files": 12,
  "duplicate-pk-ignore": 11,
  "duplicate-row-exact": 11,
  "bad-json": 2,
  "sql-negatives-exp": 5,
  "sql-insert-value": 10,
  "sql-comment-between": 10,
  "sql-value-binary-introducer": 2,
  "sql-value-national": 2,
  "sql-value-nested-parens": 2,
  "sql-locks": 2,
  "sql-insert-in-version-comment": 2,
  "case-db": 10,
  "too-long-string-strict": 11,
  "null-in-not-null-strict": 11,
  "bad-date-strict": 4,
  "duplicate-pk-in-file-maxerror": 11,
  "schema-unsupported": 10,
  "schema-enum-backslash": 1,
  "schema-mariadb-persistent": 1,
  "schema-default-expr": 1,
};

async function rowsOf(name: string): Promise<(string | null)[][]> {
  const storage = folder(`broken/${name}`);
  const options = formOptions(`${cases[name]!.config ?? ""}\n`);
  const source = await load(storage, options);
  const chunkBytes = options.strictFormat === true ? 64 : undefined;
  const rows: (string | null)[][] = [];
  for (const table of source.tables) {
    for (const { cells } of await readTable(storage, table, { strictFormat: options.strictFormat, chunkBytes })) {
      rows.push(cells.map(([kind, text]) => (kind === "null" ? null : Buffer.from(text, "latin1").toString("utf8"))));
    }
  }
  return rows;
}

for (const [name, { note, rows: byTable }] of Object.entries(cases)) {
  test(`${name}: ${note}`, async () => {
    const error = errors[name];
    if (error !== undefined) {
      await assert.rejects(rowsOf(name), (thrown: LevinError) => {
        assert.equal(thrown.code, `Levin:Source:${error[0]}`, thrown.message);
        assert.match(thrown.message, error[1]);
        return true;
      });
      return;
    }
    const rows = await rowsOf(name);
    const known = Object.values(byTable).reduce((sum, list) => sum + list.length, 0);
    assert.equal(rows.length, counts[name] ?? known);
  });
}

test("quoted NULL markers stay text, quoted and unquoted empty fields differ", async () => {
  const special = (await rowsOf("csv-blank-fields")).filter(([id]) => Number(id) >= 50);
  assert.deepEqual(special, [
    ["50", "", ""],
    ["51", "", ""],
    ["52", null, null],
    ["53", "NULL", "NULL"],
    ["54", "\\N", "1"],
  ]);
  const empty = (await rowsOf("csv-blank-fields-null-empty")).filter(([id]) => Number(id) >= 50);
  assert.deepEqual(empty, [
    ["50", null, null],
    ["51", "", null],
    ["52", "N", "N"],
    ["53", "NULL", "NULL"],
    ["54", "N", "1"],
  ]);
});

test("column lists count statement by statement, character sets before quotes", async () => {
  assert.deepEqual((await rowsOf("gbk-file"))[0]?.[0], "1");
  for (const name of ["gbk-file", "gbk-file-csv"]) {
    const row = (await rowsOf(name)).find(([id]) => id === "50");
    assert.match(row?.[1] ?? "", /^[\p{Script=Han}\\'"\w]+$/u, name);
  }
});
