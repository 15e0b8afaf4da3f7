import type { Clock } from "../base/mod.ts";

/** Made once: an abort without a reason makes an error with its stack, and most timers are stopped. */
const STOPPED = new Error("the timer was stopped");

/** Runs `action` once after `ms` unless the returned function is called first. */
export function startTimer(clock: Clock, ms: number, action: () => void): () => void {
  const stop = new AbortController();
  clock.sleep(ms, stop.signal).then(
    () => {
      if (!stop.signal.aborted) action();
    },
    () => {},
  );
  return () => stop.abort(STOPPED);
}
