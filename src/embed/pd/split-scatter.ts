import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorType,
  type ScatterRegionRequest,
  type ScatterRegionResponseSchema,
  type SplitAndScatterRegionsRequest,
  type SplitAndScatterRegionsResponseSchema,
  type SplitRegionsRequest,
  type SplitRegionsResponseSchema,
} from "../../../gen/pdpb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import { Code, ConnectError } from "../grpc.ts";
import { decodeKey, hexKey, type Region } from "../state/mod.ts";
import type { Header } from "./header.ts";
import type { PdState } from "./state.ts";

/** Splitting and scattering by PD. Keys are encoded. */
export class SplitScatter {
  readonly #pd: PdState;
  readonly #header: Header;

  constructor(pd: PdState, header: Header) {
    this.#pd = pd;
    this.#header = header;
  }

  async split({ splitKeys }: SplitRegionsRequest): Promise<MessageInitShape<typeof SplitRegionsResponseSchema>> {
    const { percentage, regions } = await this.#cut(splitKeys);
    return { header: this.#header.ok(), finishedPercentage: percentage, regionsId: regions.map(({ id }) => id) };
  }

  async splitAndScatter(
    request: SplitAndScatterRegionsRequest,
  ): Promise<MessageInitShape<typeof SplitAndScatterRegionsResponseSchema>> {
    const { percentage, regions } = await this.#cut(request.splitKeys);
    const failed = await this.#scatter(regions, request.group);
    return {
      header: this.#header.ok(),
      splitFinishedPercentage: percentage,
      scatterFinishedPercentage: percentageOf(regions.length - failed.length, regions.length),
      regionsId: regions.map(({ id }) => id),
    };
  }

  async scatter(request: ScatterRegionRequest): Promise<MessageInitShape<typeof ScatterRegionResponseSchema>> {
    const { regions } = this.#pd.cluster;
    if (request.regionsId.length === 0) return this.#scatterOne(request);
    const known = request.regionsId.map((id) => regions.byId(id)).filter((region) => region !== undefined);
    if (known.length === 0) throw new ConnectError("[PD:region:ErrRegionNotFound]region %v not found", Code.Unknown);
    const failed = await this.#scatter(known, request.group);
    const unknown = request.regionsId.filter((id) => regions.byId(id) === undefined);
    const total = request.regionsId.length;
    return {
      header: this.#header.ok(),
      finishedPercentage: percentageOf(known.length - failed.length, total),
      failedRegionsId: [...failed.map(({ id }) => id), ...unknown],
    };
  }

  async #scatterOne(request: ScatterRegionRequest): Promise<MessageInitShape<typeof ScatterRegionResponseSchema>> {
    const region = this.#pd.cluster.regions.byId(request.regionId);
    if (region === undefined) {
      if (request.region !== undefined) {
        throw new ConnectError(`region ${request.regionId} is not fully replicated`, Code.Unknown);
      }
      return { header: this.#header.error(ErrorType.REGION_NOT_FOUND, "region %d not found") };
    }
    const failed = await this.#scatter([region], request.group);
    return { header: this.#header.ok(), finishedPercentage: failed.length === 0 ? 100n : 0n };
  }

  async #scatter(regions: readonly Region[], group: string): Promise<Region[]> {
    const failed: Region[] = [];
    for (const region of regions) if (!(await this.#pd.operators.scatter(region, group))) failed.push(region);
    return failed;
  }

  /** Keys that are borders already count as nothing done. */
  async #cut(keys: readonly Uint8Array[]): Promise<{ percentage: bigint; regions: Region[] }> {
    const odd = keys.find((key) => decodeKey(key) === undefined);
    if (odd !== undefined) {
      throw new ConnectError(this.#pd.cluster.harm(`split key ${hexKey(odd)} is not encoded`).message, Code.Unknown);
    }
    const { regions, placement } = this.#pd.cluster;
    const fresh = keys.filter((key) => compareBytes(regions.at(key)!.startKey, key) !== 0);
    const made = [...new Set(await placement.splitAt(fresh))];
    for (const region of made) this.#pd.operators.note(region.id, "region-splitter", "split");
    return { percentage: percentageOf(fresh.length, keys.length), regions: made };
  }
}

function percentageOf(part: number, whole: number): bigint {
  return whole === 0 ? 0n : BigInt(Math.floor((part * 100) / whole));
}
