/**
 * Broken and awkward dumps through the importer: the rows that MySQL would make of them, or an error with its place and exit code, and
 * then no row in the target.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { archive, json } from "../source/dumps.ts";
import { Place } from "./in-process.ts";

type Row = (string | null)[];

interface Case {
  note: string;
  config?: string;
  before?: string;
  rows?: Record<string, Row[]>;
}

const cases = json<Record<string, Case>>("broken/truth.json");

/** Case → exit code and part of the message. */
const errors: Record<string, [exit: number, message: string]> = {
  "truncated-sql-midrow": [
    4,
    'Cannot parse row in "bk.t.sql": the file ends where a row should begin (row 9, byte 229)',
  ],
  "truncated-sql-after-insert": [
    4,
    'Cannot parse row in "bk.t.sql": the file ends where a row should begin (row 1, byte 125)',
  ],
  "truncated-csv-midquote": [
    4,
    'Cannot parse row in "bk.t.csv": the quoted field has no end (row 10, column 2, byte 116)',
  ],
  "truncated-zst": [4, 'Cannot decompress "bk.t.sql.zst": zstd: the data ends too early (byte 196)'],
  "gz-trailing-garbage": [4, 'Cannot decompress "bk.t.sql.gz": gzip: incorrect header check (byte 0)'],
  "row-many-sql": [4, 'Cannot read row of table "t": expected 3 columns, found 4 (file "bk.t.sql", row 6, byte 19'],
  "row-many-csv": [4, 'Cannot read row of table "t": expected 3 columns, found 4 (file "bk.t.csv", row 6, byte 69'],
  "row-few-csv-noheader": [
    4,
    'Cannot read row of table "t": expected 3 columns, found 2 (file "bk.t.csv", row 6, byte 55',
  ],
  "row-column-list-twice": [
    4,
    'Cannot match columns of table "t": column "v" is named twice (file "bk.t.sql", row 1, byte',
  ],
  "csv-header-unknown": [
    4,
    'Cannot match columns of table "t": it has no column "zzz" (file "bk.t.csv", row 1, byte 16',
  ],
  "csv-header-missing": [
    4,
    'Cannot match columns of table "t": it has no column "1", "v1", "10" (file "bk.t.csv", row ',
  ],
  "csv-blank-fields": [
    4,
    'Cannot store value in column "n" of table "t": Truncated incorrect DOUBLE value: \'\' (MySQL error 1292) ',
  ],
  "unterminated-quote-csv": [
    4,
    'Cannot parse row in "bk.t.csv": text behind a closing quote (row 6, column 2, byte 84)',
  ],
  "unterminated-comment": [4, 'Cannot parse row in "bk.t.sql": the comment has no end (row 11, byte 259)'],
  "invalid-utf8-csv": [
    4,
    "Cannot store value in column \"v\" of table \"t\": Incorrect string value '\\xFF' for column 'v' (MySQL erro",
  ],
  "latin1-schema": [4, 'Cannot read "bk.t-schema.sql": it is neither UTF-8 nor GB18030 (byte 177); name its charac'],
  "suffix-gz-on-plain": [4, 'Cannot decompress "bk.t.sql.gz": gzip: incorrect header check (byte 0)'],
  "suffix-zst-on-gz": [4, 'Cannot decompress "bk.t.sql.zst": zstd: not a frame (byte 0)'],
  "empty-gz": [4, 'Cannot decompress "bk.t.sql.gz": gzip: the file is empty (byte 0)'],
  "insert-names-other-table": [
    3,
    'Cannot import "bk.t.sql": its INSERT names the table "other", its file name "t" (byte 103)',
  ],
  "schema-names-other-table": [3, 'Cannot use "bk.t-schema.sql": its statement makes "other", its name says "t"'],
  "schema-not-create": [3, 'Cannot use the schema file "bk.t-schema.sql": it has rows of the table "t"'],
  "schema-empty": [3, 'Cannot use the schema file "bk.t-schema.sql": it holds no CREATE TABLE'],
  "schema-unsupported": [1, 'error 8108 Unsupported: the type POINT in "CREATE TAB'],
  "duplicate-pk-across-files": [4, "two rows have the same key: record, handle 3"],
  "duplicate-pk-ignore": [4, "two rows have the same key: record, handle 3"],
  "duplicate-row-exact": [4, "two rows have the same key: record, handle 3"],
  "out-of-range-int": [
    4,
    'Cannot store value in column "n" of table "t": constant 99999999999 overflows int (MySQL error 1690) (f',
  ],
  "too-long-string": [
    4,
    'Cannot store value in column "v" of table "t": Data Too Long, field len 20, data len 21 (MySQL error 14',
  ],
  "not-a-number": [
    4,
    'Cannot store value in column "n" of table "t": Truncated incorrect DOUBLE value: \'abc\' (MySQL error 129',
  ],
  "null-in-not-null": [
    4,
    'Cannot store value in column "id" of table "t": Column \'id\' cannot be null (MySQL error 1048) (file "bk',
  ],
  "zero-date-only": [
    4,
    'Cannot store value in column "n" of table "t": Incorrect date value: \'0000-00-00\' (MySQL error 1292) (f',
  ],
  "bad-json": [
    4,
    'Cannot store value in column "v" of table "t": Invalid JSON text: The document root must not be followe',
  ],
  "lf-file-crlf-terminator": [
    4,
    'Cannot parse row in "bk.t.csv": text behind a closing quote (row 1, column 3, byte 12)',
  ],
  "names-dots": [3, 'Cannot import "bk.t.a.b.sql": the target has no table `bk`.`t.a.b`'],
  "case-two-tables": [3, 'Cannot import two tables of one name: bk.T ("bk.T-schema.sql") and bk.t ("bk.t-schema.sql"'],
  "metadata-only": [3, "it has neither data nor schema"],
  "sql-insert-set": [4, "SET is not row data (row 1, byte 119)"],
  "sql-insert-select": [4, "SELECT is not row data (row 1, byte 119)"],
  "schema-mariadb-persistent": [1, "error 1064 You have an error in your SQL syntax; chec"],
  "sql-value-uservar": [
    4,
    'Cannot import statement in "bk.t.sql": a variable is no constant (row 1, column 2, byte 12',
  ],
  "sql-use-create-db": [3, 'Cannot import "bk.t.sql": its INSERT names the table "zz.t", its file name "t" (byte 135)'],
  "too-long-string-strict": [
    4,
    'Cannot store value in column "v" of table "t": Data Too Long, field len 20, data len 21 (MySQL error 14',
  ],
  "null-in-not-null-strict": [
    4,
    'Cannot store value in column "id" of table "t": Column \'id\' cannot be null (MySQL error 1048) (file "bk',
  ],
  "bad-date-strict": [
    4,
    'Cannot store value in column "n" of table "t": Incorrect date value: \'2021-02-30\' (MySQL error 1292) (f',
  ],
  "csv-blank-fields-null-empty": [
    4,
    'Cannot store value in column "n" of table "t": Truncated incorrect DOUBLE value: \'N\' (MySQL error 1292)',
  ],
  "row-few-sql-maxerror": [
    4,
    'Cannot read row of table "t": expected 3 columns, found 2 (file "bk.t.sql", row 6, byte 19',
  ],
  "duplicate-pk-in-file-maxerror": [4, "two rows have the same key: record, handle 3"],
  "unterminated-quote-sql-maxerror": [
    4,
    'Cannot parse row in "bk.t.sql": the quoted text has no end (row 6, byte 265)',
  ],
};

