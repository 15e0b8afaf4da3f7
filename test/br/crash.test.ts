import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { equalBytes, seededRandom, textOf, utf8 } from "../../src/base/mod.ts";
import {
  backupPaths,
  FileHome,
  LoadReport,
  loadBackupMetadata,
  planRemoval,
  readBackupGroup,
  removeCheckpoint,
  saveBackupMetadata,
  startBackupRunner,
  type TsoSource,
  walkItems,
} from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { CrashFiles } from "./crash-files.ts";
import { SimClock } from "./sim-clock.ts";

const paths = backupPaths("2025");
const ROOT = "/backup";

/** A storage that remembers what was acknowledged as written. */
class WatchedStorage extends LocalObjects {
  readonly acknowledged = new Map<string, Uint8Array>();

  override async write(name: string, bytes: Uint8Array): Promise<void> {
    await super.write(name, bytes);
    this.acknowledged.set(name, bytes);
  }
}

interface Job {
  callers: number;
  each: number;
  batchBytes: number;
}

const keyOf = (caller: number, i: number): string => `${caller}/${i}`;

/** One run of the job: whatever is not there yet is appended by several callers at once. */
async function runJob(
  files: CrashFiles,
  clock: SimClock,
  job: Job,
): Promise<{ storage: WatchedStorage; finished: boolean }> {
  const storage = new WatchedStorage(ROOT, { files, clock });
  const tso: TsoSource = async () => ({ physicalMs: BigInt(Math.floor(clock.nowMs())), logical: 0n });
  const work = async (): Promise<void> => {
    const metadata = { gcServiceId: "br-1", configHash: utf8("h"), backupTs: 1n, ranges: null };
    if ((await storage.read(paths.meta)) === undefined) await saveBackupMetadata(storage, metadata);
    const done = await readAll(storage);
    const options = { storage, tso, clock, batchBytes: job.batchBytes, memoryBytes: 4 * job.batchBytes };
    const runner = await startBackupRunner({ ...options, giveUpMs: 60_000 });
    try {
      await Promise.all(
        Array.from({ length: job.callers }, async (_, caller) => {
          for (let i = 0; i < job.each; i++) {
            const key = keyOf(caller, i);
            if (done.has(key)) continue;
            await runner.append(`g${caller % 3}`, { startKey: utf8(key), endKey: null, files: null });
            if (i % 10 === 0)
              await runner.appendChecksum({ tableId: BigInt(i), crc64xor: 1n, totalKvs: 1n, totalBytes: 1n });
          }
        }),
      );
    } finally {
      await runner.finish({ flush: true, deadlineMs: 10_000 });
    }
  };
  const finished = await clock.until(work()).then(
    () => true,
    () => false,
  );
  return { storage, finished };
}

async function readAll(storage: LocalObjects): Promise<Set<string>> {
  const keys = new Set<string>();
  // Strict: a crash must leave nothing that is damaged.
  await walkItems(new FileHome(storage, paths), readBackupGroup, { report: new LoadReport(true) }, (_key, range) => {
    keys.add(textOf(range!.startKey!));
  });
  return keys;
}

async function check(files: CrashFiles, storage: WatchedStorage, job: Job, finished: boolean): Promise<void> {
  const found = new LocalObjects(ROOT, { files });
  for (const [name, bytes] of storage.acknowledged) {
    const there = await found.read(name);
    assert.ok(there !== undefined && equalBytes(there, bytes), `lost ${name}`);
  }
  const keys = await readAll(found);
  const all = new Set<string>();
  for (let c = 0; c < job.callers; c++) for (let i = 0; i < job.each; i++) all.add(keyOf(c, i));
  for (const key of keys) assert.ok(all.has(key), `invented ${key}`);
  if (finished) assert.equal(keys.size, all.size);
  if ((await found.read(paths.meta)) !== undefined) await loadBackupMetadata(found, { report: new LoadReport(true) });
}

async function operationsOf(job: Job): Promise<number> {
  const files = new CrashFiles();
  const { finished } = await runJob(files, new SimClock(), job);
  assert.ok(finished);
  return files.operations;
}

const SMALL: Job = { callers: 4, each: 12, batchBytes: 700 };

describe("a backup's checkpoint", () => {
  test("killed with loss of power at any file operation: nothing acknowledged is lost, and the next run completes it", async () => {
    const operations = await operationsOf(SMALL);
    assert.ok(operations > 30, `${operations}`);
    for (let killAt = 0; killAt < operations; killAt++) {
      const clock = new SimClock();
      const files = new CrashFiles();
      files.killAt = killAt;
      const { storage, finished } = await runJob(files, clock, SMALL);
      const survived = files.afterPowerLoss();
      await check(survived, storage, SMALL, finished && !files.dead);
      // The dead owner's lock has to run out first.
      await clock.advance(301_000, 1);
      const again = await runJob(survived, clock, SMALL);
      assert.ok(again.finished, `after a kill at ${killAt}`);
      await check(survived.afterPowerLoss(), again.storage, SMALL, true);
    }
  });

  test("any one file operation that fails: what can be tried again is, the rest is an error, nothing is lost", async () => {
    const operations = await operationsOf(SMALL);
    let finishedRuns = 0;
    for (let failAt = 0; failAt < operations; failAt++) {
      const clock = new SimClock();
      const files = new CrashFiles();
      files.failAt = failAt;
      const { storage, finished } = await runJob(files, clock, SMALL);
      if (finished) finishedRuns++;
      await check(files.afterPowerLoss(), storage, SMALL, finished);
    }
    // All but those before the runner starts.
    assert.ok(finishedRuns > operations / 2, `${finishedRuns} of ${operations}`);
  });

  test("many ranges, killed at random operations", async () => {
    const job: Job = { callers: 8, each: 1500, batchBytes: 40_000 };
    const operations = await operationsOf(job);
    const random = seededRandom(8);
    for (let round = 0; round < 4; round++) {
      const clock = new SimClock();
      const files = new CrashFiles();
      files.killAt = Math.floor(random.next() * operations);
      const { storage } = await runJob(files, clock, job);
      await check(files.afterPowerLoss(), storage, job, false);
    }
  });

  test("killed at any operation of its removal: either it can be resumed as a whole or it is no checkpoint any more", async () => {
    const job: Job = { callers: 2, each: 10, batchBytes: 300 };
    for (let killAt = 0; ; killAt++) {
      const clock = new SimClock();
      const files = new CrashFiles();
      const { storage } = await runJob(files, clock, job);
      const before = await readAll(storage);
      files.operations = 0;
      files.killAt = killAt;
      const removal = async () => removeCheckpoint(storage, await planRemoval(storage, paths));
      const done = await removal().then(
        ({ left }) => left.length === 0,
        () => false,
      );
      if (done && !files.dead) break;
      // As a process dies that is not followed by a loss of power.
      files.dead = false;
      files.killAt = Number.POSITIVE_INFINITY;
      if ((await storage.read(paths.meta)) !== undefined) assert.equal((await readAll(storage)).size, before.size);
      await removal();
      assert.deepEqual(await storage.list("checkpoints/backup"), []);
    }
  });
});
