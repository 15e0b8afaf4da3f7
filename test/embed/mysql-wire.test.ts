import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import mysql from "mysql2/promise";
import { textOf, utf8 } from "../../src/base/mod.ts";
import { listenMysql, SqlError, type SqlSession, type StatementResult } from "../../src/embed/tidb/wire/mod.ts";
import { framePacket, PacketSplitter } from "../../src/embed/tidb/wire/packet.ts";

const secret = createHash("sha1").update(createHash("sha1").update("secret").digest()).digest("hex");

async function run(sql: Uint8Array): Promise<StatementResult> {
  const text = textOf(sql);
  if (text === "fail") throw new SqlError(1064, "You have an error", "42000");
  if (text === "ok") return { kind: "ok", affectedRows: 18446744073709551615n, insertId: 300n, warnings: 2 };
  const rows = text.startsWith("many")
    ? Array.from({ length: 20000 }, (_, i) => [String(i), null])
    : [[text, String(sql.length)]];
  const columns = [
    { name: "a", type: 253 },
    { name: "b", type: 253 },
  ];
  return { kind: "rows", columns, rows };
}

/** A session that echoes: the statement's text and its length come back as a row. */
function echo(): SqlSession {
  return {
    status: 2,
    async useDatabase(name) {
      if (name === "nodb") throw new SqlError(1049, "Unknown database 'nodb'", "42000");
    },
    statements: (sql) => [() => run(sql)],
    prepare: (sql) => textOf(sql).split("?").length - 1,
    executePrepared: (sql, literals) => {
      let i = 0;
      return run(utf8(textOf(sql).replace(/\?/g, () => literals[i++]!)));
    },
    interrupt() {},
    reset() {},
    close() {},
  };
}

async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = await listenMysql({
    host: "127.0.0.1",
    port: 0,
    version: "8.0.11-TiDB-v8.5.0",
    passwordHash: (user) => (user === "root" ? "" : user === "ann" ? secret : undefined),
    openSession: echo,
    packetSizeMax: 64 << 20,
  });
  try {
    await use(server.port);
  } finally {
    await server.close();
  }
}

describe("MySQL wire", () => {
  test("statements, errors, counts, many rows, long packets", () =>
    withServer(async (port) => {
      const client = await mysql.createConnection({
        host: "127.0.0.1",
        port,
        user: "root",
        rowsAsArray: true,
        supportBigNumbers: true,
        bigNumberStrings: true,
      });
      assert.deepEqual((await client.query("select ünïcode"))[0], [["select ünïcode", "16"]]);
      await assert.rejects(client.query("fail"), { errno: 1064, sqlState: "42000", message: "You have an error" });
      const [ok] = await client.query("ok");
      assert.equal((ok as mysql.ResultSetHeader).insertId, 300);
      assert.equal((ok as mysql.ResultSetHeader).warningStatus, 2);
      assert.equal(((await client.query("many"))[0] as unknown[]).length, 20000);
      // Not at 2^24 exactly: mysql2 itself miscounts its packets there; the framing is tested below.
      for (const size of [0xffffff - 100, 20_000_000, 40_000_000]) {
        const [rows] = (await client.query("x".repeat(size))) as unknown as [string[][]];
        assert.equal(rows[0]![1], String(size));
      }
      client.destroy();
    }));

  test("packets are split at 2^24-1 bytes and put together again, however the bytes arrive", () => {
    for (const size of [0, 1, 0xfffffe, 0xffffff, 0x1000000, 2 * 0xffffff]) {
      const payload = new Uint8Array(size).fill(7);
      const { bytes, next } = framePacket(payload, 254);
      assert.equal(next, (254 + Math.floor(size / 0xffffff) + 1) & 0xff);
      const splitter = new PacketSplitter(64 << 20);
      const found = [];
      for (let at = 0; at < bytes.length; at += 5_000_003)
        found.push(...splitter.push(bytes.subarray(at, at + 5_000_003)));
      assert.equal(found.length, 1);
      assert.equal(found[0]!.payload.length, size);
    }
  });

  test("prepared statements get literals of every type", () =>
    withServer(async (port) => {
      const client = await mysql.createConnection({ host: "127.0.0.1", port, user: "root", rowsAsArray: true });
      const [rows] = (await client.execute("v ?,?,?,?", [
        null,
        "it's \\ \0",
        1.5,
        Buffer.from([0xff, 0]),
      ])) as unknown as [string[][]];
      assert.equal(rows[0]![0], "v NULL,'it\\'s \\\\ \\0',1.5e0,x'ff00'");
      await client.end();
    }));

  test("passwords and databases are checked at login", () =>
    withServer(async (port) => {
      const open = (user: string, password: string, database?: string) =>
        mysql.createConnection({
          host: "127.0.0.1",
          port,
          user,
          password,
          ...(database === undefined ? {} : { database }),
        });
      await (await open("ann", "secret")).end();
      await assert.rejects(open("ann", "wrong"), { errno: 1045 });
      await assert.rejects(open("root", "x"), { errno: 1045 });
      await assert.rejects(open("eve", ""), { errno: 1045 });
      await assert.rejects(open("root", "", "nodb"), { errno: 1049 });
    }));
});
