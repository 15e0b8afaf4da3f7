/** The HTTP API over real sockets, with tasks that the test steers. */
import assert from "node:assert/strict";
import https from "node:https";
import { after, before, describe, test } from "node:test";
import { LevinError, PauseGate } from "../../src/base/mod.ts";
import {
  listen,
  Metrics,
  RunMonitor,
  type ServerState,
  type StatusServer,
  type Task,
  TaskBoard,
} from "../../src/server/mod.ts";
import { type Identity, makeCertificate } from "../certificates.ts";
import { until } from "../until.ts";

interface Steered extends Task {
  readonly toml: string;
  readonly end: PromiseWithResolvers<void>;
}

function makeState(serverMode: boolean) {
  const metrics = new Metrics(() => ({ cpuSeconds: 1.5, residentBytes: 1 << 20, startSeconds: 1000 }));
  const monitor = new RunMonitor(metrics);
  const gate = new PauseGate();
  const board = new TaskBoard(monitor, gate);
  const tasks: Steered[] = [];
  const makeTask = (toml: string): Task => {
    if (toml.startsWith("bad")) throw new LevinError("Levin:Config:ErrInvalid", "no such key");
    const end = Promise.withResolvers<void>();
    const run = async (signal: AbortSignal): Promise<void> => {
      signal.addEventListener("abort", () => end.reject(signal.reason), { once: true });
      await end.promise;
    };
    const task: Steered = { id: board.nextId(1_700_000_000_000), config: { toml }, toml, end, run };
    tasks.push(task);
    return task;
  };
  const state: ServerState = { monitor, gate, board, log: { level: "info" }, ...(serverMode ? { makeTask } : {}) };
  return { state, tasks };
}

