import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blackWhiteFilter,
  compileFileRule,
  defaultFilterRules,
  type FileRule,
  ignoredColumns,
  parseRoutes,
  parseTableFilter,
  retarget,
} from "../../src/source/mod.ts";
import { decodeMysqlFileName } from "../../src/source/mysql-file-name.ts";

const filter = (...rules: string[]) => parseTableFilter(rules);

test("table filter: the last rule that matches decides", () => {
  const cases: [rules: string[], name: string, wanted: boolean][] = [
    [[...defaultFilterRules], "shop.orders", true],
    [[...defaultFilterRules], "mysql.user", false],
    [[...defaultFilterRules], "Information_Schema.tables", false],
    [["*.*", "!shop.*", "shop.o*"], "shop.orders", true],
    [["*.*", "!shop.*", "shop.o*"], "shop.items", false],
    [["!shop.*"], "other.t", false],
    [["db?.t[0-9]"], "db1.t5", true],
    [["db?.t[!0-9]"], "db1.t5", false],
    [["/^db\\d+$/./^t_.*$/"], "db12.t_x", true],
    [["/^db\\d+$/./^t_.*$/"], "db.t_x", false],
    [["`a.b`.`c``d`"], "a.b.c`d", true],
    [['"a.b"."c*"'], "a.b.c*", true],
    [['"a.b"."c*"'], "a.b.cx", false],
    [["a\\.b.c"], "a.b.c", true],
    [["中文.表*"], "中文.表1", true],
    [["BK.T"], "bk.t", true],
    [["# comment", "", "  x.y  "], "x.y", true],
  ];
  for (const [rules, name, wanted] of cases) {
    const dot = name.lastIndexOf(".", name.includes("a.b.") ? undefined : name.length);
    const at = name.startsWith("a.b.") ? 3 : dot;
    const found = filter(...rules).matches(name.slice(0, at), name.slice(at + 1));
    assert.equal(found, wanted, `${rules.join(" ")} on ${name}`);
  }
  assert.equal(parseTableFilter(["BK.T"], { caseSensitive: true }).matches("bk", "t"), false);
  const file = parseTableFilter(["@rules.txt"], { readFile: () => "*.*\n!a.*\n" });
  assert.deepEqual([file.matches("a", "t"), file.matches("b", "t")], [false, true]);
});

test("table filter: mistakes are named", () => {
  for (const rule of ["nodot", "a.b.c", "a.`b", "/a.b", "a b.c", "@x", "a.[b"]) {
    assert.throws(() => filter(rule), /Cannot use mydumper\.filter: /, rule);
  }
});

test("black-white-list of old configurations", () => {
  const list = { doDbs: [], ignoreDbs: [], doTables: [], ignoreTables: [] };
  const first = blackWhiteFilter({ ...list, doDbs: ["a*", "~^b\\d$"], ignoreTables: [{ database: "a1", table: "t" }] });
  assert.deepEqual(
    [first.matches("a1", "t"), first.matches("a1", "u"), first.matches("b1", "t"), first.matches("c", "t")],
    [false, true, true, false],
  );
  const second = blackWhiteFilter({ ...list, ignoreDbs: ["x"], doTables: [{ database: "~.*", table: "t" }] });
  assert.deepEqual(
    [second.matches("x", "t"), second.matches("y", "t"), second.matches("y", "u")],
    [false, true, false],
  );
});

test("routes: table rules before schema rules, columns filled from names", () => {
  const rule = { schemaPattern: "", tablePattern: "", targetSchema: "", targetTable: "" };
  const routes = parseRoutes(
    [
      { ...rule, schemaPattern: "shard_*", targetSchema: "all" },
      {
        ...rule,
        schemaPattern: "shard_*",
        tablePattern: "~^orders_\\d+$",
        targetSchema: "all",
        targetTable: "orders",
        extractTable: { targetColumn: "part", regexp: "orders_(\\d+)" },
        extractSchema: { targetColumn: "shard", regexp: "shard_(.)(.*)" },
        extractSource: { targetColumn: "source", regexp: "(.*)" },
      },
    ],
    { sourceId: "dc1" },
  );
  assert.deepEqual(routes.route("SHARD_a12", "orders_7"), {
    database: "all",
    table: "orders",
    extraColumns: [
      { name: "part", value: "7" },
      { name: "shard", value: "" },
      { name: "source", value: "dc1" },
    ],
  });
  assert.deepEqual(routes.route("shard_a12", "orders_7").extraColumns[1], { name: "shard", value: "a12" });
  assert.deepEqual(routes.route("shard_1", "items"), { database: "all", table: "items", extraColumns: [] });
  assert.deepEqual(routes.route("other", "orders_7"), { database: "other", table: "orders_7", extraColumns: [] });
  const twice = { ...rule, schemaPattern: "a", tablePattern: "*", targetSchema: "b", targetTable: "t" };
  assert.throws(
    () => parseRoutes([twice, { ...twice, tablePattern: "x*" }]).route("a", "xy"),
    /more than one table route/,
  );
});

