/** The table of positions is there for several imports at a time, in a real MariaDB and in the sandbox. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/mod.ts";
import { type Claim, ForgottenError, PositionTable } from "../../src/logical/mod.ts";
import { connectTidb, openSqlLink, type SqlLink, type Tidb } from "../../src/tidb/mod.ts";
import { Place } from "../e2e/in-process.ts";
import { mariadbMissing, withMariadb } from "../interop/mariadb.ts";
import { skipped } from "../load/etcd.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

const optionsOf = (port: number) => ({
  host: "127.0.0.1",
  port,
  user: "root",
  password: "",
  connectionsMax: 2,
  connectTimeoutMs: 5_000,
});

const BY = { place: "here", content: "files" };
const claimOf = (...tables: string[]): Claim => ({
  origin: "",
  owner: "",
  startedMs: 0,
  tables: tables.map((table) => ({ database: "u", table, ...BY })),
  kept: undefined,
});

const A = { database: "u", table: "a" };
const B = { database: "u", table: "b" };
const UNFINISHED = { code: "Levin:State:ErrUnfinished" };

/** Each job as a process would have it: with connections of its own. */
async function severalJobs(port: number): Promise<void> {
  const open = async (job: string): Promise<{ table: PositionTable; tidb: Tidb }> => ({
    table: new PositionTable("positions", job, (ms) => systemClock.sleep(ms)),
    tidb: await connectTidb(optionsOf(port)),
  });
  const one = await open("one");
  const two = await open("two");
  // Of imports that have no table in common.
  const claim = claimOf("a");
  await Promise.all([one.table.create(one.tidb, claim, false), two.table.create(two.tidb, claimOf("b"), false)]);
  // It ends before the other has taken its first chunk.
  await one.table.remove(one.tidb);
  const link = await openSqlLink(optionsOf(port));
  assert.equal(await two.table.begin(link, 0, 0, B), 0);
  await link.run("BEGIN");
  assert.equal(await two.table.move(link, 0, 0, 0, 7), true);
  await link.run("COMMIT");
  await one.table.create(one.tidb, claim, false);
  await one.table.remove(one.tidb);
  assert.equal(await two.table.begin(link, 0, 0, B), 7);
  // Only a job of which no row is in is taken back, and not where its own state cannot be told.
  await one.table.create(one.tidb, claim, false);
  await one.table.begin(link, 0, 0, A);
  assert.equal(await one.table.takeBack(one.tidb, false, async () => undefined), false, "a chunk was begun");
  await assert.rejects(
    one.table.takeBack(one.tidb, true, () => Promise.reject(new Error("disk full"))),
    /disk full/,
  );
  assert.equal(await one.table.begin(link, 0, 0, A), 0, "it stays");
  assert.equal(await one.table.takeBack(one.tidb, true, async () => undefined), true);
  await assert.rejects(one.table.begin(link, 0, 0, A), ForgottenError);
  assert.equal(await two.table.takeBack(two.tidb, true, async () => undefined), false, "rows are in");
  link.destroy();
  await two.table.forget(two.tidb, 0);
  assert.equal(await two.table.takeBack(two.tidb, true, async () => undefined), false, "rows of a whole batch are in");
  await two.table.remove(two.tidb);
  const { rows } = await one.tidb.query("SHOW DATABASES LIKE 'positions'");
  assert.deepEqual(rows, [], "nothing is left behind the last one");
  for (const { tidb } of [one, two]) await tidb.close();
}

interface Site {
  tidb: Tidb;
  /** As a process has it. */
  jobOf(job: string): PositionTable;
  /** A connection as a lane has it. */
  open(): Promise<SqlLink>;
}

