/** Tables that the run has made itself are empty: they are not asked for one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { checkInput } from "../../src/importer/prechecks.ts";
import { listTables } from "../../src/importer/restore-schema.ts";
import { TableModels } from "../../src/importer/table-models.ts";
import type { Tidb } from "../../src/tidb/mod.ts";

/** A server with rows in the tables named; a database that it does not have is an error, as TiDB has it. */
function serverWith(databases: Readonly<Record<string, readonly string[]>>): { tidb: Tidb; asked: string[] } {
  const asked: string[] = [];
  const query: Tidb["query"] = async (sql) => {
    asked.push(sql);
    const shown = /^SHOW TABLES FROM `(.*)`$/.exec(sql)?.[1];
    if (shown === undefined) return { columns: ["1"], rows: [["1"]], affectedRows: 0 };
    const tables = databases[shown];
    if (tables === undefined) throw new LevinError("Levin:Tidb:ErrSql", "no database", { fields: { errno: 1049 } });
    return { columns: ["table"], rows: tables.map((name) => [name]), affectedRows: 0 };
  };
  const session: Tidb["session"] = (use) => use(query);
  return { tidb: { address: "", query, session, close: async () => undefined }, asked };
}

type Plan = Parameters<typeof listTables>[0];
type CheckArguments = Parameters<typeof checkInput>;

const tables = [
  { database: "Shop", table: "Old" },
  { database: "Shop", table: "new" },
  { database: "fresh", table: "t" },
];

async function asksFor(before: Awaited<ReturnType<typeof listTables>> | undefined) {
  const { tidb, asked } = serverWith({ Shop: ["old"] });
  const options = { tidb: { connectionsMax: 1 }, intoRows: false, backend: "local", parallelIndex: undefined };
  const input = checkInput(
    options as unknown as CheckArguments[0],
    {} as CheckArguments[1],
    { tables: [], source: {} } as unknown as Plan,
    new TableModels(),
    {} as CheckArguments[4],
    { tidb, state: undefined, stateDifferences: undefined, before } as unknown as CheckArguments[5],
  );
  const empty: boolean[] = [];
  for (const { database, table } of tables) empty.push(await input.target!.isEmpty(database, table));
  return { empty, asked };
}

test("tables that were there before are asked for, those that the run has made are not", async () => {
  const { tidb, asked } = serverWith({ Shop: ["old"] });
  const before = await listTables({ tables } as unknown as Plan, tidb);
  assert.deepEqual(asked, ["SHOW TABLES FROM `Shop`", "SHOW TABLES FROM `fresh`"]);
  const found = await asksFor(before);
  assert.deepEqual(found.empty, [false, true, true]);
  assert.deepEqual(found.asked, ["SELECT 1 FROM `Shop`.`Old` LIMIT 1"]);
});

test("a run that makes no tables asks for all of them", async () => {
  const found = await asksFor(undefined);
  assert.deepEqual(found.empty, [false, false, false]);
  assert.equal(found.asked.length, 3);
});
