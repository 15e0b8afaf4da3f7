import assert from "node:assert/strict";
import { test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { assertAllKnown, compareSortKeys, type FileVerdict, routeFiles, sortDataFiles } from "../../src/source/mod.ts";

function route(...paths: string[]): FileVerdict[] {
  return routeFiles(paths.map((path) => ({ path, sizeBytes: 1, mtimeMs: 0 })));
}

/** One line per verdict. */
function line(verdict: FileVerdict): string {
  if (verdict.verdict === "data") {
    const { database, table, sortKey, format, compression } = verdict;
    return `data ${database}|${table}|${sortKey}|${format}|${compression}`;
  }
  if (verdict.verdict === "schema") return `${verdict.what} ${verdict.database}|${verdict.name}|${verdict.compression}`;
  return verdict.verdict;
}

test("mydumper's and Dumpling's names get their verdicts", () => {
  const cases: Record<string, string> = {
    metadata: "ignored",
    "db-schema-create.sql": "database db||none",
    "db-schema-create.sql.zst": "database db||zstd",
    "db.t-schema.sql": "table db|t|none",
    "db.t-schema.sql.gz": "table db|t|gzip",
    "db.v-schema-view.sql": "view db|v|none",
    "db.s-schema-sequence.sql": "sequence db|s|none",
    "db.t-schema-trigger.sql": "ignored",
    "db.t-schema-triggers.sql": "ignored",
    "db-schema-post.sql.gz": "ignored",
    "db.t.sql": "data db|t||sql|none",
    "sub/dir/DB.t.SQL": "data DB|t||sql|none",
    "db.t.000000001.csv.zstd": "data db|t|000000001|csv|zstd",
    "db.t.0001.sql.gzip": "data db|t|0001|sql|gzip",
    "db.a.b.c.sql": "data db|a.b.c||sql|none",
    "my%20db.dot%2Ename.1.csv.snappy": "data my db|dot.name|1|csv|snappy",
    "db.t%zz.csv": "data db|t%zz||csv|none",
    "db.t.sql.bak": "ignored",
    "db.sql": "unknown",
    "db.t.txt": "unknown",
    "db.t.parquet": "unknown",
    "notes.md": "unknown",
  };
  assert.deepEqual(Object.fromEntries(route(...Object.keys(cases)).map((v) => [v.file.path, line(v)])), cases);
});

test("an unknown file stops the run and is named", () => {
  assert.doesNotThrow(() => assertAllKnown(route("metadata", "db.t.sql")));
  assert.throws(
    () => assertAllKnown(route("db.t.sql", "x/db.sql", "y.txt")),
    (thrown: LevinError) =>
      thrown.code === "Levin:Source:ErrUnknownFile" &&
      thrown.message === 'Cannot use "x/db.sql": its name fits no rule (and 1 more)',
  );
});

test("files of a table go by number, then by path", () => {
  const files = route("d.t.10.sql", "d.t.sql", "d.t.9.csv", "d.t.009.sql", "d.t.99999999999999999999.sql");
  const sorted = sortDataFiles(files.flatMap((file) => (file.verdict === "data" ? [file] : [])));
  assert.deepEqual(
    sorted.map(({ file }) => file.path),
    ["d.t.sql", "d.t.009.sql", "d.t.9.csv", "d.t.10.sql", "d.t.99999999999999999999.sql"],
  );
  assert.equal(Math.sign(compareSortKeys("2", "10")), -1);
});