/** `use` with a fresh database `u` of these tables, which have no key. */
async function withTables(port: number, tables: readonly string[], use: (site: Site) => Promise<void>): Promise<void> {
  const tidb = await connectTidb({ ...optionsOf(port), connectionsMax: 6 });
  for (const name of ["u", "positions"]) await tidb.query(`DROP DATABASE IF EXISTS ${name}`);
  await tidb.query("CREATE DATABASE u");
  for (const table of tables) await tidb.query(`CREATE TABLE u.${table} (id INT, n INT)`);
  const links: SqlLink[] = [];
  const open = async (): Promise<SqlLink> => {
    const link = await openSqlLink({ ...optionsOf(port), sessionVariables: { autocommit: 0 } });
    links.push(link);
    return link;
  };
  try {
    await use({ tidb, jobOf: (job) => new PositionTable("positions", job, (ms) => systemClock.sleep(ms)), open });
  } finally {
    for (const link of links) link.destroy();
    await tidb.query("DROP DATABASE IF EXISTS positions");
    await tidb.close();
  }
}

/** Two rows into the table by a transaction that is still to be committed. */
async function twoRows(job: PositionTable, link: SqlLink, table: typeof A, chunk = 0): Promise<void> {
  assert.equal(await job.begin(link, 0, chunk, table), 0);
  await link.run(`INSERT INTO u.${table.table} VALUES (1, 1), (2, 2)`);
  assert.equal(await job.move(link, 0, chunk, 0, 2), true);
}

/** Whoever is killed while he claims his tables again leaves the claim that was there. */
const killedInClaim = (port: number): Promise<void> =>
  withTables(port, ["a"], async ({ tidb, jobOf, open }) => {
    const job = jobOf("job");
    await job.create(tidb, claimOf("a"), false);
    const link = await open();
    await twoRows(job, link, A);
    await link.run("COMMIT");
    for (const last of [/^DELETE FROM .*levin_logical_tables/, /^INSERT IGNORE INTO .*levin_logical_tables/]) {
      const session: Tidb["session"] = (use) =>
        tidb.session((query) => use((sql) => (last.test(sql) ? Promise.reject(new Error("killed")) : query(sql))));
      await assert.rejects(jobOf("job").create({ ...tidb, session }, claimOf("a"), true), /killed/);
      await assert.rejects(jobOf("other").create(tidb, claimOf("a"), false), UNFINISHED);
    }
    await jobOf("job").create(tidb, claimOf("a"), true);
  });

/** A table is not taken for empty while the COMMIT of a process that was killed is under way. */
const commitUnderWay = (port: number): Promise<void> =>
  withTables(port, ["a", "b"], async ({ tidb, jobOf, open }) => {
    const job = jobOf("job");
    await job.create(tidb, claimOf("a", "b"), false);
    const link = await open();
    await twoRows(job, link, A);
    let isIn = false;
    const committed = systemClock.sleep(400).then(async () => {
      isIn = true;
      await link.run("COMMIT");
    });
    await assert.rejects(jobOf("other").create(tidb, claimOf("a"), false), UNFINISHED);
    assert.ok(isIn, "it waited");
    await committed;
    // What was rolled back is nobody's.
    await twoRows(job, link, B, 1);
    const rolledBack = systemClock.sleep(100).then(() => link.run("ROLLBACK"));
    await jobOf("other").create(tidb, claimOf("b"), false);
    await rolledBack;
  });

/** A job from which an empty table was taken: neither who goes on with it nor who works at it still fills that table. */
const takenOver = (port: number): Promise<void> =>
  withTables(port, ["a", "b", "c"], async ({ tidb, jobOf, open }) => {
    const all = claimOf("a", "b", "c");
    const job = jobOf("job");
    await job.create(tidb, all, false);
    const [first, second] = [await open(), await open()];
    await twoRows(job, first, A);
    await first.run("COMMIT");
    assert.equal(await job.begin(second, 0, 1, B), 0);
    const other = jobOf("other");
    await other.create(tidb, claimOf("b"), false);
    // Who is in the middle of it finds no position to move.
    assert.equal(await job.move(second, 0, 1, 0, 2), false);
    await assert.rejects(job.read(second, 0, 1), ForgottenError);
    const isOfB = (error: unknown): boolean => error instanceof ForgottenError && error.tables.join() === "`u`.`b`";
    await assert.rejects(job.begin(second, 0, 1, B), isOfB);
    assert.equal(await job.begin(first, 0, 0, A), 2, "the others are its own still");
    await other.remove(tidb);
    await assert.rejects(jobOf("job").create(tidb, all, true), {
      ...UNFINISHED,
      message: /does not know it any more as that of `u`\.`b`: another import of the same files .* ended/,
    });
    await assert.rejects(jobOf("third").create(tidb, claimOf("a"), false), UNFINISHED);
    // Where nothing is to come into that table it does not matter.
    await jobOf("job").create(tidb, all, true, ({ table }) => table !== "b");
  });

