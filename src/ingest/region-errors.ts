/**
 * What a refusal means for an import: the one table of region errors and the one list of texts.
 *
 * The keys of the table are the case fields of the generated `errorpb.Error`, so a new case in the protocol does not compile until
 * someone has decided on it. Some refusals have no case, and Write reports by gRPC status with the debug form of TiKV's error:
 * these are told by text, because TiKV gives nothing else. Facts: tikv.md 4, wire.md 4, lightning.md 1.13.
 */
import type { Error as RegionError } from "../../gen/errorpb_pb.ts";
import { LevinError } from "../base/mod.ts";
import { type Region, regionText, wordsOf } from "../cluster/mod.ts";
import { GrpcCode, rpcFields } from "../rpc/mod.ts";

/**
 * Where a region job goes on.
 * `ingest-again`: nothing was proposed, the same SST may be ingested later. `rewrite`: write anew, fresh uuid, same region.
 * `rescan`: ask PD for the regions, then write anew. `fatal`: no try can succeed.
 */
export type IngestMove = "ingest-again" | "rewrite" | "rescan" | "fatal";

/** Where a split or a read goes on: the same request, after asking PD, with fewer keys at once, or not at all. */
export type RequestMove = "again" | "rescan" | "split-finer" | "fatal";

/** `suggested`: at least as long as the server said. */
export type Wait = "backoff" | "suggested";

/** Who knows better: nobody, the error itself (leader or regions in it, else PD), or PD. */
export type Ask = "same" | "hint" | "pd";

export interface RefusalRule {
  readonly ingest: IngestMove;
  readonly request: RequestMove;
  readonly wait: Wait;
  readonly ask: Ask;
  readonly why: string;
}

/** The detail fields of a region error. */
export type RegionErrorCase = Exclude<keyof RegionError, "message" | "$typeName" | "$unknown">;

export const regionErrorRules = {
  diskFull: {
    ingest: "fatal",
    request: "fatal",
    wait: "backoff",
    ask: "same",
    why: "a store has no room left",
  },
  FlashbackInProgress: {
    ingest: "fatal",
    request: "fatal",
    wait: "backoff",
    ask: "same",
    why: "a flashback of these keys is running",
  },
  FlashbackNotPrepared: {
    ingest: "fatal",
    request: "fatal",
    wait: "backoff",
    ask: "same",
    why: "a flashback of these keys was not prepared",
  },
  epochNotMatch: {
    ingest: "rewrite",
    request: "rescan",
    wait: "backoff",
    ask: "hint",
    why: "the region was split, merged or moved since it was looked up; the error names what is there now",
  },
  notLeader: {
    // Never the same SST again: the proposal may have been applied after all (tikv issue 9496).
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "hint",
    why: "the leader moved",
  },
  regionNotFound: {
    ingest: "rescan",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "the region was merged or left the store",
  },
  keyNotInRegion: {
    ingest: "rescan",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "the region's borders moved",
  },
  serverIsBusy: {
    ingest: "ingest-again",
    request: "again",
    wait: "suggested",
    ask: "same",
    why: "the store holds requests back: too many files to compact, or imports are suspended",
  },
  staleCommand: {
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "the raft term changed, or the SST is no longer there",
  },
  storeNotMatch: {
    ingest: "rescan",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "another store answers at that address",
  },
  raftEntryTooLarge: {
    ingest: "rewrite",
    request: "split-finer",
    wait: "backoff",
    ask: "same",
    why: "the request is too large for one raft entry",
  },
  maxTimestampNotSynced: {
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "a fresh leader is not ready",
  },
  readIndexNotReady: {
    ingest: "rescan",
    request: "again",
    wait: "backoff",
    ask: "pd",
    why: "the region is splitting or merging",
  },
  proposalInMergingMode: {
    ingest: "rescan",
    request: "again",
    wait: "backoff",
    ask: "pd",
    why: "the region is merging",
  },
  dataIsNotReady: {
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "the peer lags behind",
  },
  regionNotInitialized: {
    ingest: "rescan",
    request: "again",
    wait: "backoff",
    ask: "pd",
    why: "the peer has no data yet",
  },
  RecoveryInProgress: {
    ingest: "rescan",
    request: "again",
    wait: "backoff",
    ask: "pd",
    why: "lost replicas are being recovered",
  },
  isWitness: {
    ingest: "rescan",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "the peer holds no data",
  },
  mismatchPeerId: {
    ingest: "rescan",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "the store has another peer of the region",
  },
  bucketVersionNotMatch: {
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "bucket borders moved",
  },
  undeterminedResult: {
    // Writing the same pairs at the same commit timestamp again is harmless.
    ingest: "rewrite",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "it is unknown whether the request was applied",
  },
} as const satisfies Record<RegionErrorCase, RefusalRule>;