const ten: Row[] = Array.from({ length: 10 }, (_, k) => [`${k + 1}`, `v${k + 1}`, `${10 * (k + 1)}`]);

/** What Lightning loses, refuses or changes. */
const rows: Record<string, Row[]> = {
  "csv-trim-last-separator": ten,
  "gbk-file": [...ten, ["50", "中文誠", "1"]],
  "gbk-file-csv": [...ten, ["50", "中文誠乗", "1"]],
  "utf16-csv": ten,
  "schema-enum-backslash": [["1", "\\", "1"]],
  "sql-bools": [
    ["1", "a", "1"],
    ["2", "b", "0"],
    ["3", "c", null],
  ],
  "sql-negatives-exp": [
    ["1", "a", "1000"],
    ["2", "b", "-25"],
    ["3", "c", "1"],
    ["4", "d", "5"],
    ["5", "e", "-5"],
  ],
  "sql-insert-value": ten,
  "sql-comment-between": ten,
  "sql-backslash-escapes": [
    ["1", "\0\n\r\t\b\x1a\\'\"\\%\\_x", "1"],
    ["2", "it's", "2"],
    ["3", 'd"q', "3"],
    ["4", "N", "4"],
    ["5", null, "5"],
    ["6", null, null],
  ],
  "schema-default-expr": [["1", "a", "3"]],
  "sql-value-binary-introducer": [
    ["1", "d", "1"],
    ["2", "z", "2"],
  ],
  "sql-value-national": [
    ["1", "f", "1"],
    ["2", "z", "2"],
  ],
  "sql-value-nested-parens": [
    ["1", "a", "1"],
    ["2", "z", "2"],
  ],
  "sql-locks": [
    ["1", "a", "1"],
    ["2", "b", "2"],
  ],
  "sql-insert-in-version-comment": [
    ["1", "a", "1"],
    ["2", "b", "2"],
  ],
  "case-db": ten,
};

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

const texts = (found: (Buffer | null)[][]): Row[] => found.map((row) => row.map((field) => field?.toString() ?? null));

const sorted = (list: Row[]): string[] => list.map((row) => JSON.stringify(row)).sort();

/** All tables of the target but the server's own, with their rows. */
async function target(): Promise<Record<string, Row[]>> {
  const out: Record<string, Row[]> = {};
  for (const [database] of texts(await place.rows("SHOW DATABASES"))) {
    if (!/^(bk|zz|BK)$/.test(database!)) continue;
    for (const [table] of texts(await place.rows(`SHOW TABLES IN \`${database}\``)))
      out[`${database}.${table}`] = texts(await place.rows(`SELECT * FROM \`${database}\`.\`${table}\``));
  }
  return out;
}

describe("broken dumps", () => {
  for (const [name, { note, config = "", before: statements, rows: found = {} }] of Object.entries(cases)) {
    test(`${name}: ${note}`, { timeout: 30_000 }, async () => {
      for (const statement of statements?.split(";") ?? []) await place.sql.query(statement);
      const files = [...archive()].filter(
        ([path]) => path.startsWith(`broken/${name}/`) && !path.endsWith("/.gitkeep"),
      );
      const source = place.folder(files.map(([path, bytes]) => [path.slice(name.length + 8), bytes]));
      const { code, err } = await place.import(source, /^\[/.test(config) ? config : `[mydumper]\n${config}`);
      const held = await target();
      for (const database of ["bk", "zz"]) await place.sql.query(`DROP DATABASE IF EXISTS ${database}`);
      const error = errors[name];
      if (error !== undefined) {
        assert.equal(code, error[0], err);
        assert.ok(err.includes(error[1]), err);
        assert.deepEqual(Object.values(held).flat(), []);
        return;
      }
      assert.equal(code, 0, err);
      const wanted = rows[name] === undefined ? found : { "bk.t": rows[name] };
      for (const [table, list] of Object.entries(wanted))
        assert.deepEqual(sorted(held[table] ?? []), sorted(list), table);
    });
  }
});