/** Of many tables: what is asked once for each job is not asked for each table. */
const fewQuestions = (port: number): Promise<void> =>
  withTables(port, ["a"], async ({ tidb, jobOf, open }) => {
    const claim = claimOf("a", ...Array.from({ length: 60 }, (_, i) => `t${i}`));
    await jobOf("job").create(tidb, claim, false);
    let asked = 0;
    const counted =
      (query: Tidb["query"]): Tidb["query"] =>
      (sql) => {
        asked++;
        return query(sql);
      };
    const session: Tidb["session"] = (use) => tidb.session((query) => use(counted(query)));
    const watched: Tidb = { ...tidb, query: counted(tidb.query), session };
    const second = jobOf("second");
    await second.create(watched, claim, false);
    assert.ok(asked < 30, `nothing of it is in, so that no table is looked at: ${asked} statements`);
    const link = await open();
    await twoRows(second, link, A);
    await link.run("COMMIT");
    asked = 0;
    await assert.rejects(jobOf("third").create(watched, claim, false), UNFINISHED);
    assert.ok(asked >= 61 && asked < 90, `${asked} statements`);
  });

/** Lanes of one job that begin chunks side by side, and another that looks at it meanwhile. */
const sideBySide = (port: number): Promise<void> =>
  withTables(port, ["a"], async ({ tidb, jobOf, open }) => {
    const job = jobOf("job");
    await job.create(tidb, claimOf("a"), false);
    const links = await Promise.all([0, 1, 2, 3].map(open));
    await twoRows(job, links[0]!, A, 1000);
    await links[0]!.run("COMMIT");
    let isOver = false;
    const look = async (): Promise<void> => {
      while (!isOver) await assert.rejects(jobOf("other").create(tidb, claimOf("a"), false), UNFINISHED);
    };
    const lane = async (link: SqlLink, lane: number): Promise<void> => {
      for (let i = 0; i < 8; i++) {
        await twoRows(job, link, A, 4 * i + lane);
        await link.run("COMMIT");
      }
    };
    const lanes = Promise.all(links.map(lane)).finally(() => {
      isOver = true;
    });
    await Promise.all([lanes, look()]);
    assert.equal(String((await tidb.query("SELECT COUNT(*) FROM u.a")).rows[0]![0]), "66");
  });

const CASES = { killedInClaim, commitUnderWay, takenOver, fewQuestions, sideBySide };

for (const [name, run] of Object.entries(CASES))
  test(`sandbox: ${name}`, { timeout: 60_000 }, () => run(place.sandbox.front.port));

test("sandbox: an import that ends leaves the table to the others", () => severalJobs(place.sandbox.front.port));

if (mariadbMissing) test("MariaDB: positions", () => skipped("MariaDB"));
else {
  test("MariaDB: an import that ends leaves the table to the others", () =>
    withMariadb((_, port) => severalJobs(port)));
  test("MariaDB: claims", { timeout: 120_000 }, () =>
    withMariadb(async (_, port) => {
      for (const run of Object.values(CASES)) await run(port);
    }),
  );
  test("MariaDB: imports that begin and end all the time find their rows", () =>
    withMariadb(async (_, port) => {
      const work = async (job: string): Promise<void> => {
        const tidb = await connectTidb(optionsOf(port));
        const table = new PositionTable("positions", job, (ms) => systemClock.sleep(ms));
        const claim = claimOf(job);
        for (let i = 0; i < 25; i++) {
          await table.create(tidb, claim, false);
          const link = await openSqlLink(optionsOf(port));
          assert.equal(await table.begin(link, 0, i, { database: "u", table: job }), 0);
          assert.equal(await table.move(link, 0, i, 0, i + 1), true);
          link.destroy();
          await table.remove(tidb);
        }
        await tidb.close();
      };
      await Promise.all(["a", "b", "c"].map(work));
    }));
}
