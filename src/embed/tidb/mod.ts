/** The TiDB front of the sandbox: MySQL port, status port, catalogue, and a reader that decodes rows from the stored pairs. */
export * from "./session/mod.ts";
export * from "./wire/mod.ts";
