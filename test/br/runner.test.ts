import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fromHex, LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import { readDataDocument } from "../../src/br/documents.ts";
import {
  type BackupRange,
  backupPaths,
  checkConfigHash,
  composeTso,
  FileHome,
  LOG_DB,
  LoadReport,
  openBackup,
  planRemoval,
  readBackupGroup,
  readFileRestoreGroup,
  readLogGroup,
  removeCheckpoint,
  restorePaths,
  restoreTaskOf,
  retriedTso,
  SNAPSHOT_DB,
  saveLogMetadata,
  saveSnapshotMetadata,
  startBackupRunner,
  startLogRunner,
  startRestoreRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { FakeSql } from "./fake-sql.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { newDir, sampleFolders, sampleJson, unpackTree } from "./samples.ts";
import { SimClock } from "./sim-clock.ts";

const tso = async () => ({ physicalMs: 1_736_900_000_000n, logical: 7n });
const range = (key: string): BackupRange => ({ startKey: utf8(key), endKey: utf8(`${key}~`), files: null });
const checksum = { tableId: 22n, crc64xor: 1n, totalKvs: 1n, totalBytes: 1n };
const dataOf = (storage: MemoryStorage, kind: string): number =>
  [...storage.objects.keys()].filter((name) => name.includes(`/${kind}/`)).length;

async function keysOf(storage: MemoryStorage): Promise<string[]> {
  const keys: string[] = [];
  const home = new FileHome(storage, backupPaths("2025"));
  await walkItems(home, readBackupGroup, { report: new LoadReport(true) }, (_key, item) => {
    keys.push(textOf(item!.startKey!));
  });
  return keys.sort();
}

interface TimingEvent {
  at_ms: number;
  op?: string;
  path?: string;
  error?: string;
  sql?: string;
}

/** Writes of a kind, in whole seconds. */
const secondsOf = (events: TimingEvent[], wanted: (event: TimingEvent) => boolean): number[] =>
  events.filter(wanted).map(({ at_ms }) => Math.round(at_ms / 1000));

describe("ticks and retries", () => {
  interface Timing {
    events: TimingEvent[];
    wait_for_finish_called_ms: number;
  }
  const timing = sampleJson<Record<string, Timing>>("timing/timing.json");

  test("the default ticks are BR's: data every 30 s, checksums every 5 s, both only when there is something", async () => {
    const sample = timing["backup_runner_default_ticks"]!;
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const writes: { dir: string; at: number }[] = [];
    storage.before = (op, name) => {
      if (op === "write") writes.push({ dir: name.split("/")[2]!, at: clock.monotonicMs() });
    };
    const runner = await clock.until(startBackupRunner({ storage, tso, clock }));
    const begunMs = clock.monotonicMs();
    let finishing = false;
    const endMs = sample.wait_for_finish_called_ms - 3000;
    const jobs = [1000, 8000].map(async (everyMs, which) => {
      // The original's first item comes at once, and then each second or each 8 s.
      for (let n = 0; !finishing; n++) {
        if (which === 0) await runner.append(`k${n % 3}`, range(`${n}`));
        else await runner.appendChecksum(checksum);
        await clock.sleep(everyMs - 0.5);
      }
    });
    while (clock.monotonicMs() - begunMs < endMs) await clock.advance(500, 2);
    finishing = true;
    await clock.advance(10_000, 2);
    await Promise.all(jobs);
    const at = (dir: string): number[] =>
      writes.filter((w) => w.dir === dir && w.at - begunMs < endMs).map((w) => Math.round((w.at - begunMs) / 1000));
    const dataTimes = at("data");
    const expected = secondsOf(
      sample.events,
      (e) => e.op === "write" && /\/data\//.test(e.path ?? "") && e.at_ms < sample.wait_for_finish_called_ms,
    ).map((s) => s - 3);
    assert.deepEqual(dataTimes, expected);
    for (const second of at("checksum")) assert.equal(second % 5, 0);
    await runner.finish({ flush: true });
  });

  test("writes that fail are tried again every 3 s, and nobody who appends sees it", async () => {
    const sample = timing["backup_runner_failing_writes"]!;
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const attempts: Record<string, number[]> = { data: [], checksum: [] };
    const failures: Record<string, number> = { data: 4, checksum: 2 };
    storage.before = (op, name) => {
      if (op !== "write") return;
      const kind = name.split("/")[2]!;
      attempts[kind]!.push(Math.floor(clock.monotonicMs() / 1000));
      if (failures[kind]!-- > 0) throw new Error("injected write failure");
    };
    const runner = await clock.until(startBackupRunner({ storage, tso, clock }));
    await runner.appendChecksum(checksum);
    await clock.advance(5500);
    await runner.appendChecksum(checksum);
    await runner.append("k", range("1"));
    await clock.advance(40_000);
    await runner.append("k", range("2"));
    await clock.advance(15_000);
    const times = (kind: string): number[] =>
      secondsOf(sample.events, (e) => e.op === "write" && e.path!.includes(`/${kind}/`));
    assert.deepEqual(attempts["data"], times("data").slice(0, 6));
    assert.deepEqual(attempts["checksum"], times("checksum").slice(0, 4));
    await runner.finish({ flush: true });
    assert.deepEqual(await keysOf(storage), ["1", "2"]);
  });

  test("the last failed data goes first, checksums when no data is left", async () => {
    const clock = new SimClock();
    const sql = new FakeSql();
    await saveSnapshotMetadata(sql.query, null);
    const home = new TableHome(sql.query, SNAPSHOT_DB);
    const runner = startRestoreRunner({ home, clock, flushMs: 400, checksumMs: 400, retryMs: 2500 });
    const writes: [number, string][] = [];
    let failing = 4;
    sql.before = (text) => {
      if (!text.startsWith("REPLACE")) return;
      const document = Buffer.from(/(?<=, x')(\w+)(?='\);$)/.exec(text)![0], "hex");
      const name = text.includes("cpt_checksum")
        ? "checksum"
        : textOf(readDataDocument(document, "").groups[0]!.data!).replace(/.*key(\d).*/, "$1");
      writes.push([clock.monotonicMs(), name]);
      if (failing-- > 0) throw new Error("injected sql failure");
    };
    await runner.append(11n, { rangeKey: "key1", name: "" });
    await clock.advance(401);
    await runner.appendChecksum(checksum);
    await clock.advance(400);
    await runner.append(33n, { rangeKey: "key3", name: "" });
    await clock.advance(400);
    await runner.append(44n, { rangeKey: "key4", name: "" });
    await clock.advance(10_000);
    assert.deepEqual(writes, [
      [400, "1"],
      [800, "checksum"],
      [1200, "3"],
      [1600, "4"],
      [2500, "4"],
      [5000, "3"],
      [7500, "1"],
      [10_000, "checksum"],
    ]);
    await runner.finish({ flush: true });
  });

  test("finishing tries again until its deadline and says what it could not write", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    let failing = 3;
    storage.before = (op) => {
      if (op === "write" && failing-- > 0) throw new Error("injected permanent failure");
    };
    const runner = await clock.until(startBackupRunner({ storage, tso, clock }));
    await runner.append("k", range("1"));
    await runner.appendChecksum(checksum);
    await clock.until(runner.finish({ flush: true }));
    assert.deepEqual([dataOf(storage, "data"), dataOf(storage, "checksum")], [1, 1]);
    failing = Number.POSITIVE_INFINITY;
    const second = await clock.until(startBackupRunner({ storage, tso, clock }));
    await second.append("k", range("2"));
    await assert.rejects(clock.until(second.finish({ flush: true, deadlineMs: 5000 })), (error: LevinError) => {
      assert.equal(error.code, "Levin:Br:ErrFlush");
      assert.match(error.message, /^failed to flush checkpoint data\.: .*injected permanent failure/);
      return true;
    });
    assert.equal(storage.objects.has(backupPaths("2025").lock!), false);
  });

  for (const [name, sample] of Object.entries(
    sampleJson<Record<string, { calls: TimingEvent[]; constructor_error: string | null }>>("timing/timing.json"),
  )) {
    if (!name.startsWith("clock_error_")) continue;
    test(`${name}: as often and as late as BR asks PD`, async () => {
      const clock = new SimClock();
      const times: number[] = [];
      const source = async () => {
        times.push(clock.monotonicMs());
        const text = sample.calls[times.length - 1]?.error;
        if (text === undefined) return tso();
        // What levin's own client gives for these: a final error, the caller's abort, the caller's deadline.
        if (/Internal/.test(text)) throw new LevinError("Levin:Br:ErrFormat", text);
        const error = new Error(text);
        if (text === "context canceled") error.name = "AbortError";
        if (text === "context deadline exceeded") error.name = "TimeoutError";
        throw error;
      };
      const result = await clock.until(retriedTso(source, clock)).then(
        () => null,
        (error: Error) => error.message,
      );
      assert.equal(result, sample.constructor_error);
      assert.equal(times.length, sample.calls.length);
      for (const [i, { at_ms }] of sample.calls.entries())
        assert.ok(Math.abs(times[i]! - at_ms) < 300, `${times[i]} ${at_ms}`);
    });
  }
});

