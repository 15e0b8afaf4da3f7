/**
 * Ceiling of the sorted pairs on the local disk (`tikv-importer.disk-quota`), accounted at each run that is written. A worker that finds
 * no room waits before its next chunk until an earlier batch is in the cluster and its engines are gone; where there is none, what its own
 * batch has so far is imported early. Overshoot is what is being encoded at that moment, at most one chunk a worker.
 */
export class DiskQuota {
  readonly #limitBytes: number;
  readonly #bytes = new Map<number, number>();
  #released: PromiseWithResolvers<void> = Promise.withResolvers();

  /** 0: no ceiling. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of pairs of a batch came to the disk. */
  add(batch: number, bytes: number): void {
    this.#bytes.set(batch, (this.#bytes.get(batch) ?? 0) + bytes);
  }

  /** The engines of a batch are gone. */
  release(batch: number): void {
    this.#bytes.delete(batch);
    this.#wake();
  }

  /** Resolves with true when there is room; with false when only the batch itself takes it, so that waiting would not end. */
  async room(batch: number, signal: AbortSignal): Promise<boolean> {
    if (this.#limitBytes === 0) return true;
    for (;;) {
      signal.throwIfAborted();
      let used = 0;
      for (const bytes of this.#bytes.values()) used += bytes;
      if (used < this.#limitBytes) return true;
      if ([...this.#bytes.keys()].every((other) => other === batch)) return false;
      const wake = (): void => this.#wake();
      signal.addEventListener("abort", wake, { once: true });
      await this.#released.promise;
      signal.removeEventListener("abort", wake);
    }
  }

  /** Those who wait look again. */
  #wake(): void {
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }
}
