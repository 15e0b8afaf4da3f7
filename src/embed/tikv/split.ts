import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SplitRegionRequest, SplitRegionResponseSchema } from "../../../gen/kvrpcpb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import {
  type Cluster,
  decodeKey,
  encodeKey,
  hexKey,
  inRegion,
  peerOn,
  type Region,
  regionMessage,
  type StoreState,
} from "../state/mod.ts";
import {
  diskFull,
  epochNotMatch,
  epochText,
  keyNotInRegion,
  notLeader,
  type RegionError,
  regionNotFound,
} from "./region-errors.ts";

const NO_VALID_KEY =
  "Coprocessor [components/raftstore/src/coprocessor/split_observer.rs:153]: no valid key found for split.";

type Response = MessageInitShape<typeof SplitRegionResponseSchema>;

/** `SplitRegion`: cuts the region at the keys that are no borders yet. It looks at no store or peer id. */
export async function splitRegion(cluster: Cluster, store: StoreState, request: SplitRegionRequest): Promise<Response> {
  const regionId = request.context?.regionId ?? 0n;
  const region = cluster.regions.byId(regionId);
  const peer = region === undefined ? undefined : peerOn(region, store.id);
  if (region === undefined || peer === undefined) return { regionError: regionNotFound(regionId, "not found") };
  const given = request.splitKeys.length > 0 || request.splitKey.length === 0 ? request.splitKeys : [request.splitKey];
  const refused = refusal(region, peer.id, store, request, given);
  if (refused !== undefined) return { regionError: refused };
  const keys = validKeys(
    given.map((key) => (request.isRawKv ? key : encodeKey(key))),
    region,
  );
  if (!Array.isArray(keys)) return { regionError: keys };
  const odd = keys.find((key) => !isTableKey(key));
  if (odd !== undefined) {
    return {
      regionError: { message: cluster.harm(`split key ${hexKey(odd)} is encoded twice or not at all`).message },
    };
  }
  const regions = (await cluster.placement.split(region, keys)).map(regionMessage);
  return regions.length === 2 ? { left: regions[0], right: regions[1], regions } : { regions };
}

function refusal(
  region: Region,
  peerId: bigint,
  store: StoreState,
  request: SplitRegionRequest,
  keys: readonly Uint8Array[],
): RegionError | undefined {
  const tag = `[region ${region.id}] ${peerId}`;
  if (keys.length === 0) {
    return { message: `"[components/raftstore/src/store/util.rs:1834]: ${tag} no split key is specified."` };
  }
  if (peerId !== region.leader) return notLeader(region);
  const sent = request.context?.regionEpoch;
  if ((sent?.version ?? 0n) !== region.version) {
    const epochs = `${epochText(region)} != ${epochText(sent)}`;
    return epochNotMatch(`${tag} epoch changed ${epochs}, retry later`, [region]);
  }
  if (store.diskFull) return diskFull(store.id, "AllowedOnAlmostFull");
  return undefined;
}

/** Keys sorted, without repeats and without the region's own start; or why they do not do. */
function validKeys(keys: readonly Uint8Array[], region: Region): Uint8Array[] | RegionError {
  const sorted = [...keys].sort(compareBytes);
  const out: Uint8Array[] = [];
  for (const key of sorted) {
    if (compareBytes(key, region.startKey) === 0) continue;
    if (!inRegion(region, key)) return keyNotInRegion(key, region);
    const last = out[out.length - 1];
    if (last === undefined || compareBytes(last, key) !== 0) out.push(key);
  }
  return out.length > 0 ? out : { message: NO_VALID_KEY };
}

/** An encoded key whose raw form is not encoded itself. Other borders would cut where no key of TiDB is. */
function isTableKey(encoded: Uint8Array): boolean {
  const raw = decodeKey(encoded);
  if (raw === undefined) return false;
  const inner = decodeKey(raw);
  return inner === undefined || inner[0] !== 0x74 || inner.length < 9;
}
