import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImportOptions } from "../../src/importer/mod.ts";
import type { StepKind } from "./life.ts";
import { simulate } from "./simulate.ts";
import { sweep } from "./sweep.ts";

const disk: StepKind[] = ["file", "kvdb"];
const network: StepKind[] = ["rpc", "message", "pd-http", "sql", "status-port"];

// Every step in turn is the campaign's (`npm run test:long sweep`); here every few of them.
describe("a step fails, then the import is continued", () => {
  const cases: [name: string, kinds: StepKind[], harms: Parameters<typeof sweep>[0]["harms"], every: number][] = [
    ["file operations fail", disk, ["fail"], 5],
    ["calls fail or lose their answer", network, ["fail", "lose-answer"], 7],
    ["the process dies", [...disk, ...network], ["crash-before", "crash-after"], 17],
    ["the process is asked to end", [...disk, ...network], ["stop"], 11],
  ];
  for (const [name, kinds, harms, every] of cases) {
    test(name, { timeout: 120_000 }, async () => {
      const { failures, runs, ended } = await sweep({ seed: 6, harms, kinds, every });
      assert.deepEqual(failures, []);
      assert.ok(runs >= 8 && ended > 0, `${runs} runs, ${ended} of them with a second life`);
    });
  }
});

/** The second life wants larger chunks than the first one, which dies behind so many records. */
function largerChunks(records: number) {
  let options: ImportOptions | undefined;
  return simulate(6, {
    livesMax: 2,
    tamper: (_, given) => {
      options = given;
      given.chunkSizeBytes = 500;
    },
    judge: (life) => {
      if (life === 2) options!.chunkSizeBytes = 700;
      let runs = 0;
      return (kind, what) =>
        life === 1 && kind === "file" && what === "append" && ++runs === records ? "crash-after" : undefined;
    },
  });
}

test("an import whose chunks would be cut in another way is not continued, unless none was encoded", async () => {
  await assert.rejects(largerChunks(6), /ErrChanged.*chunk size was 500 and is 700/);
  await largerChunks(5);
});

test("what the disk quota has no room for is imported early, also where that is broken off", async () => {
  const early = /are imported early/;
  let rounds = 0;
  const report = await simulate(6, {
    livesMax: 3,
    tamper: (_, given) => {
      Object.assign(given, { workers: 1, chunkSizeBytes: 500, batchSizeBytes: 1, diskQuotaBytes: 100 });
    },
    onEvent: (event) => {
      if (event.kind === "log" && early.test(event.message)) rounds++;
    },
    judge: (life) => {
      let seen = 0;
      return (_, what) => (life <= 2 && what === "MultiIngest" && ++seen === 3 ? "crash-after" : undefined);
    },
  });
  assert.equal(report.lives, 3);
  assert.ok(rounds >= 2, `${rounds} rounds`);
});
