import { PdHttp, type StoreStatus } from "../cluster/mod.ts";
import type { Finding } from "../precheck/mod.ts";
import { pdAddresses } from "./cluster-link.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";

/** What an import is to bring into a cluster. */
export interface Load {
  /** Of the source's files. */
  sizeBytes: number;
  tables: number;
}

export interface ClusterFacts {
  /** Of PD; undefined for a build without a version. */
  version: readonly [major: number, minor: number, patch: number] | undefined;
  stores: readonly StoreStatus[];
  /** Regions without data that have a peer there, by store id. */
  emptyRegions: ReadonlyMap<bigint, number>;
  maxReplicas: number;
}

/** Bounds as in Lightning (pkg importer, precheck_impl.go), where what only slows an import down is a warning, too. */
const VERSION_LEAST = 4;
const EMPTY_REGIONS = 500;
/** Stores with fewer regions are not compared. */
const REGIONS_LEAST = 1000;
const REGION_RATIO = 0.75;

/** Where PD is, and what speaks against a physical import into its cluster. Throws what PD's clients throw. */
export async function checkCluster(
  options: ImportOptions,
  env: ImportEnvironment,
  load: Load,
): Promise<{ pd: string[]; findings: Finding[] }> {
  const addresses = await pdAddresses(options, env);
  const { clock, random, signal, world } = env;
  const tls = options.clusterTls;
  const pd = new PdHttp({ clock, random, addresses, send: world.sendHttp(tls), tls: tls !== undefined });
  const facts: ClusterFacts = {
    version: await pd.version(signal),
    stores: await pd.stores(signal),
    emptyRegions: await pd.emptyRegions(signal),
    maxReplicas: (await pd.maxReplicas(signal)) ?? 3,
  };
  return { pd: addresses, findings: judgeCluster(facts, load) };
}

/** Of each check one finding. */
export function judgeCluster(facts: ClusterFacts, load: Load): Finding[] {
  const stores = facts.stores.filter(({ stateName, isTiFlash }) => stateName === "Up" && !isTiFlash);
  return [
    versions(facts, stores),
    freeSpace(facts, stores, load),
    emptyRegions(facts, stores, load),
    distribution(stores, load),
  ];
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const finding = (check: string, status: Finding["status"], detail: string): Finding => ({ check, status, detail });

function versions({ version }: ClusterFacts, stores: readonly StoreStatus[]): Finding {
  const check = "cluster-version";
  const old = stores.filter((store) => Number(/^v?(\d+)\./.exec(store.version)?.[1] ?? VERSION_LEAST) < VERSION_LEAST);
  if (old.length > 0) {
    const shown = old.map((store) => `${store.address} has ${store.version}`).join(", ");
    return finding(check, "failed", `TiKV must be ${VERSION_LEAST}.0 or later: ${shown}`);
  }
  if (version !== undefined && version[0] < VERSION_LEAST)
    return finding(check, "failed", `PD must be ${VERSION_LEAST}.0 or later, it is ${version.join(".")}`);
  const tikv = [...new Set(stores.map((store) => store.version))].join(", ");
  return finding(check, "ok", `PD ${version?.join(".") ?? "of no version"}, TiKV ${tikv}`);
}

/** The source's size stands for that of its pairs, once for each replica. */
function freeSpace({ maxReplicas }: ClusterFacts, stores: readonly StoreStatus[], { sizeBytes }: Load): Finding {
  const check = "cluster-space";
  const free = stores.reduce((sum, { availableBytes }) => sum + (availableBytes ?? 0), 0);
  const needed = sizeBytes * maxReplicas;
  const text = `${gib(free)} free on ${stores.length} stores, about ${gib(needed)} wanted for ${maxReplicas} replicas`;
  if (stores.some(({ availableBytes }) => availableBytes === undefined))
    return finding(check, "warning", "PD does not know the free space of every store");
  return finding(check, free < needed ? "failed" : free < 2 * needed ? "warning" : "ok", text);
}

function emptyRegions(facts: ClusterFacts, stores: readonly StoreStatus[], { tables }: Load): Finding {
  const check = "empty-regions";
  if (stores.length <= 1) return finding(check, "ok", "there is one store");
  const countOf = ({ id }: StoreStatus): number => facts.emptyRegions.get(id) ?? 0;
  const bound = Math.max(EMPTY_REGIONS, tables);
  const many = stores.filter((store) => countOf(store) > bound);
  const most = stores.reduce((sum, store) => Math.max(sum, countOf(store)), 0);
  if (many.length === 0) return finding(check, "ok", `no store has more than ${most} empty regions`);
  const shown = many.map((store) => `${store.address} (${countOf(store)})`).join(", ");
  return finding(check, "warning", `many regions are empty, which slows an import down; let PD merge them: ${shown}`);
}

function distribution(stores: readonly StoreStatus[], { tables }: Load): Finding {
  const check = "region-distribution";
  const sorted = [...stores].sort((a, b) => a.regionCount - b.regionCount);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined || least === most) return finding(check, "ok", "there is one store");
  const text = `${least.address} has ${least.regionCount} regions, ${most.address} has ${most.regionCount}`;
  const isEven = least.regionCount >= REGION_RATIO * most.regionCount;
  const isSmall = most.regionCount <= Math.max(REGIONS_LEAST, tables);
  return finding(check, isEven || isSmall ? "ok" : "warning", text);
}
