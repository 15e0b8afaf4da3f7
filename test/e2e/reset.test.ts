/** `levin reset`: all of an import, or one table of it. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

const rowsOf = (table: string, rows: string): [string, string] => [
  `r.${table}.sql`,
  `INSERT INTO ${table} VALUES ${rows};`,
];

function dump(database: string, tables: Record<string, string>): string {
  return place.folder([
    [`${database}-schema-create.sql`, `CREATE DATABASE ${database};`],
    ...Object.entries(tables).flatMap(([table, rows]): [string, string][] => [
      [`${database}.${table}-schema.sql`, `CREATE TABLE ${table} (a INT PRIMARY KEY, b VARCHAR(10));`],
      [`${database}.${table}.sql`, rowsOf(table, rows)[1]],
    ]),
  ]);
}

const run = (source: string, state: string) =>
  levin([
    "import",
    source,
    "--workers=1",
    "--memory=128MiB",
    ...place.target().filter((flag) => !flag.startsWith("--state-dir")),
    `--state-dir=${state}`,
  ]);

const texts = async (query: string) => (await place.rows(query)).map(String);

test("a file that is corrected after its first rows were refused goes in by the same command", async () => {
  const source = dump("r0", { one: "(1,'x'),('no number','y')" });
  const state = place.path("state");
  const refused = await run(source, state);
  assert.equal(refused.code, 4, refused.err);
  fs.writeFileSync(join(source, "r0.one.sql"), "INSERT INTO one VALUES (1,'x'),(2,'y');");
  const checked = await levin(["check", source, ...place.target().slice(0, -1), `--state-dir=${state}`]);
  assert.equal(checked.code, 0, checked.out);
  const { code, err } = await run(source, state);
  assert.equal(code, 0, err);
  assert.deepEqual(await texts("SELECT a FROM r0.one"), ["1", "2"]);
});

describe("levin reset DIR TABLE", () => {
  test("a table that is in is imported anew, from files that may have changed; the others are left alone", async () => {
    const source = dump("r1", { one: "(1,'x')", two: "(2,'y')", three: "(3,'z')" });
    const state = place.path("state");
    assert.equal((await run(source, state)).code, 0);
    fs.writeFileSync(join(source, "r1.two.sql"), "INSERT INTO two VALUES (20,'new'),(21,'newer');");
    const refused = await run(source, state);
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.err, /file r1\.two\.sql was/);

    assert.match((await levin(["reset", state, "r1.two"])).out, /would forget r1\.two/);
    const reset = await levin(["reset", state, "r1.two", "--yes"]);
    assert.equal(reset.code, 0, reset.err);
    assert.match(reset.out, /files may change until then: r1\.two\.sql/);
    const shown = (await levin(["status", state])).out;
    assert.match(shown, /^r1\.two: forgotten; the next run imports it anew$/m);
    assert.match(shown, /^r1\.one: 1 rows, .*, verified$/m);
    const full = await run(source, state);
    assert.equal(full.code, 3, "the table must be empty");
    assert.match(full.err, /r1\.two/);

    await place.sql.query("DROP TABLE r1.two");
    const again = await run(source, state);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /r1\.two: 2 rows/);
    assert.doesNotMatch(again.err, /r1\.one: /);
    assert.deepEqual(await texts("SELECT a, b FROM r1.two ORDER BY a"), ["20,new", "21,newer"]);
    assert.deepEqual(await texts("SELECT a, b FROM r1.one"), ["1,x"]);
    const once = await run(source, state);
    assert.equal(once.code, 0, once.err);
    assert.match(once.err, /r1\.two: 2 rows.*imported by an earlier run/);
  });

  test("a table whose pairs are not in the cluster yet: its batch is encoded again", async () => {
    const source = dump("r2", { good: "(1,'x'),(2,'y')", bad: "(1,'x'),(1,'again')" });
    const state = place.path("state");
    const failed = await run(source, state);
    assert.equal(failed.code, 4, failed.err);
    assert.match(failed.err, /r2\.bad.*same key/);
    fs.writeFileSync(join(source, "r2.bad.sql"), "INSERT INTO bad VALUES (1,'x'),(2,'mended');");
    const reset = await levin(["reset", state, "r2.bad", "--yes"]);
    assert.match(reset.out, /encoded again with it: r2\.good/);
    const again = await run(source, state);
    assert.equal(again.code, 0, again.err);
    assert.deepEqual(await texts("SELECT a, b FROM r2.bad ORDER BY a"), ["1,x", "2,mended"]);
    assert.deepEqual(await texts("SELECT COUNT(*) FROM r2.good"), ["2"]);
    const sum = await texts("ADMIN CHECKSUM TABLE r2.good, r2.bad");
    assert.equal(sum.length, 2);
  });

  test("an unknown table, a missing directory", async () => {
    const source = dump("r3", { one: "(1,'x')" });
    const state = place.path("state");
    assert.equal((await run(source, state)).code, 0);
    const unknown = await levin(["reset", state, "r3.nope", "--yes"]);
    assert.deepEqual([unknown.code, /only r3\.one/.test(unknown.err)], [2, true], unknown.err);
    assert.equal((await levin(["reset", place.path("nowhere")])).code, 2);
  });
});

test("levin reset DIR takes over the lock of a dead process and keeps off a living one's", async () => {
  const source = dump("r4", { one: "(1,'x')" });
  const state = place.path("state");
  assert.equal((await run(source, state)).code, 0);
  const lock = join(state, "LOCK");
  const { hostname } = await import("node:os");
  fs.writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 - 1, host: hostname(), started: "1" }));
  const reset = await levin(["reset", state, "--yes"]);
  assert.equal(reset.code, 0, reset.err);
  assert.ok(!fs.existsSync(join(state, "journal")));

  assert.equal((await run(source, place.path("other"))).code, 3, "the table is not empty");
  await place.sql.query("DROP DATABASE r4");
  assert.equal((await run(source, state)).code, 0);
  fs.writeFileSync(lock, JSON.stringify({ pid: 1, host: "another", started: "1" }));
  const held = await levin(["reset", state, "--yes"]);
  assert.deepEqual([held.code, /held by process 1 on host "another"/.test(held.err)], [2, true], held.err);
  fs.rmSync(lock);
});
