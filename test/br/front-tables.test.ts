/**
 * The tables in the embedded TiDB front, over MySQL's protocol: every sample of BR's, and the life of tables of our own. With LEVIN_TIDB_PORT in a
 * real TiDB at that port of this host (user root, no password), whose checkpoint databases are dropped.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import mysql from "mysql2/promise";
import { systemClock } from "../../src/base/mod.ts";
import {
  type CheckpointDb,
  CUSTOM_SST_DB,
  LOG_DB,
  LoadReport,
  loadLogTaskInfo,
  logItemLine,
  readLogGroup,
  removeTables,
  SNAPSHOT_DB,
  type SqlQuery,
  saveIngestRepairs,
  saveLogMetadata,
  saveProgress,
  saveSnapshotMetadata,
  startLogRunner,
  startRestoreRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import { connectTidb, type Tidb } from "../../src/tidb/mod.ts";
import { openFront, type TestFront } from "../embed/front-support.ts";
import { compareAll, type Results } from "./compare-tables.ts";
import type { TablesSample } from "./fake-sql.ts";
import { ownSnapshot } from "./own-snapshot.ts";
import { runCheckpoint } from "./run-command.ts";
import { sampleFolders, sampleJson } from "./samples.ts";

const realPort = Number(process.env["LEVIN_TIDB_PORT"] ?? "0");
let port = realPort;
let front: TestFront | undefined;
let tidb: Tidb;
let raw: mysql.Connection;
const query: SqlQuery = (sql, values) => tidb.query(sql, values);
const databases = [SNAPSHOT_DB, LOG_DB, CUSTOM_SST_DB];

before(async () => {
  if (realPort === 0) {
    front = await openFront();
    port = front.front.port;
  }
  tidb = await connectTidb({
    host: "127.0.0.1",
    port,
    user: "root",
    password: "",
    connectionsMax: 2,
    connectTimeoutMs: 10_000,
  });
  raw = await mysql.createConnection({ host: "127.0.0.1", port, user: "root" });
});

after(async () => {
  await raw.end();
  await tidb.close();
  await front?.close();
});

async function fill(sample: TablesSample): Promise<void> {
  for (const db of databases) await raw.query(`DROP DATABASE IF EXISTS \`${db}\``);
  for (const [db, { tables }] of Object.entries(sample)) {
    await raw.query(`CREATE DATABASE \`${db}\``);
    for (const [table, { rows, show_create_table: create }] of Object.entries(tables)) {
      await raw.query(create!.replace("CREATE TABLE ", `CREATE TABLE \`${db}\`.`));
      for (const { uuid_hex, segment_id, data_hex } of rows) {
        const [names, values] = uuid_hex === undefined ? ["", ""] : ["uuid, ", `x'${uuid_hex}', `];
        await raw.query(
          `REPLACE INTO \`${db}\`.\`${table}\` (${names}segment_id, data) VALUES (${values}${segment_id}, x'${data_hex}')`,
        );
      }
    }
  }
}

describe("BR's tables in the embedded front", () => {
  for (const name of sampleFolders("restore-tables")) {
    test(name, async () => {
      await fill(sampleJson<TablesSample>(`restore-tables/${name}/tables.json`));
      const expected = sampleJson<Results & { database?: CheckpointDb; states?: { result: Results }[] }>(
        `restore-tables/${name}/expected.json`,
      );
      const last = expected.states?.at(-1)?.result ?? expected;
      await compareAll(query, last, expected.states === undefined ? (expected.database ?? SNAPSHOT_DB) : LOG_DB);
    });
  }
  const broken = sampleJson<Record<string, Results>>("broken-tables/behaviour.json");
  for (const [name, expected] of Object.entries(broken)) {
    test(`damaged: ${name}`, async () => {
      await fill(sampleJson<TablesSample>(`broken-tables/${name}/tables.json`));
      await compareAll(query, expected, name.startsWith("log-") ? LOG_DB : SNAPSHOT_DB);
    });
  }
});

test("tables of our own: written by runners, read by the commands, removed", async () => {
  await fill({});
  const { metadata: snapshot } = await ownSnapshot(query, { ranges: 2000, configChars: 200_000, batchBytes: 300_000 });
  const log = { upstreamClusterId: 1n, restoredTs: 2n, startTs: 3n, rewriteTs: 4n, gcRatio: "1.1", tiflashItems: null };
  await saveLogMetadata(query, log);
  await saveProgress(query, 1n);
  await saveIngestRepairs(query, []);
  const logHome = new TableHome(query, LOG_DB);
  const logRunner = startLogRunner({ home: logHome, clock: systemClock });
  for (let i = 0n; i < 100n; i++) await logRunner.append("g", { tableId: 5n, goff: i % 3n, foff: i });
  await logRunner.finish({ flush: true });
  let files = 0;
  await walkItems(logHome, readLogGroup, { report: new LoadReport(true) }, (key, item) => {
    files += Object.values((logItemLine(key, item) as { foffs: Record<string, unknown[]> }).foffs)[0]!.length;
  });
  assert.equal(files, 100);
  const task = await loadLogTaskInfo(query);
  assert.deepEqual(task, { metadata: log, progress: 1n, hasSnapshotMetadata: true });
  const dsn = `root@tcp(127.0.0.1:${port})/`;
  const shown = await runCheckpoint(["show", "--table", dsn]);
  assert.match(shown.out, /restore checkpoint in .*Snapshot_Restore_Checkpoint\n/, shown.err);
  assert.match(shown.out, /table 3: 1144 done/);
  const byName = await runCheckpoint(["verify", "--dsn", dsn, "--table", "log"]);
  assert.match(byName.out, /1 groups, 3 items/, byName.err);
  assert.equal((await runCheckpoint(["verify", "--dsn", dsn, "--table", LOG_DB])).code, 0);
  assert.equal((await runCheckpoint(["verify", "--table", "log"])).code, 2);
  const lines = (await runCheckpoint(["export", "--kind", "log", "--dsn", dsn])).out.trimEnd().split("\n");
  assert.equal(lines.length, 4);
  const plan = await runCheckpoint(["rm", "--dsn", dsn, "--task", "log"]);
  assert.match(plan.out, /^would run DROP TABLE IF EXISTS .*cpt_metadata`;\n/);
  assert.equal((await runCheckpoint(["rm", "--yes", "--dsn", dsn, "--task", "log"])).code, 0);
  await raw.query(`CREATE TABLE \`${SNAPSHOT_DB}\`.\`mine\` (a int)`);
  assert.match((await runCheckpoint(["rm", "--yes", "--dsn", dsn])).out, /the database stays/);
  await raw.query(`DROP TABLE \`${SNAPSHOT_DB}\`.\`mine\``);
  assert.equal(await removeTables(query, SNAPSHOT_DB), true);
  assert.equal((await runCheckpoint(["show", "--dsn", dsn])).code, 2);
  // Releases since the middle of 2025 have a database for each restore; 8.4 and 8.5 wrote items with other names.
  const numbered = `${SNAPSHOT_DB}_7` as const;
  await saveSnapshotMetadata(query, snapshot, numbered);
  const older = startRestoreRunner({ home: new TableHome(query, numbered), clock: systemClock, layout: "2024" });
  await older.append(5n, { rangeKey: "k", name: "" });
  await older.finish({ flush: true });
  const lastLine = async (...words: string[]): Promise<unknown> => {
    const { out, err } = await runCheckpoint(["export", "--dsn", dsn, ...words]);
    return JSON.parse(out.trimEnd().split("\n")[1] ?? `"${err}"`);
  };
  assert.deepEqual(await lastLine(), { name: "", range_key: "", table_id: "5" });
  assert.match((await runCheckpoint(["verify", "--dsn", dsn])).out, /^1 items without a name: .* --layout 2024$/m);
  assert.deepEqual(await lastLine("--layout", "2024"), { name: "", range_key: "k", table_id: "5" });
  await saveLogMetadata(query, log, `${LOG_DB}_7`);
  await saveLogMetadata(query, log, `${LOG_DB}_8`);
  assert.match((await runCheckpoint(["show", "--dsn", dsn])).err, /Cannot choose among .*: say --task/);
  assert.match((await runCheckpoint(["show", "--dsn", dsn, "--task", "log_8"])).out, /Log_Restore_Checkpoint_8\n/);
  assert.match((await runCheckpoint(["rm", "--yes", "--dsn", dsn, "--task", numbered])).out, /^removed /);
  assert.equal((await runCheckpoint(["show", "--dsn", dsn, "--layout", "2020"])).code, 2);
  for (const name of [`${LOG_DB}_7`, `${LOG_DB}_8`] as const) await removeTables(query, name);
});
