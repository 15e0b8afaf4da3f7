import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ErrorSchema } from "../../gen/errorpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import {
  callTroubleOf,
  messageRules,
  type RegionErrorCase,
  regionErrorRules,
  troubleOf,
  writeRules,
  writeTroubleOf,
} from "../../src/ingest/region-errors.ts";
import { GrpcCode } from "../../src/rpc/mod.ts";

interface Refusal {
  name: string;
  rpc: string;
  status?: { code: keyof typeof GrpcCode; text: string };
  regionError?: JsonValue;
}

const refusals: Refusal[] = JSON.parse(
  readFileSync(new URL("../golden/tikv/refusals.json", import.meta.url), "utf8"),
) as Refusal[];

/** What a real TiKV answered → kind, and where an ingest or a request goes on. */
const expected: Record<string, string> = {
  "cop-checksum-future-ts": "timestamp too far ahead fatal",
  "cop-checksum-no-peer": "storeNotMatch rescan",
  "cop-checksum-stale-epoch": "epochNotMatch rescan",
  "ingest-after-leader-transfer-old-leader": "notLeader rewrite",
  "ingest-after-split": "epochNotMatch rewrite",
  "ingest-after-split-new-epoch": "epochNotMatch rewrite",
  "ingest-context-epoch-missing": "epochNotMatch rewrite",
  "ingest-context-epoch-newer": "epochNotMatch rewrite",
  "ingest-context-epoch-older": "epochNotMatch rewrite",
  "ingest-context-missing": "storeNotMatch rescan",
  "ingest-disk-full": "diskFull fatal",
  "ingest-empty-ssts": "empty request fatal",
  "ingest-follower": "notLeader rewrite",
  "ingest-follower-with-leader-peer": "storeNotMatch rescan",
  "ingest-peer-missing": "storeNotMatch rescan",
  "ingest-peer-wrong-id": "mismatchPeerId rescan",
  "ingest-single-no-sst": "ingest file conflict rewrite",
  "ingest-single-twice": "staleCommand rewrite",
  "ingest-sst-cf-empty": "staleCommand rewrite",
  "ingest-sst-cf-lock": "staleCommand rewrite",
  "ingest-sst-cf-unknown": "staleCommand rewrite",
  "ingest-sst-epoch-other": "staleCommand rewrite",
  "ingest-sst-other-region-id": "staleCommand rewrite",
  "ingest-sst-range-end-equals-region-end": "keyNotInRegion rescan",
  "ingest-sst-range-end-exclusive": "keyNotInRegion rescan",
  "ingest-sst-range-missing": "keyNotInRegion rescan",
  "ingest-sst-range-outside-region": "keyNotInRegion rescan",
  "ingest-sst-range-start-below-region": "keyNotInRegion rescan",
  "ingest-sst-range-unencoded": "keyNotInRegion rescan",
  "ingest-sst-unknown-uuid": "staleCommand rewrite",
  "ingest-sst-uuid-15": "ingest file conflict rewrite",
  "ingest-suspended": "serverIsBusy ingest-again",
  "ingest-too-many-sst": "serverIsBusy ingest-again",
  "ingest-too-many-sst-normal-again": "serverIsBusy ingest-again",
  "ingest-twice": "staleCommand rewrite",
  "ingest-unknown-region": "regionNotFound rescan",
  "split-at-end-key": "keyNotInRegion rescan",
  "split-at-start-key": "no valid key rescan",
  "split-below-region": "keyNotInRegion rescan",
  "split-disk-full": "diskFull fatal",
  "split-empty-key": "keyNotInRegion rescan",
  "split-empty-list": "empty request fatal",
  "split-encoded-key": "keyNotInRegion rescan",
  "split-follower": "notLeader again",
  "split-outside-region": "keyNotInRegion rescan",
  "split-stale-epoch": "epochNotMatch rescan",
  "split-unknown-region": "regionNotFound rescan",
  "write-chunk-unset": "InvalidChunk fatal",
  "write-disk-full": "DiskSpaceNotEnough fatal",
  "write-empty-stream": "InvalidChunk fatal",
  "write-epoch-confver-newer": "RequestTooNew rewrite",
  "write-epoch-confver-older": "RequestTooOld rescan",
  "write-epoch-missing": "RequestTooOld rescan",
  "write-epoch-version-newer": "RequestTooNew rewrite",
  "write-epoch-version-older": "RequestTooOld rescan",
  "write-equal-keys": "keys not ascending fatal",
  "write-equal-keys-ascending-ts": "keys not ascending fatal",
  "write-meta-after-batch": "InvalidChunk fatal",
  "write-meta-twice": "InvalidChunk fatal",
  "write-no-meta-first": "InvalidChunk fatal",
  "write-region-id-0": "RequestTooOld rescan",
  "write-unknown-region": "RequestTooOld rescan",
  "write-unsorted-across-batches": "keys not ascending fatal",
  "write-unsorted-in-batch": "keys not ascending fatal",
  "write-uuid-15": "InvalidChunk fatal",
  "write-uuid-duplicate-concurrent-first": "FileExists rewrite",
  "write-uuid-empty": "InvalidChunk fatal",
};

