import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../src/base/mod.ts";
import { mariadbMissing, withMariadb } from "../interop/mariadb.ts";
import { Etcd, etcdMissing } from "../load/etcd.ts";
import { isolatedBinary, startSandboxProcess } from "./harness.ts";
import { killUnit, type UnitKill } from "./unit-kill.ts";
import type { TaskPlace } from "./units.ts";

/** Groups of units at work at the same time; they mostly wait. */
const LANES = 2;
/** Past lease (15 s) and grace (20 s). */
const LONG_DEAD_MS = 40_000;
const LONG_DEAD_SHARE = 0.08;

interface Ground {
  name: string;
  coord: UnitKill["coord"];
  size: number;
  place: TaskPlace;
  /** Of the next group. */
  steps: number;
  /** Every step has had its kill. */
  done: boolean;
  /** Steps that were the last before a kill. */
  killedAt: Map<string, number>;
}

/**
 * Units of one task as processes over each coordination, one of two or five killed with -9 at its first step, its second, and so on to its
 * last; then again from the first, until the time is over.
 */
export async function unitCampaign(seconds: number, seed: number): Promise<boolean> {
  execFileSync(process.execPath, ["build.ts"], { cwd: new URL("../..", import.meta.url).pathname });
  const { dir, levin } = isolatedBinary();
  const sandbox = await startSandboxProcess(levin, join(dir, "cluster"), 1);
  const etcd = etcdMissing ? undefined : await Etcd.start();
  try {
    const physical = { dir, levin, ...sandbox.tidb, statusPort: sandbox.status.port };
    const kinds: [string, UnitKill["coord"], TaskPlace][] = [
      ["directory", "directory", physical],
      ["table", "table", physical],
      ...(etcd === undefined ? [] : [["etcd", "etcd", physical] as [string, UnitKill["coord"], TaskPlace]]),
    ];
    const run = () => campaign(grounds(kinds), etcd?.endpoint, seconds, seed);
    if (mariadbMissing || etcd === undefined) return await run();
    return await withMariadb(async (_, port) => {
      kinds.push(["etcd and MariaDB", "etcd", { dir, levin, host: "127.0.0.1", port, statusPort: 0 }]);
      return await run();
    });
  } finally {
    await sandbox.stop();
    await etcd?.close();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function grounds(kinds: readonly [string, UnitKill["coord"], TaskPlace][]): Ground[] {
  return kinds.flatMap(([name, coord, place]) =>
    [2, 5].map((size) => ({ name, coord, size, place, steps: 1, done: false, killedAt: new Map() })),
  );
}

async function campaign(
  all: readonly Ground[],
  endpoint: string | undefined,
  seconds: number,
  seed: number,
): Promise<boolean> {
  const random = seededRandom(seed);
  const started = performance.now();
  let count = 0;
  let kills = 0;
  let differences = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      const ground = all[count % all.length]!;
      const { coord, size, place } = ground;
      const steps = ground.steps++;
      const deadMs = random.next() < LONG_DEAD_SHARE ? LONG_DEAD_MS : 0;
      const doomed = Math.floor(random.next() * size);
      const task = `u${seed}_${count++}`;
      const result = await killUnit(place, { task, coord, size, doomed, steps, deadMs }, endpoint);
      fs.rmSync(join(place.dir, task), { recursive: true, force: true });
      for (const difference of result.differences) console.log(difference);
      differences += result.differences.length;
      if (result.killedAt === undefined) {
        ground.done = true;
        ground.steps = 1;
        continue;
      }
      kills++;
      ground.killedAt.set(result.killedAt, (ground.killedAt.get(result.killedAt) ?? 0) + 1);
      console.log(`${kills} kills, ${differences} differences; ${ground.name}, ${size} units: ${result.killedAt}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const { name, size, killedAt, done } of all)
    console.log(
      `${name}, ${size} units, ${done ? "every step" : "not to the last step"}: ${JSON.stringify([...killedAt])}`,
    );
  console.log(JSON.stringify({ kills, differences }));
  return differences === 0;
}
