import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { seededRandom } from "../../../src/base/mod.ts";
import { levin, Place } from "../../e2e/in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

for (const strategy of ["", "replace"]) {
  test(`chunks of a compressed file wait in memory by the few (strategy "${strategy}")`, {
    timeout: 60_000,
  }, async () => {
    const random = seededRandom(5);
    const text = (): string => Array.from({ length: 400 }, () => random.next().toString(36).slice(2)).join("");
    const rows = 80;
    const lines = Array.from({ length: rows }, (_, id) => `${id},${text()}\n`);
    const source = place.folder([
      ["q-schema-create.sql", "CREATE DATABASE q;\n"],
      ["q.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, v TEXT);\n"],
      ["q.t.csv.gz", gzipSync(lines.join(""))],
    ]);
    await place.sql.query("DROP DATABASE IF EXISTS q");
    const toml = `[conflict]\nstrategy = "${strategy}"\n[mydumper]\nmax-region-size = 16384\n[mydumper.csv]\nheader = false\n`;
    const words = ["import", source, "-c", place.file("levin.toml", toml), "--backend=tidb", "--workers=2", "--json"];
    const { code, out, err } = await levin([...words, ...place.target()]);
    assert.equal(code, 0, err);
    let waiting = 0;
    let most = 0;
    let chunks = 0;
    for (const line of out.trim().split("\n")) {
      const event = JSON.parse(line) as Record<string, unknown>;
      if (event["kind"] !== "chunk") continue;
      waiting += event["state"] === "pending" ? 1 : -1;
      chunks += event["state"] === "pending" ? 1 : 0;
      most = Math.max(most, waiting);
    }
    assert.ok(chunks > 15, `${chunks} chunks`);
    assert.ok(most <= 6, `${most} of ${chunks} at a time`);
    assert.equal(String((await place.rows("SELECT COUNT(*) FROM q.t"))[0]![0]), String(rows));
  });
}
