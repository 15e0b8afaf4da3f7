/** The HTTP API beside real imports: `levin server` and `levin import --status-addr`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { runCli } from "../../src/cli/mod.ts";
import { until } from "../until.ts";
import { commandIo, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

/** A command that goes on while the test calls its HTTP server. */
async function start(words: string[]) {
  const stop = new AbortController();
  let text = "";
  const found = Promise.withResolvers<string>();
  const write = (part: string): void => {
    text += part;
    const url = /HTTP server on (\S+)\n/.exec(text)?.[1];
    if (url !== undefined) found.resolve(url);
  };
  const io = commandIo({ stdout: { write }, stderr: { write }, signal: stop.signal });
  const ended = runCli(words, "levin", io);
  void ended.then(() => found.reject(new Error(`no server: ${text}`)));
  const url = await found.promise;
  const call = async (method: string, path: string, body?: string) => {
    const answer = await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body }) });
    return { status: answer.status, text: await answer.text() };
  };
  return { stop, ended, call, text: () => text };
}

type Call = Awaited<ReturnType<typeof start>>["call"];

async function waitFor(call: Call, path: string, isIt: (text: string) => boolean): Promise<string> {
  let text = "";
  await until(
    async () => {
      ({ text } = await call("GET", path));
      return isIt(text);
    },
    () => `${path}, now ${text}`,
  );
  return text;
}

function taskFile(source: string): string {
  const { host, port, statusPort } = place.sandbox.front;
  return `
    [mydumper]
    data-source-dir = ${JSON.stringify(source)}
    [tidb]
    host = "${host}"
    port = ${port}
    status-port = ${statusPort}
    pd-addr = "${place.sandbox.pd.join(",")}"
    password = ""
    [levin]
    state-dir = ${JSON.stringify(place.path("state"))}
    workers = 1
    memory = "128MiB"
  `;
}

function dump(table: string, values: string): string {
  return place.folder([
    ["h-schema-create.sql", "CREATE DATABASE h;"],
    [`h.${table}-schema.sql`, `CREATE TABLE ${table} (a INT PRIMARY KEY, b VARCHAR(10));`],
    [`h.${table}.sql`, `INSERT INTO ${table} VALUES ${values};`],
  ]);
}

describe("levin server", () => {
  test("imports what is posted, in order; a failed task pauses the queue until it is resumed", async () => {
    const server = await start(["server", "--status-addr=127.0.0.1:0"]);
    const { call } = server;
    const { id } = JSON.parse((await call("POST", "/tasks", taskFile(dump("one", "(1,'x'),(2,'y')")))).text);
    const done = await waitFor(call, "/progress/task", (text) => JSON.parse(text).s === 2);
    const { t } = JSON.parse(done);
    assert.equal(t["`h`.`one`"].s, 2);
    assert.equal(t["`h`.`one`"].w, t["`h`.`one`"].z);
    assert.deepEqual((await place.rows("SELECT a, b FROM h.one ORDER BY a")).map(String), ["1,x", "2,y"]);
    const metrics = (await call("GET", "/metrics")).text;
    assert.match(metrics, /^lightning_rows\{state="restored",table="h\.one"\} 2$/m);
    assert.match(metrics, /^lightning_tables\{state="completed",result="success"\} 1$/m);
    assert.equal((await call("GET", `/tasks/${id}`)).status, 404, "it is over");

    const wrong = await call("POST", "/tasks", "[mydumper]\ndata-source-dir = 5");
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /data-source-dir/);
    const missing = await call("POST", "/tasks", taskFile("/nowhere/at/all"));
    assert.equal(missing.status, 400);
    assert.match(missing.text, /invalid task configuration: .*data-source-dir does not exist/);

    await call("POST", "/tasks", taskFile(dump("two", "(1,'x'),(1,'y')")));
    await call("POST", "/tasks", taskFile(dump("three", "(3,'z')")));
    await waitFor(call, "/pause", (text) => JSON.parse(text).paused);
    const failed = JSON.parse((await call("GET", "/progress/task")).text);
    assert.match(failed.m, /two/);
    assert.equal(JSON.parse((await call("GET", "/tasks")).text).queue.length, 1);
    await call("PUT", "/resume");
    await waitFor(call, "/progress/task", (text) => {
      const { s, t } = JSON.parse(text);
      return s === 2 && "`h`.`three`" in t;
    });
    assert.deepEqual((await place.rows("SELECT a, b FROM h.three")).map(String), ["3,z"]);
    server.stop.abort();
    assert.equal(await server.ended, 0);
    assert.match(server.text(), /task \d+: .*two/);
  });

  test("a task's configuration is shown without secrets; a paused task stands still; DELETE ends it", async () => {
    const server = await start(["server", "--status-addr=127.0.0.1:0", "--tidb-password=hush"]);
    const { call } = server;
    await call("PUT", "/pause");
    const { id } = JSON.parse((await call("POST", "/tasks", taskFile(dump("four", "(1,'x')")))).text);
    const shown = (await call("GET", `/tasks/${id}`)).text;
    assert.doesNotMatch(shown, /hush/);
    assert.equal(JSON.parse(shown).tidb.host, place.sandbox.front.host);
    assert.equal((await call("DELETE", `/tasks/${id}`)).status, 200);
    await call("PUT", "/resume");
    assert.deepEqual(JSON.parse((await call("GET", "/tasks")).text), { current: null, queue: [] });
    server.stop.abort();
    await server.ended;
  });
});

describe("levin import --status-addr", () => {
  test("shows its one task, pauses and goes on, takes no others", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `(${i},'v${i}')`).join(",");
    const source = dump("five", rows);
    const run = await start([
      "import",
      source,
      "--status-addr=127.0.0.1:0",
      "--workers=1",
      "--memory=128MiB",
      ...place.target(),
    ]);
    const { call } = run;
    await call("PUT", "/pause");
    await waitFor(call, "/progress/task", (text) => "`h`.`five`" in (JSON.parse(text).t ?? {}));
    await new Promise((done) => setTimeout(done, 300));
    const { t, s } = JSON.parse((await call("GET", "/progress/task")).text);
    assert.deepEqual([s, t["`h`.`five`"].w], [1, 0], "no chunk is taken while it is paused");
    assert.equal((await call("POST", "/tasks", "x = 1")).status, 501);
    const { current } = JSON.parse((await call("GET", "/tasks")).text);
    assert.equal((await call("GET", `/tasks/${current}`)).status, 200);
    await call("PUT", "/resume");
    assert.equal(await run.ended, 0, run.text());
    assert.deepEqual((await place.rows("SELECT COUNT(*) FROM h.five")).map(String), ["20000"]);
  });
});
