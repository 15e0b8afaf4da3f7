/** Faults of the embedded services for one call, where the kind fits the call. */
import type { Random } from "../../src/base/mod.ts";
import type { RegionError } from "../../src/embed/faults/mod.ts";
import type { Fault, FaultKind, FaultPlan, FaultPoint } from "../../src/embed/mod.ts";

export type { Fault, FaultPlan, FaultPoint };

export const serverKinds = [
  "error",
  "region-error",
  "delay",
  "lost-answer",
  "duplicate",
  "cut",
  "split",
  "merge",
  "leader-move",
  "peer-move",
  "server-busy",
  "disk-full",
  "store-down",
  "stale-regions",
  "pd-not-leader",
] as const satisfies readonly FaultKind[];

/** What the client's side of the chaos may do to the cluster. */
export interface SimFaultTarget {
  readonly stores: readonly bigint[];
  /** `host:port` of each PD. */
  readonly pds: readonly string[];
  restartStore(id: bigint, ms: number): void;
  takeDown(address: string, ms: number): void;
  movePdLeader(index: number): void;
}

const passing: readonly RegionError[] = [
  { message: "raft: proposal dropped" },
  { message: "stale command", staleCommand: {} },
  { message: "can not read index due to merge", readIndexNotReady: { reason: "can not read index due to merge" } },
  { message: "region is merging", proposalInMergingMode: {} },
  { message: "region is not initialized", regionNotInitialized: {} },
  { message: "max timestamp is not synced", maxTimestampNotSynced: {} },
];

/** undefined: the kind does nothing at this call. */
export function serverFault(kind: (typeof serverKinds)[number], point: FaultPoint, random: Random): Fault | undefined {
  const { storeId, regionId, service, method } = point;
  const ms = 1 + Math.floor(random.next() * 3000);
  switch (kind) {
    case "error":
    case "lost-answer":
      return { kind };
    case "delay":
      return { kind, ms: ms * 10 };
    case "duplicate":
      return method === "Write" || method === "Tso" ? undefined : { kind };
    case "cut":
      return method === "Write" ? { kind, messages: Math.floor(random.next() * 3) } : undefined;
    case "split":
    case "merge":
    case "leader-move":
    case "peer-move":
      return regionId === undefined ? undefined : { kind };
    case "region-error":
      if (storeId === undefined || regionId === undefined) return undefined;
      return { kind, error: passing[Math.floor(random.next() * passing.length)]! };
    case "server-busy":
      return storeId === undefined || regionId === undefined ? undefined : { kind, backoffMs: ms };
    case "disk-full":
    case "store-down":
      return storeId === undefined ? undefined : { kind, ms };
    case "stale-regions":
    case "pd-not-leader":
      return service === "pd" ? { kind, ms } : undefined;
  }
}
