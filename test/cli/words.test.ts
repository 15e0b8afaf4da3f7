/** Words on the command line that are no command, and input that gives nothing. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { levin } from "../e2e/in-process.ts";

test("help of a command that is not there is an error that names the nearest", async () => {
  const { code, err } = await levin(["help", "importt"]);
  assert.equal(code, 2);
  assert.match(err, /"importt": .*; did you mean import\?\n/);
  assert.equal((await levin(["help", "import"])).code, 0);
  assert.match((await levin(["help"])).out, /Bulk importer/);
  assert.equal((await levin(["help", "checkpoint", "show"])).code, 0);
});

test("levin encode tells of rows in each other's way and of input without rows", async () => {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-words-"));
  const file = (name: string, text: string): string => {
    fs.writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const schema = file("t.sql", "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)");
  const twice = await levin(["encode", "--schema", schema, "--data", file("twice.csv", "id,v\n1,a\n1,b\n")]);
  assert.equal(twice.code, 0);
  assert.match(twice.err, /^note: 1 pairs have a key that is there already, the first is 7480/);
  const empty = await levin(["encode", "--schema", schema, "--data", file("empty.csv", "id,v\n")]);
  assert.match(empty.err, /^note: no row in ".*empty\.csv"/);
  assert.equal((await levin(["encode", "--schema", schema, "--data", file("one.csv", "id,v\n1,a\n")])).err, "");
  fs.rmSync(dir, { recursive: true });
});
