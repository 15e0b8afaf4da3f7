import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type mysql from "mysql2/promise";
import { answerOf, type Captured, openFront, type TestFront } from "./front-support.ts";

const groups: Record<string, Captured[]> = JSON.parse(
  gunzipSync(fs.readFileSync(new URL("../golden/embed/tidb-sql.json.gz", import.meta.url))).toString(),
);

/** Ids, addresses, times, statistics, random shards: rows that no two clusters have in common. The columns are compared all the same. */
const OWN_ROWS = [
  /^SELECT (VERSION|tidb_version)\(\)/,
  /^ADMIN SHOW DDL/,
  /^ADMIN CHECKSUM/,
  /^SHOW TABLE .* REGIONS$/,
  /^SHOW (BINARY LOG|MASTER) STATUS/,
  /^SHOW (TABLE STATUS|PROCESSLIST|STATUS|VARIABLES WHERE|CONFIG)/,
  /^SHOW GLOBAL VARIABLES LIKE 'tidb_%'/,
  /FROM information_schema\.(tables|partitions|cluster_info|tidb_servers_info|cluster_config|ddl_jobs)/,
  /FROM mysql\.(tidb|global_variables)/,
  /^SELECT \* FROM types/,
  /^SELECT id, id & 0x/,
  /^SELECT \*, _tidb_rowid FROM plain$/,
  // TiDB reads this one from an index.
  /^SELECT "id" FROM uq LIMIT 1/,
  // A view's text is kept as it was written.
  /^SHOW CREATE (VIEW|TABLE) vw$/,
  /FROM information_schema\.views/,
];

/** The widths of these columns go with their rows. */
const OWN_WIDTHS = [...OWN_ROWS, /^SHOW DATABASES LIKE/, /^SHOW VARIABLES/, /^SHOW STATUS/];

/** What the sandbox refuses or does otherwise, on purpose. */
const OTHERWISE = [
  // Remarks on display widths and on CHECK constraints that are not enforced.
  /^CREATE TABLE (types|chk) /,
  /^SHOW PLACEMENT LABELS/,
  /tikv_(region|store)_status/,
  /TIDB_(PARSE_TSO|DECODE_KEY|ENCODE_SQL_DIGEST)/,
  /AS OF TIMESTAMP/,
  /^SET SESSION tidb_snapshot/,
  /^ANALYZE TABLE (uq|part_r)/,
  /^ADMIN (RECOVER|CLEANUP) INDEX/,
  /^SHOW (STATS_META|IMPORT|TABLE uq DISTRIBUTIONS)/,
  /^CANCEL IMPORT/,
  /^LOAD DATA/,
];

const isOne = (list: readonly RegExp[], sql: string) => list.some((pattern) => pattern.test(sql));

function comparable(answer: Captured, sql: string): unknown {
  const { ok, error, columns, rows } = answer;
  if (error) return { error: { errno: error.errno, sqlState: error.sqlState, message: error.message } };
  if (ok) {
    const { affectedRows, insertId, info, warningStatus, serverStatus } = ok;
    const random = /^INSERT INTO arand \(v\)/.test(sql);
    return { ok: { affectedRows, insertId: random ? "random" : insertId, info, warningStatus, serverStatus } };
  }
  const width = !isOne(OWN_WIDTHS, sql);
  return {
    columns: columns!.map((column) => (width ? column : column.filter((_, i) => i !== 5))),
    rows: isOne(OWN_ROWS, sql) ? "own" : rows,
  };
}

describe("statements of a real TiDB", () => {
  let front: TestFront;
  let client: mysql.Connection;

  before(async () => {
    front = await openFront();
  });
  after(() => front.close());

  async function replay(group: string): Promise<number> {
    let compared = 0;
    let previous = "";
    for (const captured of groups[group]!) {
      if (captured.sql === undefined) continue;
      // That id may be our own.
      if (/^KILL .*2097156/.test(captured.sql)) continue;
      const answer = await answerOf(client, captured);
      const skipped =
        isOne(OTHERWISE, captured.sql) || (captured.sql === "SHOW WARNINGS" && isOne(OTHERWISE, previous));
      previous = captured.sql;
      if (skipped) continue;
      assert.deepEqual(
        comparable(answer, captured.sql),
        comparable(captured, captured.sql),
        `${group}: ${captured.sql}`,
      );
      compared++;
    }
    return compared;
  }

  test("variables and facts of the server", async () => {
    client = await front.connect();
    assert.equal(await replay("01-version-and-variables"), 73);
    client.destroy();
  });
  test("DDL, SHOW, information_schema, automatic ids, DML, sessions, ADMIN, in one session", async () => {
    client = await front.connect();
    const compared: Record<string, number> = {};
    for (const group of ["02-ddl-objects", "03-information-schema", "04-auto-id", "05-dml", "06-session", "07-admin"])
      compared[group] = await replay(group);
    assert.deepEqual(compared, {
      "02-ddl-objects": 92,
      "03-information-schema": 39,
      "04-auto-id": 50,
      "05-dml": 47,
      "06-session": 46,
      "07-admin": 14,
    });
    client.destroy();
  });
});
