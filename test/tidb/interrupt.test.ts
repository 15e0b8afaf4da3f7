import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectTidb, type TidbOptions } from "../../src/tidb/mod.ts";
import { Place } from "../e2e/in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

test("an interrupt ends the statement that is under way; those after it run", { timeout: 20_000 }, async () => {
  await place.sql.query("CREATE DATABASE i");
  await place.sql.query("CREATE TABLE i.t (id INT PRIMARY KEY, v INT)");
  await place.sql.query("INSERT INTO i.t VALUES (1, 1)");
  const stop = new AbortController();
  const tidb = await connectTidb(options(), stop.signal);
  await whileRowIsLocked("i.t", async () => {
    const waiting = tidb.query("UPDATE i.t SET v = 2 WHERE id = 1");
    const ended = assert.rejects(waiting, { code: "Levin:Tidb:ErrUnavailable" });
    await underWay("UPDATE i.t SET v = 2");
    stop.abort();
    await ended;
  });
  assert.deepEqual((await tidb.query("SELECT 1")).rows, [["1"]]);
  await tidb.close();
});

test("a statement behind an interrupt does not wait for ever", { timeout: 20_000 }, async () => {
  await place.sql.query("CREATE DATABASE late");
  await place.sql.query("CREATE TABLE late.t (id INT PRIMARY KEY, v INT)");
  await place.sql.query("INSERT INTO late.t VALUES (1, 1)");
  const stop = new AbortController();
  const tidb = await connectTidb(options(), stop.signal);
  stop.abort();
  await whileRowIsLocked("late.t", async () => {
    await assert.rejects(tidb.query("UPDATE late.t SET v = 2 WHERE id = 1"), { code: "Levin:Tidb:ErrUnavailable" });
  });
  await tidb.close();
});

function options(): TidbOptions {
  const { host, port } = place.sandbox.front;
  return { host, port, user: "root", password: "", connectionsMax: 2, connectTimeoutMs: 5_000 };
}

/** Until the server says that it is at a statement that begins so. */
async function underWay(head: string): Promise<void> {
  for (;;) {
    const processes = await place.rows("SHOW FULL PROCESSLIST");
    if (processes.some((columns) => columns.some((value) => value?.toString().startsWith(head)))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function whileRowIsLocked(table: string, use: () => Promise<void>): Promise<void> {
  await place.sql.query("BEGIN");
  await place.sql.query(`UPDATE ${table} SET v = 9 WHERE id = 1`);
  await use();
  await place.sql.query("ROLLBACK");
}
