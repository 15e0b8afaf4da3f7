/** Configuration files of tidb-lightning 5.0, 6.5 and 8.5 with every key set run unchanged. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { keysByPath, loadConfig } from "../../src/config/mod.ts";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

const pathOf = (version: string) => new URL(`../data/config/tidb-lightning-${version}.toml`, import.meta.url).pathname;

for (const version of ["5.0", "6.5", "8.5"]) {
  test(`tidb-lightning-${version}.toml`, async () => {
    const merged = "CREATE TABLE merged (id INT, from_table TEXT, from_schema TEXT, from_source TEXT)";
    await place.sql.query("DROP DATABASE IF EXISTS c");
    await place.sql.query("CREATE DATABASE c");
    await place.sql.query(`USE c`);
    await place.sql.query(merged);
    const source = place.folder([
      ["c.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(4))"],
      ["c.t.csv", 'id,left_out,v\n1,x,"too long"\n'],
      ["shard_1.t_7.csv", "id\n5\n"],
      ["c.u-schema.sql", "CREATE TABLE u (id INT)"],
      ["c.u.tsv", "id\n8\n"],
    ]);
    const { code, err } = await levin(["import", source, "-c", pathOf(version), "--strict-config", ...place.target()]);
    assert.equal(code, 0, err);
    assert.match(err, /note: lightning\.table-concurrency \(.*\) has no effect: /);
    const texts = async (query: string) =>
      (await place.rows(query)).map((row) => row.map((f) => f?.toString() ?? null));
    // Lightning's sql-mode is in the file: not strict.
    assert.deepEqual(await texts("SELECT * FROM c.t"), [["1", "too "]]);
    assert.deepEqual(await texts("SELECT * FROM c.u"), [["8"]]);
    const extracted = version === "5.0" ? [null, null, null] : ["7", "1", "01"];
    assert.deepEqual(await texts("SELECT * FROM c.merged"), [["5", ...extracted]]);
  });
}

test("the three files together set every key that is Lightning's", () => {
  const set = new Set<string>();
  for (const version of ["5.0", "6.5", "8.5"]) {
    const config = loadConfig({ file: { path: version, text: readFileSync(pathOf(version), "utf8") }, strict: true });
    for (const path of keysByPath.keys()) if (config.isSet(path)) set.add(path);
  }
  const own =
    /^levin\.|^mydumper\.(tables|allow-short-rows)$|^mydumper\.csv\.(lines|skip|blank|quoted|unescaped|binary)/;
  const pem = /security\.(.*-bytes|cert-allowed-cn|redact-info-log)$/;
  assert.deepEqual(
    [...keysByPath.keys()].filter((path) => !set.has(path) && !own.test(path) && !pem.test(path)),
    [],
  );
});

test("the JSON schema has every key and knows no other; unknown keys are notes or errors", async () => {
  const { out, code } = await levin(["config-schema"]);
  assert.equal(code, 0);
  interface Schema {
    properties: Record<string, Schema>;
    additionalProperties?: boolean;
    description?: string;
  }
  const schema = JSON.parse(out) as Schema;
  const found: string[] = [];
  const walk = (at: Schema, prefix: string): void => {
    for (const [name, one] of Object.entries(at.properties)) {
      if (one.properties === undefined) {
        assert.ok(one.description, name);
        found.push(`${prefix}${name}`);
      } else {
        assert.equal(one.additionalProperties, false);
        walk(one, `${prefix}${name}.`);
      }
    }
  };
  walk(schema, "");
  assert.deepEqual(found.sort(), [...keysByPath.keys()].sort());

  const slip = place.file("slip.toml", '[tikv-importer]\nsorted-kv-dirr = "x"\n[tidb]\npassword = "hidden"\n');
  const source = place.folder([["c.t.csv", "id\n"]]);
  const strict = await levin(["import", source, "-c", slip, "--strict-config"]);
  assert.equal(strict.code, 2);
  assert.match(strict.err, /tikv-importer\.sorted-kv-dirr .*did you mean tikv-importer\.sorted-kv-dir\?/);
  const printed = await levin(["import", "-c", slip, "--print-config"], { environment: { LEVIN_TIDB_USER: "ann" } });
  assert.match(printed.out, /user = "ann" {2}# environment/);
  assert.match(printed.out, /password = "\*+" {2}# .*slip\.toml/);
  assert.ok(!printed.out.includes("hidden"));
});