describe("the runner", () => {
  interface Behaviour {
    names_before: string[];
    names_after: string[];
    append_1_error: string;
    append_2_error: string;
    flush_checksum_error: string;
  }
  const samples = sampleJson<Record<string, Behaviour>>("runner/behaviour.json");
  const message = async (action: Promise<void>): Promise<string | null> =>
    action.then(
      () => null,
      (error: Error) => error.message,
    );

  test("its caller's abort is published, nothing is written after it", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const abort = new AbortController();
    const runner = await clock.until(startBackupRunner({ storage, tso, clock, signal: abort.signal }));
    await runner.append("k", range("1"));
    abort.abort(new Error("context canceled"));
    const sample = samples["runner-context-cancelled"]!;
    assert.equal(await message(runner.append("k", range("2"))), sample.append_1_error);
    assert.equal(await message(runner.append("k", range("2"))), sample.append_2_error);
    assert.equal(await message(runner.appendChecksum(checksum)), sample.flush_checksum_error);
    const own = AbortSignal.abort(new Error("context canceled"));
    assert.equal(
      await message(runner.append("k", range("2"), own)),
      "failed to append checkpoint message: context canceled",
    );
    await assert.rejects(clock.until(runner.finish({ flush: true })));
    assert.equal(dataOf(storage, "data"), 0);
  });

  test("after its end it takes nothing; ending twice is one end", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const runner = await clock.until(startBackupRunner({ storage, tso, clock }));
    await runner.append("k", range("1"));
    await Promise.all([runner.finish({ flush: true }), runner.finish({ flush: true })]);
    await runner.finish({ flush: false });
    assert.equal(dataOf(storage, "data"), 1);
    assert.match((await message(runner.append("k", range("2"))))!, /^failed to append checkpoint message: /);
    assert.match((await message(runner.appendChecksum(checksum)))!, /^failed to append checkpoint checksum item: /);
  });

  test("a key or method that nothing can be written with is refused at the start, and the lock is given back", async () => {
    for (const cipher of [
      { method: "AES256_CTR" as const, key: utf8("12345") },
      { method: "UNKNOWN" as const, key: new Uint8Array(16) },
    ]) {
      const clock = new SimClock();
      const storage = new MemoryStorage();
      await assert.rejects(
        clock.until(startBackupRunner({ storage, tso, clock, cipher })),
        (error: LevinError) => error.code === "Levin:Br:ErrCipher",
      );
      assert.equal(storage.objects.size, 0);
    }
  });

  test("size makes it write at once; memory has a ceiling, appending waits for room and then goes on", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    let away = true;
    storage.before = (op) => {
      if (op === "write" && away) throw new Error("away");
    };
    const options = { storage, tso, clock, batchBytes: 10_000, memoryBytes: 50_000 };
    const runner = await clock.until(startBackupRunner(options));
    let most = 0;
    let appended = 0;
    const callers = Array.from({ length: 5 }, async (_, who) => {
      for (let i = 0; i < 200; i++) {
        await runner.append(`group ${who}`, range(`${who}/${i}/${"x".repeat(100)}`));
        appended++;
        most = Math.max(most, runner.unwrittenBytes);
      }
    });
    await clock.advance(20_000);
    assert.ok(appended < 1000, `${appended}`);
    // A batch on its way out is larger than what was appended, by base64.
    assert.ok(most < 90_000, `${most}`);
    away = false;
    await clock.until(Promise.all(callers));
    await clock.until(runner.finish({ flush: true }));
    assert.equal((await keysOf(storage)).length, 1000);
  });

  test("a storage that stays away ends it after a while, with its last error", async () => {
    const clock = new SimClock();
    const sql = new FakeSql();
    await saveLogMetadata(sql.query, {
      upstreamClusterId: 1n,
      restoredTs: 1n,
      startTs: 1n,
      rewriteTs: 1n,
      gcRatio: "1.1",
      tiflashItems: null,
    });
    sql.before = () => {
      throw new Error("gone for good");
    };
    const runner = startLogRunner({ home: new TableHome(sql.query, LOG_DB), clock, giveUpMs: 120_000 });
    await runner.append("g", { tableId: 1n, goff: 2n, foff: 3n });
    await clock.advance(115_000, 3);
    assert.equal(await message(runner.append("g", { tableId: 1n, goff: 2n, foff: 4n })), null);
    await clock.advance(40_000, 3);
    const error = await message(runner.append("g", { tableId: 1n, goff: 2n, foff: 5n }));
    assert.equal(error, "failed to flush checkpoint data.: gone for good");
    await assert.rejects(runner.finish({ flush: true }));
  });

  test("elapsed time goes on from earlier runs", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const runner = await clock.until(startBackupRunner({ storage, tso, clock, pastDureNs: 5_000_000_000n }));
    await runner.append("k", range("1"));
    await clock.advance(30_000);
    const report = new LoadReport(true);
    await walkItems(new FileHome(storage, backupPaths("2025")), readBackupGroup, { report }, () => {});
    assert.equal(report.pastDureNs, 35_000_000_000n);
    await runner.finish({ flush: false });
  });
});

