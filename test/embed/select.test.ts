import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { splitStatements } from "../../src/embed/tidb/query/clauses.ts";
import { type Relation, runSelect } from "../../src/embed/tidb/query/select.ts";
import { parseSelect, parseUnion } from "../../src/embed/tidb/query/select-parser.ts";
import type { ResultValue } from "../../src/embed/tidb/wire/mod.ts";
import { parseSqlMode } from "../../src/schema/mod.ts";

const MODE = parseSqlMode("");

const relation: Relation = {
  columns: [
    { name: "id", numeric: true, caseless: false, result: { name: "id", type: 8 } },
    { name: "Name", numeric: false, caseless: true, result: { name: "Name", type: 253 } },
    { name: "_tidb_rowid", numeric: true, caseless: false, result: { name: "_tidb_rowid", type: 8 } },
  ],
  visible: 2,
  sortedBy: ["id"],
  rows: () => [
    ["-9223372036854775808", "Ann", "1"],
    ["2", null, "2"],
    ["10", "bob", "3"],
    ["9223372036854775807", "ANN", "4"],
  ],
};

async function run(sql: string): Promise<ResultValue[][]> {
  const result = await runSelect(parseSelect(splitStatements(sql, MODE)[0]!, MODE), relation, {
    nowMs: 0,
    timeZone: "UTC",
    column: () => undefined,
    variable: (name) => (name === "autocommit" ? "1" : null),
    functions: { version: () => "8" },
  });
  assert.ok(result.kind === "rows");
  const rows: ResultValue[][] = [];
  for await (const row of result.rows) rows.push(row);
  return rows;
}

describe("SELECT", () => {
  test("columns, star, hidden columns, constants", async () => {
    assert.deepEqual(await run("select * from t limit 1"), [["-9223372036854775808", "Ann"]]);
    assert.deepEqual(await run("select _tidb_rowid, `name`, 7, 'x', version() from db.t where id=2"), [
      ["2", null, "7", "x", "8"],
    ]);
  });
  test("conditions compare 64-bit numbers exactly and text as its collation does", async () => {
    assert.deepEqual(await run("select id from t where id > 9223372036854775806"), [["9223372036854775807"]]);
    assert.deepEqual(await run("select id from t where name = 'ann' and not id < 0"), [["9223372036854775807"]]);
    assert.deepEqual(await run("select id from t where name is null or name like 'B%'"), [["2"], ["10"]]);
    assert.deepEqual(await run("select id from t where id in (2, '10') and id between 1 and 5"), [["2"]]);
  });
  test("order, limit, offset", async () => {
    assert.deepEqual(await run("select id from t order by id desc limit 2"), [["9223372036854775807"], ["10"]]);
    assert.deepEqual(await run("select id from t order by name, id limit 1, 2"), [
      ["-9223372036854775808"],
      ["9223372036854775807"],
    ]);
    assert.deepEqual(await run("select id from t order by id limit 2 offset 3"), [["9223372036854775807"]]);
    assert.deepEqual(await run("select id from t limit 0"), []);
  });
  test("names in place of others, arithmetic, CASE", async () => {
    assert.deepEqual(await run("select x.id + 1 as n from t x where x.id > 2 order by n desc limit 1"), [
      ["9223372036854775808"],
    ]);
    assert.deepEqual(await run("select 7/2, 7 div 2, -7 % 3, 0x0f & 9, 1e0/4, case when 1 > 2 then 'a' else 'b' end"), [
      ["3.5000", "3", "-1", "9", "0.25", "b"],
      ["3.5000", "3", "-1", "9", "0.25", "b"],
      ["3.5000", "3", "-1", "9", "0.25", "b"],
      ["3.5000", "3", "-1", "9", "0.25", "b"],
    ]);
    assert.deepEqual(await run("select greatest(1, null), if(null, 1, 2), ifnull(null, 'x') from t limit 1"), [
      [null, "2", "x"],
    ]);
  });
  test("aggregates", async () => {
    assert.deepEqual(await run("select count(*), COUNT(name), min(id), max(id), sum(id) from t"), [
      ["4", "3", "-9223372036854775808", "9223372036854775807", "11"],
    ]);
  });
  test("what it cannot do is refused with a place or a name", async () => {
    await assert.rejects(run("select nope from t"), { errno: 1054 });
    await assert.rejects(run("select soundex(id) from t"), { errno: 1305 });
    await assert.rejects(run("select id from t join u"), { errno: 1235, message: /joins/ });
    await assert.rejects(run("select count(*) from t group by name"), { errno: 1235, message: /GROUP/ });
    await assert.rejects(run("select id from t a, u b"), { errno: 1235 });
    await assert.rejects(run("select id from t where"), { errno: 1064 });
  });
});

test("SELECTs in parentheses are joined by UNION ALL only", () => {
  const parse = (sql: string) => parseUnion(splitStatements(sql, MODE)[0]!, MODE);
  const parts = parse("(SELECT 0 FROM a.b LIMIT 1) UNION ALL (SELECT 1 FROM `a`.`c` WHERE x > 2 LIMIT 1)");
  assert.deepEqual(
    parts.map(({ from, limit }) => [from?.table, limit]),
    [
      ["b", 1],
      ["c", 1],
    ],
  );
  for (const sql of ["(SELECT 1) UNION (SELECT 2)", "(SELECT 1", "(SELECT 1) UNION ALL SELECT 2"])
    assert.throws(() => parse(sql), { errno: 1064 });
});
