import { type Clock, compareBytes, equalBytes, inParallel, LevinError, type Random } from "../base/mod.ts";
import {
  Backoff,
  type Checksum,
  intersectRanges,
  type KeyRange,
  type PdClient,
  type Region,
  scanRegions,
  type TikvClient,
} from "../cluster/mod.ts";
import { hintedRegion } from "./job.ts";
import { readFailure, readTroubleOf, type Trouble, troubleOf } from "./region-errors.ts";

/** A part of a table to sum up by itself, such as the records or one index of one partition. */
export interface NamedRange extends KeyRange {
  /** For people: `records`, `index "k_2"`, `partition p1, records`. */
  readonly name: string;
}

export interface ChecksumOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "checksum">;
  readonly ranges: readonly NamedRange[];
  /** Whether each range is wanted by itself (default); else a store is asked once for all that a region holds of them. */
  readonly detail?: boolean;
  /** Regions as they were a moment ago, in key order: looked at before PD is asked. What has moved, the stores tell. */
  readonly regions?: readonly Region[] | undefined;
  /** Snapshot to read at, from PD's TSO after the last ingest. */
  readonly snapshot: bigint;
  readonly limits?: Partial<ChecksumLimits>;
  readonly signal?: AbortSignal;
  readonly onTrouble?: (trouble: Trouble, region: Region | undefined) => void;
}

interface ChecksumLimits {
  /** Requests under way at a time. */
  readonly concurrency: number;
  readonly troublesMax: number;
  readonly patienceMs: number;
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
}

const defaultChecksumLimits: ChecksumLimits = {
  // As TiDB's tidb_checksum_table_concurrency, twice.
  concurrency: 8,
  troublesMax: 30,
  patienceMs: 30 * 60_000,
  backoffFirstMs: 200,
  backoffMaxMs: 20_000,
};

export interface RangeChecksum extends Checksum {
  readonly name: string;
}

interface TableChecksum extends Checksum {
  /** In the order of the ranges asked for; empty without `detail`. */
  readonly ranges: readonly RangeChecksum[];
}

const nothing: Checksum = { crc64xor: 0n, kvs: 0n, bytes: 0n };

function addChecksums(a: Checksum, b: Checksum): Checksum {
  return { crc64xor: a.crc64xor ^ b.crc64xor, kvs: a.kvs + b.kvs, bytes: a.bytes + b.bytes };
}

/**
 * What the cluster holds of the ranges: the coprocessor's checksum of each region's part, CRC-64 by xor, pairs and bytes by sum, as
 * `ADMIN CHECKSUM TABLE`. Throws `Levin:Verify:ErrRead` when a part cannot be read.
 */
export async function checksumTable(options: ChecksumOptions): Promise<TableChecksum> {
  const limits: ChecksumLimits = { ...defaultChecksumLimits, ...options.limits };
  const { detail = true, signal: outer } = options;
  const stop = new AbortController();
  // Not AbortSignal.any: Bun keeps such a signal until its outer one ends, which is the whole import of ten thousand tables.
  const forward = (): void => stop.abort(outer?.reason);
  if (outer?.aborted) forward();
  else outer?.addEventListener("abort", forward, { once: true });
  try {
    return await sumUp({ ...options, limits, signal: stop.signal }, detail, stop);
  } finally {
    outer?.removeEventListener("abort", forward);
  }
}

async function sumUp(env: Environment, detail: boolean, stop: AbortController): Promise<TableChecksum> {
  const { limits, ranges: asked } = env;
  const sums: Checksum[] = asked.map(() => nothing);
  const parts: (Part & { readonly at: number })[] = [];
  for (const [at, range] of asked.entries()) {
    for (const part of knownParts(range, env) ?? (await cutByRegion(range, env))) parts.push({ ...part, at });
  }
  try {
    await inParallel(detail ? parts : joined(parts), limits.concurrency, async (part) => {
      // Awaited first: other parts of the same range are added meanwhile.
      const sum = await checksumPart(part, env);
      sums[part.at] = addChecksums(sums[part.at]!, sum);
    });
  } catch (thrown) {
    stop.abort(thrown);
    throw thrown;
  }
  const ranges = detail ? sums.map((sum, at) => ({ name: asked[at]!.name, ...sum })) : [];
  return { ...sums.reduce(addChecksums, nothing), ranges };
}

