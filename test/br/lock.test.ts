import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import { BrLock, backupPaths, composeTso, startBackupRunner, type TsoSource } from "../../src/br/mod.ts";
import { raceInBucket, raceInDirectory } from "./lock-race.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { sampleJson } from "./samples.ts";
import { SimClock } from "./sim-clock.ts";

interface LockSample {
  clock_physical_ms?: string;
  clock_logical?: string;
  constructor_error: string | null;
  lock_before?: string | null;
  lock_after_finish: string | null;
  own_lock_id: string;
  took_3_s?: boolean;
  append_1_error?: string | null;
  append_2_error?: string | null;
  flush_checksum_1_error?: string | null;
  flush_checksum_2_error?: string | null;
}

const NAME = backupPaths("2025").lock!;
const PHYSICAL_MS = 1_737_823_201_861n;
const LOGICAL = 9n;
const constant: TsoSource = async () => ({ physicalMs: PHYSICAL_MS, logical: LOGICAL });
const range = { startKey: utf8("a"), endKey: utf8("b"), files: null };
const checksum = { tableId: 1n, crc64xor: 1n, totalKvs: 1n, totalBytes: 1n };

/** BR's texts stay; what its JSON decoder says is worded otherwise here. */
function sameText(own: string | null, expected: string | null | undefined): void {
  if (expected === undefined) return;
  if (expected !== null && /JSON|json:/.test(expected)) {
    assert.match(own ?? "no error", /Cannot parse/);
    const prefix = expected.slice(0, expected.search(/unexpected end of JSON|json:/));
    assert.ok(own!.startsWith(prefix), own!);
  } else assert.equal(own, expected);
}

async function outcome(action: Promise<unknown>): Promise<string | null> {
  try {
    await action;
    return null;
  } catch (error) {
    return LevinError.from(error).message;
  }
}

describe("lock files that BR met", () => {
  const samples = sampleJson<Record<string, LockSample>>("lock/behaviour.json");
  for (const [name, sample] of Object.entries(samples)) {
    const acquiring = name.startsWith("acquire-") || name.endsWith("-first-3-s");
    test(name, async () => {
      const clock = new SimClock();
      const storage = new MemoryStorage();
      assert.equal(`${composeTso({ physicalMs: PHYSICAL_MS, logical: LOGICAL })}`, sample.own_lock_id);
      if ((sample.lock_before ?? null) !== null) storage.objects.set(NAME, utf8(sample.lock_before!));
      const starting = startBackupRunner({ storage, tso: constant, clock });
      starting.catch(() => {});
      await clock.advance(1000);
      if (name === "deleted-within-first-3-s") storage.objects.delete(NAME);
      if (name === "stolen-within-first-3-s") storage.objects.set(NAME, utf8(sample.lock_after_finish!));
      const before = clock.monotonicMs();
      let refused: string | null = null;
      const runner = await clock.until(starting).catch((error) => {
        refused = LevinError.from(error).message;
        return undefined;
      });
      sameText(refused, sample.constructor_error);
      if (sample.took_3_s !== undefined) assert.equal(clock.monotonicMs() - before >= 1900, sample.took_3_s);
      if (runner !== undefined && !acquiring) {
        if (name === "deleted-while-running") storage.objects.delete(NAME);
        else if (name === "broken-while-running") storage.objects.set(NAME, utf8('{"lock-id":'));
        else if (name === "replaced-while-running-expired-older") {
          storage.objects.set(NAME, utf8(`{"lock-id":5,"expire-at":${PHYSICAL_MS - 5n}}`));
        } else storage.objects.set(NAME, utf8(sample.lock_after_finish!));
        await clock.advance(101_000);
        sameText(await outcome(runner.append("a", range)), sample.append_1_error);
        sameText(await outcome(runner.append("a", range)), sample.append_2_error);
        sameText(await outcome(runner.appendChecksum(checksum)), sample.flush_checksum_1_error);
        sameText(await outcome(runner.appendChecksum(checksum)), sample.flush_checksum_2_error);
      }
      if (runner !== undefined) await clock.until(runner.finish({ flush: false }));
      // The original leaves its lock behind, which refuses the next run; here its owner removes it.
      const own = sample.lock_after_finish?.includes(sample.own_lock_id) ?? false;
      const found = storage.objects.get(NAME);
      const after = found === undefined ? null : textOf(found);
      assert.equal(after, own ? null : sample.lock_after_finish);
    });
  }
});

describe("the lease", () => {
  const pd = (clock: SimClock): TsoSource => {
    return async () => ({ physicalMs: BigInt(Math.floor(clock.monotonicMs())) + 1_000_000n, logical: 0n });
  };

  test("renewed in time it is held for hours; not renewed its owner stops before others may begin", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const tso = pd(clock);
    const runner = await clock.until(startBackupRunner({ storage, tso, clock }));
    await clock.advance(3_600_000, 3);
    await runner.append("a", range);
    storage.before = (op, name) => {
      if (name === NAME && op !== "read") throw new Error("storage is away");
    };
    await clock.advance(275_000, 3);
    assert.match((await outcome(runner.append("a", range)))!, /failed to update checkpoint lock.*/);
    await assert.rejects(
      BrLock.acquire({ storage, tso, clock, name: NAME }),
      (error: LevinError) => error.code === "Levin:Br:ErrLocked",
    );
    storage.before = () => {};
    // What was appended before is written; nothing was taken since.
    await runner.finish({ flush: true });
    assert.equal([...storage.objects.keys()].filter((name) => name.includes("/data/")).length, 1);
  });

  test("after a clean end the next owner takes it at once, after a crash when it has run out", async () => {
    const clock = new SimClock();
    const storage = new MemoryStorage();
    const tso = pd(clock);
    const first = await clock.until(startBackupRunner({ storage, tso, clock }));
    await first.finish({ flush: true });
    const begun = clock.monotonicMs();
    await clock.until(BrLock.acquire({ storage, tso, clock, name: NAME }));
    assert.ok(clock.monotonicMs() - begun < 3500);
    // This owner is never heard of again.
    const crashed = clock.monotonicMs();
    for (;;) {
      const taken = await clock.until(BrLock.acquire({ storage, tso, clock, name: NAME }).catch(() => undefined));
      if (taken !== undefined) break;
      await clock.advance(1000, 2);
    }
    const handOverMs = clock.monotonicMs() - crashed;
    assert.ok(handOverMs > 290_000 && handOverMs < 305_000, `${handOverMs}`);
  });
});

test("racing owners with skewed clocks and operations that hang: never two at once", async () => {
  for (const race of [raceInBucket, raceInDirectory]) {
    let terms = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const result = await race(seed);
      assert.ok(result.most <= 1, `${race.name}, seed ${seed}: ${result.most} holders`);
      terms += result.terms;
    }
    assert.ok(terms > 25, `${race.name}: ${terms} terms`);
  }
});
