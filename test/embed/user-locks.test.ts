import assert from "node:assert/strict";
import { test } from "node:test";
import type mysql from "mysql2/promise";
import { systemClock } from "../../src/base/mod.ts";
import { openFront } from "./front-support.ts";

const one = async (client: mysql.Connection, sql: string): Promise<unknown> =>
  ((await client.query(`SELECT ${sql}`))[0] as unknown[][])[0]![0];

test("GET_LOCK: one session at a time, as often as it likes, until it lets go or its client is gone", async () => {
  const front = await openFront({ clock: systemClock });
  const [a, b, c] = await Promise.all([front.connect(), front.connect(), front.connect()]);
  try {
    assert.equal(await one(a, "RELEASE_LOCK('none')"), null);
    assert.equal(await one(a, "GET_LOCK('It''s', 0)"), "1");
    assert.equal(await one(b, "GET_LOCK('it''S', 0)"), "0");
    assert.equal(await one(b, "RELEASE_LOCK('it''s')"), "0");
    assert.equal(await one(b, "IS_FREE_LOCK('it''s')"), "0");
    assert.equal(await one(b, "IS_USED_LOCK('it''s')"), await one(a, "CONNECTION_ID()"));
    assert.equal(await one(a, "GET_LOCK('it''s', 0)"), "1");
    assert.equal(await one(a, "RELEASE_LOCK('it''s')"), "1");
    assert.equal(await one(b, "GET_LOCK('it''s', 0)"), "0", "it was taken twice");
    assert.equal(await one(b, `"get_lock('said', 0)"`), "get_lock('said', 0)");
    assert.equal(await one(c, "IS_FREE_LOCK('said')"), "1", "a text takes no lock");
    assert.equal(await one(b, "GET_LOCK(CONCAT('ma', 'de'), 1 - 1)"), "1");
    assert.equal(await one(b, "RELEASE_LOCK('made')"), "1");
    assert.equal(await one(b, "GET_LOCK(NULL, 0)"), "0");
    const waiting = one(b, "GET_LOCK('it''s', 3000)");
    a.destroy();
    assert.equal(await waiting, "1");
    assert.equal(await one(b, "GET_LOCK('two', 1)"), "1");
    assert.equal(await one(b, "RELEASE_ALL_LOCKS()"), "2");
    assert.equal(await one(c, "GET_LOCK('two', 0)"), "1");
  } finally {
    for (const client of [a, b, c]) client.destroy();
    await front.close();
  }
});
