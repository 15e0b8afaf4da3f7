/** A broken rule of the program itself: a bug, never the user's mistake. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Always on; the sentence says which rule does not hold. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence);
}

/** Closes a switch over a union: a new member fails to compile. */
export function assertNever(value: never, what: string): never {
  throw new AssertionError(`${what}: unexpected ${String(value)}`);
}
