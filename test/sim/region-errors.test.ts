import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { messageRules, type RegionErrorCase, regionErrorRules, writeRules } from "../../src/ingest/region-errors.ts";
import type { Fault, FaultPoint } from "./faults.ts";
import { simulate } from "./simulate.ts";

/**
 * Each row of the tables of region errors happens to a whole import, at each kind of call that may meet it: one run outlives it, or it
 * ends with an error that says where and why, and the same command ends the import. With LEVIN_TRANSCRIPT the rows are printed.
 */
interface Row {
  kind: string;
  method: "MultiIngest" | "SplitRegion" | "Coprocessor" | "Write";
  fault: Fault;
  isFatal: boolean;
  move: string;
}

const texts: Record<string, string> = {
  "proposal dropped": "raft: proposal dropped",
  "ingest file conflict": "ingest file conflict",
  "no valid key": "Coprocessor [split_observer.rs:153]: no valid key found for split.",
  "timestamp too far ahead": "invalid max_ts update: 9 exceeds the limit 8",
  "empty request": "ingest failed: Error(Kv(Error(EmptyRequest)))",
  other: "something that nobody has seen yet",
};

const writeTexts: Record<string, string> = {
  RequestTooNew: 'RequestTooNew("request region 1 is ahead of local region, please retry write later")',
  RequestTooOld: 'RequestTooOld("region 1 is not found")',
  DiskSpaceNotEnough: "DiskSpaceNotEnough",
  ResourceNotEnough: 'ResourceNotEnough("Memory usage too high, usage: 1 bytes, mem limit 2 bytes")',
  "keys not ascending":
    'EngineTraits(Engine(Status { code: IoError, state: "Invalid argument: Keys must be added in strict ascending order." }))',
  InvalidChunk: "InvalidChunk",
  BadFormat: 'BadFormat("x")',
  IncompatibleApiVersion: "IncompatibleApiVersion",
  InvalidSstPath: 'InvalidSstPath("x")',
  "cluster id": "the cluster id of the request does not match the TiKV cluster",
  FileExists: 'FileExists("x", "y")',
  "store trouble": "RocksDb(Corruption)",
};

const GRPC_UNKNOWN = 2;
const rows: Row[] = [];
for (const method of ["MultiIngest", "SplitRegion", "Coprocessor"] as const) {
  const add = (kind: string, rule: { ingest: string; request: string }, fault: Fault): void => {
    const move = method === "MultiIngest" ? rule.ingest : rule.request;
    rows.push({ kind, method, fault, isFatal: move === "fatal", move });
  };
  for (const kind of Object.keys(regionErrorRules) as RegionErrorCase[]) {
    add(kind, regionErrorRules[kind], { kind: "region-error", error: { message: "", [kind]: {} } });
  }
  for (const rule of messageRules)
    add(rule.kind, rule, { kind: "region-error", error: { message: texts[rule.kind]! } });
}
for (const { kind, move } of writeRules) {
  const fault: Fault = { kind: "error", message: writeTexts[kind]!, code: GRPC_UNKNOWN };
  rows.push({ kind, method: "Write", fault, isFatal: move === "fatal", move });
}

/** Imports with several regions and splits. */
const SEED = 19;

describe("each row of the region error tables, met by an import", () => {
  for (const method of ["MultiIngest", "SplitRegion", "Coprocessor", "Write"] as const) {
    test(method, { timeout: 120_000 }, async () => {
      for (const row of rows.filter((one) => one.method === method)) {
        let struck = 0;
        const report = await simulate(SEED, {
          livesMax: 2,
          judge: () => () => undefined,
          tamper: (_, options) => Object.assign(options, { rangeSizeBytes: 600, rangeKeys: 20 }),
          plan: (point: FaultPoint) => (point.method === method && struck++ === 0 ? row.fault : undefined),
        });
        const lives = report.trace.filter((line) => line.startsWith("life"));
        if (process.env["LEVIN_TRANSCRIPT"] !== undefined)
          console.log(`${method} ${row.kind}: ${row.move}; ${lives.join(" | ")}`);
        assert.ok(struck > 0, `${method} was called`);
        assert.equal(report.lives, row.isFatal ? 2 : 1, `${method} ${row.kind}: ${row.move}, but ${lives.join(" | ")}`);
        if (row.isFatal) assert.match(lives[0]!, /Levin:(Ingest|Cluster|Verify|Rpc):Err/);
      }
    });
  }
});
