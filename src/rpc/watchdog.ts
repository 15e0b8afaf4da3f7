import type { Clock } from "../base/mod.ts";
import { H2Code } from "./frames.ts";
import type { ClientStream } from "./stream.ts";
import { startTimer } from "./timer.ts";
import { WireError } from "./wire-error.ts";

export interface WatchdogOptions {
  /** Length of the window that is looked at; 0 switches the watchdog off. */
  readonly intervalMs: number;
  /** What the server must take within every such window in which bytes are waiting for it all the time. */
  readonly minBytes: number;
}

/** What the watchdog looks at; a ClientStream is one. */
export type Watched = Pick<ClientStream, "acceptedBytes" | "waiting" | "over" | "abort">;

const TICKS = 10;

/**
 * Ends an upload that crawls. Silence is no measure for it: a server whose flow control has gone wrong takes a few bytes now and
 * then. Time in which the caller has nothing to send does not count.
 */
export function watchUpload(clock: Clock, stream: Watched, options: WatchdogOptions): void {
  if (options.intervalMs === 0) return;
  let stopTimer = () => {};
  let stopped = false;
  let before = stream.acceptedBytes;
  /** Bytes accepted in each of the last ticks during which bytes were waiting. */
  const history: number[] = [];

  const tick = (): void => {
    if (stopped) return;
    const accepted = stream.acceptedBytes;
    if (stream.waiting) history.push(accepted - before);
    else history.length = 0;
    before = accepted;
    if (history.length > TICKS) history.shift();
    const sum = history.reduce((a, b) => a + b, 0);
    if (history.length === TICKS && sum < options.minBytes) {
      const text = `the server took ${sum} bytes in ${options.intervalMs} ms, expected at least ${options.minBytes}`;
      stream.abort(H2Code.cancel, new WireError("stalled", text));
      return;
    }
    wait();
  };
  const wait = (): void => {
    stopTimer = startTimer(clock, options.intervalMs / TICKS, tick);
  };
  wait();
  void stream.over.then(() => {
    stopped = true;
    stopTimer();
  });
}
