import type { Context } from "../../../gen/kvrpcpb_pb.ts";
import { type Cluster, peerOn, type Region, type StoreState } from "../state/mod.ts";
import {
  epochNotMatch,
  epochText,
  mismatchPeerId,
  notLeader,
  type RegionError,
  regionNotFound,
  storeNotMatch,
} from "./region-errors.ts";

/** TiKV names at most so many regions beside the asked one (`MAX_REGIONS_IN_ERROR`). */
const MAX_SIBLINGS = 10;

/** Either the region that may serve the request, or why it may not. */
export type RegionCheck = { region: Region; error?: undefined } | { region?: undefined; error: RegionError };

/**
 * What every request with a Context goes through: right store, region here, leader, peer id, epoch version (conf_ver is not
 * compared), in this order.
 */
export function checkRegion(cluster: Cluster, store: StoreState, context: Context | undefined): RegionCheck {
  const requestedStore = context?.peer?.storeId ?? 0n;
  if (context === undefined || requestedStore !== store.id) return { error: storeNotMatch(requestedStore, store.id) };
  const region = cluster.regions.byId(context.regionId);
  const peer = region === undefined ? undefined : peerOn(region, store.id);
  if (region === undefined || peer === undefined) return { error: regionNotFound(context.regionId, "is missing") };
  if (peer.id !== region.leader) return { error: notLeader(region) };
  const requestedPeer = context.peer?.id ?? 0n;
  if (requestedPeer !== peer.id) return { error: mismatchPeerId(requestedPeer, peer.id) };
  const sent = context.regionEpoch;
  if ((sent?.version ?? 0n) !== region.version) {
    const message = `current epoch of region ${region.id} is ${epochText(region)}, but you sent ${epochText(sent)}`;
    return { error: epochNotMatch(message, [region, ...siblings(cluster, store, region, sent?.version ?? 0n)]) };
  }
  return { region };
}

/**
 * The regions on this store that the asker may lack: to the left of the region (right parts keep the id), one for each version it
 * is behind (`collect_sibling_region`).
 */
function siblings(cluster: Cluster, store: StoreState, region: Region, requested: bigint): Region[] {
  const out: Region[] = [];
  let newest = region.version;
  if (requested >= newest) return out;
  let missing = newest - requested;
  let left = cluster.regions.before(region.startKey);
  while (left !== undefined && out.length < MAX_SIBLINGS) {
    if (peerOn(left, store.id) !== undefined) {
      missing--;
      if (left.version >= newest) {
        missing += left.version - newest;
        newest = left.version;
      }
      out.push(left);
      if (missing === 0n) break;
    }
    left = cluster.regions.before(left.startKey);
  }
  return out;
}