interface TextRule extends RefusalRule {
  readonly kind: string;
  readonly text: RegExp;
}

/** Region errors without a case; the last one takes everything. */
export const messageRules: readonly TextRule[] = [
  {
    kind: "proposal dropped",
    text: /proposal dropped|ProposalDropped/,
    ingest: "rescan",
    request: "again",
    wait: "backoff",
    ask: "pd",
    why: "a leader transfer is under way",
  },
  {
    kind: "ingest file conflict",
    text: /ingest file conflict/,
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "the same SST is being ingested",
  },
  {
    kind: "no valid key",
    text: /no valid key/,
    ingest: "rewrite",
    request: "rescan",
    wait: "backoff",
    ask: "pd",
    why: "all split keys are borders already",
  },
  {
    kind: "timestamp too far ahead",
    text: /invalid max_ts update/,
    ingest: "fatal",
    request: "fatal",
    wait: "backoff",
    ask: "same",
    why: "the snapshot lies in PD's future",
  },
  {
    kind: "empty request",
    text: /EmptyRequest|no split key is specified/,
    ingest: "fatal",
    request: "fatal",
    wait: "backoff",
    ask: "same",
    why: "the request was empty",
  },
  {
    kind: "other",
    text: /^/,
    ingest: "rewrite",
    request: "again",
    wait: "backoff",
    ask: "same",
    why: "the store gives only this text",
  },
];

/** How a failed Write goes on. */
export interface WriteRule {
  readonly kind: string;
  readonly text: RegExp;
  readonly move: Extract<IngestMove, "rewrite" | "rescan" | "fatal">;
  readonly why: string;
}

