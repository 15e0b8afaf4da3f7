/** What a person may write wrong is told in words, never as a bug of levin's. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseDsn } from "../../src/cli/dsn.ts";
import { openLevelKvDb } from "../../src/kvdb/mod.ts";
import { levin } from "../e2e/in-process.ts";

const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-wrong-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

/** A port of this host that somebody listens on. */
async function taken(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return { port, close: () => new Promise((done) => server.close(() => done())) };
}

test("a DSN that is none", () => {
  for (const text of ["mysql://root@[::1", "mysql://root@host:99999/", "mysql://%zz@host/", "host:4000"]) {
    assert.throws(() => parseDsn(text), { code: "Levin:Command:ErrUsage" }, text);
  }
  assert.deepEqual(parseDsn("mysql://a%40b:p@[::1]:4001/"), { host: "::1", port: 4001, user: "a@b", password: "p" });
});

test("a port of the sandbox that is none", async () => {
  for (const flag of ["--tidb-port", "--tidb-status", "--pd-port"]) {
    for (const port of ["abc", "65536", "-1"]) {
      const { code, err } = await levin(["sandbox", "--dir", join(dir, "sandbox"), `${flag}=${port}`]);
      assert.equal(code, 2, err);
      assert.match(err, new RegExp(`Cannot use ${flag} ${port}: `));
    }
  }
  assert.equal(fs.existsSync(join(dir, "sandbox")), false);
});

test("files of a load that are no JSON", async () => {
  const broken = join(dir, "broken.json");
  fs.writeFileSync(broken, '{"format": ');
  const naming = ["--dir", dir, "--state-dir", join(dir, "state")];
  const imported = await levin(["load", "checkpoint", "import", ...naming, "--file", broken]);
  assert.equal(imported.code, 2, imported.err);
  assert.match(imported.err, /Cannot read the checkpoint ".*broken\.json": /);
  // As a process leaves them that is killed while it writes.
  fs.mkdirSync(join(dir, "killed"));
  fs.writeFileSync(join(dir, "killed", "summary.json"), "");
  fs.writeFileSync(join(dir, "killed", "load.json"), "");
  for (const words of [["status", "--json"], ["resume"]]) {
    const { code, err } = await levin(["load", ...words, join(dir, "killed")]);
    assert.notEqual(code, 0);
    assert.doesNotMatch(err, /Levin:Internal/);
    assert.match(err, /killed/);
  }
});

test("what cannot be read as a command line", async () => {
  for (const [words, text] of [
    [["imprt"], /Cannot run "imprt": there is no such command; did you mean import\?\n/],
    [["help", "resto"], /Cannot run "resto": there is no such command; did you mean restore-cluster\?\n/],
    [
      ["export"],
      /Cannot run "export": there is no such command; there are import, check, .*version\n.*See `levin help`\./,
    ],
    [["--json", "status"], /Cannot use --json: a command comes first, one of import, .*version\n/],
    [
      ["sandbox", "--dir", join(dir, "s"), "--host", "no.invalid"],
      /Cannot use --host no\.invalid: there is no such host\n.*`levin help sandbox`/,
    ],
    [["load", "statu"], /"load statu" at "statu": there is no such command; did you mean status\n/],
    [["decode"], /Cannot read the command line: no value provided for --schema; no value provided for KEY\n/],
    [["status", "a", "b"], /"status a b" at "b": nothing takes this word\n/],
    [["import", dir, "--far-from-every-option"], /there is no such option\n/],
    [["import", dir, "-c", "a", "-c", "b"], / at "-c": it is given twice\n/],
    [["import", dir, "--stores=2", "--tidb-host=127.0.0.1"], /Cannot use --stores without --sandbox: /],
    [
      ["import", "s3:/bucket"],
      /Cannot import "s3:\/bucket": levin reads directories, files and s3:\/\/BUCKET\/PREFIX\n/,
    ],
    [["import", dir, "--compat", "mysql"], /levin\.compat = "mysql" \(flag\): it must be lightning\n/],
    [["ctl"], /Cannot run ctl: no operation is named, such as --switch-mode normal\n/],
    [["load", "reset"], /Cannot find the load: neither a task file \(-c\) nor a dump \(--dir\) is named\n/],
  ] as const) {
    const { code, out, err } = await levin(words);
    assert.equal(code, 2, err);
    assert.equal(out, "");
    assert.match(err, text);
    assert.match(err, /Levin:(Command:ErrUsage|Source:ErrRemote|Config:ErrInvalid): /);
  }
});

test("what the system refuses is told in words", async () => {
  const file = join(dir, "a-file");
  fs.writeFileSync(file, "");
  const source = join(dir, "no-rows");
  fs.mkdirSync(source);
  for (const [words, text] of [
    [["encode", "--schema", join(dir, "none.sql")], /Cannot read ".*none\.sql": there is no such file or directory\n/],
    [["import", source, "-c", source], /Cannot read the configuration file ".*": it is a directory\n/],
    [
      ["import", source, "--state-dir", file, "--sandbox", join(dir, "c")],
      /"[^"]*a-file": there is a file of that name/,
    ],
    [
      ["sandbox", "--dir", "/proc/x/y"],
      /sandbox's directory "\/proc\/x\/y" in "\/proc": the system takes no directory there\n/,
    ],
    [["sandbox", "--dir", join(file, "x")], /sandbox's directory ".*a-file\/x": ".*a-file" is a file\n/],
    [
      ["import", source, "--state-dir", "/proc/x", "--sandbox", join(dir, "c")],
      /"\/proc\/x": the system takes no directory there\n/,
    ],
    [
      ["load", "metadata", source],
      /^error: Cannot read the metadata file ".*no-rows\/metadata": there is no such file or directory\n/,
    ],
    [
      ["import", source, "--log-file", join(file, "x.log"), "--sandbox", join(dir, "c")],
      /Cannot write the log file ".*a-file\/x\.log" \(lightning\.file\): /,
    ],
    [["detect", source], /it is a directory; name one of its files\n/],
    [["detect", file], /Cannot tell how ".*a-file" is written: it has no row\n/],
  ] as const) {
    const { code, err } = await levin(words);
    assert.notEqual(code, 0);
    assert.match(err, text);
    assert.doesNotMatch(err, /^note:|E[A-Z]{5,}:/m);
  }
});

test("a port and a sandbox directory that are in use", async () => {
  const { port, close } = await taken();
  try {
    const { code, err } = await levin(["sandbox", "--dir", join(dir, "port"), `--tidb-port=${port}`]);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`Cannot listen on "127.0.0.1:${port}": another process listens there\n`));
  } finally {
    await close();
  }
  const store = await openLevelKvDb(join(dir, "busy", "cluster"));
  try {
    const { code, err } = await levin(["sandbox", "--dir", join(dir, "busy")]);
    assert.equal(code, 2);
    assert.match(err, /Cannot open the store ".*busy\/cluster": another process uses it\n/);
  } finally {
    await store.close();
  }
});

test("a check in the source's own directory", async () => {
  const source = join(dir, "checked");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "d-schema-create.sql"), "CREATE DATABASE `d`;");
  fs.writeFileSync(join(source, "d.t-schema.sql"), "CREATE TABLE `t` (`a` int);");
  fs.writeFileSync(join(source, "d.t.csv"), "1\n");
  const state = `--state-dir=${join(source, "levin-state")}`;
  const checked = await levin(["check", source, state, "--csv-header=false"]);
  assert.doesNotMatch(checked.err, /lies inside the source/);
  const imported = await levin(["import", source, state]);
  assert.match(imported.err, /it lies inside the source ".*"; say --state-dir\n/);
});
