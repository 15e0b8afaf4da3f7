/** What a caller may do after the error: nothing, the same again, or wait and ask the cluster anew. */
export type RetryClass = "never" | "same" | "refresh";

/** Exit codes (design §6): 1 failed, 2 usage or configuration, 3 a check failed and nothing was imported, 4 bad data or conflicts, 130 interrupted. */
export type ExitCode = 1 | 2 | 3 | 4 | 130;

export interface ErrorFacts {
  /** One sentence: what happened. */
  readonly meaning: string;
  /** One sentence: what the user can do. */
  readonly action: string;
  readonly retry: RetryClass;
  readonly exit: ExitCode;
}

/** Keeps the keys of a table literal while checking its values. */
export function defineCodes<const T extends Record<`Levin:${string}:Err${string}`, ErrorFacts>>(table: T): T {
  return table;
}
