import type { Cluster } from "../state/mod.ts";
import { GcState } from "./gc.ts";
import { Operators } from "./operators.ts";

/** What PD's faces share beside the cluster. */
export interface PdState {
  readonly cluster: Cluster;
  readonly member: { name: string; memberId: bigint };
  /** `http(s)://host:port` under which clients reach PD. */
  clientUrl: string;
  readonly operators: Operators;
  readonly gc: GcState;
}

export function newPdState(cluster: Cluster): PdState {
  return {
    cluster,
    member: { name: "pd1", memberId: (cluster.id * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn },
    clientUrl: "",
    operators: new Operators(cluster),
    gc: new GcState(cluster),
  };
}
