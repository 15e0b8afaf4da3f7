/** A gate that work passes before each piece: shut, it waits there. Starts open. */
export class PauseGate {
  #opened: PromiseWithResolvers<void> | undefined;

  get paused(): boolean {
    return this.#opened !== undefined;
  }

  pause(): void {
    this.#opened ??= Promise.withResolvers();
  }

  resume(): void {
    this.#opened?.resolve();
    this.#opened = undefined;
  }

  /** Resolves while the gate is open; rejects with the signal's reason when it is aborted first. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#opened !== undefined) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<void>();
      const onAbort = (): void => aborted.resolve();
      signal.addEventListener("abort", onAbort, { once: true });
      await Promise.race([this.#opened.promise, aborted.promise]);
      signal.removeEventListener("abort", onAbort);
    }
    signal.throwIfAborted();
  }
}
