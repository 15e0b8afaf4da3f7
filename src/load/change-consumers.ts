import type { EtcdEntry } from "./coord/etcd-client.ts";

const CDC = "/tidb/cdc/";
const LOG_BACKUP = "/tidb/br-stream/info/";
/** Changefeeds in these states read no more. */
const ENDED = new Set(["finished", "removed"]);

/** What a cluster's PD has in its etcd of readers of changes, which a physical import would pass by. */
export interface ChangeConsumers {
  /** `cluster/namespace/id`, of TiCDC before 6.2 the id alone. */
  changefeeds: string[];
  logBackups: string[];
}

/** Reads by prefix. Keys as TiCDC (`/tidb/cdc/<cluster>/<namespace>/changefeed/info/<id>`) and `br log` write them. */
export async function changeConsumers(
  list: (prefix: string) => Promise<{ entries: EtcdEntry[] }>,
): Promise<ChangeConsumers> {
  const changefeeds: string[] = [];
  for (const { key, value } of (await list(CDC)).entries) {
    const found = /^(?:([^/]+\/[^/]+)\/)?changefeed\/info\/(.+)$/.exec(key.slice(CDC.length));
    if (found === null || ENDED.has(stateOf(value))) continue;
    changefeeds.push([found[1], found[2]].filter((part) => part !== undefined).join("/"));
  }
  const logBackups = (await list(LOG_BACKUP)).entries.map(({ key }) => key.slice(LOG_BACKUP.length));
  return { changefeeds, logBackups };
}

/** Of what is no JSON nothing is known, so it counts. */
function stateOf(value: string): string {
  try {
    return String((JSON.parse(value) as { state?: unknown } | null)?.state ?? "");
  } catch {
    return "";
  }
}
