/**
 * What a benchmark is: a name, a sentence, and a run that returns measures. Each measure is bytes over time beside a limit which the
 * machine sets and which is measured in the same run (`limits.ts`), so that the ratio means the same on every machine. `hash` is a
 * digest of the result and must not depend on time: the same seed and size give the same hash.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { LimitName } from "./limits.ts";

export interface Measure {
  stage: string;
  /** Bytes that the stage took in. */
  bytes: number;
  /** Rows or pairs. */
  items?: number;
  ms: number;
  /** CPU time of all threads. */
  cpuMs: number;
  /** What the machine could do at best; of several parts that could go on side by side, the slowest counts. */
  limit: LimitName | readonly LimitPart[] | OtherStage;
}

/** Another stage of the same run that does the same in another way. */
export interface OtherStage {
  stage: string;
}

/** So many bytes of this kind go with the `bytes` of the measure. */
export interface LimitPart {
  limit: LimitName;
  bytes: number;
}

export interface BenchResult {
  measures: Measure[];
  hash: string;
  /** Printed behind the hash. */
  note?: string;
  /** Of the process that was measured, over its time. */
  rss?: RssSample[];
}

export interface RssSample {
  ms: number;
  bytes: number;
}

export interface BenchContext {
  /** Some kilobytes instead of `sizeBytes`: for the gate. */
  tiny: boolean;
  /** About how much source or pair data to work on. */
  sizeBytes: number;
  /** A folder of this benchmark's own, removed afterwards. */
  dir: string;
  seed: number;
}

export interface Bench {
  /** `<stage>/<workload>`. */
  name: string;
  about: string;
  /** Starts processes and takes seconds even when it is tiny: the smoke test runs it once. */
  slow?: boolean;
  run(context: BenchContext): Promise<BenchResult>;
}

const MB = 1e6;

export function mbPerSecond({ bytes, ms }: { bytes: number; ms: number }): number {
  return bytes / MB / (ms / 1000);
}

/** Wall and CPU time in milliseconds. */
export interface Cost {
  ms: number;
  cpuMs: number;
}

/** What `work` cost, and what it returned. */
export async function timed<T>(work: () => T | Promise<T>): Promise<[cost: Cost, value: T]> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const value = await work();
  const ms = Math.max(performance.now() - started, 1e-3);
  const { user, system } = process.cpuUsage(cpu);
  return [{ ms, cpuMs: (user + system) / 1000 }, value];
}

/** The cheaper of two: the one that was less disturbed. */
export function better(a: Cost | undefined, b: Cost): Cost {
  return a !== undefined && a.ms <= b.ms ? a : b;
}

/** Milliseconds of the best of `times` runs. */
export async function bestOf(times: number, work: () => unknown): Promise<number> {
  let best: Cost | undefined;
  for (let i = 0; i < times; i++) best = better(best, (await timed(work))[0]);
  return best?.ms ?? 0;
}

/** Short digest of whatever a benchmark made. */
export class ResultHash {
  readonly #hash = createHash("sha256");

  add(...parts: (Uint8Array | string | number | bigint)[]): this {
    for (const part of parts) this.#hash.update(part instanceof Uint8Array ? part : `${part};`);
    return this;
  }

  toString(): string {
    return this.#hash.copy().digest("hex").slice(0, 12);
  }
}

/** Highest resident set of this process so far, in bytes. */
export function peakRssBytes(): number {
  try {
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // Not Linux: what the runtime knows is the next best.
  }
  return process.resourceUsage().maxRSS * 1024;
}
