import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { equalBytes, type LevinError, textOf } from "../../src/base/mod.ts";
import {
  type CheckpointDb,
  CUSTOM_SST_DB,
  LOG_DB,
  LoadReport,
  loadIngestRepairs,
  loadLogMetadata,
  loadProgress,
  loadSnapshotMetadata,
  readRestoreGroup,
  removeTables,
  SNAPSHOT_DB,
  saveIngestRepairs,
  saveLogMetadata,
  saveProgress,
  saveSnapshotMetadata,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import { compareAll, type Results } from "./compare-tables.ts";
import { FakeSql, type TablesSample } from "./fake-sql.ts";
import { sampleFolders, sampleJson } from "./samples.ts";

describe("restore checkpoints that BR wrote", () => {
  for (const name of sampleFolders("restore-tables")) {
    test(`${name}: everything loads as the original loads it`, async () => {
      const { query } = new FakeSql(sampleJson<TablesSample>(`restore-tables/${name}/tables.json`));
      const expected = sampleJson<Results & { database?: CheckpointDb; states?: { result: Results }[] }>(
        `restore-tables/${name}/expected.json`,
      );
      const last = expected.states?.at(-1)?.result ?? expected;
      await compareAll(query, last, expected.states === undefined ? (expected.database ?? SNAPSHOT_DB) : LOG_DB);
    });

    test(`${name}: metadata documents are written byte for byte as the original wrote them`, async () => {
      const sample = sampleJson<TablesSample>(`restore-tables/${name}/tables.json`);
      const from = new FakeSql(sample);
      const to = new FakeSql();
      for (const db of Object.keys(sample) as CheckpointDb[]) {
        const there = new Set(Object.keys(sample[db]!.tables));
        if (db === LOG_DB) {
          await saveLogMetadata(to.query, await loadLogMetadata(from.query));
          if (there.has("cpt_progress")) await saveProgress(to.query, await loadProgress(from.query));
          if (there.has("cpt_ingest")) await saveIngestRepairs(to.query, await loadIngestRepairs(from.query));
        } else {
          const metadata = there.has("cpt_metadata") ? await loadSnapshotMetadata(from.query) : null;
          await saveSnapshotMetadata(to.query, metadata, db as typeof SNAPSHOT_DB);
        }
        assert.deepEqual([...to.databases.get(db)!.keys()].sort(), [...there].sort());
        for (const table of there) {
          if (table === "cpt_data" || table === "cpt_checksum") continue;
          const [written] = to.documents(db, table);
          const [original] = from.documents(db, table);
          assert.equal(textOf(written!.bytes), textOf(original!.bytes));
          assert.equal(written!.segments, original!.segments);
        }
      }
    });
  }
});

describe("damaged and unusual tables", () => {
  const samples = sampleJson<Record<string, Results>>("broken-tables/behaviour.json");
  for (const [name, expected] of Object.entries(samples)) {
    test(`${name}: ${expected["note"]}`, async () => {
      const { query } = new FakeSql(sampleJson<TablesSample>(`broken-tables/${name}/tables.json`));
      await compareAll(query, expected, name.startsWith("log-") ? LOG_DB : SNAPSHOT_DB);
    });
  }

  test("a document with a gap, a broken one and a wrong hash are counted, and strict reading refuses them", async () => {
    for (const name of ["data-middle-segment-missing", "data-garbage", "data-wrong-checksum", "data-encrypted"]) {
      const { query } = new FakeSql(sampleJson<TablesSample>(`broken-tables/${name}/tables.json`));
      const home = new TableHome(query, SNAPSHOT_DB);
      const report = new LoadReport();
      await walkItems(home, readRestoreGroup, { report }, () => {});
      assert.equal(report.damageCount, 1, name);
      await assert.rejects(
        walkItems(home, readRestoreGroup, { report: new LoadReport(true) }, () => {}),
        (error: LevinError) => error.code === "Levin:Br:ErrDamaged",
      );
    }
  });
});

describe("life of the tables", () => {
  const samples = sampleJson<Record<string, { error?: string; error_of_second?: string } & Record<string, unknown>>>(
    "tables-lifecycle/behaviour.json",
  );
  const log = { upstreamClusterId: 1n, restoredTs: 2n, startTs: 3n, rewriteTs: 4n, gcRatio: "1.1", tiflashItems: null };
  const snapshot = { upstreamClusterId: 1n, restoredTs: 2n, schedulersConfig: null, restoreUuid: "" };
  const withMessage = (message: string | undefined) => (error: Error) => error.message === message;

  test("the statements are the original's, in its order", async () => {
    const sql = new FakeSql();
    await saveSnapshotMetadata(sql.query, { ...snapshot, restoreUuid: "00000000-0000-0000-0000-000000000000" });
    const names = (statement: { sql: string; args: unknown[] }): string => {
      const args = [...statement.args];
      return statement.sql.replace(/%n/g, () => `\`${args.shift()}\``).replace(/\(%\?, %\?\)/, "");
    };
    const { statements } = samples as unknown as { statements: Record<string, { sql: string; args: unknown[] }[]> };
    const own = sql.statements.map((text) => text.replace(/\(\d+, x'\w+'\)/, ""));
    assert.deepEqual(own, statements["save_snapshot_metadata"]!.map(names));
    sql.statements.length = 0;
    await saveLogMetadata(sql.query, log);
    await saveProgress(sql.query, 0n);
    assert.deepEqual(
      sql.statements.map((text) => text.replace(/\(\d+, x'\w+'\)/, "")),
      [...statements["save_log_metadata"]!, ...statements["save_progress"]!].map(names),
    );
    sql.statements.length = 0;
    await removeTables(sql.query, LOG_DB);
    // The mark of a task that can be resumed goes first here.
    const dropped = sql.statements.filter((text) => text.startsWith("DROP"));
    assert.deepEqual(dropped.toSorted(), statements["remove_log_restore"]!.map(names).toSorted());
    assert.match(dropped[0]!, /cpt_metadata/);
  });

  test("saving twice, or without the database, is the server's error", async () => {
    const sql = new FakeSql();
    const { query } = sql;
    await assert.rejects(saveProgress(query, 1n), withMessage(samples["save-progress-without-database"]!.error));
    await assert.rejects(saveIngestRepairs(query, []), withMessage(samples["save-ingest-without-database"]!.error));
    await saveLogMetadata(query, log);
    await assert.rejects(saveLogMetadata(query, log), withMessage(samples["save-log-metadata-twice"]!.error_of_second));
    await saveProgress(query, 0n);
    await assert.rejects(saveProgress(query, 1n), withMessage(samples["save-progress-twice"]!.error_of_second));
    assert.equal(await loadProgress(query), 0n);
    await saveIngestRepairs(query, []);
    await assert.rejects(saveIngestRepairs(query, []), withMessage(samples["save-ingest-twice"]!.error_of_second));
    await saveSnapshotMetadata(query, snapshot);
    const second = samples["save-snapshot-metadata-twice"]!.error_of_second;
    await assert.rejects(saveSnapshotMetadata(query, snapshot), withMessage(second));
    await assert.rejects(saveSnapshotMetadata(query, null), withMessage(second));
  });

  test("removal leaves other databases and foreign tables, and fails where nothing is", async () => {
    const sql = new FakeSql();
    await assert.rejects(
      removeTables(sql.query, SNAPSHOT_DB),
      withMessage(samples["remove-snapshot-nothing-there"]!.error),
    );
    await saveSnapshotMetadata(sql.query, snapshot);
    await saveLogMetadata(sql.query, log);
    assert.equal(await removeTables(sql.query, LOG_DB), true);
    await assert.rejects(removeTables(sql.query, LOG_DB), withMessage(samples["remove-log-restore-again"]!.error));
    sql.databases.get(SNAPSHOT_DB)!.set("user_table", new Map());
    assert.equal(await removeTables(sql.query, SNAPSHOT_DB), false);
    assert.deepEqual([...sql.databases.get(SNAPSHOT_DB)!.keys()], ["user_table"]);
  });

  test("a long document is cut into segments and comes back whole", async () => {
    const sql = new FakeSql();
    await saveSnapshotMetadata(sql.query, null, CUSTOM_SST_DB);
    const home = new TableHome(sql.query, CUSTOM_SST_DB);
    const long = new Uint8Array(524_288 * 20 + 5);
    for (let i = 0; i < long.length; i++) long[i] = i * 7;
    for (const size of [1, 524_288, 524_289, long.length]) await home.writeData(long.subarray(0, size));
    const sizes: number[] = [];
    for await (const { bytes } of home.dataDocuments(new LoadReport())) {
      assert.ok(equalBytes(bytes, long.subarray(0, bytes.length)));
      sizes.push(bytes.length);
    }
    assert.deepEqual(
      sizes.sort((a, b) => a - b),
      [1, 524_288, 524_289, long.length],
    );
    const parts = sql.documents(CUSTOM_SST_DB, "cpt_data").map(({ bytes, segments }) => [bytes.length, segments]);
    assert.deepEqual(
      parts.sort((a, b) => a[0]! - b[0]!).map(([, n]) => n),
      [1, 1, 2, 21],
    );
  });
});
