/**
 * BR's checkpoint package: the journal of a backup, a snapshot restore or a log restore, in BR's own form. Runners append finished ranges
 * and checksums; walkers and loaders give them back; a lease in a file keeps two backups apart; data is plain or AES-CTR.
 * Homes: files in external storage (backup of all releases, restores of 2024) and tables of the target cluster (restores of 2025).
 *
 * Invariants: a document is there in full or not at all, under a name of its own, never rewritten; 64-bit integers are exact; what is
 * damaged is left out, counted and named, never guessed; metadata goes first on removal; the lock is changed only where it holds what was read.
 * It lacks: SM4, and the jobs themselves.
 */
export {
  type BrCipher,
  type CipherMethod,
  cipherMethods,
  decrypt,
  encrypt,
  isEncrypting,
  parseCipher,
} from "./cipher.ts";
export * from "./config-hash.ts";
export * from "./coverage.ts";
export { sha256 } from "./documents.ts";
export * from "./export-lines.ts";
export * from "./file-metadata.ts";
export * from "./homes.ts";
export type { Json } from "./json-reader.ts";
export { type GoText, printJson, quoteGo } from "./json-text.ts";
export * from "./layout.ts";
export * from "./lock.ts";
export { ZERO_UUID } from "./metadata-json.ts";
export {
  type Group,
  type GroupReader,
  readBackupGroup,
  readFileRestoreGroup,
  readLogGroup,
  readRestoreGroup,
} from "./read-items.ts";
export * from "./remove.ts";
export * from "./report.ts";
export { CheckpointRunner, type RunnerOptions } from "./runner.ts";
export * from "./shapes.ts";
export * from "./start-check.ts";
export * from "./start-runner.ts";
export * from "./tables.ts";
export * from "./tso.ts";
export * from "./walk.ts";