describe("server mode", () => {
  const { state, tasks } = makeState(true);
  const stop = new AbortController();
  const failures: string[] = [];
  let server: StatusServer;
  let serving: Promise<void>;

  const call = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) };
  };

  before(async () => {
    server = await listen(state, { address: "127.0.0.1:0", token: "" });
    serving = state.board.serve(stop.signal, (task, thrown) =>
      failures.push(`${task.id}: ${(thrown as Error).message}`),
    );
  });
  after(async () => {
    stop.abort();
    await serving;
    await server.close();
  });

  test("tasks queue, move, end, fail and are cancelled", async () => {
    assert.deepEqual((await call("GET", "/tasks")).json(), { current: null, queue: [] });
    const ids: number[] = [];
    for (const toml of ["a = 1", "b = 1", "c = 1", "d = 1"]) {
      const { status, json } = await call("POST", "/tasks", toml);
      assert.equal(status, 200);
      ids.push(json().id);
    }
    const [a, b, c, d] = ids;
    assert.equal(new Set(ids).size, 4);
    await until(() => state.board.current === a);
    assert.deepEqual((await call("GET", "/tasks")).json(), { current: a, queue: [b, c, d] });
    assert.deepEqual((await call("GET", `/tasks/${b}`)).json(), { toml: "b = 1" });
    assert.deepEqual((await call("GET", "/tasks/12")).json(), { error: "task ID not found" });
    assert.equal((await call("GET", "/tasks/x")).status, 400);
    assert.equal((await call("PATCH", `/tasks/${d}/front`)).text, "{}\n");
    assert.equal((await call("PATCH", `/tasks/${b}/back`)).status, 200);
    assert.equal((await call("PATCH", `/tasks/${b}/aside`)).status, 400);
    assert.deepEqual((await call("GET", "/tasks")).json(), { current: a, queue: [d, c, b] });
    assert.equal((await call("DELETE", `/tasks/${c}`)).status, 200);
    assert.equal((await call("DELETE", `/tasks/${c}`)).status, 404);

    tasks[0]!.end.resolve();
    await until(() => state.board.current === d);
    assert.equal((await call("DELETE", `/tasks/${d}`)).status, 200);
    await until(() => state.board.current === b);
    assert.deepEqual((await call("GET", "/pause")).json(), { paused: false }, "a cancelled task pauses nothing");

    await call("POST", "/tasks", "e = 1");
    tasks[1]!.end.reject(new LevinError("Levin:Verify:ErrChecksum", "it differs"));
    await until(() => failures.length === 2);
    assert.match(failures[1]!, /it differs/);
    assert.deepEqual((await call("GET", "/pause")).json(), { paused: true });
    assert.equal((await call("GET", "/progress/task")).json().m, "it differs");
    assert.equal(state.board.current, undefined, "the next one waits for /resume");
    assert.equal((await call("PUT", "/resume")).status, 200);
    await until(() => state.board.current !== undefined);
    tasks[4]!.end.resolve();
    await until(() => state.board.current === undefined);
  });

  test("mistakes of callers are answered as Lightning answers them", async () => {
    const bad = await call("POST", "/tasks", "bad");
    assert.deepEqual([bad.status, bad.json()], [400, { error: "invalid task configuration: no such key" }]);
    assert.equal((await call("PUT", "/tasks")).headers.get("allow"), "GET, POST, DELETE, PATCH");
    assert.equal((await call("GET", "/resume")).status, 405);
    assert.equal((await call("POST", "/pause")).status, 405);
    assert.equal((await call("GET", "/nowhere")).status, 404);
    assert.equal((await call("POST", "/tasks", "x".repeat((1 << 20) + 1))).status, 400);
    assert.equal((await call("POST", "/tasks", "a = 1", { origin: "http://elsewhere.example" })).status, 403);
  });

  test("the log level", async () => {
    assert.deepEqual((await call("GET", "/loglevel")).json(), { level: "info" });
    assert.equal((await call("PUT", "/loglevel", '{"level":"DEBUG"}')).status, 200);
    assert.equal(state.log.level, "debug");
    assert.equal((await call("POST", "/loglevel", '{"level":"loud"}')).status, 400);
    assert.equal((await call("POST", "/loglevel", "{")).status, 400);
  });

  test("progress by table and metrics from the events of a run", async () => {
    const { monitor } = state;
    monitor.begin();
    monitor.note({ kind: "table-start", table: "d.t`x", sizeBytes: 300, files: 2 });
    monitor.note({ kind: "table-start", table: "d.u", sizeBytes: 50, files: 1 });
    const chunk = { kind: "chunk", table: "d.t`x", path: "d.t.1.sql" } as const;
    monitor.note({ ...chunk, state: "pending", start: 0, sourceBytes: 100 });
    monitor.note({ ...chunk, state: "pending", start: 100, sourceBytes: 200 });
    monitor.note({ ...chunk, state: "finished", start: 0, sourceBytes: 100, rows: 7, kvs: 14, bytes: 900 });
    monitor.note({ kind: "timing", what: "write", ms: 1500 });
    monitor.note({ kind: "engine", state: "closed", batch: 0, bytes: 900 });
    const { t, s } = (await call("GET", "/progress/task")).json();
    assert.equal(s, 1);
    assert.deepEqual(t, { "`d`.`t``x`": { w: 100, z: 300, s: 1 }, "`d`.`u`": { w: 0, z: 50, s: 0 } });
    const table = (await call("GET", `/progress/table?t=${encodeURIComponent("`d`.`t``x`")}`)).json();
    assert.equal(table.Status, 30);
    assert.deepEqual(table.Engines["0"].Chunks[0].Chunk, { Offset: 100, EndOffset: 100, RowIDMax: 7 });
    assert.equal((await call("GET", "/progress/table?t=nope")).status, 404);

    monitor.note({ ...chunk, state: "finished", start: 100, sourceBytes: 200, rows: 3, kvs: 6, bytes: 100 });
    monitor.note({ kind: "engine", state: "imported", batch: 0, bytes: 1000 });
    monitor.note({
      kind: "table-done",
      table: "d.t`x",
      rows: 10,
      kvs: 20n,
      bytes: 1000n,
      localCrc: 2n ** 63n,
      remoteCrc: 2n ** 63n,
      ok: true,
    });
    const done = (await call("GET", "/progress/table?t=d.t`x")).json();
    assert.deepEqual([done.Status, done.Checksum.checksum], [180, "9223372036854775808"]);

    const { text, headers } = await call("GET", "/metrics");
    assert.match(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'lightning_rows{state="restored",table="d.t`x"} 10',
      'lightning_bytes{state="total_restore"} 350',
      'lightning_chunks{state="finished"} 2',
      'lightning_tables{state="completed",result="success"} 1',
      'lightning_sst_seconds_count{kind="write"} 1',
      'lightning_local_storage_usage_bytes{medium="disk"} 900',
      "process_cpu_seconds_total 1.5",
    ])
      assert.ok(text.includes(`${line}\n`), `${line} is in\n${text}`);
    // Each metric is described once, before its samples, as promtool demands.
    const helped = [...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name!);
    assert.equal(new Set(helped).size, helped.length);
    for (const [, name = ""] of text.matchAll(/^([a-z_]+)(?:\{|\s)/gm))
      assert.ok(
        helped.includes(name.replace(/_(bucket|sum|count)$/, "")) || helped.includes(name),
        `${name} is described`,
      );
  });
});

