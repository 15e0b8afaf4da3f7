import { assert, assertNever, type Clock, equalBytes, LevinError, type Random, toHex } from "../base/mod.ts";
import {
  Backoff,
  intersectRanges,
  type KeyRange,
  type PdClient,
  type Region,
  regionText,
  scanRegions,
  type TikvClient,
} from "../cluster/mod.ts";
import type { ByteBudget, StoreSlots } from "./gates.ts";
import { type Job, type JobEvent, nextJob, regionOfState, type Written } from "./job.ts";
import type { PairSource } from "./pair-source.ts";
import { callTroubleOf, type Trouble, troubleOf, writeTroubleOf } from "./region-errors.ts";
import { PeerFailure, writeRegion } from "./write-region.ts";

/** What all jobs of an import share. */
export interface JobEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "write" | "ingest" | "stores">;
  readonly source: PairSource;
  readonly commitTs: bigint;
  readonly budget: ByteBudget;
  readonly slots: StoreSlots;
  readonly limits: JobLimits;
  readonly signal: AbortSignal;
  readonly onTrouble?: ((trouble: Trouble, region: Region | undefined) => void) | undefined;
}

export interface JobLimits {
  readonly windowMessages: number;
  /** Refusals of one job before it is given up. */
  readonly troublesMax: number;
  /** Time of one job from its first refusal before it is given up. */
  readonly patienceMs: number;
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** What goes into one SST, about. */
  readonly sstBytesMax: number;
  readonly sstPairsMax: number;
}

/** Sum over what was ingested. */
export interface IngestedTotals {
  pairs: number;
  bytes: number;
  /** Ingest requests answered OK. */
  ssts: number;
}

/**
 * Brings all pairs of a range into the cluster: looks up its regions, cuts it by them, and runs a job for each part, one after
 * another. Parts that are done stay done when a later one must look up its region anew. Throws `Levin:Ingest:*`.
 */
export async function ingestRange(range: KeyRange, env: JobEnvironment): Promise<IngestedTotals> {
  const totals: IngestedTotals = { pairs: 0, bytes: 0, ssts: 0 };
  const todo: Task[] = [newTask({ range, state: { at: "locate" }, troubles: 0 }, env)];
  for (let task = todo.pop(); task !== undefined; task = todo.pop()) {
    const parts = await step(task, env, totals);
    // The leftmost part is next.
    for (const part of parts.reverse()) todo.push(part);
  }
  return totals;
}

/** A job with its patience; parts of a cut job go on with what is left of it. */
interface Task {
  job: Job;
  readonly backoff: Backoff;
  giveUpAt: number | undefined;
}

function newTask(job: Job, env: JobEnvironment): Task {
  const { clock, random, limits } = env;
  const backoff = new Backoff({ clock, random, firstMs: limits.backoffFirstMs, maxMs: limits.backoffMaxMs });
  return { job, backoff, giveUpAt: undefined };
}

/** Runs a job to its end, or until it falls into parts. */
async function step(task: Task, env: JobEnvironment, totals: IngestedTotals): Promise<Task[]> {
  for (;;) {
    env.signal.throwIfAborted();
    const { state } = task.job;
    switch (state.at) {
      case "done":
        return [];
      case "failed":
        throw failure(task.job, state.region, state.trouble);
      case "locate": {
        const parts = await locate(task, env);
        if (parts.length > 1) return parts;
        break;
      }
      case "write":
        await take(task, await write(task.job, state.region, env), env);
        break;
      case "ingest": {
        const event = await ingest(state.region, state.written, env);
        await take(task, event, env);
        if (event.kind === "ingested") {
          totals.pairs += state.written.pairs;
          totals.bytes += state.written.bytes;
          totals.ssts++;
        }
        break;
      }
      default:
        assertNever(state, "state of a region job");
    }
  }
}

/** Moves the job; after a refusal it waits, unless that was the last one it may have. */
async function take(task: Task, event: JobEvent, env: JobEnvironment): Promise<void> {
  if (event.kind !== "refused") {
    task.job = nextJob(task.job, event);
    return;
  }
  const { clock, limits, signal } = env;
  const { trouble } = event;
  env.onTrouble?.(trouble, regionOfState(task.job.state));
  if (trouble.kind === "storeNotMatch" && trouble.storeId !== undefined) env.tikv.stores.forget(trouble.storeId);
  task.giveUpAt ??= clock.monotonicMs() + limits.patienceMs;
  const waitMs = task.backoff.nextMs(trouble.suggestedMs);
  const isOver = task.job.troubles + 1 >= limits.troublesMax || clock.monotonicMs() + waitMs > task.giveUpAt;
  if (isOver && trouble.ingest !== "fatal") {
    task.job = nextJob(task.job, { kind: "given-up", trouble });
    return;
  }
  task.job = nextJob(task.job, event);
  if (task.job.state.at !== "failed") await clock.sleep(waitMs, signal);
}

