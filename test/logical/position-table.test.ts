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

/** Of imports that have no table in common. */
const claim: Claim = { origin: "", owner: "", startedMs: 0, tables: [], kept: undefined };

test("a target that answers no more does not keep a process that ends", { timeout: 10_000 }, async () => {
  let isDestroyed = false;
  const link = {
    rows: () => new Promise<never>(() => undefined),
    destroy: () => {
      isDestroyed = true;
    },
  } as unknown as SqlLink;
  await new PositionTable("positions", "stuck", (ms) => systemClock.sleep(ms / 100)).letGo(link);
  assert.ok(isDestroyed);
  // As when it was interrupted.
  await new PositionTable("positions", "stuck", () => Promise.reject(new Error("interrupted"))).letGo(link);
});

/** Each job as a process would have it: with connections of its own. */
async function severalJobs(port: number): Promise<void> {
  const open = async (job: string): Promise<{ table: PositionTable; tidb: Tidb }> => ({
    table: new PositionTable("positions", job, (ms) => systemClock.sleep(ms)),
    tidb: await connectTidb(optionsOf(port)),
  });
  const one = await open("one");
  const two = await open("two");
  await Promise.all([one, two].map(({ table, tidb }) => table.create(tidb, claim, false)));
  // It ends before the other has taken its first chunk.
  await one.table.remove(one.tidb);
  const link = await openSqlLink(optionsOf(port));
  assert.equal(await two.table.begin(link, 0, 0), 0);
  await link.run("BEGIN");
  assert.equal(await two.table.move(link, 0, 0, 0, 7), true);
  await link.run("COMMIT");
  await one.table.create(one.tidb, claim, false);
  await one.table.remove(one.tidb);
  assert.equal(await two.table.begin(link, 0, 0), 7);
  // Only a job of which no row is in is taken back, and not where its own state cannot be told.
  await one.table.create(one.tidb, claim, false);
  await one.table.begin(link, 0, 0);
  assert.equal(await one.table.takeBack(one.tidb, false, async () => undefined), false, "a chunk was begun");
  await assert.rejects(
    one.table.takeBack(one.tidb, true, () => Promise.reject(new Error("disk full"))),
    /disk full/,
  );
  assert.equal(await one.table.begin(link, 0, 0), 0, "it stays");
  assert.equal(await one.table.takeBack(one.tidb, true, async () => undefined), true);
  await assert.rejects(one.table.begin(link, 0, 0), ForgottenError);
  assert.equal(await two.table.takeBack(two.tidb, true, async () => undefined), false, "rows are in");
  link.destroy();
  await two.table.forget(two.tidb, 0);
  assert.equal(await two.table.takeBack(two.tidb, true, async () => undefined), false, "rows of a whole batch are in");
  await two.table.remove(two.tidb);
  const { rows } = await one.tidb.query("SHOW DATABASES LIKE 'positions'");
  assert.deepEqual(rows, [], "nothing is left behind the last one");
  for (const { tidb } of [one, two]) await tidb.close();
}

test("sandbox: an import that ends leaves the table to the others", () => severalJobs(place.sandbox.front.port));

if (mariadbMissing) test("MariaDB: positions", () => skipped("MariaDB"));
else {
  test("MariaDB: an import that ends leaves the table to the others", () =>
    withMariadb((_, port) => severalJobs(port)));
  test("MariaDB: imports that begin and end all the time find their rows", () =>
    withMariadb(async (_, port) => {
      const work = async (job: string): Promise<void> => {
        const tidb = await connectTidb(optionsOf(port));
        const table = new PositionTable("positions", job, (ms) => systemClock.sleep(ms));
        for (let i = 0; i < 25; i++) {
          await table.create(tidb, claim, false);
          const link = await openSqlLink(optionsOf(port));
          assert.equal(await table.begin(link, 0, i), 0);
          assert.equal(await table.move(link, 0, i, 0, i + 1), true);
          link.destroy();
          await table.remove(tidb);
        }
        await tidb.close();
      };
      await Promise.all(["a", "b", "c"].map(work));
    }));
}
