import assert from "node:assert/strict";
import https from "node:https";
import net from "node:net";
import { describe, test } from "node:test";
import { seededRandom, systemClock } from "../../src/base/mod.ts";
import { framePacket } from "../../src/embed/tidb/wire/packet.ts";
import { makeCertificate } from "../certificates.ts";
import { until } from "../until.ts";
import { openFront } from "./front-support.ts";

const eventOf = (socket: net.Socket, event: string) =>
  new Promise<void>((resolve) => socket.once(event, () => resolve()));

describe("the MySQL port", () => {
  test("garbage, half a login and clients that vanish harm nobody else", async () => {
    const front = await openFront();
    const client = await front.connect({ database: "test" });
    try {
      const random = seededRandom(3);
      for (let i = 0; i < 30; i++) {
        const socket = net.connect(front.front.port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.resume();
        await eventOf(socket, "connect");
        const bytes = Buffer.from(
          Array.from({ length: 1 + Math.floor(random.next() * 300) }, () => Math.floor(random.next() * 256)),
        );
        socket.write(i % 2 === 0 ? bytes : framePacket(bytes, 1).bytes);
        if (i % 3 === 0) socket.destroy();
        else {
          socket.end();
          await eventOf(socket, "close");
        }
      }
      await client.query("CREATE TABLE t (a INT, b LONGBLOB)");
      await client.query("INSERT INTO t VALUES (1, ?)", [Buffer.alloc(17 << 20, 7)]);
      // A client that goes away while its rows are on the way.
      const gone = await front.connect({ database: "test" });
      const running = gone.query("SELECT * FROM t").catch(() => undefined);
      gone.destroy();
      await Promise.race([running, systemClock.sleep(50)]);
      // One that holds a lock and goes away leaves the row to others.
      const holder = await front.connect({ database: "test" });
      await holder.query("BEGIN");
      await holder.query("UPDATE t SET a = 2");
      holder.destroy();
      await until(
        async () => ((await client.query("SHOW PROCESSLIST")) as unknown as [unknown[][]])[0].length === 1,
        () => "an end of the sessions of clients that are gone",
      );
      await client.query("UPDATE t SET a = 3");
      const [rows] = (await client.query("SELECT a, LENGTH(b) FROM t")) as unknown as [unknown[][]];
      assert.deepEqual(rows, [[3, String(17 << 20)]]);
    } finally {
      client.destroy();
      await front.close();
    }
  });

  test("a login into a database that is not there leaves no session", async () => {
    const front = await openFront();
    const client = await front.connect();
    try {
      for (let i = 0; i < 3; i++) await assert.rejects(front.connect({ database: "nowhere" }), { errno: 1049 });
      const [list] = (await client.query("SHOW PROCESSLIST")) as unknown as [unknown[][]];
      assert.equal(list.length, 1);
    } finally {
      client.destroy();
      await front.close();
    }
  });

  test("200 connections at once, all writing", async () => {
    const front = await openFront({ clock: systemClock });
    try {
      const first = await front.connect({ database: "test" });
      await first.query("CREATE TABLE t (id INT PRIMARY KEY, n INT)");
      await first.query("INSERT INTO t VALUES (0, 0)");
      const clients = await Promise.all(Array.from({ length: 200 }, () => front.connect({ database: "test" })));
      await Promise.all(
        clients.map(async (client, i) => {
          await client.query("INSERT INTO t VALUES (?, 1)", [i + 1]);
          await client.query("UPDATE t SET n = n + 1 WHERE id = 0");
        }),
      );
      const [rows] = (await first.query("SELECT COUNT(*), SUM(n), MAX(n) FROM t")) as unknown as [unknown[][]];
      assert.deepEqual(rows, [["201", "400", 200]]);
      for (const client of [first, ...clients]) client.destroy();
    } finally {
      await front.close();
    }
  });

  test("KILL ends a statement or a connection; results before an error arrive", async () => {
    const front = await openFront({ clock: systemClock });
    const [one, two] = [await front.connect(), await front.connect({ multipleStatements: true })];
    try {
      const [[[id]]] = (await two.query("SELECT CONNECTION_ID()")) as unknown as [[[string]]];
      const sleeps = () =>
        until(async () => {
          const [list] = (await one.query("SHOW PROCESSLIST")) as unknown as [string[][]];
          return list.some((row) => /SLEEP/.test(row[7] ?? ""));
        });
      const sleeping = two.query("SELECT SLEEP(20)");
      await sleeps();
      await one.query(`KILL QUERY ${id}`);
      assert.deepEqual((await sleeping)[0], [["1"]]);
      const gone = assert.rejects(two.query("SELECT SLEEP(20)"), { code: "PROTOCOL_CONNECTION_LOST" });
      await sleeps();
      await one.query(`KILL ${id}`);
      await gone;
    } finally {
      one.destroy();
      await front.close();
    }
  });

  test("TLS from the middle of the handshake on, and the status port over https", async () => {
    const authority = makeCertificate({ name: "ca", isAuthority: true });
    const { cert, key } = makeCertificate({
      name: "tidb",
      issuer: authority,
      hosts: ["localhost", "127.0.0.1"],
    });
    const ca = authority.cert;
    const front = await openFront({ tls: { cert, key } });
    try {
      const client = await front.connect({ ssl: { ca, minVersion: "TLSv1.2" } });
      const [rows] = (await client.query("SHOW STATUS LIKE 'Ssl_version'")) as unknown as [unknown[][]];
      assert.match(String(rows[0]![1]), /^TLSv1/);
      const [big] = (await client.query(`SELECT LENGTH('${"x".repeat(3 << 20)}')`)) as unknown as [unknown[][]];
      assert.deepEqual(big, [[String(3 << 20)]]);
      client.destroy();
      const plain = await front.connect();
      assert.deepEqual((await plain.query("SELECT 1"))[0], [["1"]]);
      plain.destroy();
      const body = await new Promise<string>((resolve, reject) => {
        https
          .get({ host: "127.0.0.1", port: front.front.statusPort, path: "/status", ca }, (response) => {
            let text = "";
            response.on("data", (part) => {
              text += part;
            });
            response.on("end", () => resolve(text));
          })
          .on("error", reject);
      });
      assert.match(body, /"version": "8.0.11-TiDB/);
    } finally {
      await front.close();
    }
  });
});
