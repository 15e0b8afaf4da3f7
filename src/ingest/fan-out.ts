/**
 * One stream of messages to several takers, each at its own pace inside a window. A message is held once; it is given up when the
 * slowest taker has taken it. Takers that are ahead wait.
 */
import { assert } from "../base/mod.ts";
import type { ByteBudget } from "./gates.ts";

export interface FanOutOptions {
  readonly source: AsyncIterator<Uint8Array>;
  readonly takers: number;
  /** How many messages the fastest taker may be ahead of the slowest. */
  readonly windowMessages: number;
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
  /** Told of each message that no taker is sending any more; not of those that are held when the fan-out is closed after a failure. */
  readonly onDone?: (message: Uint8Array) => void;
}

export class FanOut {
  readonly #options: FanOutOptions;
  /** Messages that some taker still needs; the first one has the number `#base`. */
  readonly #held: Uint8Array[] = [];
  readonly #next: number[];
  readonly #wakers = new Set<() => void>();
  #base = 0;
  /** The message given up last. A taker may still be sending one message when it asks for the next. */
  #sending: Uint8Array | undefined;
  #pull: Promise<void> | undefined;
  #ended = false;
  #failure: { readonly thrown: unknown } | undefined;

  constructor(options: FanOutOptions) {
    assert(options.takers > 0 && options.windowMessages > 0, "a fan-out has takers and a window");
    this.#options = options;
    this.#next = new Array<number>(options.takers).fill(0);
    options.signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /** What the source threw, if it did. */
  get failure(): { readonly thrown: unknown } | undefined {
    return this.#failure;
  }

  /** True when the taker has taken all messages to the last. */
  isDone(taker: number): boolean {
    return this.#ended && this.#next[taker] === this.#base + this.#held.length;
  }

  /** The messages for one taker; call once for each. */
  async *messages(taker: number): AsyncGenerator<Uint8Array> {
    const { signal, windowMessages } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.thrown;
      const number = this.#next[taker]!;
      const message = this.#held[number - this.#base];
      if (message !== undefined) {
        // The transport asks for the next message when it has room for it; only then is this one off our hands.
        yield message;
        this.#next[taker] = number + 1;
        this.#dropTaken();
        continue;
      }
      if (this.#ended) return;
      if (this.#held.length < windowMessages) {
        this.#pull ??= this.#pullOne();
        await this.#pull;
      } else {
        await new Promise<void>((resolve) => this.#wakers.add(resolve));
      }
    }
  }

  /** Releases what is held; call when all takers have ended. `clean`: they have sent everything. */
  async close({ clean = false } = {}): Promise<void> {
    await this.#pull;
    for (const message of this.#held) this.#options.budget.release(message.length);
    this.#held.length = 0;
    if (clean && this.#sending !== undefined) this.#options.onDone?.(this.#sending);
    this.#sending = undefined;
    this.#ended = true;
    await this.#options.source.return?.();
  }

  async #pullOne(): Promise<void> {
    const { source, budget, signal } = this.#options;
    try {
      const next = await source.next();
      if (next.done) {
        this.#ended = true;
      } else {
        await budget.acquire(next.value.length, signal);
        this.#held.push(next.value);
      }
    } catch (thrown) {
      this.#failure = { thrown };
    } finally {
      this.#pull = undefined;
      this.#wake();
    }
  }

  #dropTaken(): void {
    const slowest = Math.min(...this.#next);
    while (this.#base < slowest) {
      const message = this.#held.shift();
      assert(message !== undefined, "a taken message was held");
      this.#options.budget.release(message.length);
      if (this.#sending !== undefined) this.#options.onDone?.(this.#sending);
      this.#sending = message;
      this.#base++;
    }
    this.#wake();
  }

  #wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const wake of wakers) wake();
  }
}
