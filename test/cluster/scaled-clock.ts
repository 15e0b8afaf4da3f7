import { type Clock, systemClock } from "../../src/base/mod.ts";

/** A clock that runs so many times faster than the real one: waits and deadlines of seconds take milliseconds. */
export function scaledClock(factor: number): Clock {
  const start = systemClock.monotonicMs();
  const elapsed = (): number => (systemClock.monotonicMs() - start) * factor;
  return {
    nowMs: () => 1_700_000_000_000 + elapsed(),
    monotonicMs: elapsed,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
