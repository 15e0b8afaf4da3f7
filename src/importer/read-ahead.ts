/**
 * Takes items from a generator before they are asked for, at most `depth` of them, and hands them out in order to as many askers as there are.
 * The first error goes to the asker whose turn it is and to all later ones.
 */
export class ReadAhead<T> {
  readonly #source: AsyncGenerator<T>;
  readonly #depth: number;
  readonly #ready: T[] = [];
  readonly #askers: PromiseWithResolvers<T | undefined>[] = [];
  #ended = false;
  #failure: { error: unknown } | undefined;
  #wake: PromiseWithResolvers<void> | undefined;
  readonly #pumped: Promise<void>;

  constructor(source: AsyncGenerator<T>, depth: number) {
    this.#source = source;
    this.#depth = depth;
    this.#pumped = this.#pump();
  }

  /** The next item; undefined behind the last one. */
  next(): Promise<T | undefined> {
    const item = this.#ready.shift();
    if (item !== undefined) {
      this.#wake?.resolve();
      return Promise.resolve(item);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#ended) return Promise.resolve(undefined);
    const asker = Promise.withResolvers<T | undefined>();
    this.#askers.push(asker);
    this.#wake?.resolve();
    return asker.promise;
  }

  /** Takes no more; resolves when the generator has ended. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#wake?.resolve();
    await this.#pumped;
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#ended) {
        if (this.#askers.length === 0 && this.#ready.length >= this.#depth) {
          this.#wake = Promise.withResolvers();
          await this.#wake.promise;
          this.#wake = undefined;
          continue;
        }
        const { done, value } = await this.#source.next();
        if (done === true) break;
        const asker = this.#askers.shift();
        if (asker === undefined) this.#ready.push(value);
        else asker.resolve(value);
      }
      await this.#source.return(undefined);
    } catch (error) {
      this.#failure = { error };
    }
    this.#ended = true;
    for (const asker of this.#askers.splice(0)) {
      if (this.#failure === undefined) asker.resolve(undefined);
      else asker.reject(this.#failure.error);
    }
  }
}
