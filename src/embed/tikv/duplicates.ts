import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DuplicateDetectRequest, DuplicateDetectResponseSchema } from "../../../gen/import_sstpb_pb.ts";
import { type Cluster, decodeKey, type StoreState } from "../state/mod.ts";
import { checkRegion } from "./region-check.ts";

/** Pairs of one answer (`DUPLICATE_DETECT batch`). */
const BATCH = 4096;

type Response = MessageInitShape<typeof DuplicateDetectResponseSchema>;

/** All versions, newest first, of the keys in a region's range that have more than one newer than `min_commit_ts`. */
export async function* detectDuplicates(
  cluster: Cluster,
  store: StoreState,
  request: DuplicateDetectRequest,
): AsyncGenerator<Response> {
  const { region, error } = checkRegion(cluster, store, request.context);
  if (region === undefined) {
    yield { regionError: error };
    return;
  }
  const regionStart = decodeKey(region.startKey) ?? new Uint8Array(0);
  const start = request.startKey.length > 0 ? request.startKey : regionStart;
  const end = request.endKey.length > 0 ? request.endKey : decodeKey(region.endKey);
  let pairs: { key: Uint8Array; value: Uint8Array; commitTs: bigint }[] = [];
  for await (const versions of cluster.reader.repeated(start, end, request.minCommitTs)) {
    if (request.keyOnly) {
      yield { keyError: { message: "bad format parse write type error" } };
      return;
    }
    pairs.push(...versions);
    if (pairs.length >= BATCH) {
      yield { pairs };
      pairs = [];
    }
  }
  if (pairs.length > 0) yield { pairs };
}
