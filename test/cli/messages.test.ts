/** What a user reads who has mistyped something: each error names the thing, and says what to do that fits. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { booleanOptions, joinBooleans } from "../../src/cli/argv.ts";
import { parseDsn } from "../../src/cli/dsn.ts";
import { importFlags } from "../../src/cli/import-flags.ts";
import { configKeys, type KeySpec } from "../../src/config/mod.ts";
import { levin } from "../e2e/in-process.ts";

let dir: string;

before(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), "levin-messages-"));
  fs.writeFileSync(join(dir, "d.t.csv"), "id\n1\n");
});
after(() => fs.rmSync(dir, { recursive: true }));

async function refused(words: string[], code: number, message: RegExp): Promise<string> {
  const ran = await levin(words);
  assert.equal(ran.code, code, `${words.join(" ")}: ${ran.err}${ran.out}`);
  assert.match(ran.err, message);
  return ran.err;
}

test("boolean options stand alone, with = and with a blank; help shows it", async () => {
  const flags = new Set(["json"]);
  const join = (...words: string[]) => joinBooleans(words, booleanOptions, flags).join(" ");
  assert.equal(join("--check-requirements", "false", "DIR"), "--check-requirements=false DIR");
  assert.equal(
    join("DIR", "--no-schema", "--check-requirements", "off"),
    "DIR --no-schema=true --check-requirements=off",
  );
  assert.equal(join("--no-schema", "DIR", "--json", "FALSE", "x"), "--no-schema=true DIR --json=false x");
  assert.equal(join("--no-schema=false", "true", "--", "--no-schema"), "--no-schema=false true -- --no-schema");
  assert.equal(join("--json", "0"), "--json 0");
  // Every flag of a boolean key is one of them.
  const typeOf = (path: string): string => {
    const dot = path.lastIndexOf(".");
    return (configKeys as unknown as Record<string, Record<string, KeySpec>>)[path.slice(0, dot)]![path.slice(dot + 1)]!
      .type;
  };
  const wanted = importFlags.filter(({ path }) => typeOf(path) === "boolean").map(({ flag }) => flag);
  assert.deepEqual([...booleanOptions].sort(), [...wanted, "strict-config", "new-collations"].sort());
  const { out } = await levin(["help", "import"]);
  for (const flag of ["check-requirements", "no-schema", "strict-config"])
    assert.match(out, new RegExp(`--${flag}\\[=true\\|false\\]`));
  const shown = await levin(["import", dir, "--check-requirements", "false", "--ignore-unmatched", "--print-config"]);
  assert.match(shown.out, /^check-requirements = false {2}# flag$/m);
  assert.match(shown.out, /^ignore-unmatched = true {2}# flag$/m);
  await refused(
    ["import", dir, "--strict-config=maybe"],
    2,
    /Cannot use --strict-config=maybe: it must be true or false/,
  );
});

test("an option that is not there is named, with the nearest one", async () => {
  await refused(
    ["import", "--sanbox", "x", dir],
    2,
    /Cannot use --sanbox: there is no such option; did you mean --sandbox\?/,
  );
  await refused(["load", "run", "--state-dri=x"], 2, /Cannot use --state-dri: .* did you mean --state-dir\?/);
  await refused(["status", "--qwertyuiop"], 2, /Cannot use --qwertyuiop: there is no such option\n/);
  // A value is no option.
  await refused(["import", dir, "--tidb-host", "--none", "--tidb-port=x"], 2, /tidb\.port/);
  await refused(["import", "/nowhere"], 3, /Cannot read "\/nowhere": there is no such file or directory\n/);
});

test("numbers have bounds; a task file without sources; commands that name no load", async () => {
  await refused(
    ["import", dir, "--workers", "-3"],
    2,
    /Cannot use levin\.workers = -3 \(flag\): it must be from 0 to 4096/,
  );
  const file = join(dir, "none.yaml");
  fs.writeFileSync(file, "name: x\ntask-mode: full\n");
  await refused(["load", "run", "-c", file], 2, /code=20011:.*must specify at least one mysql-instances/);
  for (const command of ["status", "pause", "resume"])
    await refused(["load", command], 2, /Cannot find the load: say its STATE-DIR, or its task by -c/);
});

test("ports are from 1 to 65535 wherever they are said", async () => {
  for (const flag of ["--tidb-port=99999", "--tidb-status=65536", "--tidb-port=0"])
    await refused(["import", dir, flag], 2, /it must be from 1 to 65535[\s\S]*Levin:Config:ErrInvalid/);
  for (const pd of ["127.0.0.1:99999", "10.0.0.5", "a:1,b:0", "[::1]:70000"])
    await refused(["import", dir, `--pd-urls=${pd}`], 2, /Cannot use tidb\.pd-addr = ".*must be HOST:PORT/);
  await refused(["sandbox", "--dir", join(dir, "c"), "--tidb-port=70000"], 2, /--tidb-port 70000: a port is/);
  await refused(["sandbox", "--dir", join(dir, "c"), "--pd-port=x"], 2, /--pd-port x: a port is/);
  await refused(["load", "run", "--dir", dir, "--tidb-port=99999"], 2, /--tidb-port 99999: a port is/);
  await refused(["load", "run", "--dir", dir, "--pd-urls=x:99999"], 2, /"x:99999" must be HOST:PORT/);
  const file = join(dir, "task.toml");
  fs.writeFileSync(file, `name = "a"\nmode = "load"\nsource-id = "s"\n[to]\nport = 400000\n`);
  await refused(["load", "run", "-c", file], 2, /Cannot use to\.port .*from 1 to 65535/);
  for (const dsn of ["mysql://root@h:99999/", "root@tcp(h:99999)/"])
    assert.throws(() => parseDsn(dsn), { code: "Levin:Command:ErrUsage" });
});

test("no source, an object store, a missing file, a file for a directory", async () => {
  await refused(["check"], 2, /Cannot check: no source; say `levin check DIR`/);
  await refused(["import"], 2, /Cannot import: no source; say `levin import DIR`/);
  for (const command of ["import", "check"]) {
    const err = await refused(
      [command, "gcs://bucket/dump?secret-access-key=geheim"],
      2,
      /levin reads directories, files and s3:\/\/BUCKET\/PREFIX\n/,
    );
    assert.match(err, new RegExp(`Cannot ${command} "gcs://bucket/dump"`));
    assert.match(err, /Copy the dump to this machine/);
    assert.doesNotMatch(err, /geheim/);
  }
  const none = join(dir, "none");
  const missing = [
    ["import", dir, "-c", none],
    ["import", dir, "--ca", none],
    ["import", dir, "-f", `@${none}`],
    ["load", "run", "-c", none],
  ];
  for (const words of missing) {
    const err = await refused(words, 2, /Levin:Config:ErrUnreadable: Check the path/);
    assert.match(err, /no such file/);
  }
  const file = join(dir, "d.t.csv");
  for (const words of [["status"], ["reset"], ["load", "status"]]) {
    const err = await refused([...words, file], 2, /it is a file; the state of an import is a directory/);
    assert.doesNotMatch(err, /ENOTDIR/);
    await refused([...words, none], 2, /there is no such directory/);
  }
  await refused(["status", dir], 2, /it holds no import: none has begun there, or it was reset/);
  await refused(["load", "resume", dir], 2, /none has begun there/);
});

test("levin ctl says that there was nothing to remove", async () => {
  const path = join(dir, "checkpoint.pb");
  const config = join(dir, "ctl.toml");
  fs.writeFileSync(config, `[checkpoint]\ndriver = "file"\ndsn = "${path}"\n`);
  const remove = () => levin(["ctl", "-c", config, "--checkpoint-remove", "all"]);
  const nothing = await remove();
  assert.deepEqual([nothing.code, nothing.out], [0, `nothing to remove: there are no checkpoints in ${path}\n`]);
  fs.writeFileSync(path, "damaged");
  assert.equal((await remove()).out, `removed: ${path}\n`);
  assert.equal(fs.existsSync(path), false);
});
