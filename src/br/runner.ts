import { type Clock, type EventSink, LevinError } from "../base/mod.ts";
import { type BrCipher, checkCipher, encrypt } from "./cipher.ts";
import { printChecksumDocument, printChecksumItem, printDataDocument, sha256 } from "./documents.ts";
import type { Home } from "./homes.ts";
import type { BrLock } from "./lock.ts";
import type { Pending } from "./pending.ts";
import type { ChecksumItem } from "./shapes.ts";
import { isStorageError } from "./storage-error.ts";

export interface RunnerOptions {
  home: Home;
  clock: Clock;
  cipher?: BrCipher | undefined;
  /** Backup only; the runner renews it and releases it at the end. */
  lock?: BrLock | undefined;
  /** Time between writes of ranges. */
  flushMs?: number;
  /** Time between writes of checksums. */
  checksumMs?: number;
  /** Time between attempts at batches that could not be written. */
  retryMs?: number;
  /** Ranges are written as soon as they take this much. */
  batchBytes?: number;
  /** Appending waits when what is not yet written takes this much. */
  memoryBytes?: number;
  /** The runner fails when nothing could be written for so long. */
  giveUpMs?: number;
  /** Elapsed time of the job's earlier runs (`pastDureNs` of their documents). */
  pastDureNs?: bigint;
  /** Ends the runner; nothing is written any more. */
  signal?: AbortSignal | undefined;
  emit?: EventSink | undefined;
}

const DEFAULTS = {
  flushMs: 30_000,
  checksumMs: 5_000,
  retryMs: 3_000,
  batchBytes: 8 << 20,
  memoryBytes: 64 << 20,
  giveUpMs: 600_000,
  pastDureNs: 0n,
};

const CHECKSUM_BYTES = 150;
const FINISH_DEADLINE_MS = 60_000;
const LAST_WAIT_MAX_MS = 2_000;
const RENEW_AGAIN_MS = 5_000;

interface Batch {
  kind: "data" | "checksum";
  document: Uint8Array;
}

const DONE = Promise.resolve();

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Journal of what a job finished: takes ranges (or items) and checksums from any number of callers and writes them as documents, on time and
 * on size. A batch that cannot be written is kept and tried again; memory is bounded, appending waits for room. Lost locks, the caller's
 * abort and a storage that stays away are published: the next call gets the error itself, later ones get it with their own words before it.
 * What `finish({ flush: true })` resolved for, and what was written before a crash, is there; nothing else is ever made up.
 */
export class CheckpointRunner<K, V> {
  private readonly options: typeof DEFAULTS & RunnerOptions;
  private readonly pending: Pending<K, V>;
  private pendingBytes = 0;
  private checksums: string[] = [];
  /** Batches whose writing failed; the last one is tried first. */
  private readonly failed: Batch[] = [];
  private failedBytes = 0;
  private readonly startMs: number;
  private lastGoodMs: number;
  private readonly waiting = new Set<() => void>();
  private waker = new AbortController();
  private stopping = false;
  private failure: LevinError | undefined;
  private failureSeen = false;
  private lastWriteError: unknown;
  private readonly writing: Promise<void>;
  private readonly renewal: Promise<void>;
  private readonly renewing = new AbortController();
  private finished: Promise<void> | undefined;

  /** Errors: Levin:Br:ErrCipher for a method or key that nothing can be written with. */
  constructor(pending: Pending<K, V>, options: RunnerOptions) {
    checkCipher(options.cipher);
    this.pending = pending;
    this.options = { ...DEFAULTS, ...options };
    this.startMs = options.clock.monotonicMs();
    this.lastGoodMs = this.startMs;
    options.signal?.addEventListener("abort", this.onAbort, { once: true });
    if (options.signal?.aborted) this.onAbort();
    this.writing = this.writeLoop();
    this.renewal = this.renewLoop();
  }

  /** Bytes that wait to be written, about. */
  get unwrittenBytes(): number {
    return this.pendingBytes + this.failedBytes;
  }

  /**
   * Records a finished range or item. Resolves when it is taken, not when it is written; waits where memory is full. Errors:
   * Levin:Br:ErrAppend with what is wrong, or the published error itself.
   */
  append(key: K, value: V, signal?: AbortSignal): Promise<void> {
    const refusal = this.refusal("message", "Append", signal);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.pendingBytes += this.pending.add(key, value);
    if (this.pendingBytes >= this.options.batchBytes) this.wake();
    return this.full ? this.room("message", "Append", signal) : DONE;
  }

  /** Records a table's checksum; as `append`. */
  appendChecksum(item: ChecksumItem, signal?: AbortSignal): Promise<void> {
    const refusal = this.refusal("checksum item", "Checksum", signal);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.checksums.push(printChecksumItem(item));
    this.pendingBytes += CHECKSUM_BYTES;
    return this.full ? this.room("checksum item", "Checksum", signal) : DONE;
  }

