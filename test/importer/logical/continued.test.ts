/** What a run by statements tells that goes on inside a chunk, or whose report cannot be written. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemFiles } from "../../../src/base/mod.ts";
import { levin, Place } from "../../e2e/in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});
after(() => place.close());

const CSV = "[mydumper.csv]\nheader = false\n";

test("changed values of a chunk that is continued are told as the least there are", async () => {
  const source = place.folder([
    ["k.t.csv", Array.from({ length: 100 }, (_, id) => `${id},${id % 10 === 0 ? 999 : 1}\n`).join("")],
  ]);
  await place.sql.query("CREATE DATABASE k");
  await place.sql.query("CREATE TABLE k.t (id INT PRIMARY KEY, n TINYINT)");
  await place.sql.query("INSERT INTO k.t VALUES (55, 1)");
  const toml = `[tidb]\nsql-mode = ""\n[tikv-importer]\nlogical-import-batch-rows = 20\n${CSV}`;
  const target = place.target();
  const words = ["import", source, "-c", place.file("levin.toml", toml), "--backend=tidb", "--workers=1", ...target];
  const failed = await levin(words);
  assert.match(failed.err, /Levin:Encode:ErrDuplicateKey/);
  await place.sql.query("DELETE FROM k.t WHERE id = 55");
  const { code, err } = await levin(words);
  assert.equal(code, 0, err);
  assert.equal(String((await place.rows("SELECT COUNT(*) FROM k.t"))[0]![0]), "100");
  const told = /(at least )?(\d+) values of k\.t were changed by the target/.exec(err);
  assert.ok(told !== null && Number(told[2]) < 10, err);
  assert.equal(told[1], "at least ");
});

test("a report that cannot be written does not hide the row that ended the import", async () => {
  const source = place.folder([["j.t.csv", "1,1\n2,2\n"]]);
  await place.sql.query("CREATE DATABASE j");
  await place.sql.query("CREATE TABLE j.t (id INT PRIMARY KEY, n INT)");
  await place.sql.query("INSERT INTO j.t VALUES (2, 7)");
  const toml = place.file("levin.toml", `[conflict]\nstrategy = "error"\n${CSV}`);
  const { replace } = systemFiles;
  let refused = 0;
  systemFiles.replace = (path, bytes) => {
    if (!/\/\d+-\d+\.json$/.test(path)) return replace.call(systemFiles, path, bytes);
    refused++;
    return Promise.reject(new Error("no space left on device"));
  };
  try {
    const { code, err } = await levin(["import", source, "-c", toml, "--backend=tidb", ...place.target()]);
    assert.equal(refused, 1);
    assert.equal(code, 4, err);
    assert.match(err, /Levin:Encode:ErrDuplicateKey/);
    assert.match(err, /were not reported: .*no space left on device/);
  } finally {
    systemFiles.replace = replace;
  }
});
