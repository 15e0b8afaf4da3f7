import assert from "node:assert/strict";
import { test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { assertAllKnown, compareSortKeys, type FileVerdict, routeFiles } from "../../src/source/mod.ts";

function route(...paths: string[]): FileVerdict[] {
  return routeFiles(paths.map((path) => ({ path, sizeBytes: 1, mtimeMs: 0 })));
}

/** One line per verdict, with the usual reading of the name first. */
function line(verdict: FileVerdict): string {
  if (verdict.verdict !== "data" && verdict.verdict !== "schema") return verdict.verdict;
  const names = verdict.names.map(({ database, table, sortKey }) => `${database}|${table}|${sortKey}`).join(" or ");
  const what = verdict.verdict === "data" ? verdict.format : verdict.what;
  return `${what} ${names} ${verdict.compression}`;
}

test("mydumper's and Dumpling's names get their verdicts", () => {
  const cases: Record<string, string> = {
    metadata: "ignored",
    "db-schema-create.sql": "database db|| none",
    "db-schema-create.sql.zst": "database db|| zstd",
    "db.t-schema.sql": "table db|t| none",
    "db.t-schema.sql.gz": "table db|t| gzip",
    "db.v-schema-view.sql": "view db|v| none",
    "db.s-schema-sequence.sql": "sequence db|s| none",
    "db.t-schema-trigger.sql": "ignored",
    "db.t-schema-triggers.sql": "ignored",
    "db-schema-post.sql.gz": "ignored",
    "db.t.sql": "sql db|t| none",
    "sub/dir/DB.t.SQL": "sql DB|t| none",
    "db.t.000000001.csv.zstd": "csv db|t|000000001 or db|t.000000001| zstd",
    "db.t.0001.sql.gzip": "sql db|t|0001 or db|t.0001| gzip",
    "db.a.b.c.sql": "sql db|a.b.c| none",
    "my%20db.dot%2Ename.1.csv.snappy": "csv my db|dot.name|1 or my%20db|dot%2Ename|1 or my%20db|dot%2Ename.1| snappy",
    "db.t%zz.csv": "csv db|t%zz| none",
    "db.t.sql.bak": "ignored",
    "db.sql": "dump",
    "db.t.txt": "unknown",
    "db.t.parquet": "unknown",
    "notes.md": "unknown",
  };
  assert.deepEqual(Object.fromEntries(route(...Object.keys(cases)).map((v) => [v.file.path, line(v)])), cases);
});

test("an unknown file stops the run and is named", () => {
  assert.doesNotThrow(() => assertAllKnown(route("metadata", "db.t.sql")));
  assert.doesNotThrow(() => assertAllKnown(route("db.sql"), { dumps: true }));
  assert.throws(() => assertAllKnown(route("db.sql")), /Cannot use "db.sql": its name fits no rule/);
  assert.throws(
    () => assertAllKnown(route("db.t.sql", "x/db.tsv", "y.txt")),
    (thrown: LevinError) =>
      thrown.code === "Levin:Source:ErrUnknownFile" &&
      thrown.message === 'Cannot use "x/db.tsv": its name fits no rule (and 1 more)',
  );
});

test("files of a table go by number", () => {
  const keys = ["10", "", "9", "009", "99999999999999999999"];
  assert.deepEqual(keys.sort(compareSortKeys), ["", "9", "009", "10", "99999999999999999999"]);
});
