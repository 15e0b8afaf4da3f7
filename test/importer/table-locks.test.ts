import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LevinError, seededRandom } from "../../src/base/mod.ts";
import { lockTables } from "../../src/importer/table-locks.ts";
import type { Tidb } from "../../src/tidb/mod.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const refusal = (errno: number) => new LevinError("Levin:Tidb:ErrSql", `error ${errno}`, { fields: { errno } });
const lostConnection = () => new LevinError("Levin:Tidb:ErrUnavailable", "the connection was lost");

/** A server with locks by name; its sessions give them up when they end. */
class Server {
  readonly clock = new VirtualClock();
  readonly held = new Map<string, { by: number; sinceMs: number }>();
  readonly asked: string[] = [];
  readonly said: string[] = [];
  /** What becomes of a statement instead. */
  instead: (sql: string) => Promise<never> | undefined = () => undefined;
  /** Called at each change. */
  onChange: () => void = () => undefined;
  #sessions = 0;

  readonly tidb: Pick<Tidb, "session"> = {
    session: async (use) => {
      const by = ++this.#sessions;
      try {
        return await use((sql) => this.#run(sql, by));
      } finally {
        for (const [name, lock] of this.held) if (lock.by === by) this.held.delete(name);
        this.onChange();
      }
    },
  };

  async #run(sql: string, by: number): ReturnType<Tidb["query"]> {
    this.asked.push(sql);
    await this.instead(sql);
    const [, verb, name, seconds] = /(GET|RELEASE)_LOCK\('(.*?)'(?:, (\d+))?\)/.exec(sql) ?? [];
    let answer = "1";
    if (verb === "RELEASE") this.held.delete(name!);
    if (verb === "GET") {
      const untilMs = this.clock.monotonicMs() + Number(seconds) * 1000;
      while (this.held.has(name!) && this.clock.monotonicMs() < untilMs) await this.clock.sleep(1000);
      if (this.held.has(name!)) answer = "0";
      else this.held.set(name!, { by, sinceMs: this.clock.monotonicMs() });
    }
    this.onChange();
    return { columns: ["x"], rows: [[answer]], affectedRows: 0 };
  }

  /** The locks of an import of the tables `d.a` and `d.b`. */
  lock() {
    const env = {
      clock: this.clock,
      random: seededRandom(1),
      signal: new AbortController().signal,
      emit: (event: { message?: string }) => void this.said.push(event.message ?? ""),
    };
    const plan = { tables: [{ name: "d.b" }, { name: "d.a" }] };
    const context = { env, plan, options: { retryDeadlineMs: MINUTE_MS } };
    return lockTables(context as unknown as Parameters<typeof lockTables>[0], this.tidb);
  }
}

const ALL = ["levin_import.d.a", "levin_import.d.a.2", "levin_import.d.b", "levin_import.d.b.2"];

const mine = (server: Server) => [...server.held.keys()].sort();

describe("locks of tables", () => {
  test("they are taken anew before they are an hour old, and at no time is a table without one", async () => {
    const server = new Server();
    const locks = await server.lock();
    assert.deepEqual(mine(server), ALL);
    let oldestMs = 0;
    let bare = 0;
    server.onChange = () => {
      for (const { sinceMs } of server.held.values())
        oldestMs = Math.max(oldestMs, server.clock.monotonicMs() - sinceMs);
      for (const name of ALL.filter((one) => !one.endsWith(".2")))
        if (!server.held.has(name) && !server.held.has(`${name}.2`)) bare++;
    };
    await server.clock.sleep(5 * HOUR_MS);
    assert.ok(oldestMs > 0 && oldestMs < HOUR_MS / 2, `one was ${oldestMs} ms old`);
    assert.equal(bare, 0);
    assert.equal(locks.lost.aborted, false);
    await locks.close();
    assert.deepEqual(mine(server), []);
  });

  test("who waits for them gets none of two while the import goes on, and both when it is over", async () => {
    const server = new Server();
    const locks = await server.lock();
    const others: string[] = [];
    const tryOn = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const got = await server.lock().catch((error: LevinError) => error);
        others.push(got instanceof LevinError ? got.code : "got them");
        if (!(got instanceof LevinError)) return await got.close();
      }
    };
    const trying = tryOn();
    await server.clock.sleep(HOUR_MS);
    assert.ok(others.length > 5 && others.every((code) => code === "Levin:Tidb:ErrLocked"), others.join(" "));
    assert.equal(locks.lost.aborted, false);
    await locks.close();
    await trying;
    assert.equal(others.at(-1), "got them");
  });

  for (const [what, failure] of [
    ["an error of the server", () => refusal(1317)],
    ["a server that is away", lostConnection],
  ] as const) {
    test(`${what} for two hours does not end the import; they are taken when it is over`, async () => {
      const server = new Server();
      const locks = await server.lock();
      server.instead = () => Promise.reject(failure());
      await server.clock.sleep(2 * HOUR_MS);
      assert.equal(locks.lost.aborted, false);
      assert.deepEqual(mine(server), []);
      assert.equal(server.said.filter((line) => line.includes("taken again")).length, 2);
      server.instead = () => undefined;
      await server.clock.sleep(10 * MINUTE_MS);
      assert.deepEqual(mine(server), ALL);
      await locks.close();
    });
  }

  test("all are lost and another import has one: that ends the import, with the lock's error", async () => {
    const server = new Server();
    const locks = await server.lock();
    server.instead = () => Promise.reject(lostConnection());
    await server.clock.sleep(2 * MINUTE_MS);
    for (const name of ALL) server.held.set(name, { by: 0, sinceMs: 0 });
    server.instead = () => undefined;
    await server.clock.sleep(10 * MINUTE_MS);
    assert.equal((locks.lost.reason as LevinError).code, "Levin:Tidb:ErrLocked");
    await locks.close();
  });

  test("to end them no answer is waited for, and none is asked for again", async () => {
    for (const at of ["DO 1", "GET_LOCK", "RELEASE_LOCK"]) {
      const server = new Server();
      const locks = await server.lock();
      server.instead = (sql) => (sql.includes(at) ? new Promise<never>(() => undefined) : undefined);
      await server.clock.sleep(30 * MINUTE_MS);
      const asked = server.asked.length;
      const sinceMs = server.clock.monotonicMs();
      await locks.close();
      assert.ok(server.clock.monotonicMs() - sinceMs <= 1000, at);
      assert.deepEqual(mine(server), [], at);
      await server.clock.sleep(HOUR_MS);
      assert.equal(server.asked.length, asked, at);
    }
  });

  test("a server that is away at the beginning is waited for, and no longer than that", async () => {
    const server = new Server();
    server.instead = () => Promise.reject(lostConnection());
    const locking = server.lock();
    await server.clock.sleep(20_000);
    server.instead = () => undefined;
    await (await locking).close();
    server.instead = () => Promise.reject(lostConnection());
    await assert.rejects(server.lock(), { code: "Levin:Tidb:ErrUnavailable" });
    assert.deepEqual(mine(server), []);
  });
});
