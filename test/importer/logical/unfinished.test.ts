/** An import by statements that has not ended is found in the target by another one of its tables, which would bring its rows again. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type LevinError, systemClock } from "../../../src/base/mod.ts";
import { type Claim, ForgottenError, JobHold, PositionTable } from "../../../src/logical/mod.ts";
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

test("--fresh does not bring its rows a second time; it can be continued, or the tables emptied", async () => {
  const state = await unfinished();
  const before = await count();
  for (const dir of [place.path("second"), state]) {
    const { code, err } = await load(dump, dir, "--fresh");
    assert.equal(code, 3, err);
    assert.match(err, /Levin:State:ErrUnfinished/);
    assert.match(err, /empty the tables/);
    assert.equal(/without --fresh/.test(err), dir === state, err);
    assert.equal(await count(), before);
  }
  // What it was refused for is still there: the same source fails where it failed, and no row comes again.
  assert.equal((await load(dump, state)).code, 4);
  assert.equal(await count(), before);
  await place.sql.query("DELETE FROM u.loose");
  const { code, err } = await load(source(false), state, "--fresh");
  assert.equal(code, 0, err);
  assert.match(err, /u\.loose: 300 rows, 300 in the target, ok/);
  assert.equal(await leftovers(), 0);
});

test("without its state directory it is not to be continued, and told so", async () => {
  const state = await unfinished();
  const before = await count();
  fs.rmSync(state, { recursive: true });
  for (const flags of [[], ["--fresh"]]) {
    const { code, err } = await load(source(false), state, ...flags);
    assert.equal(code, 3, err);
    assert.match(err, /its state is gone, so empty the tables/);
    assert.equal(await count(), before);
  }
});

test("rows that a table without a key had before: told at the beginning, and not called ok", async () => {
  for (const flags of [[], ["--fresh"]]) await load(source(false), place.path("state"), ...flags);
  const { code, err } = await load(source(false), place.path("state"));
  assert.equal(code, 0, err);
  const lines = err.split("\n");
  const warned = lines.findIndex((line) => /u\.loose has rows and no primary or unique key/.test(line));
  const ended = lines.findIndex((line) =>
    /u\.loose: 300 rows, .* not verified: it had rows before and has no/.test(line),
  );
  assert.ok(warned >= 0 && ended > warned, err);
  assert.doesNotMatch(err, /u\.loose: .*\bok\b/);
});

test("of two at once one is told of the other, and the rows come once", async () => {
  const from = source(false);
  fs.writeFileSync(join(from, "u.loose.csv"), Array.from({ length: 20_000 }, (_, k) => `${k},${k}\n`).join(""));
  const dirs = [place.path("one"), place.path("two")];
  const ran = await Promise.all(dirs.map((dir) => load(from, dir)));
  const lost = ran.findIndex(({ code }) => code !== 0);
  assert.equal(ran[1 - lost]?.code, 0, ran.map(({ err }) => err).join("\n"));
  assert.equal(ran[lost]!.code, 2, ran[lost]!.err);
  assert.match(ran[lost]!.err, /Levin:State:ErrLocked/);
  assert.ok(ran[lost]!.err.includes(dirs[1 - lost]!), ran[lost]!.err);
  assert.doesNotMatch(ran[lost]!.err, /--fresh/);
  assert.equal(await count(), "20000");
  assert.equal(await leftovers(), 0);
});

test("a run that has brought nothing in is in nobody's way, and may go on", async () => {
  fs.mkdirSync(dump, { recursive: true });
  fs.writeFileSync(join(dump, "u-schema-create.sql"), "CREATE DATABASE u;\n");
  fs.writeFileSync(join(dump, "u.loose-schema.sql"), "CREATE TABLE loose (id INT PRIMARY KEY, n INT);\n");
  fs.writeFileSync(join(dump, "u.loose.csv"), "1,1\n2,2\n1,3\n");
  await place.sql.query("CREATE DATABASE u");
  await place.sql.query("CREATE TABLE u.loose (id INT PRIMARY KEY, n INT)");
  await place.sql.query("INSERT INTO u.loose VALUES (7, 7)");
  for (const strategy of ["error", ""]) {
    const toml = place.file("levin.toml", `[conflict]\nstrategy = "${strategy}"\n${CSV}`);
    const state = place.path("state");
    const target = place.target().filter((word) => !word.startsWith("--state-dir"));
    const words = ["import", dump, "-c", toml, "--backend=tidb", "--workers=1", ...target, `--state-dir=${state}`];
    for (let run = 0; run < 2; run++) {
      const { code, err } = await levin(words);
      assert.equal(code, 4, err);
      assert.match(err, /Levin:Encode:ErrDuplicateKey/);
      assert.equal(await leftovers(), 0);
    }
    fs.rmSync(state, { recursive: true });
    assert.equal((await levin(words)).code, 4, "not refused for a run that did nothing");
  }
  assert.equal(await count(), "1");
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

test("one that lost a table to another import is not continued, and told so before a row comes", async () => {
  fs.mkdirSync(dump, { recursive: true });
  fs.writeFileSync(join(dump, "u-schema-create.sql"), "CREATE DATABASE u;\n");
  for (const name of ["loose", "more"]) {
    fs.writeFileSync(join(dump, `u.${name}-schema.sql`), `CREATE TABLE ${name} (id INT, n INT);\n`);
    fs.writeFileSync(join(dump, `u.${name}.csv`), lines(name === "loose").join(""));
  }
  const state = place.path("first");
  assert.equal((await load(dump, state)).code, 4);
  const before = await count();
  const other = await load(dump, place.path("second"), "-f", "u.more");
  assert.equal(other.code, 0, other.err);
  const file = join(dump, "u.loose.csv");
  const { atime, mtime } = fs.statSync(file);
  fs.writeFileSync(file, lines(true).join("").replace("250,none", "250,2500"));
  fs.utimesSync(file, atime, mtime);
  for (let run = 0; run < 2; run++) {
    const { code, err } = await load(dump, state);
    assert.equal(code, 3, err);
    assert.match(err, /Cannot continue .*does not know it any more as that of `u`\.`more`/);
    assert.match(err, /Levin:State:ErrUnfinished/);
  }
  assert.equal(await count(), before);
  assert.equal(String((await place.rows("SELECT COUNT(*) FROM u.more"))[0]![0]), "300");
});

test("units of several sources fill one table side by side; the same source from elsewhere does not", async () => {
  await place.sql.query("CREATE DATABASE u");
  await place.sql.query("CREATE TABLE u.loose (id INT, n INT)");
  await place.sql.query("INSERT INTO u.loose VALUES (1, 1)");
  const { port } = place.sandbox.front;
  const account = { host: "127.0.0.1", port, user: "root", password: "" };
  const tidb = await connectTidb({ ...account, connectionsMax: 2, connectTimeoutMs: 5_000 });
  const claimOf = (owner: string): Claim => ({
    origin: "elsewhere",
    owner,
    startedMs: 0,
    tables: [{ database: "u", table: "loose", place: "here", content: "files" }],
    kept: undefined,
  });
  const link = await openSqlLink({ ...account, connectionsMax: 1, connectTimeoutMs: 5_000 });
  const jobs = new Map<string, PositionTable>();
  const table = (job: string): PositionTable => {
    const made = jobs.get(job) ?? new PositionTable("lightning_metadata", job, (ms) => systemClock.sleep(ms));
    jobs.set(job, made);
    return made;
  };
  const begins = (job: string): Promise<boolean> =>
    table(job)
      .begin(link, 0, 0, { database: "u", table: "loose" })
      .then(
        () => true,
        (error: LevinError) => !(error instanceof ForgottenError),
      );
  const create = (job: string, owner: string): Promise<void> => table(job).create(tidb, claimOf(owner), false);
  await create("job1", "task t, source s1");
  assert.equal(await begins("job1"), true);
  await create("job2", "task t, source s2");
  assert.equal(await begins("job2"), true);
  await assert.rejects(create("job3", "task t, source s1"), { code: "Levin:State:ErrUnfinished" });
  await assert.rejects(create("job4", ""), { code: "Levin:State:ErrUnfinished" });
  await place.sql.query("DELETE FROM u.loose");
  await create("job5", "task t, source s1");
  assert.deepEqual(
    (await place.rows("SELECT job FROM lightning_metadata.levin_logical_progress WHERE chunk < 0 ORDER BY job")).map(
      String,
    ),
    ["job2", "job5"],
  );
  assert.equal(await begins("job1"), false, "what was forgotten does not go on");
  const { code, message } = await table("job1").forgotten(tidb, claimOf("task t, source s1"));
  assert.equal(code, "Levin:State:ErrUnfinished");
  assert.match(message, /elsewhere, begun .*, has begun with the same rows since/);
  assert.equal(await begins("job5"), true);
  await place.sql.query("INSERT INTO u.loose VALUES (1, 1)");
  await assert.rejects(create("job6", ""), { code: "Levin:State:ErrUnfinished" });
  // A process that works at it is told of, be the tables as they may.
  const open = () => openSqlLink({ ...account, connectionsMax: 1, connectTimeoutMs: 5_000 });
  const { signal } = new AbortController();
  const hold = await JobHold.take("job5", { clock: systemClock, signal, emit: () => undefined, open });
  await place.sql.query("DELETE FROM u.loose");
  await assert.rejects(create("job7", "task t, source s1"), { code: "Levin:State:ErrLocked" });
  await hold.letGo();
  await create("job8", "task t, source s1");
  await tidb.close();
});
