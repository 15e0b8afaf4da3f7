import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestOf } from "../../src/base/mod.ts";

const KEYS = ["tidb.port", "tidb.host", "tikv-importer.addr", "tikv-importer.backend", "mydumper.csv.header", "a.ca"];

test("a mistyped name is near where few of its letters are wrong, part by part", () => {
  const cases: [string, string | undefined][] = [
    ["tidb.prot", "tidb.port"],
    ["tibd.host", "tidb.host"],
    ["tikv-importer.adr", "tikv-importer.addr"],
    ["tikv-importer.bakcend", "tikv-importer.backend"],
    ["mydumper.csv.heder", "mydumper.csv.header"],
    ["tikv-importer.foo", undefined],
    ["tikv-importer.ad", undefined],
    ["tidb.addr", undefined],
    ["header", undefined],
    ["a.cert", undefined],
  ];
  for (const [given, wanted] of cases) assert.equal(nearestOf(given, KEYS), wanted, given);
  assert.equal(nearestOf("tidb-prot", ["tidb-port", "tidb-host"]), "tidb-port");
  assert.equal(nearestOf("compress", ["compact", "compat"]), undefined);
  assert.equal(nearestOf("sate-dir", ["state-dir", "table"]), "state-dir");
});
