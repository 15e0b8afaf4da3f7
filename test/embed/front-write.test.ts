import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type mysql from "mysql2/promise";
import { seededRandom, systemClock, toHex } from "../../src/base/mod.ts";
import { evaluateVirtual, makeRowEncoder } from "../../src/cli/sandbox-rows.ts";
import { tablePrefix } from "../../src/codec/mod.ts";
import { type FrontOptions, frontStorage } from "../../src/embed/mod.ts";
import { TableRows } from "../../src/embed/tidb/dml/table-rows.ts";
import type { Front } from "../../src/embed/tidb/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";
import { openFront, type TestFront } from "./front-support.ts";

async function withFront(
  use: (client: mysql.Connection, front: TestFront) => Promise<void>,
  options: Partial<FrontOptions> = {},
): Promise<void> {
  const front = await openFront(options);
  const client = await front.connect({ database: "test" });
  try {
    await use(client, front);
  } finally {
    client.destroy();
    await front.close();
  }
}

const rowsOf = async (client: mysql.Connection, sql: string, args?: unknown[]): Promise<unknown> =>
  (await (args === undefined ? client.query(sql) : client.execute(sql, args as mysql.ExecuteValues)))[0];

const affected = async (client: mysql.Connection, sql: string, args?: unknown[]): Promise<number> =>
  ((await rowsOf(client, sql, args)) as mysql.ResultSetHeader).affectedRows;

/** Every pair of the table is one that its rows have, and the other way round. */
async function checkConsistent(front: TestFront, table: TableInfo, oldRows = false): Promise<number> {
  const storage = frontStorage(front.sandbox.cluster);
  const ts = await storage.currentTs();
  const facts = { newCollations: true, evaluateVirtual, makeRowEncoder } as unknown as Front;
  const session = { sqlMode: "", timeZone: "UTC", newCollations: true, nowMs: 0, defaultWeekFormat: 0 };
  const rows = new TableRows(facts, "test", table, { ...session, rowFormatVersion: 2, rowLevelChecksum: false });
  const stored = new Map<string, string>();
  const wanted = new Map<string, string>();
  const ids = table.partition?.definitions.map(({ id }) => id) ?? [];
  let count = 0;
  for (const id of [table.id, ...ids]) {
    for await (const batch of storage.scan(tablePrefix(id), tablePrefix(id + 1), ts)) {
      for (const pair of batch) {
        stored.set(toHex(pair.key), toHex(pair.value));
        if (pair.key[10] !== 0x72) continue;
        count++;
        const { record, index } = rows.pairsOf(rows.exact(pair));
        for (const { key, value } of [record, ...index]) wanted.set(toHex(key), toHex(value));
      }
    }
  }
  // Rows from before a column was added are shorter than they would be now.
  if (oldRows) assert.deepEqual([...stored.keys()].sort(), [...wanted.keys()].sort());
  else assert.deepEqual([...stored].sort(), [...wanted].sort());
  return count;
}

async function tableInfo(front: TestFront, name: string): Promise<TableInfo> {
  return (await (await fetch(`http://127.0.0.1:${front.front.statusPort}/schema/test/${name}`)).json()) as TableInfo;
}

