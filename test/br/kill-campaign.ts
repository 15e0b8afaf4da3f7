/**
 * Kills processes that append ranges, at random moments and at random file operations, looks at what they left, and lets the next one go on
 * until all is there: what a process said was written is there byte for byte, and nothing is there that was not appended, or twice.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { backupPaths, FileHome, LoadReport, readBackupGroup, walkItems } from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { indexOf } from "./kill-ranges.ts";

export interface KillPlan {
  ranges: number;
  callers: number;
  batchBytes: number;
  /** So many processes are killed; the one after them may end. */
  kills: number;
  /** A process that is killed by time lives so long at most. */
  lifeMs: number;
  /** About how many file operations a whole run takes. */
  operations: number;
}

export interface KillResult {
  kills: number;
  /** Of them at a file operation. */
  atOperation: number;
  documents: number;
  /** Ranges that the killed processes left, in the order of the kills. */
  left: number[];
}

const writer = fileURLToPath(new URL("./kill-writer.ts", import.meta.url));

interface Life {
  finished: boolean;
  killed: boolean;
}

/** One process; what it acknowledged goes into `acknowledged`. */
function live(
  dir: string,
  plan: KillPlan,
  death: { atMs?: number; atOperation?: number },
  acknowledged: Map<string, string>,
): Promise<Life> {
  const words = [dir, plan.ranges, plan.callers, plan.batchBytes, death.atOperation ?? -1].map(String);
  const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check", writer] : [writer];
  const child = spawn(process.execPath, [...runtime, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const timer = death.atMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), death.atMs);
  let out = "";
  let err = "";
  child.stdout.on("data", (part) => {
    out += part;
  });
  child.stderr.on("data", (part) => {
    err += part;
  });
  return new Promise((resolve, reject) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      let finished = false;
      // A last line that is cut was not said.
      for (const line of out
        .slice(0, out.lastIndexOf("\n") + 1)
        .split("\n")
        .slice(0, -1)) {
        const [name, hash] = line.split(" ") as [string, string];
        if (name === "finished") finished = true;
        else acknowledged.set(name, hash);
      }
      const killed = signal === "SIGKILL" || code === 137;
      if (!killed && !finished) reject(new Error(`a writer failed: ${err}`));
      else resolve({ finished, killed });
    });
  });
}

/** Looks at everything; how many ranges are there. */
async function inspect(dir: string, plan: KillPlan, acknowledged: ReadonlyMap<string, string>): Promise<number> {
  for (const [name, hash] of acknowledged) {
    assert.ok(existsSync(join(dir, name)), `lost ${name}`);
    assert.equal(
      createHash("sha256")
        .update(readFileSync(join(dir, name)))
        .digest("hex"),
      hash,
      `changed ${name}`,
    );
  }
  const seen = new Uint8Array(plan.ranges);
  let count = 0;
  const home = new FileHome(new LocalObjects(dir), backupPaths("2025"));
  await walkItems(home, readBackupGroup, { report: new LoadReport(true) }, (_key, range) => {
    const index = indexOf(range, plan.ranges);
    assert.ok(index !== undefined, "a range that nobody appended");
    assert.equal(seen[index], 0, `range ${index} is there twice`);
    seen[index] = 1;
    count++;
  });
  return count;
}

export async function killWriters(
  plan: KillPlan,
  random: Random,
  tell: (text: string) => void = () => {},
): Promise<KillResult> {
  const dir = mkdtempSync(join(tmpdir(), "levin-br-kill-"));
  const acknowledged = new Map<string, string>();
  const result: KillResult = { kills: 0, atOperation: 0, documents: 0, left: [] };
  try {
    for (;;) {
      const last = result.kills >= plan.kills;
      const atOperation = random.next() < 0.5;
      const death = last
        ? {}
        : atOperation
          ? { atOperation: Math.floor((random.next() * plan.operations) / 2) }
          : { atMs: plan.lifeMs * random.next() };
      const { finished, killed } = await live(dir, plan, death, acknowledged);
      if (killed) {
        result.kills++;
        if (atOperation) result.atOperation++;
        // Whoever killed it knows that it is dead.
        rmSync(join(dir, backupPaths("2025").lock!), { force: true });
      }
      result.left.push(await inspect(dir, plan, acknowledged));
      const how = !killed
        ? "ended"
        : "atMs" in death
          ? "killed by time"
          : `killed at file operation ${death.atOperation}`;
      tell(`${how}: ${result.left.at(-1)} ranges, ${acknowledged.size} documents`);
      if (!finished) continue;
      assert.equal(result.left.at(-1), plan.ranges, "not all ranges are there");
      result.documents = acknowledged.size;
      return result;
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `npm run test:long checkpoint`: a million ranges from eight callers, again and again. */
export async function checkpointCampaign(seconds: number, seed: number): Promise<boolean> {
  const random = seededRandom(seed);
  const began = Date.now();
  let kills = 0;
  let rounds = 0;
  do {
    const plan = { ranges: 1_000_000, callers: 8, batchBytes: 4 << 20, kills: 12, lifeMs: 20_000, operations: 400 };
    const result = await killWriters(plan, random, (text) => console.log(text));
    kills += result.kills;
    rounds++;
    console.log(
      `round ${rounds}: ${result.kills} kills (${result.atOperation} at a file operation), ${result.documents} documents`,
    );
  } while (Date.now() - began < seconds * 1000);
  console.log(`checkpoint: ${rounds} times a million ranges, ${kills} kills, nothing lost, nothing invented`);
  return true;
}
