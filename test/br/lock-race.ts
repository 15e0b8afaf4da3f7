/** Processes that want one lock, on clocks that run apart, over a storage whose operations come late or hang; who holds it is written down. */
import { type Clock, type Files, type Random, seededRandom } from "../../src/base/mod.ts";
import { BrLock, backupPaths, type TsoSource } from "../../src/br/mod.ts";
import { LocalObjects, type ObjectStorage } from "../../src/storage/mod.ts";
import { CrashFiles } from "./crash-files.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { SimClock } from "./sim-clock.ts";

const NAME = backupPaths("2025").lock!;

/** One of several processes that want the lock: works while it holds it, sometimes dies without a word. */
async function contender(
  seed: number,
  random: Random,
  clock: SimClock,
  storage: ObjectStorage,
  holders: Set<number>,
  track: { most: number; terms: number },
): Promise<void> {
  // Its view of PD comes late, by up to 20 s, and its own clock runs up to 5% off.
  const drift = 0.95 + 0.1 * random.next();
  const own: Clock = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() * drift,
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms / drift, signal),
  };
  const tso: TsoSource = async () => {
    await clock.sleep(random.next() * 200);
    const time = { physicalMs: BigInt(Math.floor(clock.monotonicMs())) + 1_000_000n, logical: BigInt(seed) };
    await clock.sleep(random.next() < 0.1 ? random.next() * 20_000 : 10);
    return time;
  };
  for (let term = 0; term < 6; term++) {
    let lock: BrLock | undefined;
    try {
      lock = await BrLock.acquire({ storage, tso, clock: own, name: NAME });
      track.terms++;
      const dies = random.next() < 0.3;
      const until = clock.monotonicMs() + random.next() * 900_000;
      let renewAt = own.monotonicMs() + lock.renewalMs;
      while (clock.monotonicMs() < until && lock.held()) {
        holders.add(seed);
        track.most = Math.max(track.most, holders.size);
        await clock.sleep(1000);
        if (!lock.held()) break;
        if (own.monotonicMs() < renewAt) continue;
        renewAt = own.monotonicMs() + lock.renewalMs;
        // It goes on working while it renews.
        const renewal = lock.renew();
        let done = false;
        renewal.then(
          () => {
            done = true;
          },
          () => {
            done = true;
          },
        );
        while (!done) {
          if (lock.held()) holders.add(seed);
          else holders.delete(seed);
          track.most = Math.max(track.most, holders.size);
          await clock.sleep(500);
        }
        await renewal;
      }
      holders.delete(seed);
      if (!dies) await lock.release();
    } catch {
      // Refused or lost: it tries again later.
    }
    holders.delete(seed);
    await clock.sleep(random.next() * 200_000);
  }
}

export interface RaceResult {
  /** The most that held it at one moment. */
  most: number;
  terms: number;
}

/** Each contender's own view of one storage. */
type Views = (random: Random) => ObjectStorage;

async function race(seed: number, contenders: number, clock: SimClock, views: Views): Promise<RaceResult> {
  const holders = new Set<number>();
  const track = { most: 0, terms: 0 };
  const all = Promise.all(
    Array.from({ length: contenders }, (_, who) => {
      const random = seededRandom(seed * 10 + who + 1);
      return contender(seed * 10 + who + 1, random, clock, views(random), holders, track);
    }),
  );
  let done = false;
  void all.finally(() => {
    done = true;
  });
  while (!done) await clock.advance(60_000, 1);
  await all;
  return track;
}

/** Over a storage whose conditional changes are atomic, as a bucket's; any operation may hang for minutes. */
export function raceInBucket(seed: number, contenders = 3): Promise<RaceResult> {
  const clock = new SimClock();
  const storage = new MemoryStorage();
  return race(seed, contenders, clock, (random) => {
    const slow = new MemoryStorage(storage.objects);
    const pause = (): Promise<void> => clock.sleep(random.next() < 0.05 ? random.next() * 600_000 : random.next() * 50);
    slow.before = pause;
    slow.after = pause;
    return slow;
  });
}

/** Over files, guards and all; an operation may take seconds, and processes die in the middle of a change. */
export function raceInDirectory(seed: number, contenders = 3): Promise<RaceResult> {
  const clock = new SimClock();
  const disk = new CrashFiles();
  disk.nowMs = () => clock.nowMs();
  return race(seed, contenders, clock, (random) => {
    const slow: Record<string, unknown> = {};
    let deadUntilMs = 0;
    for (const name of ["makeDir", "read", "writeSynced", "rename", "link", "remove", "entries", "syncDir"] as const) {
      slow[name] = async (...args: never[]): Promise<unknown> => {
        // A process that dies leaves its guard behind; the contender's next one begins a second later and knows nothing of it.
        if (random.next() < 0.01) deadUntilMs = clock.monotonicMs() + 1000;
        if (clock.monotonicMs() < deadUntilMs) throw Object.assign(new Error("EDEAD"), { code: "EDEAD" });
        await clock.sleep(random.next() < 0.02 ? random.next() * 4000 : random.next() * 20);
        const result = await (disk[name] as (...all: never[]) => Promise<unknown>).apply(disk, args);
        await clock.sleep(random.next() * 20);
        return result;
      };
    }
    return new LocalObjects("/backup", { files: slow as unknown as Files, clock });
  });
}