describe("rows written by SQL", () => {
  test("clustered keys of all kinds: values restored, found by their key, changed, removed", () =>
    withFront(async (client, front) => {
      await client.query(
        "CREATE TABLE t (a VARCHAR(20) COLLATE utf8mb4_general_ci, b INT UNSIGNED, c CHAR(5) CHARACTER SET gbk, d VARBINARY(9), e BIT(12), UNIQUE KEY (c, d), KEY (e), PRIMARY KEY (a, b))",
      );
      await client.query("INSERT INTO t VALUES ('Äpfel ',4294967295,'中',x'00ff',b'101'),('b',1,NULL,'',NULL)");
      const row = ["Äpfel ", 4294967295, "中", Buffer.from([0, 255]), Buffer.from([0, 5])];
      const point = "SELECT * FROM t WHERE a = 'ÄPFEL' AND b = 4294967295";
      assert.deepEqual(await rowsOf(client, point), [row]);
      assert.deepEqual(await rowsOf(client, "SELECT a FROM t WHERE (a, b) IN (('B', 1), ('c', 2))"), [["b"]]);
      assert.deepEqual(await rowsOf(client, "SELECT a FROM t WHERE c = '中' AND d = ?", [Buffer.from([0, 255])]), [
        ["Äpfel "],
      ]);
      await assert.rejects(client.query("INSERT INTO t (a, b) VALUES ('B ', 1)"), {
        errno: 1062,
        message: "Duplicate entry 'B -1' for key 't.PRIMARY'",
      });
      assert.equal(await affected(client, "UPDATE t SET a = 'Birne', b = b + 1 WHERE b = 1"), 1);
      assert.deepEqual(await rowsOf(client, "SELECT a, b FROM t ORDER BY b"), [
        ["Birne", 2],
        ["Äpfel ", 4294967295],
      ]);
      assert.equal(await checkConsistent(front, await tableInfo(front, "t")), 2);
      assert.equal(await affected(client, "DELETE FROM t WHERE a IN ('BIRNE','x')"), 1);
      assert.equal(await checkConsistent(front, await tableInfo(front, "t")), 1);
    }));

  test("columns that are younger than the row, virtual columns, partitions", () =>
    withFront(async (client, front) => {
      await client.query(
        "CREATE TABLE p (id INT, v VARCHAR(9), g INT AS (id * 2) VIRTUAL, KEY (g), UNIQUE KEY (id)) PARTITION BY HASH (id) PARTITIONS 3",
      );
      await client.query("INSERT INTO p (id, v) VALUES (1,'a'),(2,'b'),(3,NULL)");
      await client.query("ALTER TABLE p ADD COLUMN d DECIMAL(6,2) NOT NULL DEFAULT 1.5");
      await client.query(
        "ALTER TABLE p ADD COLUMN (e ENUM('x','y') DEFAULT 'y', t TIMESTAMP DEFAULT '2020-01-02 03:04:05')",
      );
      await client.query("SET time_zone = '+02:00'");
      assert.deepEqual(await rowsOf(client, "SELECT * FROM p WHERE id = 2"), [
        [2, "b", 4, "1.50", "y", "2020-01-02 05:04:05"],
      ]);
      await client.query("UPDATE p SET id = 7 WHERE g = 4");
      assert.deepEqual(await rowsOf(client, "SELECT id, g, e FROM p ORDER BY id"), [
        [1, 2, "y"],
        [3, 6, "y"],
        [7, 14, "y"],
      ]);
      assert.equal(await checkConsistent(front, await tableInfo(front, "p"), true), 3);
    }));

  test("whatever statements come, entries and rows stay in step", () =>
    withFront(async (client, front) => {
      await client.query(
        "CREATE TABLE r (id INT PRIMARY KEY NONCLUSTERED, u VARCHAR(5) COLLATE utf8mb4_unicode_ci, w INT, g INT AS (w % 7) VIRTUAL, UNIQUE KEY (u), UNIQUE KEY (w, g), KEY (g))",
      );
      const random = seededRandom(7);
      const n = (max: number) => Math.floor(random.next() * max);
      const tuple = () =>
        `(${n(12)},${n(4) === 0 ? "NULL" : `'${"aAbBcÄ"[n(6)]}${n(4)}'`},${n(3) === 0 ? "NULL" : n(15)})`;
      for (let i = 0; i < 250; i++) {
        const tuples = Array.from({ length: 1 + n(3) }, tuple).join(",");
        const sql = [
          `INSERT INTO r (id,u,w) VALUES ${tuples}`,
          `INSERT IGNORE INTO r (id,u,w) VALUES ${tuples}`,
          `REPLACE INTO r (id,u,w) VALUES ${tuples}`,
          `INSERT INTO r (id,u,w) VALUES ${tuples} ON DUPLICATE KEY UPDATE w = VALUES(w) + 1, u = CONCAT(LEFT(u, 1), '9')`,
          `UPDATE r SET w = w + 1, u = NULL WHERE id >= ${n(12)} ORDER BY id DESC LIMIT 2`,
          `DELETE FROM r WHERE w = ${n(15)} OR id = ${n(12)}`,
        ][n(6)]!;
        await client.query(sql).catch((error: { errno: number }) => assert.equal(error.errno, 1062, sql));
      }
      assert.ok((await checkConsistent(front, await tableInfo(front, "r"))) > 0);
    }));

  test("statements of checkpoint and task tables", () =>
    withFront(async (client) => {
      await client.query(
        "CREATE TABLE c (task_id BIGINT NOT NULL, name VARCHAR(261) NOT NULL, eng INT NOT NULL, hash BINARY(4) NOT NULL, status TINYINT UNSIGNED DEFAULT 30, info LONGBLOB NOT NULL, cols JSON, created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, updated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (name, eng(4)))".replace(
          "eng(4)",
          "eng",
        ),
      );
      const insert =
        "INSERT INTO c (task_id, name, eng, hash, info) VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE task_id = CASE WHEN hash = VALUES(hash) THEN VALUES(task_id) END";
      const info = Buffer.from([0, 255, 39, 92, 10, 200]);
      assert.equal(await affected(client, insert, ["7", "`d`.`t`", 0, Buffer.from("h1h1"), info]), 1);
      assert.equal(await affected(client, insert, ["8", "`d`.`t`", 0, Buffer.from("h1h1"), info]), 2);
      await assert.rejects(client.execute(insert, ["9", "`d`.`t`", 0, Buffer.from("h2h2"), info]), {
        errno: 1048,
        message: "Column 'task_id' cannot be null",
      });
      assert.equal(
        await affected(client, "UPDATE c SET status = GREATEST(?, status), cols = ? WHERE (name, eng) = (?, ?)", [
          60,
          '["a",1]',
          "`d`.`t`",
          0,
        ]),
        1,
      );
      assert.deepEqual(await rowsOf(client, "SELECT task_id, info, status, cols FROM c WHERE name = ?", ["`d`.`t`"]), [
        ["8", info, 60, ["a", 1]],
      ]);
      assert.deepEqual(await rowsOf(client, "SELECT unix_timestamp(created) = unix_timestamp(updated) FROM c"), [
        ["1"],
      ]);
      assert.equal(
        await affected(client, "REPLACE INTO c (task_id, name, eng, hash, info) VALUES (1, ?, ?, 'abcd', '')", [
          "`d`.`t`",
          0,
        ]),
        2,
      );
      assert.equal(await affected(client, "DELETE FROM c WHERE task_id = ?", [1]), 1);
    }));

  test("transactions: own changes seen, others' not; locks are waited for; a circle is broken", () =>
    withFront(
      async (one, front) => {
        const two = await front.connect({ database: "test" });
        await one.query("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
        await one.query("INSERT INTO t VALUES (1,1),(2,2)");
        await one.query("BEGIN");
        await one.query("UPDATE t SET v = 10 WHERE id = 1");
        assert.deepEqual(await rowsOf(one, "SELECT v FROM t WHERE id = 1"), [[10]]);
        assert.deepEqual(await rowsOf(two, "SELECT v FROM t WHERE id = 1"), [[1]]);
        await two.query("BEGIN");
        await two.query("UPDATE t SET v = 20 WHERE id = 2");
        const waiting = two.query("UPDATE t SET v = v + 1 WHERE id = 1").then(
          () => "done",
          (error: { errno: number }) => error.errno,
        );
        // The first statement has to be waiting when the second one closes the circle.
        await rowsOf(one, "SELECT 1");
        await assert.rejects(one.query("UPDATE t SET v = 0 WHERE id = 2"), { errno: 1213 });
        assert.equal(await waiting, "done");
        await two.query("COMMIT");
        assert.deepEqual(await rowsOf(one, "SELECT * FROM t"), [
          [1, 2],
          [2, 20],
        ]);
        await one.query("SET autocommit = 0");
        await one.query("DELETE FROM t");
        assert.deepEqual(await rowsOf(two, "SELECT COUNT(*) FROM t"), [["2"]]);
        await one.query("ROLLBACK");
        assert.deepEqual(await rowsOf(one, "SELECT COUNT(*) FROM t"), [["2"]]);
        two.destroy();
      },
      { clock: systemClock },
    ));

  test("SELECT … FOR UPDATE waits for whoever changes the rows, and reads what they are then", () =>
    withFront(
      async (one, front) => {
        const two = await front.connect({ database: "test" });
        await one.query("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
        await one.query("INSERT INTO t VALUES (1,1),(2,2),(3,3)");
        await two.query("SET autocommit = 0");
        assert.deepEqual(await rowsOf(two, "SELECT v FROM t WHERE id = 1"), [[1]]);
        await one.query("BEGIN");
        await one.query("UPDATE t SET v = 10 WHERE id = 1");
        await one.query("UPDATE t SET v = 30 WHERE id = 3");
        let isLocked = true;
        const point = rowsOf(two, "SELECT v FROM t WHERE id = 1 FOR UPDATE").then((rows) => [rows, isLocked]);
        await one.query("SELECT SLEEP(0.05)");
        isLocked = false;
        await one.query("COMMIT");
        assert.deepEqual(await point, [[[10]], false]);
        // Its snapshot is older.
        assert.deepEqual(await rowsOf(two, "SELECT v FROM t WHERE id = 1"), [[1]]);
        assert.deepEqual(await rowsOf(two, "SELECT id FROM t WHERE v >= 30 FOR UPDATE"), [[3]]);
        await one.query("SET innodb_lock_wait_timeout = 1");
        await assert.rejects(one.query("DELETE FROM t WHERE id = 3"), {
          errno: 1205,
        });
        await one.query("DELETE FROM t WHERE id = 2");
        await two.query("ROLLBACK");
        await one.query("DELETE FROM t WHERE id = 3");
        two.destroy();
      },
      { clock: systemClock },
    ));

  test("savepoints", () =>
    withFront(async (one) => {
      await one.query("CREATE TABLE t (id INT PRIMARY KEY)");
      await one.query("SAVEPOINT nothing");
      await assert.rejects(one.query("ROLLBACK TO nothing"), {
        errno: 1305,
        message: "SAVEPOINT nothing does not exist",
      });
      await one.query("SET autocommit = 0");
      await one.query("SAVEPOINT a");
      await one.query("INSERT INTO t VALUES (1)");
      await one.query("SAVEPOINT b");
      await one.query("INSERT INTO t VALUES (2)");
      await one.query("SAVEPOINT c");
      await one.query("ROLLBACK TO SAVEPOINT B");
      assert.deepEqual(await rowsOf(one, "SELECT * FROM t"), [[1]]);
      await assert.rejects(one.query("ROLLBACK TO c"), { errno: 1305 });
      await one.query("INSERT INTO t VALUES (3)");
      await one.query("RELEASE SAVEPOINT a");
      await assert.rejects(one.query("ROLLBACK TO b"), { errno: 1305 });
      await one.query("COMMIT");
      assert.deepEqual(await rowsOf(one, "SELECT * FROM t"), [[1], [3]]);
    }));

  test("a wait for a lock has an end", () =>
    withFront(async (one, front) => {
      const two = await front.connect({ database: "test" });
      await one.query("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
      await one.query("BEGIN");
      await one.query("INSERT INTO t VALUES (1,1)");
      await assert.rejects(two.query("INSERT INTO t VALUES (1,2)"), {
        errno: 1205,
        message: "Lock wait timeout exceeded; try restarting transaction",
      });
      one.destroy();
      two.destroy();
    }));

  test("a client that goes in the middle of a statement leaves no lock", async () => {
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let gated = false;
    const front = await openFront({ clock: systemClock }, undefined, (storage) => ({
      ...storage,
      async *scan(start, end, ts) {
        if (gated) {
          reached.resolve();
          await gate.promise;
        }
        yield* storage.scan(start, end, ts);
      },
    }));
    try {
      const [one, two] = [await front.connect({ database: "test" }), await front.connect({ database: "test" })];
      await one.query("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
      await one.query("INSERT INTO t VALUES (1,1)");
      await one.query("SET autocommit = 0");
      one.on("error", () => undefined);
      gated = true;
      void one.query("UPDATE t SET v = 2").catch(() => undefined);
      // It waits behind the first one, and must not begin any more.
      void one.query("INSERT INTO t VALUES (2,2)").catch(() => undefined);
      await reached.promise;
      one.destroy();
      // Time for the server to notice.
      await systemClock.sleep(100);
      gated = false;
      gate.resolve();
      await two.query("SET innodb_lock_wait_timeout = 1");
      assert.equal(await affected(two, "UPDATE t SET v = 3 WHERE id = 1"), 1);
      assert.equal(await affected(two, "INSERT INTO t VALUES (2,3)"), 1);
      two.destroy();
    } finally {
      await front.close();
    }
  });

  test("automatic ids go on after a restart, in whole batches", async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const dir = await mkdtemp(`${tmpdir()}/levin-front-`);
    try {
      for (const first of [1, 30001]) {
        const front = await openFront({}, dir);
        const client = await front.connect({ database: "test" });
        if (first === 1) await client.query("CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT)");
        const [{ insertId }] = (await client.query("INSERT INTO a (v) VALUES (1),(2)")) as unknown as [
          mysql.ResultSetHeader,
        ];
        assert.equal(insertId, first);
        client.destroy();
        await front.close();
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