/** What one request asks for. */
interface Part {
  readonly ranges: readonly KeyRange[];
  readonly region: Region;
}

type Environment = ChecksumOptions & { readonly limits: ChecksumLimits; readonly signal: AbortSignal };

/** Parts of one region as one. */
function joined<T extends Part>(parts: readonly T[]): T[] {
  const byRegion = new Map<bigint, T>();
  for (const part of parts) {
    const { id } = part.region;
    const before = byRegion.get(id);
    byRegion.set(id, before === undefined ? part : { ...before, ranges: [...before.ranges, ...part.ranges] });
  }
  return [...byRegion.values()];
}

/** By the regions that the caller knows; undefined when they do not cover the range. */
function knownParts(range: KeyRange, { regions = [] }: Environment): Part[] | undefined {
  let low = 0;
  let high = regions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(regions[middle]!.start, range.start) <= 0) low = middle + 1;
    else high = middle;
  }
  const parts: Part[] = [];
  let from = range.start;
  for (let at = low - 1; at >= 0 && at < regions.length; at++) {
    const region = regions[at]!;
    const inside = intersectRanges(range, region);
    if (inside === undefined || compareBytes(inside.start, from) !== 0) return undefined;
    parts.push({ ranges: [inside], region });
    if (equalBytes(inside.end, range.end)) return parts;
    from = inside.end;
  }
  return undefined;
}

async function cutByRegion(range: KeyRange, env: Environment): Promise<Part[]> {
  const parts: Part[] = [];
  for (const region of await scanRegions(range, env)) {
    const inside = intersectRanges(range, region);
    if (inside !== undefined) parts.push({ ranges: [inside], region });
  }
  return parts;
}

/** Sums up a part; when its region has moved, the regions that are there now, each by itself. */
async function checksumPart(part: Part, env: Environment): Promise<Checksum> {
  const { clock, random, limits, signal } = env;
  const backoff = new Backoff({ clock, random, firstMs: limits.backoffFirstMs, maxMs: limits.backoffMaxMs });
  const giveUpAt = clock.monotonicMs() + limits.patienceMs;
  let sum = nothing;
  let left: Part[] = [part];
  for (let troubles = 0; ; ) {
    const next = left[0];
    if (next === undefined) return sum;
    const outcome = await ask(next, env);
    if (outcome.ok) {
      sum = addChecksums(sum, outcome.sum);
      left.shift();
      continue;
    }
    const { trouble } = outcome;
    env.onTrouble?.(trouble, next.region);
    const waitMs = backoff.nextMs(trouble.suggestedMs);
    if (trouble.request === "fatal" || ++troubles >= limits.troublesMax || clock.monotonicMs() + waitMs > giveUpAt) {
      throw readFailure("checksum", next.region, trouble);
    }
    await clock.sleep(waitMs, signal);
    left = [...(await relocate(next, trouble, env)), ...left.slice(1)];
  }
}

async function relocate(part: Part, trouble: Trouble, env: Environment): Promise<Part[]> {
  if (trouble.ask === "same") return [part];
  const parts: Part[] = [];
  for (const range of part.ranges) {
    const hinted = trouble.ask === "hint" ? hintedRegion(range, part.region, trouble) : undefined;
    if (hinted !== undefined) parts.push({ ranges: [range], region: hinted });
    else parts.push(...(await cutByRegion(range, env)));
  }
  return parts;
}

type Outcome = { readonly ok: true; readonly sum: Checksum } | { readonly ok: false; readonly trouble: Trouble };

async function ask(part: Part, env: Environment): Promise<Outcome> {
  const storeId = part.region.leader?.storeId;
  try {
    const answer = await env.tikv.checksum(part.region, part.ranges, env.snapshot, env.signal);
    return answer.ok ? { ok: true, sum: answer.value } : { ok: false, trouble: troubleOf(answer.error, storeId) };
  } catch (thrown) {
    env.signal.throwIfAborted();
    if (!(thrown instanceof LevinError)) throw thrown;
    return { ok: false, trouble: readTroubleOf(thrown, storeId) };
  }
}
