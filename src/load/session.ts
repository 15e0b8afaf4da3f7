import type { Clock, Random } from "../base/mod.ts";
import { LevinError } from "../base/mod.ts";
import { dmCodes } from "./dm-codes.ts";
import { isResumableError } from "./resumable.ts";
import type { LoadUnit, ProcessResult } from "./unit.ts";
import type { Acceptance } from "./unit-environment.ts";

export interface SessionOptions {
  unit: LoadUnit;
  clock: Clock;
  random: Random;
  /** Aborted: pause and end. */
  signal: AbortSignal;
  /** Resume by itself after what may pass. */
  autoResume: boolean;
  /** After an error that a person must look at: wait for a command instead of ending. */
  stay: boolean;
  /** Accepted from the start. */
  acceptance?: Acceptance | undefined;
  say(message: string): void;
}

export type SessionState = "running" | "paused" | "waiting" | "failed" | "finished" | "stopped";

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;
/** Resumes in a row without a byte of progress after which a person is needed. */
const RESUMES_MAX = 100;
/**
 * Waits in a row for a dump's metadata, in sum. In DM they have no end: its master moves the source to the worker that has the dump. Here
 * nobody does, and a dump that is still being written has its metadata last.
 */
const METADATA_PATIENCE_MS = 60_000;

type Wish = { kind: "resume"; acceptance: Acceptance | undefined } | { kind: "stop" } | { kind: "pause" };

/** A unit's life from first run to end, as DM's worker leads it: runs, pauses, resumes by itself or on command. */
export class LoadSession {
  readonly #options: SessionOptions;
  #state: SessionState = "running";
  #held = false;
  #stopping = false;
  #wish: ((wish: Wish) => void) | undefined;
  #waitedForMetadataMs = 0;
  #acceptance: Acceptance | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#acceptance = options.acceptance;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The last result: finished, an error to look at, or cancelled. */
  async run(): Promise<ProcessResult> {
    const { unit, signal, clock, random, autoResume } = this.#options;
    const interrupt = (): void => void this.stop();
    signal.addEventListener("abort", interrupt, { once: true });
    let backoffMs = FIRST_BACKOFF_MS;
    let bytes = -1;
    try {
      for (let resumes = 0; ; resumes++) {
        if (signal.aborted) this.#stopping = true;
        this.#state = "running";
        const result = this.#stopping
          ? { isCanceled: true, errors: [] }
          : await unit.process(undefined, this.#acceptance);
        this.#acceptance = undefined;
        if (this.#stopping) return this.#end("stopped", result);
        if (!result.isCanceled && result.errors.length === 0) return this.#end("finished", result);
        const { finishedBytes } = unit.status();
        if (finishedBytes !== bytes) {
          resumes = 0;
          backoffMs = FIRST_BACKOFF_MS;
        }
        bytes = finishedBytes;
        if (result.errors.length > 0 && !this.#held && autoResume && resumes < RESUMES_MAX && this.#mayPass(result)) {
          const isMissing = lacksMetadata(result);
          const leftMs = isMissing ? METADATA_PATIENCE_MS - this.#waitedForMetadataMs : Number.POSITIVE_INFINITY;
          const waitMs = Math.min(leftMs, Math.round(backoffMs * (0.8 + 0.4 * random.next())));
          this.#waitedForMetadataMs = isMissing ? this.#waitedForMetadataMs + waitMs : 0;
          const ceiling = isMissing ? `, waits ${Math.ceil(leftMs / 1000)} s at most` : "";
          this.#options.say(`resumes by itself in ${(waitMs / 1000).toFixed(1)} s${ceiling}: ${unit.failure?.message}`);
          this.#state = "waiting";
          const wish = await this.#wished(clock, waitMs);
          if (wish?.kind === "stop") return this.#end("stopped", result);
          this.#acceptance = wish?.kind === "resume" ? wish.acceptance : undefined;
          backoffMs = Math.min(2 * backoffMs, LONGEST_BACKOFF_MS);
          if (wish?.kind !== "pause") continue;
        }
        if (result.errors.length > 0 && !this.#options.stay && !this.#held) return this.#end("failed", result);
        this.#state = result.errors.length > 0 ? "failed" : "paused";
        const wish = await this.#wished(clock, undefined);
        if (wish?.kind !== "resume") return this.#end("stopped", result);
        this.#acceptance = wish.acceptance;
      }
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
  }

  #end(state: SessionState, result: ProcessResult): ProcessResult {
    this.#state = state;
    return result;
  }

  /**
   * DM's rule, which holds for what is around an import, with a ceiling for a dump that is not there; and for the import itself the class
   * of its cause.
   */
  #mayPass(result: ProcessResult): boolean {
    const cause = this.#options.unit.failure?.origin;
    if (lacksMetadata(result)) {
      const isNoDump = cause instanceof LevinError && cause.facts.retry === "never";
      return !isNoDump && this.#waitedForMetadataMs < METADATA_PATIENCE_MS;
    }
    if (result.errors.every(isResumableError)) return true;
    return cause instanceof LevinError && cause.facts.retry !== "never";
  }

  #wished(clock: Clock, ms: number | undefined): Promise<Wish | undefined> {
    const stop = new AbortController();
    return new Promise<Wish | undefined>((resolve) => {
      this.#wish = resolve;
      if (ms !== undefined)
        clock.sleep(ms, stop.signal).then(
          () => resolve(undefined),
          () => undefined,
        );
    }).finally(() => {
      this.#wish = undefined;
      stop.abort();
    });
  }

  async pause(): Promise<void> {
    if (this.#state === "finished" || this.#state === "stopped") throw new Error(`the load is ${this.#state}`);
    this.#held = true;
    if (this.#state === "waiting") this.#wish?.({ kind: "pause" });
    await this.#options.unit.pause();
  }

  resume(acceptance: Acceptance | undefined): void {
    if (this.#wish === undefined) throw new Error(`the load is ${this.#state}`);
    this.#held = false;
    this.#wish({ kind: "resume", acceptance });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wish?.({ kind: "stop" });
    await this.#options.unit.pause();
  }
}

/** The dump's metadata is missing or cannot be parsed. */
function lacksMetadata({ errors }: ProcessResult): boolean {
  return errors.some(({ ErrCode }) => ErrCode === dmCodes.ParseMydumperMeta.code);
}
