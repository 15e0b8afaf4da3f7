/** The table form of BR's checkpoints on a real server: what the fake of `test/br` answers, a server has to answer too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, type LevinError, systemClock } from "../../src/base/mod.ts";
import {
  existsLogMetadata,
  existsRestoreCheckpoint,
  LOG_DB,
  LoadReport,
  loadChecksums,
  loadLogMetadata,
  loadLogTaskInfo,
  loadProgress,
  loadSnapshotMetadata,
  readLogGroup,
  readRestoreGroup,
  removeTables,
  SNAPSHOT_DB,
  saveLogMetadata,
  saveProgress,
  saveSnapshotMetadata,
  startLogRunner,
  startRestoreRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import type { Tidb } from "../../src/tidb/mod.ts";
import type { TablesSample } from "../br/fake-sql.ts";
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
  const snapshot = {
    upstreamClusterId: 2n ** 64n - 1n,
    restoredTs: 455_082_095_194_886_736n,
    schedulersConfig: { schedulers: ["é"], scheduleCfg: { text: "日本".repeat(200_000) } },
    restoreUuid: "a855e947-139e-4a01-8b0a-c14de33e15b7",
  };
  await saveSnapshotMetadata(query, snapshot);
  assert.deepEqual(await loadSnapshotMetadata(query), snapshot);
  await assert.rejects(saveSnapshotMetadata(query, snapshot), (error: LevinError) =>
    /already exists/.test(error.message),
  );
  const home = new TableHome(query, SNAPSHOT_DB);
  const runner = startRestoreRunner({ home, clock: systemClock, batchBytes: 700_000 });
  const callers = Array.from({ length: 4 }, async (_, caller) => {
    for (let i = 0; i < 5000; i++) {
      await runner.append(BigInt(i % 7), { rangeKey: `${caller}_${i}_${"k".repeat(100)}`, name: "" });
    }
  });
  await Promise.all(callers);
  await runner.appendChecksum({ tableId: -1n, crc64xor: 2n ** 64n - 1n, totalKvs: 1n, totalBytes: 2n });
  await runner.finish({ flush: true });
  const found = new Set<string>();
  const report = new LoadReport(true);
  await walkItems(home, readRestoreGroup, { report }, (_table, item) => void found.add(item.rangeKey as string));
  assert.equal(found.size, 20_000);
  assert.ok(report.documents > 2);
  assert.equal((await loadChecksums(home, new LoadReport(true))).get(-1n)!.crc64xor, 2n ** 64n - 1n);
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