describe("who may call", () => {
  test("a token is demanded from everybody", async () => {
    const { state } = makeState(false);
    const server = await listen(state, { address: "127.0.0.1:0", token: "s3cret" });
    const get = (authorization?: string) =>
      fetch(`${server.url}/tasks`, authorization === undefined ? {} : { headers: { authorization } });
    assert.equal((await get()).status, 401);
    assert.equal((await get("Bearer wrong")).status, 401);
    assert.equal((await get("Bearer s3cret")).status, 200);
    const post = await fetch(`${server.url}/tasks`, {
      method: "POST",
      headers: { authorization: "Bearer s3cret" },
      body: "",
    });
    assert.deepEqual([post.status, await post.json()], [501, { error: "server-mode not enabled" }]);
    await server.close();
  });

  test("without a token every address is loopback; with one it is as said", async () => {
    const { state } = makeState(false);
    const open = await listen(state, { address: ":0", token: "" });
    assert.match(open.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(open.onlyLoopback);
    await open.close();
    const guarded = await listen(state, { address: ":0", token: "x" });
    assert.match(guarded.url, /^http:\/\/0\.0\.0\.0:\d+$/);
    assert.ok(!guarded.onlyLoopback);
    await guarded.close();
    for (const address of ["nonsense", "127.0.0.1:99999", "a:b:1"])
      await assert.rejects(listen(state, { address, token: "" }), { code: "Levin:Server:ErrListen" });
  });

  test("a port that is taken is an error that names it", async () => {
    const { state } = makeState(false);
    const first = await listen(state, { address: "127.0.0.1:0", token: "" });
    const address = first.url.slice("http://".length);
    await assert.rejects(listen(state, { address, token: "" }), (error: LevinError) => error.message.includes(address));
    await first.close();
  });

  test("with an authority, callers must show a certificate of it", async () => {
    const { state } = makeState(false);
    const made = (name: string, issuer?: Identity) =>
      makeCertificate({
        name,
        hosts: ["127.0.0.1"],
        isAuthority: issuer === undefined,
        ...(issuer === undefined ? {} : { issuer }),
      });
    const authority = made("authority");
    const { cert, key } = made("server", authority);
    const caller = made("caller", authority);
    const stranger = made("stranger");
    const ca = authority.cert;
    const server = await listen(state, { address: "127.0.0.1:0", token: "", tls: { ca, cert, key } });
    const get = (identity: { cert?: string; key?: string }) =>
      new Promise<number>((resolve, reject) => {
        const request = https.get(
          `${server.url}/tasks`,
          { ca, ...identity, agent: new https.Agent({ maxCachedSessions: 0 }) },
          (answer) => {
            answer.resume();
            resolve(answer.statusCode!);
          },
        );
        request.on("error", reject);
      });
    assert.equal(await get({ cert: caller.cert, key: caller.key }), 200);
    await assert.rejects(get({}));
    await assert.rejects(get({ cert: stranger.cert, key: stranger.key }));
    await assert.rejects(fetch(server.url.replace("https", "http")).then((answer) => answer.text()));
    await server.close();
  });
});
