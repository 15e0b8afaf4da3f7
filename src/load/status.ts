import type { Clock } from "../base/mod.ts";

/** DM's `pb.LoadStatus`. Sizes in bytes. */
export interface LoadStatus {
  finishedBytes: number;
  totalBytes: number;
  progress: string;
  metaBinlog: string;
  metaBinlogGTID: string;
  bps: number;
}

/** `100.00 %`; of nothing: all of it when the unit is finished. Never above 100, and 100 for a finished one. */
export function progressText(finishedBytes: number, totalBytes: number, finished: boolean): string {
  if (finished) return "100.00 %";
  if (totalBytes === 0) return "0.00 %";
  return `${(Math.min(1, finishedBytes / totalBytes) * 100).toFixed(2)} %`;
}

/** The status as dmctl prints it: protobuf's JSON with defaults, where 64-bit integers are strings. */
export function dmctlStatus(status: LoadStatus): Record<keyof LoadStatus, string> {
  return {
    ...status,
    finishedBytes: String(status.finishedBytes),
    totalBytes: String(status.totalBytes),
    bps: String(status.bps),
  };
}

/** The status as Go's encoding/json prints it: numbers, and what is zero or empty left out. */
export function goJsonStatus(status: LoadStatus): Partial<LoadStatus> {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== ""));
}

/** A stall longer than this shows as no speed at all. */
const STALL_MS = 60_000;

/**
 * Bytes a second, between looks that saw growth. As DM's, and other than DM's it falls while nothing grows: to what the time since the
 * last growth makes of it, and to 0 after a minute.
 */
export class SpeedRecorder {
  readonly #clock: Clock;
  #bytes = 0;
  #grownMs: number;
  #speed = 0;
  #delta = 0;
  #spanMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#grownMs = clock.monotonicMs();
  }

  /** What was finished before does not count as speed. */
  restart(): void {
    this.#bytes = 0;
    this.#speed = 0;
    this.#delta = 0;
    this.#grownMs = this.#clock.monotonicMs();
  }

  look(finishedBytes: number): number {
    const now = this.#clock.monotonicMs();
    const waited = now - this.#grownMs;
    if (finishedBytes <= this.#bytes) {
      if (this.#speed === 0) return 0;
      if (waited >= STALL_MS) return 0;
      return waited <= this.#spanMs ? this.#speed : Math.max(1, Math.floor((this.#delta * 1000) / waited));
    }
    this.#delta = finishedBytes - this.#bytes;
    this.#spanMs = Math.max(1, waited);
    this.#bytes = finishedBytes;
    this.#grownMs = now;
    this.#speed = Math.max(1, Math.floor((this.#delta * 1000) / this.#spanMs));
    return this.#speed;
  }
}
