import { type Clock, LevinError } from "../base/mod.ts";

/** A timestamp of PD: physical milliseconds and a counter. */
export interface PdTime {
  physicalMs: bigint;
  logical: bigint;
}

/** PD's timestamp oracle, or what stands for it. */
export type TsoSource = (signal?: AbortSignal) => Promise<PdTime>;

/** The 64-bit form: 18 bits for the counter. */
export function composeTso({ physicalMs, logical }: PdTime): bigint {
  return (physicalMs << 18n) | logical;
}

const ATTEMPTS = 32;
const FIRST_WAIT_MS = 100;
const WAIT_MAX_MS = 2000;

/** A cancelled or timed-out caller is not helped by another attempt, nor is an error that levin knows to be final. */
function worthRetrying(error: unknown): boolean {
  if (error instanceof LevinError) return error.facts.retry !== "never";
  const { name } = error as { name?: string };
  return name !== "AbortError" && name !== "TimeoutError";
}

/** Asks up to 32 times with waits of 100, 200, 400, … 2000 ms; the last error joins the texts of all. */
export async function retriedTso(source: TsoSource, clock: Clock, signal?: AbortSignal): Promise<PdTime> {
  const texts: string[] = [];
  for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(2 * wait, WAIT_MAX_MS)) {
    signal?.throwIfAborted();
    try {
      return await source(signal);
    } catch (error) {
      texts.push(error instanceof Error ? error.message : String(error));
      if (attempt < ATTEMPTS && worthRetrying(error)) {
        await clock.sleep(wait, signal);
        continue;
      }
      throw new LevinError("Levin:Br:ErrStorage", texts.join("; "), { cause: error, fields: { attempts: attempt } });
    }
  }
}
