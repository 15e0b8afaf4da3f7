/** `levin check`: verdicts of files, the checks, exit codes; and that an import begins with the same. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
  await place.sql.query("CREATE DATABASE k");
});

after(() => place.close());

const CREATE = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));\n";

interface Result {
  ok: boolean;
  files: { path: string; verdict: string }[];
  checks: { check: string; status: string; detail: string; code?: string }[];
}

async function check(source: string, ...flags: string[]): Promise<{ code: number; result: Result }> {
  const { code, out, err } = await levin(["check", source, "--json", ...flags]);
  assert.notEqual(out, "", err);
  return { code, result: JSON.parse(out) as Result };
}

const failures = ({ checks }: Result) => checks.filter(({ status }) => status === "failed").map((one) => one.check);

test("a sound source, without and with a target; a table for people", async () => {
  const source = place.folder([
    ["k.t-schema.sql", CREATE],
    ["k.t.csv", "id,v\n1,a\n"],
    ["metadata", "x"],
  ]);
  const { code, result } = await check(source);
  assert.equal(code, 0);
  assert.ok(result.ok);
  assert.deepEqual(
    result.files.map(({ path, verdict }) => [path, verdict]),
    [
      ["k.t-schema.sql", "schema"],
      ["k.t.csv", "data"],
      ["metadata", "ignored"],
    ],
  );
  assert.equal(result.checks.find((one) => one.check === "target-empty")?.status, "skipped");
  const there = await check(source, ...place.target());
  assert.equal(there.result.checks.find((one) => one.check === "target-empty")?.status, "ok");
  const { out } = await levin(["check", source]);
  assert.match(out, /^verdict +size +file +what\nschema +52 B +k\.t-schema\.sql +table k\.t\n/);
  assert.match(out, /nothing speaks against an import\n$/);
});

test("what is wrong with several files is told at once, each with its place", async () => {
  const source = place.folder([
    ["k.t-schema.sql", CREATE],
    ["k.t.1.csv", "id,v\n1,a,3\n"],
    ["k.t.2.csv", "id,w\n1,a\n"],
    ["k.u.csv", "id\n1\n"],
    ["k.bad-schema.sql", "CREATE TABLE bad (id NOTYPE)"],
    ["k.bad.csv", "id\n1\n"],
    ["k.empty-schema.sql", ""],
    ["k.rows-schema.sql", "INSERT INTO rows VALUES (1)"],
    ["people.tsv", "x"],
  ]);
  const { code, result } = await check(source);
  assert.equal(code, 3);
  const details = result.checks.filter(({ status }) => status === "failed").map(({ detail }) => detail);
  for (const part of [
    /"people\.tsv" fits no rule/,
    /expected 2 columns, found 3 \(file "k\.t\.1\.csv", row 1, byte 5\)/,
    /it has no column "w" \(file "k\.t\.2\.csv"/,
    /"k\.u\.csv": neither target nor source has the table `k`\.`u`/,
    /"k\.bad-schema\.sql": .*NOTYPE/,
    /"k\.empty-schema\.sql": it holds no CREATE TABLE/,
    /"k\.rows-schema\.sql": it has rows of the table "rows"/,
  ])
    assert.ok(
      details.some((detail) => part.test(detail)),
      `${part} in ${details.join("\n")}`,
    );
});

test("headers read as rows, tables that are not empty, another import's state", async () => {
  const files = (csv: string) =>
    place.folder([
      ["k.t-schema.sql", CREATE],
      ["k.t.csv", csv],
    ]);
  const config = place.file("c.toml", "[mydumper.csv]\nheader = false\n");
  const header = await check(files("ID,v\n1,a\n"), "-c", config);
  assert.deepEqual(failures(header.result), ["csv-header", "schema-valid"]);

  const target = place.target();
  const source = files("id,v\n1,a\n");
  const done = await levin(["import", source, ...target]);
  assert.equal(done.code, 0, done.err);
  const full = await levin(["check", files("id,v\n9,a\n"), "--json", ...place.target()]);
  assert.equal(full.code, 3);
  assert.deepEqual(failures(JSON.parse(full.out) as Result), ["target-empty"]);
  const other = await levin(["check", files("id,v\n1,a\n"), "--json", ...target]);
  assert.equal(other.code, 3);
  assert.deepEqual(failures(JSON.parse(other.out) as Result), ["checkpoint-matches", "checkpoint-matches"]);
  const refused = await levin(["import", files("id,v\n1,a,b\n"), ...place.target()]);
  assert.equal(refused.code, 3);
  assert.match(refused.err, /expected 2 columns, found 3 .*\(and 1 more; see levin check\)/);
  const forced = await levin(["import", files("id,v\n1,a,b\n"), ...place.target(), "--check-requirements=false"]);
  assert.equal(forced.code, 4);
});

test("a table that is there already and is not as the dump defines it", { timeout: 60_000 }, async () => {
  const cases: [there: string, difference: string | undefined][] = [
    ["id INT(5) PRIMARY KEY, v VARCHAR(20)", undefined],
    ["ID BIGINT PRIMARY KEY, v VARCHAR(20)", 'column "id" is bigint in the target and int in the file'],
    ["id INT PRIMARY KEY, w VARCHAR(20)", 'column 2 is "w" in the target and "v" in the file'],
    ["id INT PRIMARY KEY, v VARCHAR(20), c INT", '3 columns in the target, 2 in the file; "c" is only in the target'],
    ["id INT PRIMARY KEY", '1 columns in the target, 2 in the file; "v" is only in the file'],
  ];
  const source = place.folder([
    ["def.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))"],
    ["def.t.csv", "id\n1\n"],
  ]);
  for (const [there, difference] of cases) {
    await place.sql.query("DROP DATABASE IF EXISTS def");
    await place.sql.query("CREATE DATABASE def");
    await place.sql.query(`CREATE TABLE def.t (${there})`);
    const told = `Table "def.t" of the target is not as "def.t-schema.sql" defines it: ${difference}`;
    const { code, result } = await check(source, ...place.target());
    assert.equal(code, 0);
    const found = result.checks.find((one) => one.check === "table-definition")!;
    assert.deepEqual([found.status, found.detail], difference === undefined ? ["ok", found.detail] : ["warning", told]);
    for (const backend of ["local", "tidb"]) {
      await place.sql.query("DELETE FROM def.t");
      const { code, err } = await levin(["import", source, ...place.target(), "--backend", backend]);
      assert.equal(code, 0, err);
      // Of a target that may be of another kind no types are known.
      const isTold = difference !== undefined && (backend === "local" || !difference.includes("bigint"));
      assert.equal(err.includes(`warn: table-definition: ${told}\n`), isTold, err);
    }
  }
});

test("a checksum that differs is told once, with its numbers", { timeout: 60_000 }, async () => {
  for (const [create, times] of [
    ["CREATE TABLE t (id INT PRIMARY KEY, v INT)", 1],
    // Both ranges, and the totals.
    ["CREATE TABLE t (id INT PRIMARY KEY, v INT, KEY (v))", 3],
  ] as const) {
    await place.sql.query("DROP DATABASE IF EXISTS sum");
    await place.sql.query("CREATE DATABASE sum");
    await place.sql.query(create.replace("t (", "sum.t ("));
    await place.sql.query("INSERT INTO sum.t VALUES (2, 2)");
    const source = place.folder([
      ["sum.t-schema.sql", create],
      ["sum.t.csv", "id,v\n1,1\n"],
    ]);
    const { code, err, out } = await place.import(source, "", "--check-requirements=false");
    assert.equal(code, 4, err);
    assert.match(
      err,
      /error: Cannot verify table "sum\.t": .*sent \d pairs, .*the cluster holds \d pairs, \d+ bytes, crc64 [0-9a-f]{16}/,
    );
    assert.equal((err + out).match(/the cluster holds/g)?.length, times, err + out);
  }
});
