import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PeerRole, type Region as RegionMessage, RegionSchema } from "../../../gen/metapb_pb.ts";
import { RegionSchema as PdRegionSchema } from "../../../gen/pdpb_pb.ts";
import { leaderOf, type Peer, type Region } from "./region.ts";

interface PeerInit {
  id: bigint;
  storeId: bigint;
  role: PeerRole;
}

export function peerMessage(peer: Peer): PeerInit {
  return { id: peer.id, storeId: peer.storeId, role: peer.learner ? PeerRole.Learner : PeerRole.Voter };
}

/** metapb.Region of a region. */
export function regionMessage(region: Region): RegionMessage {
  return create(RegionSchema, {
    id: region.id,
    startKey: region.startKey,
    endKey: region.endKey,
    regionEpoch: { confVer: region.confVer, version: region.version },
    peers: region.peers.map(peerMessage),
  });
}

/** pdpb.Region of a region: metapb.Region and leader. */
export function pdRegionMessage(region: Region): { region: RegionMessage; leader: PeerInit | undefined } {
  const leader = leaderOf(region);
  return { region: regionMessage(region), leader: leader === undefined ? undefined : peerMessage(leader) };
}

export function encodeRegion(region: Region): Uint8Array {
  return toBinary(PdRegionSchema, create(PdRegionSchema, pdRegionMessage(region)));
}

export function decodeRegion(bytes: Uint8Array): Region {
  const { region, leader } = fromBinary(PdRegionSchema, bytes);
  const meta = region!;
  return {
    id: meta.id,
    startKey: meta.startKey,
    endKey: meta.endKey,
    confVer: meta.regionEpoch!.confVer,
    version: meta.regionEpoch!.version,
    peers: meta.peers.map((peer) => ({ id: peer.id, storeId: peer.storeId, learner: peer.role === PeerRole.Learner })),
    leader: leader?.id ?? 0n,
  };
}
