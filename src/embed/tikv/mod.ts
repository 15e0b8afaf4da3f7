/**
 * One TiKV store of the embedded cluster: `import_sstpb.ImportSST` and `tikvpb.Tikv` as plain objects, to be mounted on a server or
 * an in-process transport. Answers and errors are those of TiKV 8.5; what a real store would take to the harm of its data is
 * refused with "sandbox: …".
 *
 * Lacks: raw keys, Upload, Download and Apply (restore), coprocessor requests other than checksums, pessimistic transactions.
 */

export { batchCommands } from "./batch-commands.ts";
export { type Checksum, checksumRange } from "./checksum.ts";
export { importService, packedWriteMethod } from "./import-service.ts";
export { kvService } from "./kv-service.ts";
export { storeHttp } from "./status.ts";
