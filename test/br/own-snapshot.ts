/** A snapshot restore's checkpoint of our own in a server's tables: written by several callers at once, read again. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/base/mod.ts";
import {
  LoadReport,
  loadChecksums,
  loadSnapshotMetadata,
  readRestoreGroup,
  SNAPSHOT_DB,
  type SqlQuery,
  saveSnapshotMetadata,
  startRestoreRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";

const CALLERS = 4;

/** How large it is. */
export interface SnapshotSize {
  /** Ranges of each caller. */
  ranges: number;
  /** Characters in the schedulers' configuration. */
  configChars: number;
  batchBytes: number;
}

/** What was written, after all of it was found again. */
export async function ownSnapshot(query: SqlQuery, { ranges, configChars, batchBytes }: SnapshotSize) {
  const metadata = {
    upstreamClusterId: 2n ** 64n - 1n,
    restoredTs: 455_082_095_194_886_736n,
    schedulersConfig: { schedulers: ["é"], scheduleCfg: { text: "日本".repeat(configChars / 2) } },
    restoreUuid: "a855e947-139e-4a01-8b0a-c14de33e15b7",
  };
  await saveSnapshotMetadata(query, metadata);
  assert.deepEqual(await loadSnapshotMetadata(query), metadata);
  await assert.rejects(saveSnapshotMetadata(query, metadata), /already exists/);
  const home = new TableHome(query, SNAPSHOT_DB);
  const runner = startRestoreRunner({ home, clock: systemClock, batchBytes });
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; i < ranges; i++) {
      await runner.append(BigInt(i % 7), { rangeKey: `${caller}_${i}_${"k".repeat(100)}`, name: "" });
    }
  });
  await Promise.all(callers);
  await runner.appendChecksum({ tableId: -1n, crc64xor: 2n ** 64n - 1n, totalKvs: 1n, totalBytes: 2n });
  await runner.finish({ flush: true });
  const found = new Set<string>();
  const report = new LoadReport(true);
  await walkItems(home, readRestoreGroup, { report }, (_table, item) => void found.add(item.rangeKey as string));
  assert.equal(found.size, CALLERS * ranges);
  assert.equal((await loadChecksums(home, new LoadReport(true))).get(-1n)!.crc64xor, 2n ** 64n - 1n);
  return { metadata, home, documents: report.documents };
}
