/**
 * A region job: the pairs of one range inside one region under one epoch. Its state is a union, its moves are `nextJob`, a pure
 * function; `run-job.ts` does what the state asks for and reports what came of it.
 *
 *   locate ──located──► write ──written──► ingest ──ingested──► done
 *      ▲                 ▲ │                │ ▲
 *      └────rescan───────┼─┴────────────────┤ └─ ingest-again
 *                        └─────rewrite──────┘        fatal, or tries used up ──► failed
 *
 * Invariants, which nothing in TiKV protects (tikv.md 3):
 * 1. `ingest` is entered only with the metas of a write that every peer of the region answered at that epoch.
 * 2. Each entry into `write` uses a fresh uuid.
 * 3. `done` is entered only on an ingest that was answered OK, or on a write that found no pairs.
 */
import type { SSTMeta } from "../../gen/import_sstpb_pb.ts";
import { assert, assertNever } from "../base/mod.ts";
import { type KeyRange, type Peer, type Region, rangeHolds, regionOf } from "../cluster/mod.ts";
import type { Trouble } from "./region-errors.ts";

/** What the peers of a region hold but do not show yet. */
export interface Written {
  /** The leader's, to be ingested unchanged. */
  readonly metas: readonly SSTMeta[];
  readonly pairs: number;
  /** Bytes of packed pairs. */
  readonly bytes: number;
}

export type JobState =
  | { readonly at: "locate" }
  | { readonly at: "write"; readonly region: Region }
  | { readonly at: "ingest"; readonly region: Region; readonly written: Written }
  | { readonly at: "done" }
  | { readonly at: "failed"; readonly region: Region | undefined; readonly trouble: Trouble };

export interface Job {
  readonly range: KeyRange;
  readonly state: JobState;
  /** Refusals so far. */
  readonly troubles: number;
}

export type JobEvent =
  /** PD named one region that holds the whole range. */
  | { readonly kind: "located"; readonly region: Region }
  /** All peers answered OK; no metas when the range holds no pairs. */
  | { readonly kind: "written"; readonly written: Written }
  | { readonly kind: "ingested" }
  | { readonly kind: "refused"; readonly trouble: Trouble }
  /** The tries or the time are used up. */
  | { readonly kind: "given-up"; readonly trouble: Trouble };

/** The one transition function. An event that does not fit the state is a bug. */
export function nextJob(job: Job, event: JobEvent): Job {
  const { state } = job;
  switch (event.kind) {
    case "located":
      assert(state.at === "locate", "only a job that looks for its region finds it");
      return { ...job, state: writeState(job.range, event.region) };
    case "written":
      assert(state.at === "write", "only a job that writes has written");
      if (event.written.metas.length === 0) return { ...job, state: { at: "done" } };
      return { ...job, state: { at: "ingest", region: state.region, written: event.written } };
    case "ingested":
      assert(state.at === "ingest", "only a job that ingests has ingested");
      return { ...job, state: { at: "done" } };
    case "refused":
      return { ...job, troubles: job.troubles + 1, state: afterTrouble(job, event.trouble) };
    case "given-up":
      return { ...job, state: { at: "failed", region: regionOfState(state), trouble: event.trouble } };
    default:
      return assertNever(event, "event of a region job");
  }
}

/** The region that a state is about, if any. */
export function regionOfState(state: JobState): Region | undefined {
  return "region" in state ? state.region : undefined;
}

function afterTrouble(job: Job, trouble: Trouble): JobState {
  const { state } = job;
  assert(state.at !== "done" && state.at !== "failed", "a job that ended gets no refusal");
  const region = regionOfState(state);
  switch (trouble.ingest) {
    case "fatal":
      return { at: "failed", region, trouble };
    case "rescan":
      return { at: "locate" };
    case "ingest-again":
      // Writing was not refused so; should it ever be, writing again is the same move.
      return state;
    case "rewrite": {
      if (region === undefined) return { at: "locate" };
      const next = trouble.ask === "hint" ? hintedRegion(job.range, region, trouble) : region;
      return next === undefined ? { at: "locate" } : writeState(job.range, next);
    }
    default:
      return assertNever(trouble.ingest, "move of a region job");
  }
}

function writeState(range: KeyRange, region: Region): JobState {
  assert(holdsRange(region, range), "a region job lies inside its region");
  assert(region.leader !== undefined, "a region job has a leader to ingest at");
  return { at: "write", region };
}

export function holdsRange(region: KeyRange, range: KeyRange): boolean {
  if (!rangeHolds(region, range.start)) return false;
  if (region.end.length === 0) return true;
  return range.end.length > 0 && (rangeHolds(region, range.end) || equal(range.end, region.end));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * The region as the refusing store describes it: with the leader that it names, or with another epoch when one of its regions
 * still holds the whole range and has a peer on the store that led. Undefined: PD must be asked.
 */
export function hintedRegion(range: KeyRange, region: Region, trouble: Trouble): Region | undefined {
  const error = trouble.regionError;
  const leader = error?.notLeader?.leader;
  if (leader !== undefined) {
    const peer = region.peers.find((candidate) => candidate.id === leader.id && candidate.storeId === leader.storeId);
    return peer === undefined ? undefined : { ...region, leader: peer };
  }
  const storeId = region.leader?.storeId;
  for (const current of error?.epochNotMatch?.currentRegions ?? []) {
    const candidate = regionOf(current);
    const peer: Peer | undefined = candidate.peers.find((p) => p.storeId === storeId);
    if (peer !== undefined && holdsRange(candidate, range)) return { ...candidate, leader: peer };
  }
  return undefined;
}
