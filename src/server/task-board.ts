import { LevinError, type PauseGate } from "../base/mod.ts";
import type { RunMonitor } from "./run-monitor.ts";

export interface Task {
  /** Below 2^53, so that every JSON reader keeps it. */
  readonly id: number;
  /** For people: the configuration, secrets hidden. */
  readonly config: unknown;
  run(signal: AbortSignal): Promise<void>;
}

/** Waiting tasks at most. */
const QUEUE_MAX = 1000;

/** The task that runs and those that wait, as Lightning's server mode has them. */
export class TaskBoard {
  readonly #monitor: RunMonitor;
  readonly #gate: PauseGate;
  #queue: Task[] = [];
  #current: { task: Task; stop: AbortController } | undefined;
  #lastId = 0;
  #pushed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(monitor: RunMonitor, gate: PauseGate) {
    this.#monitor = monitor;
    this.#gate = gate;
  }

  /** Microseconds since 1970, one more where two fall together. */
  nextId(nowMs: number): number {
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(nowMs) * 1000);
    return this.#lastId;
  }

  get current(): number | undefined {
    return this.#current?.task.id;
  }

  get waiting(): number[] {
    return this.#queue.map((task) => task.id);
  }

  find(id: number): Task | undefined {
    if (this.#current?.task.id === id) return this.#current.task;
    return this.#queue.find((task) => task.id === id);
  }

  push(task: Task): void {
    if (this.#queue.length >= QUEUE_MAX)
      throw new LevinError("Levin:Server:ErrRequest", `Cannot take the task: ${QUEUE_MAX} are waiting already`);
    this.#queue.push(task);
    this.#pushed.resolve();
    this.#pushed = Promise.withResolvers();
  }

  /** Stops the task if it runs, takes it out if it waits; false: there is none of this id. */
  cancel(id: number): boolean {
    if (this.#current?.task.id === id) {
      this.#current.stop.abort(new LevinError("Levin:Command:ErrInterrupted", "The task was cancelled"));
      return true;
    }
    const before = this.#queue.length;
    this.#queue = this.#queue.filter((task) => task.id !== id);
    return this.#queue.length < before;
  }

  move(id: number, to: "front" | "back"): boolean {
    const task = this.#queue.find((one) => one.id === id);
    if (task === undefined) return false;
    const others = this.#queue.filter((one) => one !== task);
    this.#queue = to === "front" ? [task, ...others] : [...others, task];
    return true;
  }

  /** Runs one task now; throws what it throws. */
  async run(task: Task, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    this.#current = { task, stop };
    this.#monitor.begin();
    try {
      await task.run(AbortSignal.any([signal, stop.signal]));
      this.#monitor.end();
    } catch (thrown) {
      this.#monitor.end(thrown);
      // Only a failure pauses what waits, not a task that somebody cancelled.
      if (!stop.signal.aborted && !signal.aborted) this.#gate.pause();
      throw thrown;
    } finally {
      this.#current = undefined;
    }
  }

  /** Runs tasks as they come until the signal; after a failed one the queue stays paused until `/resume`. */
  async serve(signal: AbortSignal, onFailure: (task: Task, thrown: unknown) => void): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted) {
      const task = this.#queue[0];
      if (task === undefined || this.#gate.paused) {
        const opened = this.#gate.paused ? this.#gate.pass(signal).catch(() => undefined) : this.#pushed.promise;
        await Promise.race([opened, aborted]);
        continue;
      }
      this.#queue.shift();
      await this.run(task, signal).catch((thrown) => onFailure(task, thrown));
    }
  }
}
