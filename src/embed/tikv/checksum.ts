import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Request, ResponseSchema } from "../../../gen/coprocessor_pb.ts";
import { ChecksumRequestSchema, ChecksumResponseSchema } from "../../../gen/tipb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import { type Cluster, encodeKey, hexKey, PairSums, type Region, type StoreState } from "../state/mod.ts";
import { lockMessage } from "./key-errors.ts";
import { checkRegion } from "./region-check.ts";

const TP_CHECKSUM = 105n;
const MAX_TS = 0xffffffffffffffffn;
/** TiKV lets a read be this far ahead of what it knows of PD's time (60 s), in timestamps. */
const MAX_TS_DRIFT = 60_000n << 18n;

type Response = MessageInitShape<typeof ResponseSchema>;

/** Sums over visible pairs by the coprocessor's rules: xor of CRC-64 over key and value, number of pairs, bytes of both. */
export interface Checksum {
  crc64Xor: bigint;
  kvs: bigint;
  bytes: bigint;
}

/** `rule`: digest as if keys began with `oldPrefix` in the place of `newPrefix`. All keys raw; an empty end is the end of all keys. */
export async function checksumRange(
  cluster: Cluster,
  range: { start: Uint8Array; end: Uint8Array },
  ts: bigint,
  rule?: { oldPrefix: Uint8Array; newPrefix: Uint8Array },
): Promise<Checksum> {
  const sums = new PairSums();
  const prefix = rule?.oldPrefix ?? new Uint8Array(0);
  const cut = rule?.newPrefix.length ?? 0;
  const end = range.end.length === 0 ? undefined : range.end;
  await cluster.reader.forEach(
    range.start,
    end,
    ts,
    sums.visitor(prefix, cut),
    rule === undefined ? (block, from) => sums.addElements(block, from) : undefined,
  );
  return sums.result();
}

/** `Coprocessor`; only checksum requests (tp 105) are known. */
export async function coprocessor(cluster: Cluster, store: StoreState, request: Request): Promise<Response> {
  if (request.tp !== TP_CHECKSUM) {
    return { otherError: `[src/coprocessor/endpoint.rs:426]: unsupported tp ${request.tp}` };
  }
  const { region, error } = checkRegion(cluster, store, request.context);
  if (region === undefined) return { regionError: error };
  const options = fromBinary(ChecksumRequestSchema, request.data);
  const ts = request.startTs !== 0n ? request.startTs : options.startTsFallback;
  const limit = cluster.tso.latest() + MAX_TS_DRIFT;
  if (ts > limit && ts !== MAX_TS) {
    return { regionError: { message: `invalid max_ts update: ${ts} exceeds the limit ${limit}` } };
  }
  const total: Checksum = { crc64Xor: 0n, kvs: 0n, bytes: 0n };
  for (const range of request.ranges) {
    const beyond = beyondRegion(range, region);
    if (beyond !== undefined) return { otherError: beyond };
    const lock = cluster.mvcc.blocking(range.start, range.end.length === 0 ? undefined : range.end, ts);
    if (lock !== undefined && ts !== MAX_TS) return { locked: lockMessage(lock) };
    const rule =
      options.rule === undefined ? undefined : { oldPrefix: options.rule.oldPrefix, newPrefix: options.rule.newPrefix };
    const part = await checksumRange(cluster, range, ts, rule);
    total.crc64Xor ^= part.crc64Xor;
    total.kvs += part.kvs;
    total.bytes += part.bytes;
  }
  const data = { checksum: total.crc64Xor, totalKvs: total.kvs, totalBytes: total.bytes };
  return { data: toBinary(ChecksumResponseSchema, create(ChecksumResponseSchema, data)) };
}

function beyondRegion(range: { start: Uint8Array; end: Uint8Array }, region: Region): string | undefined {
  const start = encodeKey(range.start);
  const end = encodeKey(range.end);
  const inside =
    compareBytes(start, region.startKey) >= 0 && (region.endKey.length === 0 || compareBytes(end, region.endKey) <= 0);
  if (inside) return undefined;
  const asked = `[${hexKey(start)}, ${hexKey(end)})`;
  return `Request range exceeds bound, request range:${asked}, physical bound:[${hexKey(region.startKey)}, ${hexKey(region.endKey)})`;
}
