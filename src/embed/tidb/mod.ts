/** The TiDB front of the sandbox: MySQL port, status port, catalogue, and a reader that decodes rows from the stored pairs. */

export * from "./dml/mod.ts";
export { type FrontOptions, openFrontState, startFront, type TidbFront } from "./front.ts";
export type { EvaluateVirtual } from "./reader/mod.ts";
export * from "./session/mod.ts";
export type { Change } from "./store/mod.ts";
export * from "./wire/mod.ts";