/**
 * Finds the regions of the range. One region and one SST: the task itself moves on. More: a task for each, which go on with the
 * patience that is left.
 */
async function locate(task: Task, env: JobEnvironment): Promise<Task[]> {
  const { job } = task;
  let regions: Region[];
  try {
    regions = await scanRegions(job.range, env);
  } catch (thrown) {
    env.signal.throwIfAborted();
    await take(task, { kind: "refused", trouble: callTroubleOf(thrown) }, env);
    return [];
  }
  const jobs: Job[] = [];
  for (const region of regions) {
    const inside = intersectRanges(job.range, region);
    if (inside === undefined) continue;
    const { sstBytesMax: bytesMax, sstPairsMax: pairsMax } = env.limits;
    for (const range of env.source.cut(inside, { bytesMax, pairsMax })) {
      jobs.push(nextJob({ ...job, range }, { kind: "located", region }));
    }
  }
  assertJoined(
    job.range,
    jobs.map((part) => part.range),
  );
  if (jobs.length > 1) return jobs.map((part) => ({ ...newTask(part, env), giveUpAt: task.giveUpAt }));
  task.job = jobs[0]!;
  return [];
}

/** The parts cover the range without holes and without overlap: no pair is left out or ingested twice. */
function assertJoined(range: KeyRange, parts: readonly KeyRange[]): void {
  let at: Uint8Array | undefined = range.start;
  for (const part of parts) {
    assert(at !== undefined && equalBytes(part.start, at), "the parts of a range join");
    at = part.end;
  }
  assert(at !== undefined && equalBytes(at, range.end), "the parts of a range reach its end");
}

async function write(job: Job, region: Region, env: JobEnvironment): Promise<JobEvent> {
  const storeIds = region.peers.map((peer) => peer.storeId);
  const { tikv, random, source, commitTs, budget, signal } = env;
  const { windowMessages } = env.limits;
  const run = (): Promise<Written> =>
    writeRegion({
      tikv,
      random,
      source,
      commitTs,
      region,
      range: job.range,
      windowMessages,
      budget,
      signal,
    });
  try {
    return { kind: "written", written: await env.slots.use(storeIds, run, signal) };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof PeerFailure)) throw thrown;
    if (!(thrown.cause instanceof LevinError)) throw thrown.cause;
    return { kind: "refused", trouble: writeTroubleOf(thrown.cause, thrown.storeId) };
  }
}

async function ingest(region: Region, written: Written, env: JobEnvironment): Promise<JobEvent> {
  const storeId = region.leader?.storeId;
  try {
    const answer = await env.tikv.ingest(region, written.metas, env.signal);
    return answer.ok ? { kind: "ingested" } : { kind: "refused", trouble: troubleOf(answer.error, storeId) };
  } catch (thrown) {
    env.signal.throwIfAborted();
    if (!(thrown instanceof LevinError)) throw thrown;
    return { kind: "refused", trouble: callTroubleOf(thrown, storeId) };
  }
}

/** Names region, epoch, store and the last cause. */
function failure(job: Job, region: Region | undefined, trouble: Trouble): LevinError {
  const isFull = trouble.kind === "diskFull" || trouble.kind === "DiskSpaceNotEnough";
  const isFatal = trouble.ingest === "fatal";
  const code = isFull
    ? "Levin:Ingest:ErrDiskFull"
    : isFatal
      ? "Levin:Ingest:ErrRefused"
      : "Levin:Ingest:ErrRetriesExhausted";
  const where = [
    region === undefined ? "no region" : `region ${regionText(region)}`,
    ...(trouble.storeId === undefined ? [] : [`store ${trouble.storeId}`]),
  ].join(", ");
  const tries = isFatal ? "" : ` after ${job.troubles + 1} tries`;
  return new LevinError(code, `Cannot import a key range into ${where}${tries}: ${trouble.kind}: ${trouble.words}`, {
    cause: trouble.cause,
    fields: {
      region: region?.id,
      confVer: region?.epoch.confVer,
      version: region?.epoch.version,
      store: trouble.storeId,
      kind: trouble.kind,
      start: toHex(job.range.start),
      end: toHex(job.range.end),
    },
  });
}
