import {
  assert,
  assertNever,
  type Clock,
  type EventSink,
  equalBytes,
  LevinError,
  type Random,
  toHex,
} from "../base/mod.ts";
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
import type { StoreSlots, WorkerSlots } from "./gates.ts";
import { type Job, type JobEvent, nextJob, regionOfState, type Written } from "./job.ts";
import type { PairSource } from "./pair-source.ts";
import { callTroubleOf, type Trouble, troubleOf, writeTroubleOf } from "./region-errors.ts";
import type { RegionWriter } from "./region-writer.ts";
import { PeerFailure } from "./write-region.ts";

/** What all jobs of an import share. */
export interface JobEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "ingest" | "stores">;
  readonly source: Pick<PairSource, "cut">;
  readonly writer: RegionWriter;
  readonly commitTs: bigint;
  readonly workers: WorkerSlots;
  readonly slots: StoreSlots;
  readonly limits: JobLimits;
  readonly signal: AbortSignal;
  /** Ends all jobs of the import, by way of `signal`. */
  readonly stop: (thrown: unknown) => void;
  readonly onTrouble?: ((trouble: Trouble, region: Region | undefined) => void) | undefined;
  readonly onEvent?: EventSink | undefined;
}

export interface JobLimits {
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
 * Brings all pairs of a range into the cluster: looks up its regions, cuts it by them, and runs a job for each part, side by side.
 * Parts that are done stay done when another must look up its region anew. Throws `Levin:Ingest:*` after all parts have ended.
 */
export async function ingestRange(range: KeyRange, env: JobEnvironment): Promise<IngestedTotals> {
  const totals: IngestedTotals = { pairs: 0, bytes: 0, ssts: 0 };
  await runTask(newTask({ range, state: { at: "locate" }, troubles: 0 }, env), env, totals);
  return totals;
}

async function runTask(task: Task, env: JobEnvironment, totals: IngestedTotals): Promise<void> {
  const parts = await step(task, env, totals);
  let first: { readonly thrown: unknown } | undefined;
  await Promise.all(
    parts.map(async (part) => {
      try {
        await runTask(part, env, totals);
      } catch (thrown) {
        first ??= { thrown };
        env.stop(thrown);
      }
    }),
  );
  if (first !== undefined) throw first.thrown;
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
    let waitMs = 0;
    switch (state.at) {
      case "done":
        return [];
      case "failed":
        throw failure(task.job, state.region, state.trouble);
      case "locate": {
        const located = await locate(task, env);
        if (located.parts.length > 0) return located.parts;
        waitMs = located.waitMs;
        break;
      }
      case "write":
      case "ingest":
        waitMs = await env.workers.use(() => work(task, env, totals), env.signal);
        break;
      default:
        assertNever(state, "state of a region job");
    }
    if (waitMs > 0) await env.clock.sleep(waitMs, env.signal);
  }
}

/** Writes and ingests until the job is done or must wait; returns for how long. */
async function work(task: Task, env: JobEnvironment, totals: IngestedTotals): Promise<number> {
  for (;;) {
    const { job } = task;
    const { state } = job;
    if (state.at === "write") {
      const waitMs = move(task, await write(job, state.region, env), env);
      if (waitMs > 0) return waitMs;
    } else if (state.at === "ingest") {
      const event = await ingest(state.region, state.written, env);
      if (event.kind === "ingested") {
        totals.pairs += state.written.pairs;
        totals.bytes += state.written.bytes;
        totals.ssts++;
      }
      const waitMs = move(task, event, env);
      if (waitMs > 0) return waitMs;
    } else return 0;
  }
}

/** Moves the job; returns how long it waits before it goes on, which it does only after a refusal. */
function move(task: Task, event: JobEvent, env: JobEnvironment): number {
  if (event.kind !== "refused") {
    task.job = nextJob(task.job, event);
    return 0;
  }
  const { clock, limits } = env;
  const { trouble } = event;
  env.onTrouble?.(trouble, regionOfState(task.job.state));
  if (trouble.kind === "storeNotMatch" && trouble.storeId !== undefined) env.tikv.stores.forget(trouble.storeId);
  task.giveUpAt ??= clock.monotonicMs() + limits.patienceMs;
  const waitMs = task.backoff.nextMs(trouble.suggestedMs);
  const isOver = task.job.troubles + 1 >= limits.troublesMax || clock.monotonicMs() + waitMs > task.giveUpAt;
  if (isOver && trouble.ingest !== "fatal") {
    task.job = nextJob(task.job, { kind: "given-up", trouble });
    return 0;
  }
  task.job = nextJob(task.job, event);
  return task.job.state.at === "failed" ? 0 : waitMs;
}

/**
 * Finds the regions of the range. One region and one SST: the task itself moves on. More: a task for each, which go on with the
 * patience that is left.
 */
async function locate(task: Task, env: JobEnvironment): Promise<{ parts: Task[]; waitMs: number }> {
  const { job } = task;
  let regions: Region[];
  try {
    regions = await scanRegions(job.range, env);
  } catch (thrown) {
    env.signal.throwIfAborted();
    return { parts: [], waitMs: move(task, { kind: "refused", trouble: callTroubleOf(thrown) }, env) };
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
  if (jobs.length > 1) {
    const parts = jobs.map((part) => ({ ...newTask(part, env), giveUpAt: task.giveUpAt }));
    return { parts, waitMs: 0 };
  }
  task.job = jobs[0]!;
  return { parts: [], waitMs: 0 };
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
  const { writer, commitTs, signal } = env;
  const run = (): Promise<Written> => writer.write({ region, range: job.range, commitTs }, signal);
  const startedMs = env.clock.monotonicMs();
  try {
    const written = await env.slots.use(storeIds, run, signal);
    env.onEvent?.({ kind: "timing", what: "write", ms: env.clock.monotonicMs() - startedMs });
    return { kind: "written", written };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof PeerFailure)) throw thrown;
    if (!(thrown.cause instanceof LevinError)) throw thrown.cause;
    return { kind: "refused", trouble: writeTroubleOf(thrown.cause, thrown.storeId) };
  }
}

async function ingest(region: Region, written: Written, env: JobEnvironment): Promise<JobEvent> {
  const storeId = region.leader?.storeId;
  const startedMs = env.clock.monotonicMs();
  try {
    const answer = await env.tikv.ingest(region, written.metas, env.signal);
    env.onEvent?.({ kind: "timing", what: "ingest", ms: env.clock.monotonicMs() - startedMs });
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
