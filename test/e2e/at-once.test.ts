/** Two imports that fill one table at the same time. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { levin, Place } from "./in-process.ts";

const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-at-once-"));
const ROWS = 3000;
let place: Place;

before(async () => {
  place = await Place.open();
});

after(async () => {
  await place.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Of a table without a key: rows of two sources would have the same row ids. */
function sourceOf(name: string, table = "t"): string {
  const source = join(dir, `${name}-${table}`);
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "o-schema-create.sql"), "CREATE DATABASE `o`;");
  fs.writeFileSync(join(source, `o.${table}-schema.sql`), `CREATE TABLE ${table} (a int, b varchar(20));`);
  const rows = Array.from({ length: ROWS }, (_, i) => `${i},${name}\n`);
  fs.writeFileSync(join(source, `o.${table}.csv`), `a,b\n${rows.join("")}`);
  return source;
}

const count = async (name: string, table = "t") =>
  Number((await place.rows(`SELECT count(*) FROM o.${table} WHERE b = '${name}'`))[0]![0]);

test("the second one waits for the first one, then finds its rows", async () => {
  const [one, two] = ["one", "two"].map((name) => sourceOf(name));
  const config = join(dir, "incremental.toml");
  fs.writeFileSync(config, "[tikv-importer]\nincremental-import = true\n");
  const both = [one!, two!].map((source) => levin(["import", source, "--config", config, ...place.target()]));
  for (const { code, err } of await Promise.all(both)) assert.equal(code, 0, err);
  assert.deepEqual([await count("one"), await count("two")], [ROWS, ROWS]);
  const third = await levin(["import", sourceOf("three"), ...place.target()]);
  assert.equal(third.code, 3, third.err);
});
