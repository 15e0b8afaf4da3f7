import type { SSTMeta } from "../../gen/import_sstpb_pb.ts";
import { assert, LevinError, newUuid, type Random } from "../base/mod.ts";
import type { KeyRange, Peer, Region, TikvClient, WriteTarget } from "../cluster/mod.ts";
import { FanOut } from "./fan-out.ts";
import type { ByteBudget, StoreRate } from "./gates.ts";
import type { Written } from "./job.ts";
import type { PairSource } from "./pair-source.ts";
import { type WrittenTotals, writeBatches } from "./write-batches.ts";

export interface RegionWrite {
  readonly tikv: Pick<TikvClient, "write">;
  readonly random: Random;
  readonly source: PairSource;
  readonly commitTs: bigint;
  readonly region: Region;
  /** Inside the region. */
  readonly range: KeyRange;
  readonly windowMessages: number;
  readonly budget: ByteBudget;
  readonly rate: StoreRate;
  readonly signal: AbortSignal;
}

/** A write that one peer refused or lost; `storeId` says which. `cause` is what the call threw. */
export class PeerFailure extends Error {
  override readonly name = "PeerFailure";
  readonly storeId: bigint;

  constructor(storeId: bigint, cause: unknown) {
    super(`store ${storeId}`, { cause });
    this.storeId = storeId;
  }
}

/**
 * Writes the pairs of a range to every peer of its region under one fresh uuid. Resolves only when all of them have taken all
 * messages and answered OK; otherwise ends the other streams and throws the first failure as PeerFailure, or what the source threw.
 */
export async function writeRegion(write: RegionWrite): Promise<Written> {
  const { region, range, signal } = write;
  const totals = { pairs: 0, bytes: 0 };
  const lastKey = await write.source.lastKey(range, signal);
  if (lastKey === undefined) return { ...totals, metas: [] };
  const stop = new AbortController();
  // Not AbortSignal.any: Bun keeps what listens to such a signal until its outer one ends, which is the whole import.
  const inner = stop.signal;
  const forward = (): void => stop.abort(signal.reason);
  if (signal.aborted) forward();
  else signal.addEventListener("abort", forward, { once: true });
  const { budget, source, windowMessages } = write;
  const batches = writeBatches(source.read(range, inner), { range, lastKey }, totals);
  const fan = new FanOut({
    source: batches,
    takers: region.peers.length,
    windowMessages,
    budget,
    signal: inner,
    onDone: (message) => source.release?.(message),
  });
  let clean = false;
  const { commitTs } = write;
  const uuid = newUuid(write.random);
  const target: WriteTarget = { uuid, commitTs, region, firstKey: range.start, lastKey };
  try {
    const answers = await allOrFirst(
      region.peers.map((peer, taker) => writePeer(write, peer, target, fan, taker, inner)),
      stop,
    );
    // Nothing in TiKV protects against a peer without the file (tikv.md 3.1).
    assert(answers.length === region.peers.length, "every peer has answered the write");
    clean = true;
    return { ...totals, metas: leaderMetas(region, answers, totals) };
  } catch (thrown) {
    signal.throwIfAborted();
    throw fan.failure === undefined || isAbort(fan.failure.thrown, inner) ? thrown : fan.failure.thrown;
  } finally {
    signal.removeEventListener("abort", forward);
    await fan.close({ clean });
  }
}

async function writePeer(
  { tikv, rate }: RegionWrite,
  peer: Peer,
  target: WriteTarget,
  fan: FanOut,
  taker: number,
  signal: AbortSignal,
): Promise<readonly SSTMeta[]> {
  try {
    const metas = await tikv.write(peer, target, paced(fan.messages(taker), peer.storeId, rate, signal), signal);
    if (!fan.isDone(taker)) {
      throw new LevinError("Levin:Rpc:ErrUnavailable", `Cannot write to store ${peer.storeId}: it answered too early`);
    }
    return metas;
  } catch (thrown) {
    throw new PeerFailure(peer.storeId, thrown);
  }
}

async function* paced(
  messages: AsyncGenerator<Uint8Array>,
  storeId: bigint,
  rate: StoreRate,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const message of messages) {
    await rate.take(storeId, message.length, signal);
    yield message;
  }
}

/** All results, or the first failure after `stop` was pulled and the others have ended. */
async function allOrFirst<T>(running: readonly Promise<T>[], stop: AbortController): Promise<T[]> {
  let first: { readonly thrown: unknown } | undefined;
  const settled = await Promise.allSettled(
    running.map((one) =>
      one.catch((thrown: unknown) => {
        first ??= { thrown };
        stop.abort(thrown);
        throw thrown;
      }),
    ),
  );
  if (first !== undefined) throw first.thrown;
  return settled.map((result) => (result as PromiseFulfilledResult<T>).value);
}

function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  return signal.aborted && thrown === signal.reason;
}

function leaderMetas(region: Region, answers: (readonly SSTMeta[])[], totals: WrittenTotals): readonly SSTMeta[] {
  const at = region.peers.findIndex((peer) => peer.id === region.leader?.id);
  assert(at >= 0, "the leader is one of the peers");
  const families = (metas: readonly SSTMeta[]): string => metas.map((meta) => meta.cfName).join(",");
  const metas = answers[at]!;
  const differs = answers.findIndex((other) => families(other) !== families(metas));
  if (differs >= 0 || (metas.length === 0 && totals.pairs > 0)) {
    const peer = region.peers[differs >= 0 ? differs : at]!;
    const cause = new LevinError(
      "Levin:Rpc:ErrUnavailable",
      `Cannot write to store ${peer.storeId}: it answered with other files than its fellows`,
    );
    throw new PeerFailure(peer.storeId, cause);
  }
  return metas;
}
