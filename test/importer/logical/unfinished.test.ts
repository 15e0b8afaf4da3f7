/** An import by statements that has not ended is found in the target by another one of its tables, which would bring its rows again. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { LevinError } from "../../../src/base/mod.ts";
import { type Claim, PositionTable } from "../../../src/logical/mod.ts";
import { connectTidb, openSqlLink } from "../../../src/tidb/mod.ts";
import { levin, Place, type Ran } from "../../e2e/in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());
beforeEach(async () => {
  dump = place.path("dump");
  await place.sql.query("DROP DATABASE IF EXISTS u");
  await place.sql.query("DROP DATABASE IF EXISTS lightning_metadata");
});

const CSV = "[mydumper.csv]\nheader = false\n";

const lines = (bad: boolean): string[] =>
  Array.from({ length: 300 }, (_, k) => (bad && k === 250 ? "250,none\n" : `${k},${k}\n`));

let dump: string;

/** The dump as it stands now, always in one place: a table without a key; with `bad` the import fails behind its first rows. */
function source(bad: boolean): string {
  fs.mkdirSync(dump, { recursive: true });
  fs.writeFileSync(join(dump, "u-schema-create.sql"), "CREATE DATABASE u;\n");
  fs.writeFileSync(join(dump, "u.loose-schema.sql"), "CREATE TABLE loose (id INT, n INT);\n");
  fs.writeFileSync(join(dump, "u.loose.csv"), lines(bad).join(""));
  return dump;
}

function load(from: string, state: string, ...flags: string[]): Promise<Ran> {
  const toml = `[tikv-importer]\nlogical-import-batch-rows = 50\n${CSV}`;
  const words = ["import", from, "-c", place.file("levin.toml", toml), "--backend=tidb", "--workers=1"];
  const target = place.target().filter((word) => !word.startsWith("--state-dir"));
  return levin([...words, ...target, `--state-dir=${state}`, ...flags]);
}

const count = async (): Promise<string> => String((await place.rows("SELECT COUNT(*) FROM u.loose"))[0]![0]);
const leftovers = async (): Promise<number> => (await place.rows("SHOW DATABASES LIKE 'lightning_metadata'")).length;

async function unfinished(): Promise<string> {
  const state = place.path("first");
  const failed = await load(source(true), state);
  assert.equal(failed.code, 4, failed.err);
  assert.notEqual(await count(), "0");
  return state;
}

test("with another state directory it is refused, and nothing is written", async () => {
  const state = await unfinished();
  const before = await count();
  const { code, err } = await load(source(false), place.path("second"));
  assert.equal(code, 3, err);
  assert.match(err, /Levin:State:ErrUnfinished/);
  assert.ok(err.includes("`u`.`loose`") && err.includes(state) && err.includes("--fresh"), err);
  assert.equal(await count(), before);
});

test("--fresh forgets it and says that its rows stand; what was forgotten cannot be continued", async () => {
  const state = await unfinished();
  const before = Number(await count());
  const good = source(false);
  const { code, err } = await load(good, place.path("second"), "--fresh");
  assert.equal(code, 0, err);
  assert.match(err, /is forgotten; rows of it may stand in `u`\.`loose`/);
  assert.equal(await count(), String(before + 300));
  assert.equal(await leftovers(), 0);
  const again = await load(source(true), state);
  assert.notEqual(again.code, 0);
  assert.equal(await count(), String(before + 300));
});

test("emptied tables may be filled from anywhere, and nothing is left behind", async () => {
  await unfinished();
  await place.sql.query("DROP TABLE u.loose");
  const { code, err } = await load(source(false), place.path("second"));
  assert.equal(code, 0, err);
  assert.equal(await count(), "300");
  assert.equal(await leftovers(), 0);
});

test("a copy of the source is known again; other files go into the table beside it", async () => {
  const first = await unfinished();
  const before = Number(await count());
  const copy = place.path("copy");
  fs.cpSync(dump, copy, { recursive: true });
  const refused = await load(copy, place.path("second"));
  assert.match(refused.err, /Levin:State:ErrUnfinished/);
  fs.renameSync(join(copy, "u.loose.csv"), join(copy, "u.loose.2.csv"));
  fs.writeFileSync(join(copy, "u.loose.2.csv"), lines(false).join(""));
  const { code, err } = await load(copy, place.path("third"));
  assert.equal(code, 0, err);
  assert.equal(await count(), String(before + 300));
  // The first one goes on where it was.
  assert.equal((await load(dump, first)).code, 4);
  assert.equal(await count(), String(before + 300));
});

test("an import that has ended is in nobody's way", async () => {
  for (const name of ["one", "two"]) assert.equal((await load(source(false), place.path(name))).code, 0);
  assert.equal(await count(), "600");
});

test("units of several sources fill one table side by side; the same source from elsewhere does not", async () => {
  await place.sql.query("CREATE DATABASE u");
  await place.sql.query("CREATE TABLE u.loose (id INT, n INT)");
  await place.sql.query("INSERT INTO u.loose VALUES (1, 1)");
  const { port } = place.sandbox.front;
  const account = { host: "127.0.0.1", port, user: "root", password: "" };
  const tidb = await connectTidb({ ...account, connectionsMax: 2, connectTimeoutMs: 5_000 });
  const forgotten: string[] = [];
  const claimOf = (owner: string, fresh: boolean): Claim => ({
    origin: "elsewhere",
    owner,
    startedMs: 0,
    tables: [{ database: "u", table: "loose", place: "here", content: "files" }],
    fresh,
    onForgotten: (message) => void forgotten.push(message),
  });
  const link = await openSqlLink({ ...account, connectionsMax: 1, connectTimeoutMs: 5_000 });
  const begins = (job: string): Promise<boolean> =>
    new PositionTable("lightning_metadata", job).begin(link, 0, 0).then(
      () => true,
      (error: LevinError) => error.code !== "Levin:State:ErrChanged",
    );
  const create = (job: string, owner: string, fresh = false): Promise<void> =>
    new PositionTable("lightning_metadata", job).create(tidb, claimOf(owner, fresh), false);
  await create("job1", "task t, source s1");
  await create("job2", "task t, source s2", true);
  assert.deepEqual(forgotten, [], "a unit's first run leaves the other sources alone");
  await assert.rejects(create("job3", "task t, source s1"), { code: "Levin:State:ErrUnfinished" });
  await assert.rejects(create("job4", ""), { code: "Levin:State:ErrUnfinished" });
  await create("job5", "task t, source s1", true);
  assert.equal(forgotten.length, 1);
  assert.deepEqual(
    (await place.rows("SELECT job FROM lightning_metadata.levin_logical_progress ORDER BY job")).map(String),
    ["job2", "job5"],
  );
  assert.equal(await begins("job1"), false, "what was forgotten does not go on");
  assert.equal(await begins("job5"), true);
  await create("job6", "", true);
  await assert.rejects(create("job7", "task t, source s1", true), { code: "Levin:State:ErrUnfinished" });
  link.destroy();
  await tidb.close();
});
