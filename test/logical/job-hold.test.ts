/** The locks that say that a process works at an import: waited for, renewed, taken again, let go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, type LevinEvent } from "../../src/base/mod.ts";
import { JobHold } from "../../src/logical/mod.ts";
import type { SqlLink, SqlRow } from "../../src/tidb/mod.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";

const lost = (): LevinError => new LevinError("Levin:Tidb:ErrUnavailable", "the connection is gone");
const refused = (errno: number): LevinError => new LevinError("Levin:Tidb:ErrSql", "no", { fields: { errno } });

/** A server's locks by name, and who has them. */
class Server {
  readonly clock = new VirtualClock();
  readonly owners = new Map<string, object>();
  readonly said: string[] = [];
  readonly stop = new AbortController();
  /** Statements, by the connection's number. */
  readonly log: string[] = [];
  opened = 0;
  /** Asked before each statement. */
  fault: (sql: string) => Promise<SqlRow[] | undefined> = async () => undefined;

  readonly open = async (): Promise<SqlLink> => {
    const id = ++this.opened;
    const me = {};
    let isOpen = true;
    const rows = async (sql: string): Promise<SqlRow[]> => {
      const made = await this.fault(sql);
      if (!isOpen) throw lost();
      this.log.push(`${id}: ${sql}`);
      if (made !== undefined) return made;
      return [
        [...sql.matchAll(/(GET|RELEASE)_LOCK\('([^']+)'/g)].map(([, what, name]) => this.#answer(me, what!, name!)),
      ];
    };
    const destroy = (): void => {
      isOpen = false;
      for (const [name, owner] of this.owners) if (owner === me) this.owners.delete(name);
    };
    return { rows, run: rows, destroy } as unknown as SqlLink;
  };

  #answer(me: object, what: string, name: string): string {
    if (what === "GET") {
      if ((this.owners.get(name) ?? me) !== me) return "0";
      this.owners.set(name, me);
      return "1";
    }
    if (this.owners.get(name) !== me) return "0";
    this.owners.delete(name);
    return "1";
  }

  take(job = "j"): Promise<JobHold> {
    const emit = (event: LevinEvent): void =>
      void (event.kind === "log" && this.said.push(`${event.level}: ${event.message}`));
    return JobHold.take(job, { clock: this.clock, signal: this.stop.signal, emit, open: this.open });
  }

  get names(): string[] {
    return [...this.owners.keys()].sort();
  }
}

const BOTH = ["levin_job.j", "levin_job.j.2"];

test("both locks are held, renewed in turn with one of them held at any time, and let go", async () => {
  const server = new Server();
  const heldLeast: number[] = [];
  const hold = await server.take();
  assert.deepEqual(server.names, BOTH);
  server.fault = async () => void heldLeast.push(server.owners.size);
  const begun = server.log.length;
  await server.clock.sleep(3_600_000);
  const renewed = BOTH.map(
    (name) => server.log.slice(begun).filter((sql) => sql.includes(`GET_LOCK('${name}',`)).length,
  );
  assert.ok(Math.min(...renewed) >= 50 && Math.min(...heldLeast) >= 1, `${renewed}, ${Math.min(...heldLeast)}`);
  assert.equal(server.opened, 1);
  await hold.letGo();
  assert.deepEqual(server.names, []);
  assert.deepEqual(server.said, []);
});

test("the session of a killed process is waited for; another process is refused after a while", async () => {
  const server = new Server();
  const other = {};
  server.owners.set("levin_job.j.2", other);
  void server.clock.sleep(100_000).then(() => server.owners.delete("levin_job.j.2"));
  const hold = await server.take();
  assert.ok(server.clock.monotonicMs() >= 100_000);
  assert.deepEqual(server.names, BOTH);
  assert.match(
    server.said.join("\n"),
    /^warn: Another session of the target holds the lock of this import .* waiting up to 150 s/,
  );
  await hold.letGo();
  server.owners.set("levin_job.j", other);
  await assert.rejects(server.take(), { code: "Levin:State:ErrLocked" });
  assert.deepEqual(server.names, ["levin_job.j"], "nothing is left of it");
});

test("two processes of one import: one has the locks, the other never gets between its renewals", async () => {
  const server = new Server();
  const hold = await server.take();
  await assert.rejects(server.take(), { code: "Levin:State:ErrLocked" });
  assert.deepEqual(server.names, BOTH);
  await hold.letGo();
});

test("what was lost is told once and taken again", async () => {
  const server = new Server();
  const hold = await server.take();
  let isDown = true;
  server.fault = () => (isDown ? Promise.reject(lost()) : Promise.resolve(undefined));
  await server.clock.sleep(300_000);
  assert.deepEqual(server.names, []);
  assert.equal(server.said.length, 1);
  assert.match(server.said[0]!, /^warn: Other imports of the same files cannot be told .*the connection is gone/);
  isDown = false;
  await server.clock.sleep(60_000);
  assert.deepEqual(server.names, BOTH);
  await hold.letGo();
});

test("where the locks cannot be had at first the import goes on, told so, and tries again", async () => {
  const server = new Server();
  server.fault = () => Promise.reject(refused(1040));
  const hold = await server.take();
  assert.equal(server.said.length, 1);
  server.fault = async () => undefined;
  await server.clock.sleep(60_000);
  assert.deepEqual(server.names, BOTH);
  await hold.letGo();
  const silent = new Server();
  silent.fault = async (sql) => (sql.includes("GET_LOCK") ? [[null]] : undefined);
  await (await silent.take()).letGo();
  assert.match(silent.said.join(), /did not say whether/);
});

test("a server without such locks does without", async () => {
  const server = new Server();
  server.fault = (sql) => (sql.includes("GET_LOCK") ? Promise.reject(refused(1305)) : Promise.resolve(undefined));
  const hold = await server.take();
  const { length } = server.log;
  await server.clock.sleep(600_000);
  assert.equal(server.log.length, length);
  assert.deepEqual(server.said, []);
  await hold.letGo();
});

test("an interruption ends the wait for a server that does not answer", { timeout: 10_000 }, async () => {
  for (const silent of [/wait_timeout/, /GET_LOCK/]) {
    const server = new Server();
    server.fault = (sql) => (silent.test(sql) ? new Promise(() => undefined) : Promise.resolve(undefined));
    const taken = server.take();
    setTimeout(() => server.stop.abort(new Error("interrupted")), 20);
    await assert.rejects(taken, /interrupted/);
  }
  const server = new Server();
  const open = (): Promise<never> => new Promise(() => undefined);
  const { clock, stop } = server;
  const taken = JobHold.take("j", { clock, signal: stop.signal, emit: () => undefined, open });
  stop.abort(new Error("interrupted"));
  await assert.rejects(taken, /interrupted/);
});

test("a target that answers no more does not keep a process that ends", { timeout: 10_000 }, async () => {
  for (const isInterrupted of [false, true]) {
    const server = new Server();
    const hold = await server.take();
    server.fault = () => new Promise(() => undefined);
    if (isInterrupted) server.stop.abort(new Error("interrupted"));
    await hold.letGo();
    assert.deepEqual(server.names, [], "its connection is ended");
  }
});
