import type { Clock } from "../base/mod.ts";

/** Runs `action` once after `ms` unless the returned function is called first. */
export function startTimer(clock: Clock, ms: number, action: () => void): () => void {
  const stop = new AbortController();
  clock.sleep(ms, stop.signal).then(
    () => {
      if (!stop.signal.aborted) action();
    },
    () => {},
  );
  return () => stop.abort();
}
