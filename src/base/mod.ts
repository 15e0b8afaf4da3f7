/**
 * What every folder needs: errors with their closed list of codes, assertions, bytes, time and randomness as values.
 * Imports nothing of ours. Ambient clock, random and timers live here and nowhere else.
 */
export * from "./assert.ts";
export * from "./bytes.ts";
export * from "./clock.ts";
export { type ErrorCode, type ErrorFacts, errorCodes, type RetryClass } from "./codes/mod.ts";
export { collectGarbage } from "./collect-garbage.ts";
export * from "./error.ts";
export type { EventSink, LevinEvent } from "./events.ts";
export * from "./files.ts";
export { inParallel } from "./in-parallel.ts";
export { nearestOf } from "./nearest.ts";
export { PauseGate } from "./pause-gate.ts";
export * from "./random.ts";
export { systemWords } from "./system-words.ts";
export * from "./uuid.ts";