  private refusal(what: string, call: string, signal: AbortSignal | undefined): LevinError | undefined {
    const plain = `failed to append checkpoint ${what}`;
    if (signal?.aborted) return new LevinError("Levin:Br:ErrAppend", `${plain}: ${textOf(signal.reason)}`);
    if (this.failure !== undefined) {
      if (!this.failureSeen) {
        this.failureSeen = true;
        return this.failure;
      }
      return new LevinError("Levin:Br:ErrAppend", `[checkpoint] ${call}: ${plain}: ${this.failure.message}`, {
        cause: this.failure,
      });
    }
    return this.stopping ? new LevinError("Levin:Br:ErrAppend", `${plain}: the runner has finished`) : undefined;
  }

  /** Too much in all, or callers that append without a pause have left the writer no turn to take a full batch. */
  private get full(): boolean {
    const { memoryBytes, batchBytes } = this.options;
    return this.unwrittenBytes >= memoryBytes || this.pendingBytes >= 2 * batchBytes;
  }

  /** Waits until less is unwritten. What was appended is kept, whatever happens here. */
  private async room(what: string, call: string, signal: AbortSignal | undefined): Promise<void> {
    while (this.full && !this.stopping) {
      const refusal = this.refusal(what, call, signal);
      if (refusal !== undefined) throw refusal;
      this.wake();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.waiting.delete(done);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        this.waiting.add(done);
        signal?.addEventListener("abort", done, { once: true });
      });
    }
  }

  private wake(): void {
    this.waker.abort();
  }

  private readonly onAbort = (): void => {
    this.fail(
      new LevinError("Levin:Br:ErrAppend", textOf(this.options.signal?.reason), { cause: this.options.signal?.reason }),
    );
  };

  /** Publishes the first error; the runner writes nothing after it. */
  private fail(error: LevinError): void {
    this.failure ??= error;
    this.renewing.abort();
    this.notify();
    this.wake();
  }

  /** Lets those who wait for room look again. */
  private notify(): void {
    for (const done of [...this.waiting]) done();
  }

  private log(message: string): void {
    this.options.emit?.({ kind: "log", level: "warn", message });
  }

  private get ended(): boolean {
    return this.stopping || this.failure !== undefined;
  }

  private async writeLoop(): Promise<void> {
    const { clock, flushMs, checksumMs, retryMs, batchBytes, giveUpMs } = this.options;
    const due = { flush: this.startMs + flushMs, checksum: this.startMs + checksumMs, retry: this.startMs + retryMs };
    /** The next tick behind `now`, in step with the first. */
    const after = (tick: number, every: number, now: number): number =>
      tick + Math.ceil((now - tick + 1) / every) * every;
    while (!this.ended) {
      const now = clock.monotonicMs();
      if (now >= due.retry) {
        due.retry = after(due.retry, retryMs, now);
        await this.write(this.takeFailed());
        if (this.ended) break;
      }
      if (now >= due.flush || this.pendingBytes >= batchBytes) {
        if (now >= due.flush) due.flush = after(due.flush, flushMs, now);
        await this.write(this.takeData());
        if (this.ended) break;
      }
      if (now >= due.checksum || this.pendingBytes >= batchBytes) {
        if (now >= due.checksum) due.checksum = after(due.checksum, checksumMs, now);
        await this.write(this.takeChecksums());
        if (this.ended) break;
      }
      if (this.failed.length > 0 && clock.monotonicMs() - this.lastGoodMs >= giveUpMs) {
        this.fail(
          new LevinError("Levin:Br:ErrStorage", `failed to flush checkpoint data.: ${textOf(this.lastWriteError)}`, {
            cause: this.lastWriteError,
          }),
        );
      }
      await this.pause(Math.min(due.flush, due.checksum, due.retry));
    }
  }

  private async pause(untilMs: number): Promise<void> {
    if (this.ended) return;
    this.waker = new AbortController();
    if (this.pendingBytes >= this.options.batchBytes) return;
    await this.options.clock
      .sleep(Math.max(0, untilMs - this.options.clock.monotonicMs()), this.waker.signal)
      .catch(() => {});
  }

  private dureNs(): bigint {
    const elapsedMs = this.options.clock.monotonicMs() - this.startMs;
    return this.options.pastDureNs + BigInt(Math.round(elapsedMs * 1e6));
  }

  private takeData(): Batch | undefined {
    const plains = this.pending.take();
    this.pendingBytes = this.checksums.length * CHECKSUM_BYTES;
    if (plains.length === 0) return undefined;
    this.notify();
    const groups = plains.map((plain) => ({
      ...encrypt(plain, this.options.cipher),
      checksum: sha256(plain),
      size: BigInt(plain.length),
    }));
    return { kind: "data", document: printDataDocument(this.dureNs(), groups) };
  }

  private takeChecksums(): Batch | undefined {
    const items = this.checksums;
    if (items.length === 0) return undefined;
    this.checksums = [];
    this.pendingBytes -= items.length * CHECKSUM_BYTES;
    return { kind: "checksum", document: printChecksumDocument(this.dureNs(), items) };
  }

  /** One failed batch: data before checksums, the last failed first. */
  private takeFailed(): Batch | undefined {
    const dataAt = this.failed.findLastIndex(({ kind }) => kind === "data");
    const at = dataAt >= 0 ? dataAt : this.failed.length - 1;
    if (at < 0) return undefined;
    const [batch] = this.failed.splice(at, 1);
    this.failedBytes -= batch!.document.length;
    return batch;
  }

  /** Writes a batch or keeps it for later; false when it was not written. */
  private async write(batch: Batch | undefined): Promise<boolean> {
    if (batch === undefined) return true;
    // It counts as unwritten until it is there.
    this.failedBytes += batch.document.length;
    let written = false;
    try {
      if (this.options.lock !== undefined) await this.confirmLock(this.options.lock);
      if (this.failure === undefined) {
        await (batch.kind === "data"
          ? this.options.home.writeData(batch.document)
          : this.options.home.writeChecksums(batch.document));
        written = true;
        this.lastGoodMs = this.options.clock.monotonicMs();
      }
    } catch (error) {
      this.lastWriteError = error;
      this.log(`failed to flush checkpoint ${batch.kind}, will try again: ${textOf(error)}`);
    }
    if (written) this.failedBytes -= batch.document.length;
    else this.failed.push(batch);
    this.notify();
    return written;
  }

  /** A lock that is another's ends the runner; a storage that cannot tell is tried again with the batch. */
  private async confirmLock(lock: BrLock): Promise<void> {
    try {
      await lock.confirm();
    } catch (error) {
      this.lockTrouble(lock, error);
      throw error;
    }
  }

  private lockTrouble(lock: BrLock, thrown: unknown): void {
    const error = LevinError.from(thrown);
    if (isStorageError(error) && lock.held()) return;
    this.fail(
      new LevinError("Levin:Br:ErrLockLost", `failed to update checkpoint lock.: ${error.message}`, { cause: error }),
    );
  }

  private async renewLoop(): Promise<void> {
    const { lock, clock } = this.options;
    if (lock === undefined) return;
    let waitMs = lock.renewalMs;
    for (;;) {
      await clock.sleep(waitMs, this.renewing.signal).catch(() => {});
      if (this.renewing.signal.aborted) return;
      waitMs = lock.renewalMs;
      try {
        await lock.renew();
      } catch (error) {
        this.lockTrouble(lock, error);
        this.log(`failed to update checkpoint lock.: ${textOf(error)}`);
        waitMs = RENEW_AGAIN_MS;
      }
    }
  }

  /**
   * Ends the runner; calls after the first get its result. With `flush` everything is written, data before checksums, tried again until
   * `deadlineMs` have passed; what is still not written then is Levin:Br:ErrFlush. The lock is released where it is still this runner's.
   * Must not run while others append.
   */
  finish(options: { flush: boolean; deadlineMs?: number }): Promise<void> {
    this.finished ??= this.end(options.flush, options.deadlineMs ?? FINISH_DEADLINE_MS);
    return this.finished;
  }

  private async end(flush: boolean, deadlineMs: number): Promise<void> {
    this.stopping = true;
    this.wake();
    this.notify();
    const { lock, signal } = this.options;
    try {
      if (flush) await this.flushLast(deadlineMs);
    } finally {
      this.renewing.abort();
      await this.writing;
      await this.renewal;
      signal?.removeEventListener("abort", this.onAbort);
      if (lock !== undefined) {
        await lock
          .release()
          .catch((error) => this.log(`failed to remove the lock of the checkpoint: ${textOf(error)}`));
      }
    }
  }

  private async flushLast(deadlineMs: number): Promise<void> {
    const { clock } = this.options;
    const endMs = clock.monotonicMs() + deadlineMs;
    // The loop may be in the middle of a write; it ends after it.
    await this.writing;
    if (this.failure === undefined) {
      await this.write(this.takeData());
      for (let waitMs = 100; this.failure === undefined; waitMs = Math.min(2 * waitMs, LAST_WAIT_MAX_MS)) {
        let good = true;
        while (good && this.failed.length > 0 && this.failure === undefined) good = await this.write(this.takeFailed());
        if (good && this.failure === undefined) good = await this.write(this.takeChecksums());
        if (good || clock.monotonicMs() + waitMs > endMs) break;
        await clock.sleep(waitMs, this.options.signal).catch(() => {});
      }
    }
    if (this.unwrittenBytes === 0) return;
    const cause = this.failure ?? this.lastWriteError;
    throw new LevinError("Levin:Br:ErrFlush", `failed to flush checkpoint data.: ${textOf(cause)}`, { cause });
  }
}
