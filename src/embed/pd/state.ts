import { KeySpace } from "../etcd/mod.ts";
import type { Cluster } from "../state/mod.ts";
import { GcState } from "./gc.ts";
import { Leadership } from "./leadership.ts";
import { Operators } from "./operators.ts";
import { PdSettings } from "./settings.ts";

const DEFAULT_VERSION = "8.5.8";

/** One PD process. */
export interface Member {
  readonly name: string;
  readonly id: bigint;
  /** `http(s)://host:port` under which clients reach it. */
  clientUrl: string;
}

/** What PD's faces share beside the cluster. */
export interface PdState {
  readonly cluster: Cluster;
  readonly members: Member[];
  readonly leadership: Leadership;
  /** Of PD and, as the cluster's version, of all stores; without "v". */
  readonly version: string;
  /** That of the first member. */
  clientUrl: string;
  readonly operators: Operators;
  readonly gc: GcState;
  readonly settings: PdSettings;
  readonly etcd: KeySpace;
}

/** `members`: number of PD processes; all share this state, one leads. */
export async function openPdState(cluster: Cluster, members = 1): Promise<PdState> {
  const list = Array.from({ length: members }, (_, i): Member => {
    const id = ((cluster.id + BigInt(i)) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    return { name: `pd${i + 1}`, id, clientUrl: "" };
  });
  return {
    cluster,
    members: list,
    leadership: new Leadership(list[0]!),
    version: cluster.options.storeVersion ?? DEFAULT_VERSION,
    get clientUrl() {
      return list[0]!.clientUrl;
    },
    set clientUrl(url) {
      list[0]!.clientUrl = url;
    },
    operators: new Operators(cluster),
    gc: new GcState(cluster),
    settings: await PdSettings.open(cluster),
    etcd: new KeySpace(cluster.options.clock),
  };
}
