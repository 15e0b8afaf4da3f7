/** What a configuration asks of the cluster's side is done there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

test("a store gets no more a second than it is to, PD's schedulers stop everywhere, stores are compacted", async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${"x".repeat(300)}`).join("\n");
  const source = place.folder([
    ["w.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(400))"],
    ["w-schema-create.sql", "CREATE DATABASE w"],
    ["w.t.csv", `${rows}\n`],
  ]);
  const toml = `
    [mydumper.csv]
    header = false
    [tikv-importer]
    store-write-bwlimit = "2MB"
    pause-pd-scheduler-scope = "global"
    [post-restore]
    compact = true
  `;
  const paused = new Set<string>();
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const answer = await fetch(`http://${place.sandbox.pd[0]}/pd/api/v1/schedulers?status=paused`);
      for (const name of ((await answer.json()) as string[] | null) ?? []) paused.add(name);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const started = performance.now();
  const log = place.path("log");
  const { code, err } = await place.import(source, toml, `--log-file=${log}`);
  const seconds = (performance.now() - started) / 1000;
  stop.abort();
  await watching;
  assert.equal(code, 0, err);
  // 6 MB of pairs; a message of a megabyte and a burst go at once.
  assert.ok(seconds > 1.5, `${seconds} s`);
  assert.ok(paused.has("balance-region-scheduler"), [...paused].join());
  const left = await fetch(`http://${place.sandbox.pd[0]}/pd/api/v1/schedulers?status=paused`);
  assert.deepEqual((await left.json()) ?? [], []);
  assert.match(readFileSync(log, "utf8"), /store .*: compacted/);
});
