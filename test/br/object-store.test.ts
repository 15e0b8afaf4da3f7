/** Backup checkpoints in an S3 store, over HTTP: samples, runner, lock, commands. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type LevinError, seededRandom, systemClock, textOf, utf8 } from "../../src/base/mod.ts";
import {
  BrLock,
  backupPaths,
  FileHome,
  LoadReport,
  openBackup,
  planRemoval,
  readBackupGroup,
  removeCheckpoint,
  saveBackupMetadata,
  startBackupRunner,
  type TsoSource,
  walkItems,
} from "../../src/br/mod.ts";
import { type ObjectStorage, parseS3Address, S3Client, S3Objects } from "../../src/storage/mod.ts";
import { type Fault, S3Server } from "../storage/s3-server.ts";
import { runCheckpoint } from "./run-command.ts";
import { sampleFiles, sampleFolders, unpackTree } from "./samples.ts";

const paths = backupPaths("2025");
const tso: TsoSource = async () => ({ physicalMs: BigInt(Math.floor(systemClock.nowMs())), logical: 0n });
let server: S3Server;

before(async () => {
  server = await new S3Server().start();
});
beforeEach(() => {
  server.objects.clear();
  server.fault = () => undefined;
  server.pause = () => {};
});
after(() => server.stop());

function opened(prefix = "b"): ObjectStorage {
  const client = { clock: systemClock, random: seededRandom(1), firstWaitMs: 1, attempts: 4 };
  return new S3Objects(new S3Client(parseS3Address(server.address(prefix), {}), client));
}

function upload(folder: string, prefix: string): void {
  for (const [path, bytes] of sampleFiles()) {
    if (path.startsWith(`${folder}/`)) server.put(prefix + path.slice(folder.length + 1), bytes);
  }
}

describe("the same in a bucket as in a directory", () => {
  const cipherOf = (sample: { method: string; key_hex: string | null } | null | undefined): string[] =>
    sample ? ["--cipher", `${sample.method}:${sample.key_hex ?? ""}`] : [];
  const json = <T>(path: string): T => JSON.parse(textOf(sampleFiles().get(path)!)) as T;
  const behaviour =
    json<Record<string, { read_with: { method: string; key_hex: string } | null }>>("broken-backup/behaviour.json");
  const cases: [folder: string, cipher: string[]][] = [
    ...sampleFolders("backup").map((name): [string, string[]] => {
      const { cipher } = json<{ cipher: { method: string; key_hex: string | null } | null }>(
        `backup/${name}/expected.json`,
      );
      return [`backup/${name}`, cipherOf(cipher)];
    }),
    ...Object.entries(behaviour).map(([name, { read_with }]): [string, string[]] => [
      `broken-backup/${name}`,
      cipherOf(read_with),
    ]),
  ];
  for (const [folder, cipher] of cases) {
    test(folder, async () => {
      const dir = unpackTree(`${folder}/tree`);
      upload(`${folder}/tree`, "b/");
      // A sub-folder's files stand elsewhere in the order of a bucket's names.
      const sorted = ({ code, out, err }: { code: number; out: string; err: string }): unknown => [
        code,
        out.replaceAll(`file://${dir}/`, "s3://bucket/b/").split("\n").sort(),
        err.replaceAll(`file://${dir}/`, "s3://bucket/b/").split("\n").sort(),
      ];
      for (const command of ["export", "verify"]) {
        const words = [command, "--kind", "backup", ...cipher];
        const [local, remote] = [
          await runCheckpoint([...words, dir]),
          await runCheckpoint([...words, server.address("b")]),
        ];
        assert.equal(remote.code, local.code);
        // What a folder in a file's place is to a directory has no like in a bucket.
        if (!/EISDIR/.test(local.err + local.out)) assert.deepEqual(sorted(remote), sorted(local));
      }
    });
  }
});

async function backUp(storage: ObjectStorage, keys: string[], settleMs = 5): Promise<void> {
  if ((await openBackup(storage)) === undefined) {
    await saveBackupMetadata(storage, { gcServiceId: "br-1", configHash: utf8("h"), backupTs: 1n, ranges: null });
  }
  const runner = await startBackupRunner({
    storage,
    tso,
    clock: systemClock,
    batchBytes: 400,
    lockOptions: { settleMs },
    retryMs: 5,
  });
  try {
    for (const key of keys) await runner.append("g", { startKey: utf8(key), endKey: null, files: null });
    await runner.appendChecksum({ tableId: 1n, crc64xor: 1n, totalKvs: 1n, totalBytes: 1n });
  } finally {
    await runner.finish({ flush: true });
  }
}

async function keysIn(storage: ObjectStorage): Promise<string[]> {
  const keys: string[] = [];
  await walkItems(new FileHome(storage, paths), readBackupGroup, { report: new LoadReport(true) }, (_group, range) => {
    keys.push(textOf(range!.startKey!));
  });
  return keys.sort();
}

const KEYS = Array.from({ length: 12 }, (_, i) => `key ${String(i).padStart(2, "0")}`);

describe("a backup's checkpoint in a bucket", () => {
  test("written, resumed, shown, unlocked and removed", async () => {
    const storage = opened();
    await backUp(storage, KEYS.slice(0, 6));
    await backUp(storage, KEYS.slice(6));
    assert.deepEqual(await keysIn(storage), KEYS);
    assert.equal(server.objects.has("bucket/b/checkpoints/backup/checkpoint.lock"), false);
    server.put("b/checkpoints/backup/checkpoint.lock", utf8('{"lock-id":7,"expire-at":1900000300000}'));
    const address = server.address("b");
    assert.match((await runCheckpoint(["show", address])).out, /lock 7, in force for 300 s more/);
    assert.equal((await runCheckpoint(["unlock", address])).code, 3);
    assert.match((await runCheckpoint(["unlock", "--force", address])).out, /^removed: lock 7/);
    server.put("b/backupmeta", utf8("not BR's checkpoint"));
    assert.equal((await runCheckpoint(["rm", "--yes", address])).code, 0);
    assert.deepEqual([...server.objects.keys()], ["bucket/b/backupmeta"]);
    assert.equal((await runCheckpoint(["show", address])).code, 2);
  });

  test("in a store without conditional removal the lock is left as expired, which anyone may take", async () => {
    const other = await new S3Server({ conditions: "put" }).start();
    try {
      const open = () =>
        new S3Objects(
          new S3Client(parseS3Address(other.address("b"), {}), { clock: systemClock, random: seededRandom(1) }),
        );
      await backUp(open(), KEYS.slice(0, 6));
      const left = textOf(other.objects.get("bucket/b/checkpoints/backup/checkpoint.lock")!.bytes);
      assert.match(left, /^\{"lock-id":\d+,"expire-at":0\}$/);
      await backUp(open(), KEYS.slice(6));
      assert.deepEqual(await keysIn(open()), KEYS);
    } finally {
      await other.stop();
    }
  });

  test("any one request that fails, before or after it is carried out: all is there in the end, nothing twice under one name", async () => {
    const run = async (fault: Fault | undefined, at: number): Promise<number> => {
      server.objects.clear();
      const from = server.seen.length;
      server.fault = (_request, number) => (number - from === at ? fault : undefined);
      await backUp(opened(), KEYS, 0);
      server.fault = () => undefined;
      const requests = server.seen.length - from;
      assert.deepEqual(await keysIn(opened()), KEYS, `${fault} at ${at}`);
      return requests;
    };
    const requests = await run(undefined, -1);
    assert.ok(requests > 15, `${requests}`);
    for (let at = 0; at < requests; at++) await run(at % 2 === 0 ? "after" : "before", at);
    for (let at = 0; at < requests; at++) await run(at % 2 === 0 ? 503 : "after", at);
  });

  test("a store that fails for good in the middle: what was written stays, the next run completes it", async () => {
    for (const at of [10, 14, 18, 22]) {
      server.objects.clear();
      const from = server.seen.length;
      server.fault = (_request, number) => (number - from >= at ? 503 : undefined);
      const runner = backUp(opened(), KEYS, 0);
      await assert.rejects(
        Promise.race([runner, systemClock.sleep(300).then(() => Promise.reject(new Error("still trying")))]),
        (error: Error) => /SlowDown|still trying/.test(error.message),
      );
      const there = [...server.objects.keys()].filter((key) => key.includes("/data/"));
      server.fault = () => undefined;
      await runner.catch(() => undefined);
      server.objects.delete("bucket/b/checkpoints/backup/checkpoint.lock");
      for (const key of there) assert.ok(server.objects.has(key));
      const found = new Set(await keysIn(opened()));
      await backUp(
        opened(),
        KEYS.filter((key) => !found.has(key)),
        0,
      );
      assert.deepEqual([...new Set(await keysIn(opened()))], KEYS);
    }
  });

  test("many who want the lock: never two holders, though the store answers late", async () => {
    const random = seededRandom(5);
    server.pause = () => systemClock.sleep(random.next() < 0.1 ? 60 * random.next() : 0);
    let holders = 0;
    let terms = 0;
    const name = paths.lock!;
    const contend = async (id: bigint): Promise<void> => {
      const storage = opened();
      const own: TsoSource = async () => ({ ...(await tso()), logical: id });
      for (let attempt = 0; attempt < 100 && terms < 8; attempt++) {
        const lock = await BrLock.acquire({
          storage,
          name,
          tso: own,
          clock: systemClock,
          ttlMs: 600,
          settleMs: 5,
        }).catch((error: LevinError) => void assert.match(error.code, /ErrLocked|ErrLockLost/));
        if (lock?.held()) {
          holders++;
          terms++;
          assert.equal(holders, 1);
          await systemClock.sleep(10 * random.next());
          // Whoever still holds it here held it all the time.
          holders--;
          if (random.next() < 0.8) await lock.release();
        }
        await systemClock.sleep(30 * random.next());
      }
    };
    await Promise.all([1n, 2n, 3n, 4n].map(contend));
    assert.ok(terms >= 8, `${terms}`);
  });

  test("removal takes the mark first and leaves foreign objects", async () => {
    const storage = opened();
    await backUp(storage, KEYS);
    server.put("b/checkpoints/backup/data/notes.txt", utf8("mine"));
    const plan = await planRemoval(storage, paths);
    assert.deepEqual(plan.first, [paths.meta]);
    assert.deepEqual((await removeCheckpoint(storage, plan)).left, []);
    assert.deepEqual([...server.objects.keys()], ["bucket/b/checkpoints/backup/data/notes.txt"]);
  });
});
