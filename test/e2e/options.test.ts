/** What configuration and flags make of a source, read back by SQL. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

beforeEach(async () => {
  await place.sql.query("DROP DATABASE IF EXISTS o");
  await place.sql.query("CREATE DATABASE o");
});

const texts = async (query: string) =>
  (await place.rows(query)).map((row) => row.map((field) => field?.toString() ?? null));

const CREATE = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n INT DEFAULT 7);\n";

async function* bytes(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

test("a dump on standard input; the same input again finds it done", async () => {
  const target = place.target();
  const dump = ["USE o;\n", CREATE, "INSERT INTO t VALUES (1,'a;', 2),(2,'", "b',NULL);\n"];
  const first = await levin(["import", "-", ...target], { stdin: bytes(...dump) });
  assert.equal(first.code, 0, first.err);
  assert.deepEqual(await texts("SELECT * FROM o.t"), [
    ["1", "a;", "2"],
    ["2", "b", null],
  ]);
  const again = await levin(["import", "-", ...target], { stdin: bytes(dump.join("")) });
  assert.equal(again.code, 0, again.err);
  const kept = join(target.find((flag) => flag.startsWith("--state-dir="))!.slice(12), "stdin");
  for (const wrong of [bytes(dump.join(" ")), bytes("a,b\n1,2\n")]) {
    const other = await levin(["import", "-", ...target], { stdin: wrong });
    assert.equal(other.code, 2, other.err);
    assert.match(other.err, /standard input is not what it began with, which stays in ".*input\.sql"/);
    assert.match(other.err, /Levin:State:ErrChanged/);
  }
  assert.equal((await levin(["import", "-", ...target], { stdin: bytes() })).code, 3);
  assert.equal(fs.readFileSync(join(kept, "input.sql"), "utf8"), dump.join(""));
  assert.deepEqual(
    [fs.readdirSync(kept), fs.readdirSync(join(kept, ".."))].flat().filter((name) => /part/.test(name)),
    [],
  );
  assert.equal((await levin(["import", "-", ...target], { stdin: bytes(dump.join("")) })).code, 0);
  // Who wants to begin anew says so; what a reset import has kept goes, too.
  const state = join(kept, "..");
  assert.match((await levin(["reset", state, "--yes"])).out, /removed .*stdin\n/);
  await place.sql.query("DROP TABLE o.t");
  const anew = await levin(["import", "-", ...target], { stdin: bytes(dump.join(" ")) });
  assert.equal(anew.code, 0, anew.err);
  await place.sql.query("DROP TABLE o.t");
  const fresh = await levin(["import", "-", "--fresh", ...target], { stdin: bytes(dump.join("")) });
  assert.equal(fresh.code, 0, fresh.err);
  const empty = await levin(["import", "-", ...place.target()], { stdin: bytes() });
  assert.equal(empty.code, 3, empty.err);
  assert.match(empty.err, /Cannot import standard input: it is empty/);
});

test("one CSV file of any name into one table, from a path and from standard input", async () => {
  await place.sql.query(`CREATE TABLE o.t (id INT PRIMARY KEY, v VARCHAR(20))`);
  const file = place.file("people of 2024.csv", "v,id\nx,1\n");
  const { code, err } = await place.import(file, "", "--table", "o.t");
  assert.equal(code, 0, err);
  assert.deepEqual(await texts("SELECT * FROM o.t"), [["1", "x"]]);
  await place.sql.query("CREATE TABLE o.`u.w` (id INT PRIMARY KEY)");
  const input = await levin(["import", "-", "--table=o.`u.w`", ...place.target()], { stdin: bytes("id\n5\n") });
  assert.equal(input.code, 0, input.err);
  assert.deepEqual(await texts("SELECT * FROM o.`u.w`"), [["5"]]);
  const unnamed = await place.import(file, "");
  assert.equal(unnamed.code, 3, unnamed.err);
});

test("routes merge shards and fill columns from names", async () => {
  await place.sql.query(
    "CREATE TABLE o.all_t (id INT, v VARCHAR(20), c_table VARCHAR(9), c_db VARCHAR(9), src VARCHAR(9))",
  );
  const source = place.folder([
    ["s1.t_01.csv", "id,v\n1,a\n"],
    ["s2.t_02.csv", "id,v\n2,\\N\n"],
    ["s2.t_03.sql", "INSERT INTO t_03 VALUES (3,'c');"],
  ]);
  const toml = `[mydumper]\nsource-id = "mysql-01"\n[[routes]]\nschema-pattern = "s*"\ntable-pattern = "t_*"
target-schema = "o"\ntarget-table = "all_t"
[routes.extract-table]\ntable-regexp = "t_(.*)"\ntarget-column = "c_table"
[routes.extract-schema]\nschema-regexp = "s(.*)"\ntarget-column = "c_db"
[routes.extract-source]\nsource-regexp = "mysql-(.*)"\ntarget-column = "src"\n`;
  const { code, err } = await place.import(source, toml);
  assert.equal(code, 0, err);
  assert.deepEqual(await texts("SELECT id, v, c_table, c_db, src FROM o.all_t ORDER BY id"), [
    ["1", "a", "01", "1", "01"],
    ["2", null, "02", "2", "01"],
    ["3", "c", "03", "2", "01"],
  ]);
});

test("columns left out, dialects of single tables, a filter", async () => {
  const source = place.folder([
    ["o.t-schema.sql", CREATE],
    ["o.t.csv", "id,v,n,more\n1,a,5,x\n"],
    ["o.u-schema.sql", "CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(20))"],
    ["o.u.csv", "skip me\n>>1;'x;y'\nnoise >>2;null\n"],
    ["o.w-schema.sql", "CREATE TABLE w (id INT PRIMARY KEY)"],
    ["o.w.csv", "id\nnot a number\n"],
  ]);
  const toml = `[mydumper]\nfilter = ["o.*", "!o.w"]
[[mydumper.ignore-columns]]\ndb = "o"\ntable = "t"\ncolumns = ["n", "more"]
[[mydumper.tables]]\nfilter = ["o.u"]\n[mydumper.tables.csv]\nseparator = ";"\ndelimiter = "'"\nheader = false
skip-lines = 1\nlines-starting-by = ">>"\nnull = ["null", "\\\\N"]\n`;
  const { code, err } = await place.import(source, toml);
  assert.equal(code, 0, err);
  assert.deepEqual(await texts("SELECT * FROM o.t"), [["1", "a", "7"]]);
  assert.deepEqual(await texts("SELECT * FROM o.u"), [
    ["1", "x;y"],
    ["2", null],
  ]);
  const slip = await place.import(
    source,
    '[[mydumper.tables]]\nfilter = ["o.u"]\n[mydumper.tables.csv]\nseperator = ";"\n',
  );
  assert.equal(slip.code, 2, slip.err);
  assert.match(slip.err, /"seperator" is not one of/);
});

test("short rows are an error, or filled up and counted", async () => {
  const files = (csv: string) =>
    place.folder([
      ["o.t-schema.sql", CREATE],
      ["o.t.csv", csv],
    ]);
  const strict = await place.import(files("id,v,n\n1,a,1\n2,b\n"), "");
  assert.equal(strict.code, 4);
  assert.match(strict.err, /expected 3 columns, found 2 \(file "o\.t\.csv", row 2, byte 13\)/);
  assert.deepEqual(await texts("SELECT * FROM o.t"), []);
  const filled = await place.import(files("id,v,n\n1,a,1\n2,b\n3\n"), "[mydumper]\nallow-short-rows = true\n");
  assert.equal(filled.code, 0, filled.err);
  assert.match(filled.err, /2 rows had too few fields/);
  assert.deepEqual(await texts("SELECT * FROM o.t"), [
    ["1", "a", "1"],
    ["2", "b", "7"],
    ["3", null, "7"],
  ]);
});

test("rows that cannot be cast are reported up to a limit", async () => {
  const source = place.folder([
    ["o.t-schema.sql", CREATE],
    ["o.t.1.csv", "id,v,n\n1,a,1\n2,b,many\n3,c,3\n"],
    ["o.t.2.csv", `id,v,n\nx,d,4\n5,${"e".repeat(21)},5\n6,f,6\n`],
  ]);
  const target = place.target();
  const run = (max: number) => {
    const toml = place.file("levin.toml", `[lightning]\nmax-error = { type = ${max} }\n`);
    return levin(["import", source, "-c", toml, "--workers=2", ...target]);
  };
  const few = await run(2);
  assert.equal(few.code, 4, few.err);
  assert.match(few.err, /3 rows cannot be cast, lightning\.max-error allows 2/);
  assert.deepEqual(await texts("SELECT * FROM o.t"), []);
  const enough = await run(3);
  assert.equal(enough.code, 0, enough.err);
  assert.match(enough.err, /3 rows were left out because a value cannot be cast/);
  assert.deepEqual(await texts("SELECT id FROM o.t ORDER BY id"), [["1"], ["3"], ["6"]]);
  const dir = target.find((flag) => flag.startsWith("--state-dir="))!.slice(12);
  const lines = fs.readFileSync(join(dir, "reports/type-errors.ndjson"), "utf8").trim().split("\n");
  const report = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    report.map(({ file, row, byte, column, text }) => [file, row, byte, column, text]),
    [
      ["o.t.1.csv", 2, 13, "n", "many"],
      ["o.t.2.csv", 1, 7, "id", "x"],
      ["o.t.2.csv", 2, 13, "v", "e".repeat(21)],
    ],
  );
  assert.match(String(report[2]!["error"]), /Data Too Long/i);
});

test("by statements a table's line has the rows of both sides, and no checksum, also where no row was taken", async () => {
  const source = place.folder([
    ["o.t-schema.sql", CREATE],
    ["o.t.csv", "id,v,n\nx,a,1\ny,b,2\n"],
    ["o.u-schema.sql", "CREATE TABLE u (id INT PRIMARY KEY);"],
    ["o.u.csv", "id\n1\n2\n"],
  ]);
  const config = place.file("levin.toml", "[lightning]\nmax-error = { type = 2 }\n");
  const target = place.target();
  const { code, err, out } = await levin(["import", source, "-c", config, "--backend=tidb", "--json", ...target]);
  assert.equal(code, 0, err);
  assert.match(err, /^o\.t: 0 rows, 0 in the target, ok$/m);
  assert.match(err, /^o\.u: 2 rows, 2 in the target, ok$/m);
  assert.doesNotMatch(err, /crc64/);
  assert.match(out, /"table":"o\.t","rows":0,.*"byStatements":\{"counted":0\}/);
  const state = target.find((flag) => flag.startsWith("--state-dir="))!.slice(12);
  assert.match((await levin(["status", state])).out, /^o\.u: 2 rows, verified$/m);
  await place.sql.query("INSERT INTO o.u VALUES (7)");
  const off = await levin(["import", place.folder([["o.u.csv", "id\n3\n"]]), "--backend=tidb", ...place.target()]);
  assert.match(off.err, /^o\.u: 1 rows, the target's were not counted, not verified: it had rows before$/m);
});

test("--compat lightning takes Lightning's readings and says which mattered", async () => {
  const source = place.folder([
    ["o.t-schema.sql", CREATE],
    ["o.t.csv", 'id,v,n\n1,"\\N",99999999999\n2,b\n'],
    ["o.t.1.sql", "INSERT INTO other VALUES (3,word,1),(4,'50\\%',2),(5,\\N,3),(6,'x',4);\n"],
    ["notes.tsv", "not for the import"],
  ]);
  const strict = await place.import(source, "");
  assert.equal(strict.code, 3);
  assert.match(strict.err, /notes\.tsv/);
  const { code, err } = await place.import(source, "", "--compat", "lightning");
  assert.equal(code, 0, err);
  assert.deepEqual(await texts("SELECT * FROM o.t"), [
    ["1", null, "2147483647"],
    ["2", "b", "7"],
    ["3", "word", "1"],
    ["4", "50%", "2"],
    ["5", "\\N", "3"],
    ["6", "x", "4"],
  ]);
  assert.match(err, /--compat lightning mattered: 1 values were changed by the SQL mode .*; 1 rows had too few fields/);
  assert.match(err, /1 quoted fields look like NULL and were read as NULL/);
  assert.match(err, /1 files fit no rule and were left out/);
  assert.match(err, /; 3 SQL literals were read in Lightning's way .*; 1 files name another table in their statements/);
});

test("a password is asked for when a user is named without one and somebody can answer", async () => {
  const source = place.folder([["o.t.csv", "id\n1\n"]]);
  const asked: string[] = [];
  const askSecret = async (question: string): Promise<string> => {
    asked.push(question);
    return "wrong";
  };
  const { code, err } = await levin(["import", source, "--tidb-user", "root", ...place.target()], { askSecret });
  assert.deepEqual(asked, ["Password of root at 127.0.0.1: "]);
  assert.equal(code, 1, err);
  assert.match(err, /1045|denied/i);
  assert.ok(!err.includes("wrong"));
});

test("schema files alone make databases and tables, and nothing else is to do", async () => {
  const source = place.folder([
    ["only-schema-create.sql", "CREATE DATABASE `only`"],
    ["only.t-schema.sql", "CREATE TABLE t (id INT)"],
  ]);
  const { code, err } = await place.import(source, "");
  assert.equal(code, 0, err);
  assert.deepEqual(await place.rows("SELECT * FROM `only`.t"), []);
});

test("ids of rows before a dump changes its time zone count for the next id, too", async () => {
  const dump =
    "USE o;\nCREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v TIMESTAMP NULL);\n" +
    "SET TIME_ZONE='+00:00';\nINSERT INTO t VALUES (900,'2024-01-01 00:00:00');\n" +
    "SET TIME_ZONE='+01:00';\nINSERT INTO t VALUES (5,'2024-01-01 01:00:00');\n";
  const { code, err } = await levin(["import", "-", ...place.target()], { stdin: bytes(dump) });
  assert.equal(code, 0, err);
  await place.sql.query("INSERT INTO o.t VALUES (NULL, '2024-01-01 00:00:00')");
  const rows = await texts("SELECT id, v FROM o.t ORDER BY id");
  assert.equal(new Set(rows.map(([, v]) => v)).size, 1);
  assert.ok(Number(rows.at(-1)![0]) > 900, JSON.stringify(rows));
  assert.equal(rows.length, 3);
});
