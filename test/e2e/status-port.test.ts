/** A status port that is configured wrong is told within seconds; a TiDB that restarts is waited for. */
import assert from "node:assert/strict";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { LevinError, seededRandom, systemClock } from "../../src/base/mod.ts";
import { demandStatusPort, readStatusPort } from "../../src/importer/status-port.ts";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("what is no status port ends an import within seconds and says so, with and without --pd-urls", async () => {
  const source = place.folder([
    ["p-schema-create.sql", "CREATE DATABASE p"],
    ["p.t-schema.sql", "CREATE TABLE t (id INT)"],
    ["p.t.csv", "id\n1\n"],
  ]);
  const web = http.createServer((_, response) => response.end("<html>hello</html>"));
  const closed = net.createServer();
  const unused = await listening(closed);
  await new Promise((resolve) => closed.close(resolve));
  const { port } = place.sandbox.front;
  const cases: [number, RegExp][] = [
    [await listening(web), /is not TiDB's status port: "\/status" gave "<html>hello/],
    [
      unused,
      /status port at .*(refused|connect).*, while SQL answers at 127\.0\.0\.1:\d+; is tidb\.status-port right/i,
    ],
    [port, /, while SQL answers at /],
  ];
  const startedMs = performance.now();
  await Promise.all(
    cases.map(async ([statusPort, message], i) => {
      const target = place
        .target()
        .filter((flag) => !/^--(tidb-status|pd-urls)/.test(flag) || (i === 1 && /pd-urls/.test(flag)));
      const { code, err } = await levin(["import", source, ...target, `--tidb-status=${statusPort}`]);
      assert.equal(code, 1, err);
      assert.match(err, message);
      assert.match(err, /Levin:Tidb:ErrStatusPort: Check --tidb-status/);
    }),
  );
  assert.ok(performance.now() - startedMs < 20_000);
  const check = await levin([
    "check",
    source,
    "--tidb-host=127.0.0.1",
    `--tidb-port=${port}`,
    `--tidb-status=${cases[0]![0]}`,
  ]);
  assert.equal(check.code, 3, check.err);
  assert.match(check.out, /^failed +status-port +What answers at .* is not TiDB's status port/m);
  web.close();
});

test("while SQL is away as well the status port is waited for", async () => {
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const clock = { ...systemClock, monotonicMs: () => nowMs, sleep };
  const gone = () => new LevinError("Levin:Tidb:ErrUnavailable", "gone");
  let sqlFromMs = 0;
  let statusFromMs = 0;
  const tidb = { close: async () => undefined };
  const world = {
    connectTidb: async () => {
      if (nowMs < sqlFromMs) throw gone();
      return tidb;
    },
    getStatusPort: async () => {
      if (nowMs < statusFromMs) throw gone();
      return '{"version":"8.0.11-TiDB-x"}';
    },
  };
  const env = { clock, random: seededRandom(1), signal: new AbortController().signal, emit: () => undefined, world };
  const options = {
    tidb: { host: "h", port: 4000 },
    statusPort: { host: "h", port: 1, timeoutMs: 1 },
    retryDeadlineMs: 600_000,
  };
  const read = () => readStatusPort(options as never, env as never, "/settings");
  // A restart of two minutes, the status port three seconds behind.
  [sqlFromMs, statusFromMs] = [120_000, 123_000];
  assert.match(await read(), /TiDB/);
  await demandStatusPort(options as never, env as never);
  // SQL is there, the status port never.
  const beganMs = nowMs;
  statusFromMs = Number.POSITIVE_INFINITY;
  await assert.rejects(read(), { code: "Levin:Tidb:ErrStatusPort" });
  assert.ok(nowMs - beganMs < 15_000, String(nowMs - beganMs));
});
