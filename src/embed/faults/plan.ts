import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ErrorSchema } from "../../../gen/errorpb_pb.ts";
import type { Random } from "../../base/mod.ts";

export type RegionError = MessageInitShape<typeof ErrorSchema>;

/** Where a fault may strike: one call of a service. */
export interface FaultPoint {
  service: "pd" | "pd-http" | "import" | "kv";
  /** Name of the method as in the proto file, or method and path for HTTP. */
  method: string;
  /** Store that was asked; undefined = PD. */
  storeId: bigint | undefined;
  /** Region named in the request, as far as it names one. */
  regionId: bigint | undefined;
  /** Number of the call in the cluster, from 1: for sweeps. */
  call: number;
}

/** What may go wrong. Times are milliseconds of the cluster's clock. */
export type Fault =
  /** Refused before anything was done, with a gRPC status (number; default 14, unavailable). */
  | { kind: "error"; message?: string; code?: number }
  /** Refused with this errorpb.Error inside the answer. Write and PD: like "error" with its message. */
  | { kind: "region-error"; error: RegionError }
  /** Served later. */
  | { kind: "delay"; ms: number }
  /** Served, but the answer gets lost with the connection. */
  | { kind: "lost-answer" }
  /** Served twice, as after a repeat on the way; the second answer is sent. Streams: like no fault. */
  | { kind: "duplicate" }
  /** A stream breaks after so many messages. Other calls: like "error". */
  | { kind: "cut"; messages: number }
  /** The region is cut in two before the call is served. */
  | { kind: "split" }
  /** The region's right neighbour takes it over before the call is served. */
  | { kind: "merge" }
  /** Another peer leads. */
  | { kind: "leader-move" }
  /** A peer moves to another store; with no free store only the epoch moves. */
  | { kind: "peer-move" }
  /** The store asks to come back later. PD: like "error". */
  | { kind: "server-busy"; backoffMs: number }
  /** The store has no room for a while. */
  | { kind: "disk-full"; ms: number }
  /** The store answers nothing for a while; others lead. */
  | { kind: "store-down"; ms: number }
  /** PD goes on naming the regions as they are now for a while. */
  | { kind: "stale-regions"; ms: number }
  /** PD has no leader for a while. */
  | { kind: "pd-not-leader"; ms: number };

export type FaultKind = Fault["kind"];

/** Decides on each call; undefined = all is well. */
export type FaultPlan = (point: FaultPoint) => Fault | undefined;

/** A step of a script: the first `times` (default 1) calls that match, after `skip` others, meet the fault. */
export interface ScriptStep {
  match: Partial<Pick<FaultPoint, "service" | "method" | "storeId" | "regionId" | "call">>;
  fault: Fault;
  times?: number;
  skip?: number;
}

/** Faults at named calls. */
export function scriptedFaults(script: readonly ScriptStep[]): FaultPlan {
  const left = script.map((step) => ({ ...step, times: step.times ?? 1, skip: step.skip ?? 0 }));
  return (point) => {
    for (const step of left) {
      if (step.times === 0 || !matches(step.match, point)) continue;
      if (step.skip > 0) {
        step.skip--;
        continue;
      }
      step.times--;
      return step.fault;
    }
    return undefined;
  };
}

function matches(match: ScriptStep["match"], point: FaultPoint): boolean {
  return Object.entries(match).every(([name, value]) => point[name as keyof FaultPoint] === value);
}

/** Refusals that pass by themselves; the names of regions in them are left out. */
const passingErrors: readonly RegionError[] = [
  { message: "raft: proposal dropped" },
  { message: "stale command", staleCommand: {} },
  { message: "can not read index due to merge", readIndexNotReady: { reason: "can not read index due to merge" } },
  { message: "region is merging", proposalInMergingMode: {} },
  { message: "region is not initialized", regionNotInitialized: {} },
  { message: "max timestamp is not synced", maxTimestampNotSynced: {} },
  { message: "ingest file conflict" },
];

/** Longest time of a random fault. */
const MAX_MS = 2000;
const MAX_MESSAGES = 4;

/** Faults by probability a call, drawn in the order of the names. Times are drawn up to two seconds. */
export function randomFaults(probabilities: Partial<Record<FaultKind, number>>, random: Random): FaultPlan {
  const kinds = Object.entries(probabilities) as [FaultKind, number][];
  const ms = () => 1 + Math.floor(random.next() * MAX_MS);
  return () => {
    let at = random.next();
    for (const [kind, probability] of kinds) {
      at -= probability;
      if (at >= 0) continue;
      switch (kind) {
        case "delay":
        case "disk-full":
        case "store-down":
        case "stale-regions":
        case "pd-not-leader":
          return { kind, ms: ms() };
        case "region-error":
          return { kind, error: passingErrors[Math.floor(random.next() * passingErrors.length)]! };
        case "server-busy":
          return { kind, backoffMs: ms() };
        case "cut":
          return { kind, messages: Math.floor(random.next() * MAX_MESSAGES) };
        default:
          return { kind };
      }
    }
    return undefined;
  };
}
