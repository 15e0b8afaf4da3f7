/** The TiDB front of the sandbox: MySQL port, status port, catalogue, and a reader that decodes rows from the stored pairs. */
export { type FrontOptions, startFront, type TidbFront } from "./front.ts";
export * from "./session/mod.ts";
export * from "./wire/mod.ts";
