import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { utf8 } from "../../src/base/mod.ts";
import {
  type LoadSourceOptions,
  loadSource,
  parseRoutes,
  parseTableFilter,
  type Source,
} from "../../src/source/mod.ts";
import { readTable } from "./dumps.ts";
import { MemoryStorage } from "./memory-storage.ts";

const files = {
  metadata: "",
  "shop-schema-create.sql": "CREATE DATABASE `shop`;",
  "shop.orders-schema.sql": "CREATE TABLE `orders` (\n  `id` int NOT NULL,\n  `v` varchar(9)\n);",
  "shop.orders.2.sql": "INSERT INTO `orders` VALUES (3,'c');",
  "shop.orders.1.sql": "INSERT INTO `orders` VALUES (1,'a'),(2,'b');",
  "shop.z_view-schema.sql": "CREATE TABLE `z_view` (`id` int);",
  "shop.z_view-schema-view.sql": "DROP VIEW IF EXISTS `z_view`; CREATE VIEW `z_view` AS SELECT * FROM `orders`;",
  "shop.a_view-schema-view.sql": "CREATE VIEW `a_view` AS SELECT * FROM `z_view` JOIN `orders`;",
};

const load = (given: Record<string, string | Uint8Array>, options: LoadSourceOptions = {}): Promise<Source> =>
  loadSource(new MemoryStorage(given), options);

/** Each table with its files. */
function tables(source: Source): Record<string, string[]> {
  return Object.fromEntries(
    source.tables.map(({ database, table, files: own }) => [`${database}.${table}`, own.map(({ file }) => file.path)]),
  );
}

test("files become databases, tables and views in the order that they need", async () => {
  const source = await load(files);
  assert.deepEqual(
    source.databases.map(({ name }) => name),
    ["shop"],
  );
  assert.deepEqual(tables(source), { "shop.orders": ["shop.orders.1.sql", "shop.orders.2.sql"] });
  assert.deepEqual(
    source.views.map(({ name }) => name),
    ["z_view", "a_view"],
  );
  assert.deepEqual(
    source.files.map(({ path, verdict, detail }) => `${path}: ${verdict}, ${detail}`),
    [
      "metadata: ignored, the export tool's notes",
      "shop-schema-create.sql: schema, database shop",
      "shop.a_view-schema-view.sql: schema, view shop.a_view",
      "shop.orders-schema.sql: schema, table shop.orders",
      "shop.orders.1.sql: data, rows of shop.orders",
      "shop.orders.2.sql: data, rows of shop.orders",
      "shop.z_view-schema-view.sql: schema, view shop.z_view",
      "shop.z_view-schema.sql: schema, table shop.z_view",
    ],
  );
});

test("filters and routes: left out, renamed, merged", async () => {
  const shards = {
    "s1.t-schema.sql": "CREATE TABLE `t` (\n  `id` int\n);",
    "s1.t.sql": "INSERT INTO t VALUES (1);",
    "s2.t-schema.sql": "CREATE TABLE `t` (\n  `id` int\n);",
    "s2.t.sql": "INSERT INTO t VALUES (2);",
    "s2.u.csv": "id\n1\n",
  };
  const rule = { tablePattern: "", targetTable: "", schemaPattern: "s*", targetSchema: "all" };
  const source = await load(shards, {
    routes: parseRoutes([{ ...rule, extractSchema: { targetColumn: "shard", regexp: "s(.)" } }]),
    filter: parseTableFilter(["*.*", "!*.u"]),
  });
  assert.deepEqual(tables(source), { "all.t": ["s1.t.sql", "s2.t.sql"] });
  assert.deepEqual(
    source.tables[0]!.files.map(({ extraColumns }) => extraColumns[0]!.value),
    ["1", "2"],
  );
  assert.deepEqual(
    source.databases.map(({ name }) => name),
    ["all"],
  );
  assert.equal(source.files.find(({ path }) => path === "s2.u.csv")?.verdict, "filtered");
});

