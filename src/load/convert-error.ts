import { LevinError } from "../base/mod.ts";
import { DmError, dmError } from "./dm-error.ts";

/** How Lightning prints a failed comparison: what the cluster holds, then what was sent. */
const TOTALS = /total_kvs: (\d+) vs (\d+)/;

/** Lightning's text of a failed comparison; numbers in pairs: the cluster's, the source's. */
export function checksumMismatchText(
  checksum: readonly [bigint | number, bigint | number],
  kvs: readonly [bigint | number, bigint | number],
  bytes: readonly [bigint | number, bigint | number],
): string {
  const pair = ([remote, local]: readonly [bigint | number, bigint | number]) => `${remote} vs ${local}`;
  return `checksum mismatched remote vs local => (checksum: ${pair(checksum)}) (total_kvs: ${pair(kvs)}) (total_bytes:${pair(bytes)})`;
}

/**
 * What an engine threw as one of DM's errors: a checksum mismatch that names its pairs is 34021, with the source's number first;
 * everything else 34019 over its cause.
 */
export function convertEngineError(thrown: unknown): DmError {
  if (thrown instanceof DmError) return thrown;
  if (thrown instanceof LevinError && thrown.code === "Levin:Verify:ErrChecksum") {
    const { localKvs, remoteKvs } = thrown.fields;
    if (localKvs !== undefined && remoteKvs !== undefined)
      return dmError("LoadLightningChecksum", [String(localKvs), String(remoteKvs)], thrown);
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const totals = /checksum mismatched/.test(text) ? TOTALS.exec(text) : null;
  if (totals !== null) return dmError("LoadLightningChecksum", [totals[2]!, totals[1]!], thrown);
  return dmError("LoadLightningRuntime", [], thrown);
}
