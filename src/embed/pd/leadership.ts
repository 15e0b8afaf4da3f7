import type { Member } from "./state.ts";

/** Which PD process leads; those who wait for its end are told. */
export class Leadership {
  #leader: Member;
  #ended: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(leader: Member) {
    this.#leader = leader;
  }

  get leader(): Member {
    return this.#leader;
  }

  /** Resolves when the present leader leads no more. */
  ended(): Promise<void> {
    return this.#ended.promise;
  }

  moveTo(member: Member): void {
    if (member === this.#leader) return;
    this.#leader = member;
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }
}
