/** The table form of BR's checkpoints on a real server: what the fake of `test/br` answers, a server has to answer too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, type LevinError, systemClock } from "../../src/base/mod.ts";
import {
  existsLogMetadata,
  existsRestoreCheckpoint,
  LOG_DB,
  LoadReport,
  loadLogMetadata,
  loadLogTaskInfo,
  loadProgress,
  readLogGroup,
  removeTables,
  SNAPSHOT_DB,
  saveLogMetadata,
  saveProgress,
  startLogRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import type { Tidb } from "../../src/tidb/mod.ts";
import type { TablesSample } from "../br/fake-sql.ts";
import { ownSnapshot } from "../br/own-snapshot.ts";
import { sampleJson } from "../br/samples.ts";
import { levin } from "../e2e/in-process.ts";
import { mariadbMissing, withMariadb } from "./mariadb.ts";

const required = process.env["LEVIN_INTEROP"] === "require";

/** The sample's rows, put there as BR's statements would. */
async function fill(tidb: Tidb, sample: TablesSample): Promise<void> {
  for (const [db, { tables }] of Object.entries(sample)) {
    await tidb.query(`CREATE DATABASE \`${db}\``);
    for (const [table, { rows, show_create_table: create }] of Object.entries(tables)) {
      await tidb.query(create!.replace("CREATE TABLE ", `CREATE TABLE \`${db}\`.`).replace(/ \/\*T!.*?\*\//g, ""));
      for (const { uuid_hex, segment_id, data_hex } of rows) {
        const uuid = uuid_hex === undefined ? "" : `x'${uuid_hex}', `;
        const columns = uuid_hex === undefined ? "segment_id, data" : "uuid, segment_id, data";
        await tidb.query(
          `INSERT INTO \`${db}\`.\`${table}\` (${columns}) VALUES (${uuid}${segment_id}, x'${data_hex}')`,
        );
      }
    }
  }
}

async function exported(port: number, kind: string): Promise<{ code: number; lines: unknown[] }> {
  const dsn = `root@tcp(127.0.0.1:${port})/`;
  const { code, out, err } = await levin(["checkpoint", "export", "--kind", kind, "--strict", "--dsn", dsn]);
  const lines = `${out}${err}`.split("\n").slice(0, -1);
  return { code, lines: lines.map((line) => JSON.parse(line) as unknown) };
}

async function ownTables(tidb: Tidb): Promise<void> {
  const query: Tidb["query"] = (sql, values) => tidb.query(sql, values);
  assert.equal(await existsRestoreCheckpoint(query, SNAPSHOT_DB), false);
  const { home, documents } = await ownSnapshot(query, { ranges: 5000, configChars: 400_000, batchBytes: 700_000 });
  assert.ok(documents > 2);
  const bytes = new Uint8Array(524_288 * 3 + 1).map((_, i) => i & 255);
  await home.writeChecksums(bytes);
  let same = 0;
  for await (const document of home.checksumDocuments(new LoadReport())) if (equalBytes(document.bytes, bytes)) same++;
  assert.equal(same, 1);

  const log = {
    upstreamClusterId: 1n,
    restoredTs: 2n,
    startTs: 3n,
    rewriteTs: 4n,
    gcRatio: "-1.0",
    tiflashItems: null,
  };
  await saveLogMetadata(query, log);
  assert.equal(await existsLogMetadata(query), true);
  assert.deepEqual(await loadLogMetadata(query), log);
  await saveProgress(query, 1n);
  assert.equal(await loadProgress(query), 1n);
  assert.deepEqual(await loadLogTaskInfo(query), { metadata: log, hasSnapshotMetadata: true, progress: 1n });
  const logRunner = startLogRunner({ home: new TableHome(query, LOG_DB), clock: systemClock });
  await logRunner.append("g", { tableId: 5n, goff: 6n, foff: 7n });
  await logRunner.finish({ flush: true });
  const items: unknown[] = [];
  await walkItems(new TableHome(query, LOG_DB), readLogGroup, { report: new LoadReport(true) }, (key, item) => {
    items.push([key, item.goff, [...item.foffs!]]);
  });
  assert.deepEqual(items, [["g", 6n, [[5n, [7n]]]]]);
  await tidb.query(`CREATE TABLE \`${SNAPSHOT_DB}\`.user_table (a int)`);
  assert.equal(await removeTables(query, SNAPSHOT_DB), false);
  assert.equal(await removeTables(query, LOG_DB), true);
  await assert.rejects(removeTables(query, LOG_DB), (error: LevinError) => error.code === "Levin:Tidb:ErrSql");
  await tidb.query(`DROP DATABASE \`${SNAPSHOT_DB}\``);
}

test("BR's tables on a real server", { timeout: 120_000 }, async () => {
  if (mariadbMissing) {
    assert.ok(!required, "mariadb-server is not installed");
    console.log("SKIPPED interop: mariadb-server not found; BR's tables were tested against the fake only");
    return;
  }
  await withMariadb(async (tidb, port) => {
    await ownTables(tidb);
    for (const [name, kind] of [
      ["snapshot-restore", "restore"],
      ["log-restore", "log"],
      ["snapshot-restore-large", "restore"],
    ] as const) {
      await fill(tidb, sampleJson<TablesSample>(`restore-tables/${name}/tables.json`));
      interface Results {
        load_metadata: { metadata: unknown };
        load_data: { values: unknown[] };
      }
      const expected = sampleJson<Results & { states?: { result: Results }[] }>(`restore-tables/${name}/expected.json`);
      const { load_metadata, load_data } = expected.states?.at(-1)?.result ?? expected;
      const { code, lines } = await exported(port, kind);
      assert.equal(code, 0, JSON.stringify(lines).slice(0, 500));
      const [first, ...rest] = lines as [{ metadata: unknown }, ...unknown[]];
      assert.deepEqual(first.metadata, load_metadata.metadata);
      assert.deepEqual(rest, load_data.values);
      await removeTables((sql, values) => tidb.query(sql, values), kind === "log" ? LOG_DB : SNAPSHOT_DB);
    }
  });
});
