/**
 * Whole objects by name, in a local directory or an S3-compatible store, behind one interface; and files that change as a whole, which locks
 * and journals build on.
 *
 * Invariants: what is written is there in full or not at all and lasts; conditional changes are atomic or refused, never pretended;
 * credentials are in no message and no address that is printed; every request has a deadline and so many attempts.
 * It lacks: GCS, Azure and HDFS in their own protocols, uploads in parts (an object is at most 5 GB), roles and instance credentials.
 */
export * from "./local-objects.ts";
export * from "./object-storage.ts";
export * from "./open-storage.ts";
export { S3Client } from "./s3-client.ts";
export { S3Objects } from "./s3-objects.ts";
export { parseS3Address, type S3Options } from "./s3-options.ts";
export { WholeFiles } from "./whole-files.ts";
