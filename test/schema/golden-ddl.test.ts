import assert from "node:assert/strict";
import { test } from "node:test";
import { Catalog, Flag, showCreateTable, stringifyLossless, type TableInfo } from "../../src/schema/mod.ts";
import { buildGolden, goldenTables, sessionOf } from "./golden.ts";

const cases = goldenTables();

/** Members that say nothing about the table: when and how often its schema changed. */
function comparable({ update_timestamp: _, revision: __, ...table }: TableInfo): unknown {
  return table;
}

test("DDL gives TiDB's TableInfo, ids included", () => {
  assert.equal(cases.length, 228);
  for (const golden of cases) {
    assert.deepEqual(comparable(buildGolden(golden)), comparable(golden.tableInfo), golden.case);
  }
});

test("SHOW CREATE TABLE is TiDB's text, and gives the same table again", () => {
  for (const golden of cases) {
    const session = sessionOf(golden);
    const text = showCreateTable(golden.tableInfo, session);
    // The next value of AUTO_INCREMENT and AUTO_RANDOM is the allocator's, which a TableInfo does not hold.
    assert.equal(withoutNextId(text), withoutNextId(golden.showCreate), golden.case);
    let id = 1;
    const catalog = new Catalog(() => id++);
    catalog.execute("create database g", session);
    const again = catalog.execute(text, session).changes[0]!.after!;
    // Around an operation TiDB writes parentheses, and again around those that it reads.
    const shown = showCreateTable(again, session);
    if (!again.partition?.expr.startsWith("((")) assert.equal(shown, text, golden.case);
    assert.equal(again.is_common_handle, golden.tableInfo.is_common_handle, golden.case);
    // TiDB does not mark the column of an index that it makes for a foreign key; written as KEY it is marked.
    const types = (table: TableInfo) =>
      table.cols.map(({ name, type }) => [name.L, { ...type, Flag: type.Flag & ~Flag.multipleKey }]).sort();
    assert.deepEqual(types(again), types(golden.tableInfo), golden.case);
  }
});

function withoutNextId(text: string): string {
  return text.replace(/ AUTO_INCREMENT=\d+/, "").replace(/ \/\*T!\[auto_rand_base\] AUTO_RANDOM_BASE=\d+ \*\//, "");
}

test("a catalog survives JSON", () => {
  const golden = cases.find(({ case: name }) => name === "random-part-14")!;
  const table = buildGolden(golden);
  const catalog = new Catalog(() => 1);
  catalog.execute("create database g", sessionOf(golden));
  catalog.putTable("g", { ...table, update_timestamp: 455000000000000001n });
  const copy = Catalog.fromJson(catalog.toJson(), () => 1);
  assert.equal(copy.toJson(), catalog.toJson());
  assert.deepEqual(copy.table("G", "RP"), catalog.table("g", "rp"));
  assert.match(stringifyLossless(copy.table("g", "rp")), /"update_timestamp":455000000000000001\b/);
});
