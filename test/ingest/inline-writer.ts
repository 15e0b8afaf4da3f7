/** A thread that writes inside this one: what goes between is cloned as between threads, and comes later. */
import type { Clock } from "../../src/base/mod.ts";
import {
  type FromWriter,
  type ToWriter,
  type WriterPort,
  type WriterSetup,
  type WriterWorld,
  WriteTask,
} from "../../src/ingest/mod.ts";

export interface InlineWriter extends WriterPort {
  /** Ends as a thread does whose program has failed: nothing of it is heard any more. */
  die(error: unknown): void;
  readonly said: ToWriter["kind"][];
}

const CLOSE_MS = 5_000;

export function inlineWriter(
  setup: WriterSetup,
  world: WriterWorld,
  { clock = world.clock, isAlive = () => true }: { clock?: Clock; isAlive?: () => boolean } = {},
): InlineWriter {
  let isOpen = true;
  let isDead = false;
  let onMessage: (message: FromWriter) => void = () => undefined;
  let onEnd: (error: unknown) => void = () => undefined;
  const said: ToWriter["kind"][] = [];
  const lives = (): boolean => isOpen && !isDead && isAlive();
  const task = new WriteTask(structuredClone(setup), world, (message) => {
    const copy = structuredClone(message);
    queueMicrotask(() => lives() && onMessage(copy));
  });
  return {
    said,
    post(message) {
      said.push(message.kind);
      const copy = structuredClone(message);
      queueMicrotask(() => lives() && task.take(copy));
    },
    listen(take, end) {
      onMessage = take;
      onEnd = end;
    },
    async close() {
      const patience = new AbortController();
      const late = clock.sleep(CLOSE_MS, patience.signal).catch(() => undefined);
      if (!isDead) await Promise.race([task.close(), late]);
      patience.abort();
      isOpen = false;
    },
    die(error) {
      isDead = true;
      // What a thread had open goes with it.
      void task.close();
      onEnd(error);
    },
  };
}
