/** What a person may write wrong is told in words, never as a bug of levin's. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseDsn } from "../../src/cli/dsn.ts";
import { levin } from "../e2e/in-process.ts";

const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-wrong-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

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
