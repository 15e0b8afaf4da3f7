/** Layouts of releases before and after the ones that the samples are of (BR's sources of 7.1 and of late 2025). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../src/base/mod.ts";
import { printDataDocument } from "../../src/br/documents.ts";
import {
  existsFileProgress,
  FileHome,
  type Home,
  LoadReport,
  loadFileLogMetadata,
  loadFileProgress,
  loadFileSnapshotMetadata,
  planRemoval,
  readFileRestoreGroup,
  removeCheckpoint,
  restoreItemLine,
  restoreKindOf,
  restorePaths,
  restoreTaskOf,
  saveFileIngestRepairs,
  saveFileLogMetadata,
  saveFileProgress,
  saveFileSnapshotMetadata,
  sha256,
  startRestoreRunner,
  walkItems,
  ZERO_UUID,
} from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { runCheckpoint } from "./run-command.ts";
import { newDir } from "./samples.ts";
import { SimClock } from "./sim-clock.ts";

describe("layouts before and after", () => {
  const clock = new SimClock();
  const items = async (home: Home): Promise<unknown[]> => {
    const lines: unknown[] = [];
    await walkItems(home, readFileRestoreGroup, { report: new LoadReport(true) }, (table, item) => {
      lines.push(restoreItemLine(table, item));
    });
    return lines;
  };

  test("restores of 7.x knew what they had done by its keys", async () => {
    const storage = new MemoryStorage();
    const plain = utf8('{"group-key":7,"groups":[{"StartKey":"YQ==","EndKey":"Yg==","Files":null},{"EndKey":"Yw=="}]}');
    const group = { data: plain, checksum: sha256(plain), iv: null, size: 1n };
    await new FileHome(storage, restorePaths("12")).writeData(printDataDocument(5n, [group]));
    const line = (start: string | null, end: string) => ({
      name: "",
      range_key: "",
      table_id: "7",
      range: { start_key_hex: start, end_key_hex: end, files: null },
    });
    assert.deepEqual(await items(new FileHome(storage, restorePaths("12"))), [line("61", "62"), line(null, "63")]);
  });

  test("restores with --checkpoint-storage: snapshot and log side by side, in files of the newer form", async () => {
    const storage = new MemoryStorage();
    assert.deepEqual(["12", "12/3.4", "12/snapshot_7", "12/log_7"].map(restoreKindOf), [
      "restore",
      "log",
      "restore",
      "log",
    ]);
    const snapshot = { upstreamClusterId: 1n, restoredTs: 2n, schedulersConfig: null, restoreUuid: ZERO_UUID };
    await saveFileSnapshotMetadata(storage, "12/snapshot_7", snapshot);
    assert.deepEqual(await loadFileSnapshotMetadata(storage, "12/snapshot_7"), snapshot);
    const log = {
      upstreamClusterId: 1n,
      restoredTs: 2n,
      startTs: 3n,
      rewriteTs: 4n,
      gcRatio: "1.1",
      tiflashItems: null,
    };
    await saveFileLogMetadata(storage, "12/log_7", log);
    assert.deepEqual(await loadFileLogMetadata(storage, "12/log_7"), log);
    assert.equal(await existsFileProgress(storage, "12/log_7"), false);
    await saveFileProgress(storage, "12/log_7", 1n);
    assert.equal(await loadFileProgress(storage, "12/log_7"), 1n);
    await saveFileIngestRepairs(storage, "12/log_7", []);
    const home = new FileHome(storage, restorePaths("12/snapshot_7"));
    const runner = startRestoreRunner({ home, clock, layout: "2025" });
    await runner.append(5n, { rangeKey: "k", name: "" });
    await runner.finish({ flush: true });
    assert.deepEqual(await items(home), [{ name: "", range_key: "k", table_id: "5" }]);
    const names = [...storage.objects.keys()].filter((name) => !name.includes("/data/")).sort();
    const root = "checkpoints/restore-12";
    assert.deepEqual(names, [
      `${root}/log_7/checkpoint.meta`,
      `${root}/log_7/ingest_index.meta`,
      `${root}/log_7/progress.meta`,
      `${root}/snapshot_7/checkpoint.meta`,
    ]);
    assert.deepEqual([...new Set([...storage.objects.keys()].map(restoreTaskOf))].sort(), [
      "12/log_7",
      "12/snapshot_7",
    ]);
    await removeCheckpoint(storage, await planRemoval(storage, restorePaths("12/snapshot_7")));
    assert.equal(storage.objects.size, 3);
  });

  test("the commands find them among each other", async () => {
    const dir = newDir();
    const storage = new LocalObjects(dir);
    const log = {
      upstreamClusterId: 1n,
      restoredTs: 2n,
      startTs: 3n,
      rewriteTs: 4n,
      gcRatio: "1.1",
      tiflashItems: null,
    };
    await saveFileLogMetadata(storage, "12/log_7", log);
    await saveFileProgress(storage, "12/log_7", 1n);
    const only = await runCheckpoint(["export", dir]);
    assert.equal(only.code, 0, only.err);
    const line = JSON.parse(only.out) as { metadata: { gc_ratio: string }; progress: number };
    assert.deepEqual([line.metadata.gc_ratio, line.progress], ["1.1", 1]);
    const snapshot = { upstreamClusterId: 1n, restoredTs: 2n, schedulersConfig: null, restoreUuid: ZERO_UUID };
    await saveFileSnapshotMetadata(storage, "12/snapshot_7", snapshot);
    assert.match((await runCheckpoint(["show", dir])).err, /12\/log_7, 12\/snapshot_7: say --task/);
    assert.match((await runCheckpoint(["show", "--kind", "restore", dir])).out, /restored ts: 2/);
    assert.equal((await runCheckpoint(["verify", "--task", "12/log_7", dir])).code, 0);
    assert.equal((await runCheckpoint(["rm", "--yes", "--kind", "log", dir])).code, 0);
    assert.equal((await runCheckpoint(["verify", dir])).code, 0);
  });
});
