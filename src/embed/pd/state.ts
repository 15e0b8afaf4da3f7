import type { Cluster } from "../state/mod.ts";
import { GcState } from "./gc.ts";
import { Operators } from "./operators.ts";
import { PdSettings } from "./settings.ts";

const DEFAULT_VERSION = "8.5.8";

/** What PD's faces share beside the cluster. */
export interface PdState {
  readonly cluster: Cluster;
  readonly member: { name: string; memberId: bigint };
  /** Of PD and, as the cluster's version, of all stores; without "v". */
  readonly version: string;
  /** `http(s)://host:port` under which clients reach PD. */
  clientUrl: string;
  readonly operators: Operators;
  readonly gc: GcState;
  readonly settings: PdSettings;
}

export async function openPdState(cluster: Cluster): Promise<PdState> {
  return {
    cluster,
    member: { name: "pd1", memberId: (cluster.id * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn },
    version: cluster.options.storeVersion ?? DEFAULT_VERSION,
    clientUrl: "",
    operators: new Operators(cluster),
    gc: new GcState(cluster),
    settings: await PdSettings.open(cluster),
  };
}
