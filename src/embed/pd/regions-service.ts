import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BatchScanRegionsRequest,
  type BatchScanRegionsResponseSchema,
  ErrorType,
  type GetRegionResponseSchema,
  type ScanRegionsRequest,
  type ScanRegionsResponseSchema,
} from "../../../gen/pdpb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import { leaderOf, pdRegionMessage, peerMessage, type Region, regionMessage } from "../state/mod.ts";
import type { Header } from "./header.ts";
import type { PdState } from "./state.ts";

/** Region look-ups. All keys are encoded. An unknown region is an answer with the header only. */
export class RegionLookups {
  readonly #pd: PdState;
  readonly #header: Header;

  constructor(pd: PdState, header: Header) {
    this.#pd = pd;
    this.#header = header;
  }

  one(region: Region | undefined): MessageInitShape<typeof GetRegionResponseSchema> {
    if (region === undefined) return { header: this.#header.ok() };
    return { header: this.#header.ok(), ...pdRegionMessage(region) };
  }

  /** A reversed range is an empty list. */
  scan({ startKey, endKey, limit }: ScanRegionsRequest): MessageInitShape<typeof ScanRegionsResponseSchema> {
    const found = this.#pd.cluster.regionView.scan(startKey, endKey, Math.max(limit, 0));
    return {
      header: this.#header.ok(),
      regionMetas: found.map(regionMessage),
      leaders: found.map((region) => {
        const leader = leaderOf(region);
        return leader === undefined ? {} : peerMessage(leader);
      }),
      regions: found.map(pdRegionMessage),
    };
  }

  batchScan({ ranges, limit }: BatchScanRegionsRequest): MessageInitShape<typeof BatchScanRegionsResponseSchema> {
    const found: Region[] = [];
    for (let i = 0; i < ranges.length; i++) {
      const { startKey, endKey } = ranges[i]!;
      if (endKey.length > 0 && compareBytes(startKey, endKey) > 0) {
        return { header: this.#header.error(ErrorType.UNKNOWN, "invalid key range, start key > end key") };
      }
      const before = ranges[i - 1];
      if (before !== undefined && (before.endKey.length === 0 || compareBytes(before.endKey, startKey) > 0)) {
        return { header: this.#header.error(ErrorType.UNKNOWN, "invalid key range, ranges overlapped") };
      }
      for (const region of this.#pd.cluster.regionView.scan(startKey, endKey, 0)) {
        if (limit > 0 && found.length >= limit) break;
        if (found[found.length - 1] !== region) found.push(region);
      }
    }
    return { header: this.#header.ok(), regions: found.map(pdRegionMessage) };
  }
}
