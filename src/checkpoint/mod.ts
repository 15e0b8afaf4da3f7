/** What a job remembers across runs: journal and lock. It knows bytes and files, not the order of an import. */
export * from "./journal.ts";
export * from "./lightning/mod.ts";
export * from "./lock.ts";