describe("older layouts", () => {
  test("2024's ranges have a Size, restores in files give back what was appended", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const paths = restorePaths("7123");
    const runner = startRestoreRunner({ home: new FileHome(storage, paths), clock, layout: "2024" });
    await runner.append(1n, { rangeKey: "a", name: "" });
    await runner.append(1n, { rangeKey: "A", name: "" });
    await runner.finish({ flush: true });
    const found: string[] = [];
    await walkItems(
      new FileHome(storage, paths),
      readFileRestoreGroup,
      { report: new LoadReport(true) },
      (id, item) => {
        found.push(`${id} ${item.rangeKey}`);
      },
    );
    assert.deepEqual(found, ["1 a", "1 A"]);
    const [[name, bytes]] = [...storage.objects] as [[string, Uint8Array]];
    assert.equal(restoreTaskOf(name), "7123");
    assert.equal(
      textOf(readDataDocument(bytes, "").groups[0]!.data!),
      '{"group-key":1,"groups":[{"RangeKey":"a"},{"RangeKey":"A"}]}',
    );
    const log = restorePaths("7123/5.9");
    const logRunner = startLogRunner({ home: new FileHome(storage, log), clock });
    for (const [goff, tableId, foff] of [
      [0n, 1n, 0n],
      [0n, 2n, 1n],
      [1n, 1n, 0n],
    ] as const) {
      await logRunner.append("a", { goff, tableId, foff });
    }
    await logRunner.finish({ flush: true });
    const logged: unknown[] = [];
    await walkItems(new FileHome(storage, log), readLogGroup, { report: new LoadReport(true) }, (key, item) => {
      logged.push([key, item.goff, [...item.foffs!]]);
    });
    assert.deepEqual(logged, [
      [
        "a",
        0n,
        [
          [1n, [0n]],
          [2n, [1n]],
        ],
      ],
      ["a", 1n, [[1n, [0n]]]],
    ]);
  });

  test("2023's backup lies at the root, its oldest files have no suffix", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const runner = await clock.until(startBackupRunner({ storage, tso, clock, layout: "2023" }));
    await runner.append("k", range("1"));
    await runner.finish({ flush: true });
    const [[name, bytes]] = [...storage.objects] as [[string, Uint8Array]];
    assert.match(name, /^checkpoints\/data\/\w+\.cpt$/);
    storage.objects.set("checkpoints/data/old_1", bytes);
    let items = 0;
    await walkItems(
      new FileHome(storage, backupPaths("2023")),
      readBackupGroup,
      { report: new LoadReport(true) },
      () => {
        items++;
      },
    );
    assert.equal(items, 2);
    await removeCheckpoint(storage, await planRemoval(storage, backupPaths("2023")));
    assert.equal(storage.objects.size, 0);
  });
});

