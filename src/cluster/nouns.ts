/** The nouns of `metapb` as small read-only values: ids are bigint, keys are raw (see keys.ts). */
import { create } from "@bufbuild/protobuf";
import { ContextSchema, type Context as PbContext } from "../../gen/kvrpcpb_pb.ts";
import {
  NodeState,
  type Peer as PbPeer,
  type Region as PbRegion,
  type Store as PbStore,
  PeerRole,
  StoreState,
} from "../../gen/metapb_pb.ts";
import { decodeBorder, type KeyRange } from "./keys.ts";

/** `confVer` moves with the peers, `version` with the borders. */
interface Epoch {
  readonly confVer: bigint;
  readonly version: bigint;
}

export interface Peer {
  readonly id: bigint;
  readonly storeId: bigint;
  readonly role: "voter" | "learner" | "incoming-voter" | "demoting-voter";
}

/** `start` and `end` are raw; an empty end is infinity. */
export interface Region extends KeyRange {
  readonly id: bigint;
  readonly epoch: Epoch;
  /** Voters and learners, TiFlash's included. */
  readonly peers: readonly Peer[];
  /** Absent while PD knows none. */
  readonly leader: Peer | undefined;
}

export interface Store {
  readonly id: bigint;
  /** Where its gRPC service for raft data is: TiFlash's proxy at `peer_address`, TiKV at `address`. */
  readonly address: string;
  readonly statusAddress: string;
  readonly version: string;
  readonly state: "up" | "offline" | "tombstone";
  readonly isTiFlash: boolean;
}

const roles: Record<PeerRole, Peer["role"]> = {
  [PeerRole.Voter]: "voter",
  [PeerRole.Learner]: "learner",
  [PeerRole.IncomingVoter]: "incoming-voter",
  [PeerRole.DemotingVoter]: "demoting-voter",
};

export function peerOf(peer: PbPeer): Peer {
  return { id: peer.id, storeId: peer.storeId, role: roles[peer.role] ?? "voter" };
}

/** A leader that is none of the peers counts as unknown. */
export function regionOf(region: PbRegion, leader?: PbPeer): Region {
  const peers = region.peers.map(peerOf);
  return {
    id: region.id,
    start: decodeBorder(region.startKey),
    end: decodeBorder(region.endKey),
    epoch: epochOf(region),
    peers,
    leader: peers.find((peer) => peer.id === leader?.id && peer.storeId === leader.storeId),
  };
}

function epochOf(region: PbRegion): Epoch {
  return { confVer: region.regionEpoch?.confVer ?? 0n, version: region.regionEpoch?.version ?? 0n };
}

export function storeOf(store: PbStore): Store {
  const isTiFlash = store.labels.some((label) => label.key === "engine" && label.value.startsWith("tiflash"));
  const gone = store.state === StoreState.Tombstone || store.nodeState === NodeState.Removed;
  return {
    id: store.id,
    address: store.peerAddress === "" ? store.address : store.peerAddress,
    statusAddress: store.statusAddress,
    version: store.version,
    state: gone ? "tombstone" : store.state === StoreState.Offline ? "offline" : "up",
    isTiFlash,
  };
}

/** The context that TiKV wants with each region request: region, epoch and the peer that is asked. */
export function contextOf(region: Region, peer: Peer): PbContext {
  return create(ContextSchema, {
    regionId: region.id,
    regionEpoch: { confVer: region.epoch.confVer, version: region.epoch.version },
    peer: { id: peer.id, storeId: peer.storeId, role: roleNumber(peer.role) },
  });
}

function roleNumber(role: Peer["role"]): PeerRole {
  switch (role) {
    case "voter":
      return PeerRole.Voter;
    case "learner":
      return PeerRole.Learner;
    case "incoming-voter":
      return PeerRole.IncomingVoter;
    case "demoting-voter":
      return PeerRole.DemotingVoter;
  }
}

/** `12 [conf 5, version 85]`, for messages and logs. */
export function regionText(region: Region): string {
  return `${region.id} [conf ${region.epoch.confVer}, version ${region.epoch.version}]`;
}
