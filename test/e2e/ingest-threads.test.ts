/** Imports whose ranges are written by real threads: same pairs, and the same ends. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inlineEncoder, levin, Place, type Ran } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

const writeWorker = new URL("../../src/importer/write-worker.ts", import.meta.url);
const ROWS = 20_000;

/** A table with an index; several regions' worth of small ranges. */
function source(name: string): string {
  const rows: string[] = [];
  for (let id = 0; id < ROWS; id++) rows.push(`${id},${(id * 7919) % ROWS},"${"x".repeat(id % 60)}"`);
  const create = "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(80), KEY (a))";
  return place.folder([
    [`${name}-schema-create.sql`, `CREATE DATABASE ${name}`],
    [`${name}.t-schema.sql`, create],
    [`${name}.t.csv`, `id,a,b\n${rows.join("\n")}\n`],
  ]);
}

/** Words of an import of its own. */
function words(dir: string, ...flags: string[]): string[] {
  const config = place.file("levin.toml", "[tikv-importer]\nregion-split-size = 65536\n");
  return ["import", dir, "-c", config, "--workers=1", "--memory=128MiB", "--json", ...place.target(), ...flags];
}

interface Sums {
  kvs: string;
  bytes: string;
}

function sumsOf({ out }: Ran): Sums {
  const events = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string } & Sums);
  const { kvs, bytes } = events.find(({ kind }) => kind === "table-done")!;
  return { kvs, bytes };
}

test("as many pairs, whoever writes them", { timeout: 90_000 }, async () => {
  const sums: Sums[] = [];
  for (const threads of [0, 1, 3]) {
    const name = `same${threads}`;
    const ran = await levin(words(source(name), `--ingest-threads=${threads}`), {
      encodeWorker: inlineEncoder,
      writeWorker,
    });
    assert.equal(ran.code, 0, ran.err);
    sums.push(sumsOf(ran));
    const [found] = await place.rows(`SELECT COUNT(*), SUM(id), SUM(a) FROM ${name}.t`);
    const sum = String((ROWS * (ROWS - 1)) / 2);
    assert.deepEqual(found!.map(String), [String(ROWS), sum, sum]);
  }
  assert.equal(sums[0]!.kvs, String(2 * ROWS));
  assert.deepEqual(sums[1], sums[0]);
  assert.deepEqual(sums[2], sums[0]);
});

test("a thread that dies ends the import with its words; the next run goes on", { timeout: 90_000 }, async () => {
  const command = words(source("dead"), "--ingest-threads=2");
  const dying = new URL("./dying-writer.ts", import.meta.url);
  const first = await levin(command, { encodeWorker: inlineEncoder, writeWorker: dying });
  assert.notEqual(first.code, 0);
  assert.match(first.err, /no memory is left/);
  const second = await levin(command, { encodeWorker: inlineEncoder, writeWorker });
  assert.equal(second.code, 0, second.err);
  assert.equal(sumsOf(second).kvs, String(2 * ROWS));
});

test("an interruption while threads write ends the run in time; the next run goes on", {
  timeout: 90_000,
}, async () => {
  const command = words(source("cut"), "--ingest-threads=2");
  const journal = join(command.find((word) => word.startsWith("--state-dir="))!.slice(12), "journal");
  const stop = new AbortController();
  let at = 0;
  // A range is in: the threads are busy with others.
  const watch = setInterval(() => {
    if (at > 0 || !existsSync(journal) || !readFileSync(journal, "latin1").includes('"type":"range"')) return;
    at = performance.now();
    stop.abort(new Error("enough"));
  }, 1);
  const first = await levin(command, { encodeWorker: inlineEncoder, writeWorker, signal: stop.signal });
  clearInterval(watch);
  assert.ok(at > 0, "a range was written");
  assert.equal(first.code, 130, first.err);
  assert.ok(performance.now() - at < 10_000);
  const second = await levin(command, { encodeWorker: inlineEncoder, writeWorker });
  assert.equal(second.code, 0, second.err);
  assert.equal(sumsOf(second).kvs, String(2 * ROWS));
});
