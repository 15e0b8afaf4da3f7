import { Worker } from "node:worker_threads";
import type { Clock } from "../base/mod.ts";

/** One thread, from the side that started it. */
export interface ThreadPort<To, From> {
  post(message: To): void;
  /** `onEnd` is called when the thread ends without being asked to. */
  listen(onMessage: (message: From) => void, onEnd: (error: unknown) => void): void;
  /** Ends the thread, whatever it does. */
  close(): Promise<void>;
}

interface ThreadOptions<To> {
  readonly clock: Clock;
  readonly script: URL;
  /** Its `workerData`. */
  readonly setup: unknown;
  /** For people: `an encode worker`. */
  readonly what: string;
  /** Said to a thread that is to end, and its answer when it has closed what it had open. */
  readonly closeWord: string;
  /** What of a message is moved and not copied. */
  readonly moved?: (message: To) => ArrayBuffer[];
}

/** A thread that has not ended by then is stuck in a call of the system, for example a read from a network's file system. */
const CLOSE_MS = 5_000;

export function startThread<To, From>(options: ThreadOptions<To>): ThreadPort<To, From> {
  const { clock, script, setup, what, closeWord, moved } = options;
  const thread = new Worker(script, { workerData: setup });
  let isClosed = false;
  let resolveClosed = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  return {
    post: (message) => thread.postMessage(message, moved?.(message) ?? []),
    listen(onMessage, onEnd) {
      thread.on("message", (message: From | string) => {
        if (message === closeWord) resolveClosed();
        else onMessage(message as From);
      });
      thread.on("error", onEnd);
      thread.on("exit", () => {
        if (!isClosed) onEnd(new Error(`${what} has ended`));
        resolveClosed();
      });
    },
    async close() {
      isClosed = true;
      thread.postMessage(closeWord);
      const patience = new AbortController();
      await Promise.race([closed, clock.sleep(CLOSE_MS, patience.signal)]);
      patience.abort();
      await thread.terminate();
    },
  };
}
