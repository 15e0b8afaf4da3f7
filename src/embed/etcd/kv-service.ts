import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Compare,
  type DeleteRangeRequest,
  type DeleteRangeResponseSchema,
  type KV,
  type PutRequest,
  type PutResponseSchema,
  type RangeRequest,
  type RangeResponseSchema,
  type RequestOp,
  type ResponseOpSchema,
  Compare_CompareResult as Result,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  type TxnRequest,
  type TxnResponseSchema,
} from "../../../gen/etcdserverpb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import { Code, ConnectError, type ServiceImpl } from "../grpc.ts";
import { type Batch, type Entry, type KeySpace, messageOf } from "./key-space.ts";

export type HeaderOf = () => { clusterId: bigint; memberId: bigint; revision: bigint; raftTerm: bigint };

/** `etcdserverpb.KV`. Reads see the newest revision only: older ones count as compacted. */
export function kvService(space: KeySpace, header: HeaderOf): ServiceImpl<typeof KV> {
  const run = <T>(work: (ops: Operations) => T): T =>
    space.change((batch) => work(new Operations(space, batch, header)));
  return {
    range: (request) => run((ops) => ops.range(request)),
    put: (request) =>
      withHeader(
        run((ops) => ops.put(request)),
        header,
      ),
    deleteRange: (request) =>
      withHeader(
        run((ops) => ops.remove(request)),
        header,
      ),
    txn: (request) =>
      withHeader(
        run((ops) => ops.txn(request)),
        header,
      ),
    compact: () => ({ header: header() }),
  };
}

/** The revision behind the change. */
function withHeader<T extends object>(answer: T, header: HeaderOf): T {
  return { ...answer, header: header() };
}

class Operations {
  readonly #space: KeySpace;
  readonly #batch: Batch;
  readonly #header: HeaderOf;

  constructor(space: KeySpace, batch: Batch, header: HeaderOf) {
    this.#space = space;
    this.#batch = batch;
    this.#header = header;
  }

  range(request: RangeRequest): MessageInitShape<typeof RangeResponseSchema> {
    const { revision, limit } = request;
    if (revision > this.#space.revision) {
      throw new ConnectError("etcdserver: mvcc: required revision is a future revision", Code.OutOfRange);
    }
    const all = this.#space.range(request.key, request.rangeEnd);
    const fits = ({ modRevision, createRevision }: Entry): boolean =>
      within(modRevision, request.minModRevision, request.maxModRevision) &&
      within(createRevision, request.minCreateRevision, request.maxCreateRevision);
    const found = sorted(all.filter(fits), request);
    const taken = limit > 0n ? found.slice(0, Number(limit)) : found;
    return {
      header: this.#header(),
      kvs: request.countOnly ? [] : taken.map((entry) => messageOf(entry, request.keysOnly)),
      more: !request.countOnly && taken.length < found.length,
      count: BigInt(all.length),
    };
  }

  put(request: PutRequest): MessageInitShape<typeof PutResponseSchema> {
    const [old] = this.#space.range(request.key, new Uint8Array());
    if (request.key.length === 0) throw new ConnectError("etcdserver: key is not provided", Code.InvalidArgument);
    if ((request.ignoreValue || request.ignoreLease) && old === undefined) {
      throw new ConnectError("etcdserver: key not found", Code.InvalidArgument);
    }
    const lease = request.ignoreLease ? old!.lease : request.lease;
    if (lease !== 0n && !this.#space.hasLease(lease)) {
      throw new ConnectError("etcdserver: requested lease not found", Code.NotFound);
    }
    const before = this.#batch.put(request.key, request.ignoreValue ? old!.value : request.value, lease);
    return { header: this.#header(), ...(request.prevKv && before !== undefined && { prevKv: messageOf(before) }) };
  }

  remove(request: DeleteRangeRequest): MessageInitShape<typeof DeleteRangeResponseSchema> {
    const gone = this.#batch.remove(request.key, request.rangeEnd);
    const prevKvs = request.prevKv ? gone.map((entry) => messageOf(entry)) : [];
    return { header: this.#header(), deleted: BigInt(gone.length), prevKvs };
  }

  txn(request: TxnRequest): MessageInitShape<typeof TxnResponseSchema> {
    const succeeded = request.compare.every((compare) => this.#holds(compare));
    const operations = succeeded ? request.success : request.failure;
    return { header: this.#header(), succeeded, responses: operations.map((op) => this.#run(op)) };
  }

  #run({ request }: RequestOp): MessageInitShape<typeof ResponseOpSchema> {
    switch (request.case) {
      case "requestRange":
        return { response: { case: "responseRange", value: this.range(request.value) } };
      case "requestPut":
        return { response: { case: "responsePut", value: this.put(request.value) } };
      case "requestDeleteRange":
        return { response: { case: "responseDeleteRange", value: this.remove(request.value) } };
      case "requestTxn":
        return { response: { case: "responseTxn", value: this.txn(request.value) } };
      case undefined:
        throw new ConnectError("etcdserver: key not found", Code.InvalidArgument);
    }
  }

  /** A range must hold for every key in it; a key that is not there has zeros, and no value to compare. */
  #holds(compare: Compare): boolean {
    const found = this.#space.range(compare.key, compare.rangeEnd);
    if (found.length === 0) return compare.rangeEnd.length > 0 || holds(compare, undefined);
    return found.every((entry) => holds(compare, entry));
  }
}

function holds({ result, targetUnion }: Compare, entry: Entry | undefined): boolean {
  const order = orderOf(targetUnion, entry);
  if (order === undefined) return false;
  if (result === Result.EQUAL) return order === 0;
  if (result === Result.NOT_EQUAL) return order !== 0;
  return result === Result.GREATER ? order > 0 : order < 0;
}

function orderOf(target: Compare["targetUnion"], entry: Entry | undefined): number | undefined {
  switch (target.case) {
    case "value":
      return entry === undefined ? undefined : compareBytes(entry.value, target.value);
    case "version":
    case "createRevision":
    case "modRevision":
    case "lease":
      return compareNumbers(entry?.[target.case] ?? 0n, target.value);
    case undefined:
      return compareNumbers(entry?.version ?? 0n, 0n);
  }
}

function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function within(value: bigint, min: bigint, max: bigint): boolean {
  return (min === 0n || value >= min) && (max === 0n || value <= max);
}

const orders: Record<SortTarget, (a: Entry, b: Entry) => number> = {
  [SortTarget.KEY]: (a, b) => compareBytes(a.key, b.key),
  [SortTarget.VERSION]: (a, b) => compareNumbers(a.version, b.version),
  [SortTarget.CREATE]: (a, b) => compareNumbers(a.createRevision, b.createRevision),
  [SortTarget.MOD]: (a, b) => compareNumbers(a.modRevision, b.modRevision),
  [SortTarget.VALUE]: (a, b) => compareBytes(a.value, b.value),
};

function sorted(entries: Entry[], { sortOrder, sortTarget }: RangeRequest): Entry[] {
  const order = orders[sortTarget];
  if (order === undefined) throw new ConnectError("etcdserver: invalid sort option", Code.InvalidArgument);
  if (sortOrder === SortOrder.NONE && sortTarget === SortTarget.KEY) return entries;
  return entries.sort(sortOrder === SortOrder.DESCEND ? (a, b) => order(b, a) : order);
}