describe("removal", () => {
  const samples =
    sampleJson<Record<string, { names_before: string[]; names_after: string[]; error?: string; files_left?: number }>>(
      "runner/behaviour.json",
    );

  function names(dir: string, below = ""): string[] {
    return readdirSync(join(dir, below), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory()
        ? [`${below}${entry.name}/`, ...names(dir, `${below}${entry.name}/`)]
        : [`${below}${entry.name}`],
    );
  }

  test("takes BR's files alone, the metadata first, and can be repeated", async () => {
    const dir = newDir();
    for (const name of samples["remove"]!.names_before) {
      if (name.endsWith("/")) continue;
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), "x");
    }
    assert.deepEqual(names(dir).sort(), samples["remove"]!.names_before);
    const storage = new LocalObjects(dir);
    const plan = await planRemoval(storage, backupPaths("2025"));
    assert.deepEqual(plan.first, ["checkpoints/backup/checkpoint.meta"]);
    await removeCheckpoint(storage, plan);
    assert.deepEqual(names(dir).sort(), samples["remove"]!.names_after);
    await removeCheckpoint(storage, await planRemoval(storage, backupPaths("2025")));
    assert.deepEqual(names(dir).sort(), samples["remove-again"]!.names_after);
  });

  test("tells of up to 15 files that stay, and fails at the 16th", async () => {
    for (const failures of [15, 16]) {
      const storage = new MemoryStorage();
      for (let i = 0; i < 40; i++) storage.objects.set(`checkpoints/backup/data/${i}.cpt`, utf8("x"));
      let failing = failures;
      storage.before = (op) => {
        if (op === "remove" && failing-- > 0) throw new Error("injected delete failure");
      };
      const removing = removeCheckpoint(storage, await planRemoval(storage, backupPaths("2025")));
      if (failures === 15) assert.equal((await removing).left.length, samples["remove-15-deletes-fail"]!.files_left);
      else {
        const { error } = samples["remove-16-deletes-fail"]!;
        await assert.rejects(removing, (thrown: Error) => thrown.message === error);
      }
    }
  });
});