test("a name that can be read in two ways is settled by the schema files, then by the INSERT", async () => {
  const source = await load({
    "d.t-schema.sql": "CREATE TABLE `t` (\n  `id` int\n);",
    "d.t.0001-schema.sql": "CREATE TABLE `t.0001` (\n  `id` int\n);",
    "d.t.0001.sql": "INSERT INTO `t.0001` VALUES (1);",
    "d.t.0002.sql": "INSERT INTO `t` VALUES (1);",
    "d.p%41-schema.sql": "CREATE TABLE `p%41` (\n  `id` int\n);",
    "d.p%41.csv": "id\n1\n",
    "d.q%41.csv": "id\n1\n",
  });
  assert.deepEqual(tables(source), {
    "d.p%41": ["d.p%41.csv"],
    "d.qA": ["d.q%41.csv"],
    "d.t": ["d.t.0002.sql"],
    "d.t.0001": ["d.t.0001.sql"],
  });
});

test("a SQL file that names its own tables is a source, compressed and in pieces too", async () => {
  const dump = `-- MySQL dump 10.13
-- Host: localhost    Database: shop
/*!40103 SET TIME_ZONE='+00:00' */;
DROP TABLE IF EXISTS \`a\`;
CREATE TABLE \`a\` (
  \`id\` int
);
INSERT INTO \`a\` VALUES (1),(2),(3);
INSERT INTO \`a\` VALUES (4);
DELIMITER ;;
CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET @x = 1;;
DELIMITER ;
USE \`other\`;
CREATE TABLE b (
  \`id\` int
);
INSERT INTO b VALUES (5);
INSERT INTO shop.a VALUES (6);
ALTER TABLE b ADD KEY (id);
-- Dump completed
`;
  for (const [name, bytes] of [
    ["dump.sql", utf8(dump)],
    ["dump.sql.gz", gzipSync(dump)],
  ] as const) {
    for (const chunkBytes of [5, 1000]) {
      const storage = new MemoryStorage({ [name]: bytes });
      const source = await loadSource(storage, { chunkBytes });
      const found = await Promise.all(
        source.tables.map(async (table) => [
          `${table.database}.${table.table}`,
          (await readTable(storage, table)).map(({ cells }) => cells[0]![1]).join(),
        ]),
      );
      assert.deepEqual(found, [
        ["other.b", "5"],
        ["shop.a", "1,2,3,4,6"],
      ]);
      assert.equal(source.tables[0]!.alters[0]!.text, "ALTER TABLE b ADD KEY (id)");
      assert.match(source.notices.join(), /1 triggers, procedures, functions or events left out/);
      assert.equal(source.tables[1]!.files[0]!.pieces![0]!.sql!.session.timeZone, "+00:00");
    }
  }
  await assert.rejects(load({ "x.sql": "INSERT INTO t VALUES (1);" }), /does not say which database "t" is in/);
  assert.deepEqual(tables(await load({ "x.sql": "INSERT INTO t VALUES (1);" }, { database: "d" })), {
    "d.t": ["x.sql"],
  });
  await assert.rejects(
    load({ "x.sql": "USE d; INSERT INTO t VALUES (1); DROP TABLE t;" }),
    /drops or empties the table "t" behind its rows \(byte 33\)/,
  );
  await assert.rejects(load({ "x.sql": "USE d; DELETE FROM t;" }), /the statement is no row data/);
});

test("sequences come with their values", async () => {
  const statements = "CREATE SEQUENCE `s` start with 1;\nSELECT SETVAL(`s`,1001);\n";
  for (const [name, text] of [
    ["d.s-schema-sequence.sql", statements],
    ["dump.sql", `USE d; ${statements}`],
  ] as const) {
    const source = await load({ [name]: text });
    assert.deepEqual(
      source.sequences.map(({ name: made, create }) => [made, create.text]),
      [
        ["s", "CREATE SEQUENCE `s` start with 1"],
        ["s", "SELECT SETVAL(`s`,1001)"],
      ],
    );
    assert.equal(source.tables.length, 0);
  }
});

test("one table from one file, whatever it is called", async () => {
  const storage = new MemoryStorage({ "export.txt": "id\n7\n" });
  const source = await loadSource(storage, { table: { database: "d", table: "t" } });
  assert.deepEqual(tables(source), { "d.t": ["export.txt"] });
});

test("unknown files stop the load unless that is allowed; no-schema leaves schema files out", async () => {
  await assert.rejects(load({ ...files, "notes.txt": "" }), /Cannot use "notes.txt": its name fits no rule/);
  const source = await load({ ...files, "notes.txt": "" }, { ignoreUnmatched: true, noSchema: true });
  assert.equal(source.tables[0]!.create, undefined);
  assert.equal(source.views.length, 0);
  assert.equal(source.files.find(({ path }) => path === "notes.txt")?.verdict, "unknown");
});