function refused(text: string, code: number): LevinError {
  return new LevinError("Levin:Rpc:ErrRefused", `Cannot call: ${text}`, {
    fields: { kind: "status", target: "s:1", method: "m", grpcCode: code, grpcText: text },
  });
}

test("every refusal of a real TiKV has its move", () => {
  const seen: Record<string, string> = {};
  for (const { name, rpc, status, regionError } of refusals) {
    if (regionError !== undefined) {
      const trouble = troubleOf(fromJson(ErrorSchema, regionError), 1n);
      const isIngest = rpc === "MultiIngest" || rpc === "Ingest";
      seen[name] = `${trouble.kind} ${isIngest ? trouble.ingest : trouble.request}`;
    } else if (status?.code === "Unknown") {
      const trouble = writeTroubleOf(refused(status.text, GrpcCode.Unknown), 1n);
      seen[name] = `${trouble.kind} ${trouble.ingest}`;
    }
  }
  assert.deepEqual(seen, expected);
});

test("the wait that a busy store suggests is taken over", () => {
  const suspended = refusals.find((r) => r.name === "ingest-suspended")!.regionError!;
  assert.equal(troubleOf(fromJson(ErrorSchema, suspended)).suggestedMs, 59_998);
  const other = fromJson(ErrorSchema, { notLeader: {} });
  assert.equal(troubleOf(other).suggestedMs, 0);
});

test("each case of the table is found by its field, the gravest first", () => {
  for (const name of Object.keys(regionErrorRules) as RegionErrorCase[]) {
    const error = fromJson(ErrorSchema, { [name]: {} });
    assert.equal(troubleOf(error).kind, name);
    assert.equal(troubleOf(error).ingest, regionErrorRules[name].ingest);
  }
  assert.equal(troubleOf(fromJson(ErrorSchema, { notLeader: {}, diskFull: { storeId: ["4"] } })).kind, "diskFull");
  assert.equal(troubleOf(fromJson(ErrorSchema, { diskFull: { storeId: ["4"] } })).storeId, 4n);
});

test("a region error without a case always finds a rule", () => {
  for (const text of ["", "raft: proposal dropped", "whatever"]) {
    assert.ok(troubleOf(fromJson(ErrorSchema, { message: text })).kind !== "");
  }
  assert.equal(troubleOf(fromJson(ErrorSchema, { message: "raft: proposal dropped" })).ingest, "rescan");
  assert.equal(troubleOf(fromJson(ErrorSchema, {})).words, messageRules.at(-1)!.why);
});

test("no rule of Write is hidden by one before it", () => {
  const samples: Record<string, string> = {
    RequestTooNew: 'RequestTooNew("request region 1 is ahead of local region")',
    RequestTooOld: 'RequestTooOld("region 1 is not found")',
    DiskSpaceNotEnough: "DiskSpaceNotEnough",
    ResourceNotEnough: 'ResourceNotEnough("Memory usage too high, usage: 1 bytes, mem limit 2 bytes")',
    "keys not ascending": 'Engine(Status { state: "Keys must be added in strict ascending order." })',
    InvalidChunk: "InvalidChunk",
    BadFormat: 'BadFormat("x")',
    IncompatibleApiVersion: "IncompatibleApiVersion",
    InvalidSstPath: 'InvalidSstPath("x")',
    "cluster id": "the cluster id of the request does not match the TiKV cluster",
    FileExists: 'FileExists("x", "y")',
    "store trouble": "RocksDb(Corruption)",
  };
  assert.deepEqual(
    writeRules.map((rule) => writeTroubleOf(refused(samples[rule.kind]!, GrpcCode.Unknown), 1n).kind),
    writeRules.map((rule) => rule.kind),
  );
});

test("lost connections and server trouble are tried again, refusals of the request are not", () => {
  const moves = (error: unknown) => [callTroubleOf(error).ingest, writeTroubleOf(error, 1n).ingest];
  assert.deepEqual(moves(new LevinError("Levin:Rpc:ErrUnavailable", "x")), ["rescan", "rescan"]);
  assert.deepEqual(moves(new LevinError("Levin:Rpc:ErrDeadline", "x")), ["rescan", "rescan"]);
  assert.deepEqual(moves(refused("quota", GrpcCode.ResourceExhausted)), ["rescan", "rescan"]);
  assert.deepEqual(moves(refused("who are you", GrpcCode.PermissionDenied)), ["fatal", "fatal"]);
  assert.deepEqual(moves(new LevinError("Levin:Rpc:ErrTls", "x")), ["fatal", "fatal"]);
  assert.deepEqual(moves(new Error("x")), ["fatal", "fatal"]);
});
