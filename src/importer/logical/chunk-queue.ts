import type { NumberedChunk } from "../chunk-stream.ts";
import type { ReadAhead } from "../read-ahead.ts";

interface Waiting {
  readonly one: NumberedChunk;
  /** Lets go whoever brought it. */
  readonly taken: () => void;
}

/** Hands out chunks as they are found; those of a table where their order decides go to one lane, one after the other. */
export class ChunkQueue {
  readonly #chunks: Pick<ReadAhead<NumberedChunk>, "next">;
  readonly #orderDecides: (table: string) => boolean;
  /** Tables that a lane has in hand → their chunks that wait for it. */
  readonly #inHand = new Map<string, Waiting[]>();
  #stopped = false;

  constructor(chunks: Pick<ReadAhead<NumberedChunk>, "next">, orderDecides: (table: string) => boolean) {
    this.#chunks = chunks;
    this.#orderDecides = orderDecides;
  }

  /** The next chunk for a lane that is done with `before`; undefined: none is left. Throws what finding them throws. */
  async next(before?: NumberedChunk): Promise<NumberedChunk | undefined> {
    const own = before === undefined ? undefined : this.#nextOf(tableOf(before));
    if (own !== undefined) return own;
    while (!this.#stopped) {
      const one = await this.#chunks.next();
      if (one === undefined || !this.#orderDecides(tableOf(one))) return one;
      const waiting = this.#inHand.get(tableOf(one));
      if (waiting === undefined) {
        this.#inHand.set(tableOf(one), []);
        return one;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ one, taken: resolve });
      // One that carries its bytes takes memory: no other is fetched in its place before it goes.
      if (one.chunk.plain !== undefined && !this.#stopped) await promise;
    }
    return undefined;
  }

  /** After a failure: nobody waits any more. */
  stop(): void {
    this.#stopped = true;
    for (const waiting of this.#inHand.values()) for (const { taken } of waiting) taken();
  }

  #nextOf(table: string): NumberedChunk | undefined {
    const next = this.#inHand.get(table)?.shift();
    if (next === undefined) this.#inHand.delete(table);
    next?.taken();
    return next?.one;
  }
}

const tableOf = ({ chunk }: NumberedChunk): string => `${chunk.database}.${chunk.table}`;
