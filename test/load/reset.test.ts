/** `levin load reset` forgets a task; rows that are in the target stay there, and do not come twice unseen. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { levin, Place, type Ran } from "../e2e/in-process.ts";
import { METADATA, temporaryDir } from "./support.ts";

let place: Place;
const dir = temporaryDir();

before(async () => {
  place = await Place.open();
});
after(async () => {
  await place.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A dump of one table without a key. */
function dumpOf(name: string, lines: readonly string[]): string {
  const path = join(dir, name);
  fs.mkdirSync(path, { recursive: true });
  fs.writeFileSync(join(path, "l-schema-create.sql"), "CREATE DATABASE `l`;\n");
  fs.writeFileSync(join(path, `l.${name}-schema.sql`), `CREATE TABLE \`${name}\` (\`id\` int, \`v\` varchar(20));\n`);
  fs.writeFileSync(join(path, `l.${name}.0.sql`), `INSERT INTO \`${name}\` VALUES\n${lines.join(",\n")};\n`);
  fs.writeFileSync(join(path, "metadata"), METADATA);
  return path;
}

function load(command: string, name: string, ...flags: string[]): Promise<Ran> {
  const { host, port } = place.sandbox.front;
  const task = ["--dir", join(dir, name), "--task", name, "--import-mode", "logical", "--pool-size", "1"];
  const target = ["--tidb-host", host, "--tidb-port", String(port)];
  const state = flags.includes("--state-dir") ? [] : ["--state-dir", join(dir, `${name}-state`)];
  return levin(["load", command, ...task, ...target, ...state, ...flags]);
}

const count = async (table: string): Promise<number> =>
  Number(String((await place.rows(`SELECT COUNT(*) FROM l.${table}`))[0]![0]));

test("after a load that did not end, the next one is refused until the table is empty", async () => {
  const lines = Array.from({ length: 9_000 }, (_, id) => `(${id},'some of the text')`);
  dumpOf("torn", [...lines, "(1,2,3)"]);
  assert.equal((await load("run", "torn", "--no-auto-resume")).code, 4);
  const before = await count("torn");
  assert.ok(before > 0);
  const reset = await load("reset", "torn", "--yes");
  assert.match(reset.out, /rows that were brought in stay in the target's tables/);
  for (let run = 0; run < 2; run++) {
    const { code, err } = await load("run", "torn", "--no-auto-resume");
    assert.equal(code, 3, err);
    assert.match(err, /its state is gone, so empty the tables/);
    assert.equal(await count("torn"), before);
  }
  await place.sql.query("DELETE FROM l.torn");
  dumpOf("torn", [...lines, "(1,'x')"]);
  assert.equal((await load("reset", "torn", "--yes")).code, 0);
  const again = await load("run", "torn", "--no-auto-resume");
  assert.equal(again.code, 0, again.err);
  assert.equal(await count("torn"), 9_001);
});

test("of two processes with one task the second is told of the first", async () => {
  dumpOf(
    "both",
    Array.from({ length: 20_000 }, (_, id) => `(${id},'some of the text')`),
  );
  const dirs = ["one", "two"].map((name) => join(dir, `both-${name}`));
  const ran = await Promise.all(dirs.map((state) => load("run", "both", "--no-auto-resume", "--state-dir", state)));
  const lost = ran.findIndex(({ code }) => code !== 0);
  assert.equal(ran[1 - lost]?.code, 0, ran.map(({ err }) => err).join("\n"));
  assert.equal(ran[lost]!.code, 2, ran[lost]!.err);
  assert.match(ran[lost]!.err, /the load of task both, source source-1 with state in .* is under way/);
  assert.ok(ran[lost]!.err.includes(dirs[1 - lost]!), ran[lost]!.err);
  assert.equal(await count("both"), 20_000);
});

test("a load that had ended comes again with a warning, and is not called ok", async () => {
  dumpOf("done", ["(1,'a')"]);
  assert.equal((await load("run", "done")).code, 0);
  assert.match((await load("reset", "done")).out, /rows .* stay .*\nnothing was removed: say --yes/);
  assert.match((await load("reset", "done", "--yes")).out, /stay in the target's tables: empty these/);
  const { code, err } = await load("run", "done");
  assert.equal(code, 0, err);
  assert.match(err, /l\.done has rows and no primary or unique key/);
  assert.match(err, /l\.done: 1 rows, .*not verified: it had rows before/);
});

test("where there is nothing of a task, nothing is to be confirmed", async () => {
  for (const words of [["reset"], ["reset", "--yes"]]) {
    const { code, out } = await load(words[0]!, "nosuch", ...words.slice(1));
    assert.equal(code, 0);
    assert.equal(out, "there is nothing of nosuch, source-1 to remove\n");
  }
});

test("a target that is not there is not called TiDB, which it need not be", async () => {
  dumpOf("lost", ["(1,'a')"]);
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  const flags = ["--tidb-host", "127.0.0.1", "--tidb-port", String(port), "--state-dir", join(dir, "lost-state")];
  const loaded = await levin(["load", "run", "--dir", join(dir, "lost"), "--import-mode", "logical", ...flags]);
  const imported = await levin(["import", join(dir, "lost"), "--backend=tidb", ...flags]);
  for (const { code, err } of [loaded, imported]) {
    assert.equal(code, 1, err);
    assert.match(err, /Cannot reach the target at 127\.0\.0\.1:/);
    assert.doesNotMatch(err, /tidb-status/);
    assert.doesNotMatch(err, /Cannot reach TiDB/);
  }
});
