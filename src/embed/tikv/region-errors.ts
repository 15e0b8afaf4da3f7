import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ErrorSchema } from "../../../gen/errorpb_pb.ts";
import { hexKey, leaderOf, peerMessage, type Region, regionMessage } from "../state/mod.ts";

/** An errorpb.Error to be sent. */
export type RegionError = MessageInitShape<typeof ErrorSchema>;

interface Epoch {
  confVer: bigint;
  version: bigint;
}

/** Rust's text form of a RegionEpoch: fields that are zero are left out. */
export function epochText(epoch: Epoch | undefined): string {
  const parts: string[] = [];
  if (epoch !== undefined && epoch.confVer !== 0n) parts.push(`conf_ver: ${epoch.confVer}`);
  if (epoch !== undefined && epoch.version !== 0n) parts.push(`version: ${epoch.version}`);
  return parts.join(" ");
}

export function notLeader(region: Region): RegionError {
  const leader = leaderOf(region);
  const may = leader === undefined ? "None" : `Some(id: ${leader.id} store_id: ${leader.storeId})`;
  return {
    message: `peer is not leader for region ${region.id}, leader may ${may}`,
    notLeader: { regionId: region.id, leader: leader === undefined ? undefined : peerMessage(leader) },
  };
}

export function storeNotMatch(requested: bigint, actual: bigint): RegionError {
  return {
    message: `to store id ${requested}, mine ${actual}`,
    storeNotMatch: { requestStoreId: requested, actualStoreId: actual },
  };
}

export function mismatchPeerId(requested: bigint, actual: bigint): RegionError {
  return {
    message: `mismatch peer id ${requested} != ${actual}`,
    mismatchPeerId: { requestPeerId: requested, storePeerId: actual },
  };
}

/** Most calls say "is missing", SplitRegion says "not found". */
export function regionNotFound(regionId: bigint, words: "is missing" | "not found"): RegionError {
  return { message: `region ${regionId} ${words}`, regionNotFound: { regionId } };
}

export function epochNotMatch(message: string, current: readonly Region[]): RegionError {
  return { message: `EpochNotMatch ${message}`, epochNotMatch: { currentRegions: current.map(regionMessage) } };
}

export function keyNotInRegion(key: Uint8Array, region: Region): RegionError {
  const range = `[${hexKey(region.startKey)}, ${hexKey(region.endKey)})`;
  return {
    message: `key ${hexKey(key)} is not in region key range ${range} for region ${region.id}`,
    keyNotInRegion: { key, regionId: region.id, startKey: region.startKey, endKey: region.endKey },
  };
}

export function staleFile(): RegionError {
  return { message: "The file which would be ingested doest not exist.", staleCommand: {} };
}

/** `option`: the request's `diskFullOpt` as the store spells it. */
export function diskFull(storeId: bigint, option: "NotAllowedOnFull" | "AllowedOnAlmostFull"): RegionError {
  const reason = `propose failed: tikv disk full, cmd diskFullOpt=${option}, leader diskUsage=AlreadyFull`;
  return { message: `store ids [${storeId}], errmsg ${reason}`, diskFull: { storeId: [storeId], reason } };
}

export function suspended(leftMs: number): RegionError {
  const left = Math.ceil(leftMs);
  return { message: `imports are suspended for ${left / 1000}s`, serverIsBusy: { backoffMs: BigInt(left) } };
}

export function serverIsBusy(reason: string, backoffMs: bigint): RegionError {
  return { message: reason, serverIsBusy: { reason, backoffMs } };
}
