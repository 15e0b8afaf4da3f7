import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { LevinError } from "../../src/base/mod.ts";
import {
  Catalog,
  type DdlSession,
  DEFAULT_SQL_MODE,
  parseSqlMode,
  parseTableInfo,
  showCreateDatabase,
  showCreateTable,
  type TableInfo,
} from "../../src/schema/mod.ts";

/** Statements of one session of a real TiDB with its answers, and what its status port said of the tables afterwards. */
interface Golden {
  statements: { sql: string; errno?: number; sqlState?: string; message?: string; shows?: string }[];
  tables: Record<string, string>;
}

const golden = JSON.parse(
  gunzipSync(readFileSync(new URL("../golden/ddl-objects.json.gz", import.meta.url))).toString("utf8"),
) as Golden;

const session: DdlSession = {
  sqlMode: parseSqlMode(DEFAULT_SQL_MODE),
  timeZone: "UTC",
  newCollation: true,
  clusteredIndex: "on",
  nowMs: 0,
};

/** The SELECT of a view is written anew by TiDB, which takes its columns from the tables. */
const isView = (sql: string): boolean => sql.includes(" vw");

function answer(catalog: Catalog, sql: string): { error?: LevinError; shown?: string } {
  const shows = /^SHOW CREATE (TABLE|DATABASE) `?(\w+)`?$/i.exec(sql);
  if (shows?.[1]?.toUpperCase() === "DATABASE") {
    return { shown: showCreateDatabase(catalog.database(shows[2]!)!, session) };
  }
  if (shows) {
    const table = catalog.table("imp", shows[2]!)!;
    return { shown: showCreateTable(table, session, { integerWidth: false }) };
  }
  try {
    const { useDatabase } = catalog.execute(sql, session);
    if (useDatabase !== undefined) session.database = useDatabase;
    return {};
  } catch (error) {
    assert.ok(error instanceof LevinError, `${error}`);
    return { error };
  }
}

/** Members that later statements and allocators changed: ids, times, next values. */
function comparable(table: TableInfo): unknown {
  const {
    id: _,
    update_timestamp: __,
    revision: ___,
    auto_inc_id: ____,
    auto_rand_id: _____,
    ...rest
  } = structuredClone(table);
  for (const definition of rest.partition?.definitions ?? []) definition.id = 0;
  return rest;
}

test("a session's DDL is answered as a real TiDB answered it", () => {
  let id = 1;
  const catalog = new Catalog(() => id++);
  assert.ok(golden.statements.length >= 70);
  for (const { sql, errno, sqlState, message, shows } of golden.statements) {
    const { error, shown } = answer(catalog, sql);
    assert.equal(error?.fields["errno"], errno, `${sql}: ${error?.message}`);
    assert.equal(error?.fields["sqlState"], sqlState, sql);
    assert.equal(error?.fields["sqlMessage"], message, sql);
    if (!isView(sql)) assert.equal(shown, shows, sql);
  }
  for (const [name, text] of Object.entries(golden.tables)) {
    const expected = parseTableInfo(text);
    // The table was given shards afterwards.
    if (name === "plain") Object.assign(expected, { ShardRowIDBits: 0, max_shard_row_id_bits: 0 });
    assert.deepEqual(comparable(catalog.table("imp", name)!), comparable(expected), name);
  }
});
