/** `[checkpoint]`: Lightning's own file and tables beside imports, what another program left there, and `levin ctl`. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemFiles } from "../../src/base/mod.ts";
import { emptyCheckpoints, fileHome, newChunk, newEngine, newTable } from "../../src/checkpoint/mod.ts";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

function dump(database: string): string {
  return place.folder([
    [`${database}-schema-create.sql`, `CREATE DATABASE ${database};`],
    ...["one", "two"].flatMap((table): [string, string][] => [
      [`${database}.${table}-schema.sql`, `CREATE TABLE ${table} (a INT PRIMARY KEY, b VARCHAR(10));`],
      [`${database}.${table}.sql`, `INSERT INTO ${table} VALUES (1,'x'),(2,'y');`],
    ]),
  ]);
}

const withFile = (path: string, keep: string): string =>
  `[checkpoint]\nenable = true\ndriver = "file"\ndsn = ${JSON.stringify(path)}\nkeep-after-success = ${JSON.stringify(keep)}\n`;

describe("driver file", () => {
  test("origin keeps it, rename puts it aside, remove takes it away", async () => {
    const path = place.path("cp.pb");
    const kept = await place.import(dump("f1"), withFile(path, "origin"));
    assert.equal(kept.code, 0, kept.err);
    const model = (await fileHome(systemFiles, path).load())!;
    assert.match(model.taskCheckpoint!.lightningVer, /^levin /);
    assert.deepEqual(Object.keys(model.checkpoints).sort(), ["`f1`.`one`", "`f1`.`two`"]);
    const one = model.checkpoints["`f1`.`one`"]!;
    assert.deepEqual([one.status, one.kvKvs, one.engines[0]!.status, one.engines[-1]!.status], [200, 2n, 120, 120]);
    const [chunk] = Object.values(one.engines[0]!.chunks);
    assert.deepEqual([chunk!.path, chunk!.pos, chunk!.kvcKvs, chunk!.type], ["f1.one.sql", chunk!.endOffset, 2n, 3]);

    assert.equal((await place.import(dump("f2"), withFile(place.path("cp.pb"), "remove"))).code, 0);
    const aside = place.path("cp.pb");
    assert.equal((await place.import(dump("f3"), withFile(aside, "rename"))).code, 0);
    const there = fs.readdirSync(place.dir).filter((name) => name.startsWith("cp.pb"));
    assert.equal(there.length, 2, there.join());
    assert.ok(there.some((name) => /^cp\.pb-\d+\.\d+\.bak$/.test(name)));
  });

  test("tables that tidb-lightning finished are left out; one that it began is refused", async () => {
    const path = place.path("cp.pb");
    const model = emptyCheckpoints();
    Object.assign(model.taskCheckpoint!, { taskId: 1n, lightningVer: "v8.5.0", backend: "local" });
    model.checkpoints["`f4`.`one`"] = newTable({ status: 210 });
    const chunk = newChunk({ path: "f4.two.sql", endOffset: 40n, pos: 20n });
    model.checkpoints["`f4`.`two`"] = newTable({
      status: 30,
      engines: { 0: newEngine({ status: 30, chunks: { "f4.two.sql:0": chunk } }) },
    });
    const home = fileHome(systemFiles, path);
    await home.save(model);
    const source = dump("f4");
    const refused = await place.import(source, withFile(path, "origin"));
    assert.equal(refused.code, 3, refused.err);
    assert.match(refused.err, /`f4`\.`two`.*is under way there \(status 30\)/);

    model.checkpoints["`f4`.`two`"]!.status = 6;
    await home.save(model);
    assert.match((await place.import(source, withFile(path, "origin"))).err, /failed there \(status 6\)/);

    delete model.checkpoints["`f4`.`two`"];
    await home.save(model);
    const ran = await place.import(source, withFile(path, "origin"));
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.err, /f4\.one is left out/);
    assert.deepEqual((await place.rows("SELECT COUNT(*) FROM f4.two")).map(String), ["2"]);
    assert.deepEqual((await place.rows("SELECT COUNT(*) FROM f4.one")).map(String), ["0"]);
    const after = (await home.load())!;
    assert.deepEqual([after.checkpoints["`f4`.`one`"]!.status, after.checkpoints["`f4`.`two`"]!.status], [210, 200]);
  });
});

describe("driver mysql", () => {
  test("Lightning's tables in a schema of their own", async () => {
    const toml = `[checkpoint]\ndriver = "mysql"\nschema = "cp_of_levin"\nkeep-after-success = "origin"\n`;
    const ran = await place.import(dump("m1"), toml);
    assert.equal(ran.code, 0, ran.err);
    assert.doesNotMatch(ran.err, /are behind/);
    const tables = await place.rows("SELECT table_name, status, kv_kvs FROM cp_of_levin.table_v10 ORDER BY table_name");
    assert.deepEqual(tables.map(String), ["`m1`.`one`,200,2", "`m1`.`two`,200,2"]);
    const engines = await place.rows(
      "SELECT table_name, engine_id, status FROM cp_of_levin.engine_v5 WHERE table_name = '`m1`.`one`' ORDER BY engine_id",
    );
    assert.deepEqual(engines.map(String), ["`m1`.`one`,-1,120", "`m1`.`one`,0,120"]);
    const chunks = await place.rows(
      "SELECT path, offset, pos - end_offset, kvc_kvs FROM cp_of_levin.chunk_v6 WHERE table_name = '`m1`.`two`'",
    );
    assert.deepEqual(chunks.map(String), ["m1.two.sql,0,0,2"]);
    const [task] = await place.rows("SELECT id, backend, lightning_ver FROM cp_of_levin.task_v2");
    assert.match(String(task), /^1,local,levin /);

    const config = place.file("c.toml", toml);
    const dir = place.path("csv");
    assert.equal((await levin(["ctl", "-c", config, ...place.target(), "--checkpoint-dump", dir])).code, 0);
    assert.match(fs.readFileSync(join(dir, "tables.csv"), "utf8"), /`m1`\.`one`,200/);
    const removed = await levin(["ctl", "-c", config, ...place.target(), "--checkpoint-remove=all"]);
    assert.equal(removed.code, 0, removed.err);
    assert.ok(!(await place.rows("SHOW DATABASES")).map(String).includes("cp_of_levin"));
  });
});

describe("levin ctl", () => {
  test("modes of the stores", async () => {
    const ctl = (...words: string[]) => levin(["ctl", ...place.target(), ...words]);
    assert.match((await ctl("--fetch-mode")).out, /^127\.0\.0\.1:\d+ +\| Normal mode\n$/);
    assert.equal((await ctl("--switch-mode", "import")).code, 0);
    assert.match((await ctl("--fetch-mode")).out, /\| Import mode\n$/);
    assert.equal((await ctl("--switch-mode=normal")).code, 0);
    assert.match((await ctl("--fetch-mode")).out, /\| Normal mode\n$/);
    assert.match((await ctl("--compact")).out, /\| compacted\n$/);
    const wrong = await ctl("--switch-mode", "fast");
    assert.deepEqual([wrong.code, /must be import or normal/.test(wrong.err)], [2, true]);
    assert.equal((await ctl()).code, 2);
  });

  test("a failed table is dropped and forgotten, another is refused by its unknown name", async () => {
    await place.sql.query("CREATE DATABASE c1");
    await place.sql.query("CREATE TABLE c1.broken (a INT)");
    const path = place.path("cp.pb");
    const home = fileHome(systemFiles, path);
    const model = emptyCheckpoints();
    model.checkpoints["`c1`.`broken`"] = newTable({ status: 6 });
    model.checkpoints["`c1`.`fine`"] = newTable({ status: 90 });
    await home.save(model);
    const config = place.file("c.toml", withFile(path, "origin"));
    const ctl = (...words: string[]) => levin(["ctl", "-c", config, ...place.target(), ...words]);
    const unknown = await ctl("--checkpoint-error-destroy=c1.nope");
    assert.deepEqual([unknown.code, /there is no checkpoint of c1\.nope/.test(unknown.err)], [2, true]);
    const done = await ctl("--checkpoint-error-destroy=`c1`.`broken`");
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /dropped and forgotten: `c1`\.`broken`/);
    assert.deepEqual((await place.rows("SHOW TABLES FROM c1")).map(String), []);
    assert.deepEqual(Object.keys((await home.load())!.checkpoints), ["`c1`.`fine`"]);
    assert.match((await ctl("--checkpoint-error-ignore=all")).out, /no table had failed/);
    assert.equal((await ctl("--checkpoint-remove=c1.fine")).code, 0);
    assert.deepEqual(Object.keys((await home.load())!.checkpoints), []);
    assert.equal((await ctl("--checkpoint-remove=all")).code, 0);
    assert.equal(await home.load(), undefined);
  });
});
