/** What commands say of imports that went wrong. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemFiles } from "../../src/base/mod.ts";
import { openJournal } from "../../src/checkpoint/mod.ts";
import { levin } from "../e2e/in-process.ts";

const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-said-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

test("status says what the last run ended with", async () => {
  const source = join(dir, "bad");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "d-schema-create.sql"), "CREATE DATABASE `d`;");
  fs.writeFileSync(join(source, "d.t-schema.sql"), "CREATE TABLE `t` (`a` int);");
  fs.writeFileSync(join(source, "d.t.csv"), "a\n1\nx\n");
  const state = join(dir, "bad-state");
  const run = ["import", source, "--sandbox", join(dir, "bad-cluster"), "--state-dir", state];
  assert.equal((await levin(run)).code, 4);
  const { out } = await levin(["status", state]);
  assert.match(out, /the last run ended: .*'x'.*"d\.t\.csv", row 2.*\(Levin:Encode:ErrValue\)\n/);
  assert.match(out, /no process runs: run the same command again to continue\n$/);
  const { error, running } = JSON.parse((await levin(["status", state, "--json"])).out);
  assert.equal(error.code, "Levin:Encode:ErrValue");
  assert.equal(running, false);
  const started = fs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ")[19];
  const owner = { pid: process.pid, host: os.hostname(), started };
  fs.writeFileSync(join(state, "LOCK"), `${JSON.stringify(owner)}\n`);
  const held = (await levin(["status", state])).out;
  assert.match(held, new RegExp(`process ${process.pid} works at it\n$`));
  assert.doesNotMatch(held, /no process runs|the last run ended/);
  assert.equal(JSON.parse((await levin(["status", state, "--json"])).out).running, true);
  fs.rmSync(join(state, "LOCK"));
  fs.writeFileSync(join(source, "d.t.csv"), "a\n1\n2\n");
  assert.equal((await levin(run)).code, 0);
  const ended = (await levin(["status", state])).out;
  assert.match(ended, /^import begun \S+, done\n/);
  assert.doesNotMatch(ended, /the last run ended|no process runs/);
});

test("the only line of a file is no header that names no column", async () => {
  const file = join(dir, "one.csv");
  const cluster = ["--sandbox", join(dir, "one-cluster"), "--table", "d.t"];
  const source = join(dir, "one");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "d-schema-create.sql"), "CREATE DATABASE `d`;");
  fs.writeFileSync(join(source, "d.t-schema.sql"), "CREATE TABLE `t` (`a` int, `b` varchar(9));");
  const made = await levin(["import", source, "--sandbox", join(dir, "one-cluster"), "--state-dir", join(dir, "s0")]);
  assert.equal(made.code, 0, made.err);
  for (const [i, backend] of ["local", "tidb"].entries()) {
    const run = ["import", file, ...cluster, "--backend", backend, "--state-dir", join(dir, `one-state-${i}`)];
    fs.writeFileSync(file, "900,text\n");
    const refused = await levin(run);
    assert.equal(refused.code, 4, refused.err);
    assert.match(refused.err, /"900".*"one\.csv"[\s\S]*Levin:Source:ErrUnknownColumn/);
    fs.writeFileSync(file, "b,a\n");
    const empty = await levin([...run, "--fresh"]);
    assert.equal(empty.code, 0, empty.err);
  }
});

test("status of a batch that has no chunk", async () => {
  const state = join(dir, "empty-state");
  fs.mkdirSync(state);
  const { journal } = await openJournal(systemFiles, join(state, "journal"));
  await journal.append({ type: "job", format: 1, fingerprint: { backend: "local" }, startedMs: 0, version: "" });
  await journal.append({ type: "batch", batch: 0, tables: ["d.t"], commitTs: "1" });
  assert.match((await levin(["status", state])).out, /batch 0: encoding, 1 tables, no chunk yet, 0 runs/);
  await journal.append({ type: "encoded", batch: 0 });
  await journal.append({ type: "ingested", batch: 0 });
  await journal.close();
  assert.match(
    (await levin(["status", state])).out,
    /batch 0: ingested, 1 tables, no chunk, as there are no rows, 0 runs/,
  );
});

test("a log file of its own beside that of the state directory", async () => {
  const source = join(dir, "logged");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "d-schema-create.sql"), "CREATE DATABASE `d`;");
  const state = join(dir, "logged-state");
  const file = join(dir, "logs", "levin.ndjson");
  const run = ["import", source, "--sandbox", join(dir, "logged-cluster"), "--state-dir", state, "--log-file", file];
  const { code, err } = await levin(run);
  assert.equal(code, 0, err);
  assert.equal(fs.readFileSync(file, "utf8"), fs.readFileSync(join(state, "levin.log"), "utf8"));
  assert.match(fs.readFileSync(file, "utf8"), /"kind":"summary"/);
});

test("a directory in place of a data file, and a value that is cut", async () => {
  const schema = join(dir, "cut.sql");
  fs.writeFileSync(schema, "CREATE TABLE t (a INT)");
  const encoded = await levin(["encode", "--schema", schema, "--data", dir]);
  assert.equal(encoded.code, 2);
  assert.match(encoded.err, /Cannot encode ".*": it is a directory; name its data files\n/);
  const decoded = await levin(["decode", "--schema", schema, "7480000000000000015f728000000000000001", "80"]);
  assert.equal(decoded.code, 4);
  assert.match(decoded.err, /^error: Cannot decode VALUE: 1 bytes expected at 1, found 0\n/);
});