/** Texts of gRPC statuses that Write ends with, the debug form of TiKV's errors. Others are told by their status code. */
export const writeRules: readonly WriteRule[] = [
  {
    kind: "RequestTooNew",
    text: /RequestTooNew/,
    move: "rewrite",
    why: "the store has yet to learn the region's epoch",
  },
  { kind: "RequestTooOld", text: /RequestTooOld/, move: "rescan", why: "the region was split, merged or moved" },
  { kind: "DiskSpaceNotEnough", text: /DiskSpaceNotEnough/, move: "fatal", why: "a store has no room left" },
  { kind: "ResourceNotEnough", text: /ResourceNotEnough/, move: "rewrite", why: "a store is short of memory" },
  {
    kind: "keys not ascending",
    text: /strict ascending order/,
    move: "fatal",
    why: "pairs came out of order or twice",
  },
  { kind: "InvalidChunk", text: /InvalidChunk/, move: "fatal", why: "the stream was malformed" },
  { kind: "BadFormat", text: /BadFormat|InvalidKeyMode/, move: "fatal", why: "a key was malformed" },
  {
    kind: "IncompatibleApiVersion",
    text: /IncompatibleApiVersion|ApiVersionNotMatched/,
    move: "fatal",
    why: "the cluster uses another API version",
  },
  { kind: "InvalidSstPath", text: /InvalidSstPath|Uuid\(/, move: "fatal", why: "the uuid was malformed" },
  { kind: "cluster id", text: /cluster id/, move: "fatal", why: "the store belongs to another cluster" },
  { kind: "FileExists", text: /FileExists|NotFound/, move: "rewrite", why: "another write used the same uuid" },
  {
    kind: "store trouble",
    text: /^(?:Io|Engine|EngineTraits|RocksDb)\(/,
    move: "rewrite",
    why: "the store had trouble",
  },
];

/** A refusal after it was looked up: what to do, and the words for the message when tries run out. */
export interface Trouble {
  /** Case field or text kind, such as `notLeader` or `RequestTooOld`. */
  readonly kind: string;
  readonly ingest: IngestMove;
  readonly request: RequestMove;
  readonly ask: Ask;
  /** 0 = the client's own back-off. */
  readonly suggestedMs: number;
  /** Server's words. */
  readonly words: string;
  /** Present when the server named leader or regions. */
  readonly regionError?: RegionError;
  readonly cause?: unknown;
  /** Store that refused, when it is known. */
  readonly storeId?: bigint | undefined;
}

const cases = Object.keys(regionErrorRules) as RegionErrorCase[];

/** Looks a region error up: by its case, else by its text. */
export function troubleOf(error: RegionError, storeId?: bigint): Trouble {
  const found = cases.find((name) => error[name] !== undefined);
  const rule = found === undefined ? messageRules.find((r) => r.text.test(error.message))! : regionErrorRules[found];
  const kind = found ?? (rule as TextRule).kind;
  return {
    kind,
    ingest: rule.ingest,
    request: rule.request,
    ask: rule.ask,
    suggestedMs: rule.wait === "suggested" ? suggestedMs(error) : 0,
    words: error.message === "" ? (error.serverIsBusy?.reason ?? rule.why) || rule.why : error.message,
    regionError: error,
    storeId: storeId ?? error.diskFull?.storeId[0],
  };
}

function suggestedMs(error: RegionError): number {
  const busy = error.serverIsBusy;
  return busy === undefined ? 0 : Math.max(Number(busy.backoffMs), busy.estimatedWaitMs);
}

/** Looks a failed Write up. Errors that are not the transport's are fatal: source, assertion, abort. */
export function writeTroubleOf(thrown: unknown, storeId: bigint): Trouble {
  const trouble = callTroubleOf(thrown, storeId);
  if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Rpc:ErrRefused") return trouble;
  const rule = writeRules.find((r) => r.text.test(trouble.words));
  if (rule === undefined) return trouble;
  const request: RequestMove = rule.move === "fatal" ? "fatal" : "again";
  return { ...trouble, kind: rule.kind, ingest: rule.move, request, ask: rule.move === "rescan" ? "pd" : "same" };
}

/** Statuses that another try may mend; the others say that the request itself is refused. */
const passingCodes = new Set<number>([
  GrpcCode.Unknown,
  GrpcCode.Internal,
  GrpcCode.Aborted,
  GrpcCode.ResourceExhausted,
  GrpcCode.Unavailable,
]);

/**
 * Looks up a call that got no answer from the service itself. The connection broke, the time ran out or the server was in trouble:
 * whether the request took effect is unknown, so an ingest is written anew.
 */
export function callTroubleOf(thrown: unknown, storeId?: bigint): Trouble {
  const base = { words: wordsOf(thrown), suggestedMs: 0, cause: thrown, storeId } as const;
  const again = { ingest: "rescan", request: "rescan", ask: "pd" } as const;
  const never = { kind: "refused", ingest: "fatal", request: "fatal", ask: "same" } as const;
  switch (thrown instanceof LevinError ? thrown.code : undefined) {
    case "Levin:Rpc:ErrUnavailable":
    case "Levin:Rpc:ErrProtocol":
      return { ...base, ...again, kind: "connection lost" };
    case "Levin:Rpc:ErrDeadline":
    case "Levin:Rpc:ErrStalled":
      return { ...base, ...again, kind: "no answer" };
    case "Levin:Cluster:ErrRegions":
    case "Levin:Cluster:ErrPdUnavailable":
    case "Levin:Cluster:ErrPd":
      return { ...base, ...again, kind: "PD" };
    case "Levin:Rpc:ErrRefused": {
      const code = rpcFields(thrown)?.grpcCode;
      if (code === undefined || !passingCodes.has(code)) return { ...base, ...never };
      return { ...base, ...again, kind: "server error" };
    }
    default:
      return { ...base, ...never };
  }
}

/** Locks end by themselves within their time to live; a range beyond its region means that the region moved. */
export function readTroubleOf(thrown: LevinError, storeId: bigint | undefined): Trouble {
  const trouble = callTroubleOf(thrown, storeId);
  if (thrown.fields["locked"] === true) return { ...trouble, kind: "locked", request: "again" };
  if (/exceeds bound/.test(trouble.words))
    return { ...trouble, kind: "range beyond region", request: "rescan", ask: "pd" };
  return trouble;
}

/** `what` of the region could not be read. */
export function readFailure(what: string, region: Region, trouble: Trouble): LevinError {
  const store = trouble.storeId === undefined ? "" : ` on store ${trouble.storeId}`;
  return new LevinError(
    "Levin:Verify:ErrRead",
    `Cannot read the ${what} of region ${regionText(region)}${store}: ${trouble.kind}: ${trouble.words}`,
    { cause: trouble.cause, fields: { region: region.id, store: trouble.storeId, kind: trouble.kind } },
  );
}