describe("what a starting backup finds", () => {
  interface StartSample {
    set_storage_error: string | null;
    check_config_hash_error?: string | null;
    config_hash_of_this_run_hex: string | null;
    backup_ts?: string;
    gc_service_id?: string;
  }
  const samples = sampleJson<Record<string, StartSample>>("backup-start-checks/behaviour.json");
  for (const name of sampleFolders("backup-start-checks")) {
    test(name, async () => {
      const sample = samples[name]!;
      const dir = unpackTree(`backup-start-checks/${name}/tree`);
      const storage = new LocalObjects(dir);
      const shown = (error: Error): string => error.message.replaceAll(dir, "<root>");
      let found: Awaited<ReturnType<typeof openBackup>>;
      try {
        found = await openBackup(storage);
        assert.equal(null, sample.set_storage_error);
      } catch (error) {
        const expected = sample.set_storage_error!;
        // The words behind the prefix are Go's JSON decoder's.
        const prefix = /^error occurred when loading .* file: /.exec(expected)?.[0];
        if (prefix === undefined) assert.equal(shown(error as Error), expected);
        else assert.ok(shown(error as Error).startsWith(prefix), shown(error as Error));
        return;
      }
      if (name.startsWith("meta-missing")) assert.equal(found, undefined);
      else {
        assert.equal(`${found!.metadata.backupTs}`, sample.backup_ts);
        assert.equal(found!.metadata.gcServiceId, sample.gc_service_id);
        const own = sample.config_hash_of_this_run_hex;
        let refused: string | null = null;
        try {
          checkConfigHash(storage, found!.metadata.configHash, own === null ? null : fromHex(own));
        } catch (error) {
          refused = shown(error as Error);
        }
        assert.equal(refused, sample.check_config_hash_error);
      }
    });
  }
});

test("timestamps are composed as PD composes them", () => {
  assert.equal(composeTso({ physicalMs: 10n, logical: 20n }), 2621460n);
  assert.equal(composeTso({ physicalMs: 30n, logical: 10n }), 7864330n);
});
