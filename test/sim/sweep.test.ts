import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StepKind } from "./life.ts";
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