test("ignored columns: by names or by filter, the first rule counts", () => {
  const rules = [
    { database: "a", table: "T", tableFilter: [], columns: ["X", "y"] },
    { database: "", table: "", tableFilter: ["a.*"], columns: ["z"] },
  ];
  assert.deepEqual(ignoredColumns(rules, "A", "t"), ["x", "y"]);
  assert.deepEqual(ignoredColumns(rules, "a", "u"), ["z"]);
  assert.deepEqual(ignoredColumns(rules, "b", "u"), []);
});

const fileRule: FileRule = { pattern: "", path: "", schema: "", table: "", type: "", key: "", compression: "" };

test("file rules: patterns with groups, paths, compression by name or template", () => {
  const rule = compileFileRule({
    ...fileRule,
    pattern: "(?i)^(?P<db>[a-z]+)/([^/]+)\\.part(\\d+)\\.(csv)(?:\\.(gz|zst))?$",
    schema: "$db",
    table: "$2$$",
    type: "$4",
    key: "$3",
  });
  assert.deepEqual(rule("Shop/orders.part007.csv.gz"), {
    type: "csv",
    database: "Shop",
    table: "orders$",
    sortKey: "007",
    compression: "gzip",
  });
  assert.equal(rule("shop/orders.csv"), undefined);
  const path = compileFileRule({
    ...fileRule,
    path: "x.dat",
    schema: "a",
    table: "b",
    type: "sql",
    compression: "zstd",
  });
  assert.deepEqual(path("x.dat"), { type: "sql", database: "a", table: "b", sortKey: "", compression: "zstd" });
  assert.equal(path("y/x.dat"), undefined);
});

test("file rules: mistakes are named", () => {
  const good = { ...fileRule, pattern: "^(a)$", schema: "s", table: "t", type: "csv" };
  const bad: [Partial<FileRule>, RegExp][] = [
    [{ path: "x" }, /either pattern or path/],
    [{ type: "" }, /no type/],
    [{ schema: "" }, /no schema/],
    [{ table: "" }, /no table/],
    [{ table: "$2" }, /"\$2" is no group/],
    [{ table: "$name" }, /"\$name" is no group/],
    [{ pattern: "(" }, /no regular expression/],
  ];
  for (const [change, message] of bad) assert.throws(() => compileFileRule({ ...good, ...change }), message);
  assert.throws(() => compileFileRule({ ...good, type: "parquet" })("a"), /no type that levin reads/);
});

test("statements get their target's name", () => {
  const to = { database: "d`b", name: "t" };
  const cases: [string, string][] = [
    ["CREATE TABLE `old`(\n`id` int)", "CREATE TABLE IF NOT EXISTS `d``b`.`t`(\n`id` int)"],
    ["create table if not exists x.`old` (id int)", "create table IF NOT EXISTS `d``b`.`t` (id int)"],
    [
      "CREATE DATABASE `x` /*!40100 DEFAULT CHARACTER SET utf8mb4 */",
      "CREATE DATABASE IF NOT EXISTS `d``b` /*!40100 DEFAULT CHARACTER SET utf8mb4 */",
    ],
    [
      "CREATE ALGORITHM=UNDEFINED VIEW `v` AS SELECT 1",
      "CREATE OR REPLACE ALGORITHM=UNDEFINED VIEW `d``b`.`t` AS SELECT 1",
    ],
    ["ALTER TABLE `old` ADD KEY (id)", "ALTER TABLE `d``b`.`t` ADD KEY (id)"],
    ["CREATE UNIQUE INDEX i ON x.old (id)", "CREATE UNIQUE INDEX i ON `d``b`.`t` (id)"],
    ["CREATE SEQUENCE `s` start with 5", "CREATE SEQUENCE IF NOT EXISTS `d``b`.`t` start with 5"],
    ["SELECT SETVAL(`s`,7)", "SELECT SETVAL(`s`,7)"],
    ["CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW `d``b`.`t` AS SELECT 1"],
  ];
  for (const [text, wanted] of cases) assert.equal(retarget({ text, sqlMode: undefined }, to), wanted);
  assert.equal(
    retarget({ text: 'CREATE TABLE "old" ("id" int)', sqlMode: "ANSI_QUOTES" }, to),
    'CREATE TABLE IF NOT EXISTS `d``b`.`t` ("id" int)',
  );
});

test("MySQL's encoding of names in file names is decoded", () => {
  // As MariaDB's CONVERT(… USING filename) writes them.
  const names = { "@1on@0v@8868": "ünï表", "my@0020table": "my table", "dot@002ename": "dot.name", "@0g@00e9": "àé" };
  for (const [written, name] of Object.entries(names)) assert.equal(decodeMysqlFileName(written), name);
  for (const plain of ["t", "a@b", "x@", "@zzzz"]) assert.equal(decodeMysqlFileName(plain), plain);
});