test("Lightning's way on demand: the file name decides", async () => {
  const odd = {
    "d.t-schema.sql": "CREATE TABLE `other` (\n  `id` int\n);",
    "d.t.sql": "INSERT INTO `third` VALUES (1);",
  };
  await assert.rejects(load(odd), /its statement makes "other", its name says "t"/);
  const storage = new MemoryStorage(odd);
  const source = await loadSource(storage, { compatLightning: true });
  assert.equal((await readTable(storage, source.tables[0]!)).length, 1);
});

test("dumps that were not written to their end are refused, unless that is allowed", async () => {
  const head = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n";
  const body = "CREATE DATABASE d; USE d; CREATE TABLE t (id INT);\nINSERT INTO t VALUES (1);\n";
  const end = "-- Dump completed on 2024-01-01  1:02:03\n";
  const load = (files: Record<string, string | Uint8Array>, options?: LoadSourceOptions) =>
    loadSource(new MemoryStorage(files), options);
  const tableOf = ({ tables }: Source) => tables.map(({ table }) => table);
  assert.deepEqual(tableOf(await load({ "d.sql": head + body + end })), ["t"]);
  assert.deepEqual(tableOf(await load({ "d.sql.gz": gzipSync(head + body + end) })), ["t"]);
  assert.deepEqual(tableOf(await load({ "d.sql": body })), ["t"], "--compact writes neither head nor end");
  const code = "Levin:Source:ErrUnfinished";
  await assert.rejects(load({ "d.sql": head + body }), { code, message: /"d\.sql": the dump lacks its last line/ });
  await assert.rejects(load({ "d.sql.gz": gzipSync(head + body) }), { code });
  assert.deepEqual(tableOf(await load({ "d.sql": head + body }, { allowUnfinished: true })), ["t"]);
  await assert.rejects(load({ ...files, "metadata.partial": "" }), { code, message: /did not end/ });
});

test("Lightning's checkpoint beside the dump, and what a killed run left of it, are no part of the dump", async () => {
  for (const name of ["tidb_lightning_checkpoint.pb", "tidb_lightning_checkpoint.pb.tmp"])
    assert.equal((await loadSource(new MemoryStorage({ ...files, [name]: "x" }))).tables.length > 0, true, name);
});

test("mydumper's table whose name ends with -schema", async () => {
  const storage = new MemoryStorage({
    "d.t-schema-schema.sql": "CREATE TABLE `t-schema` (\n  `id` int NOT NULL\n);",
    "d.t-schema.sql": "/*!40101 SET NAMES binary*/;\nINSERT INTO `t-schema` VALUES (1),(2);",
    "d.u-schema.sql": "CREATE TABLE `u` (\n  `id` int NOT NULL\n);",
  });
  const source = await loadSource(storage);
  assert.deepEqual(
    source.tables.map(({ table, files: own }) => [table, own.length]),
    [
      ["t-schema", 1],
      ["u", 0],
    ],
  );
  assert.equal((await readTable(storage, source.tables[0]!)).length, 2);
});

test("a damaged file whose name may mean two things is a problem like any other", async () => {
  const storage = new MemoryStorage({
    "d.t-schema-schema.sql": "CREATE TABLE `t-schema` (\n  `id` int NOT NULL\n);",
    "d.t-schema.sql": "INSERT INTO `t-schema` VALUES (1),('",
  });
  const problems: string[] = [];
  const source = await loadSource(storage, { onProblem: ({ message }) => problems.push(message) });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /"d\.t-schema\.sql"/);
  assert.equal(source.tables.length, 1);
});

test("what is wrong with files can be gathered", async () => {
  const problems: string[] = [];
  const storage = new MemoryStorage({
    "d.a-schema.sql": "INSERT INTO a VALUES (1);",
    "d.b-schema.sql": "",
    "d.c-schema.sql": "CREATE TABLE c (id INT)",
    "d.d-schema.sql": "CREATE TABLE other (id INT)",
  });
  const source = await loadSource(storage, { onProblem: ({ message }) => problems.push(message) });
  assert.equal(problems.length, 3, problems.join("\n"));
  assert.deepEqual(
    source.files.map(({ verdict }) => verdict),
    ["damaged", "damaged", "schema", "damaged"],
  );
});
