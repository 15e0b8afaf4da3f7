import type { Tidb } from "../tidb/mod.ts";
import { checksumMismatchText } from "./convert-error.ts";
import type { CoordStore, TableSums } from "./coord/coordination.ts";
import { type DmError, dmError, downstreamError } from "./dm-error.ts";

type Sums = Readonly<Record<string, TableSums>>;

/**
 * Compares tables that several sources load with the sum of what all have sent, when all have. Keys are quoted names. The first mismatch, if
 * there is one, and how many of the pairs that were sent are not there. `warn` is told when a source has not said what it sent.
 */
export async function verifyShared(
  tidb: Tidb,
  coord: CoordStore,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<{ error: DmError; table: string; lost: bigint } | undefined> {
  const members = await coord.members();
  const silent = members.filter(({ sums }) => sums === undefined).map(({ source }) => source);
  if (silent.length > 0) {
    warn(`checksums are not compared: ${silent.join(", ")} did not say what it sent`);
    return undefined;
  }
  const sent = addUp(members.map(({ sums }) => sums!));
  for (const [table, local] of sent) {
    signal.throwIfAborted();
    const remote = await checksum(tidb, table);
    if (remote.crc === local.crc && remote.kvs === local.kvs && remote.bytes === local.bytes) continue;
    const text = checksumMismatchText([remote.crc, local.crc], [remote.kvs, local.kvs], [remote.bytes, local.bytes]);
    const error = dmError(
      "LoadLightningChecksum",
      [String(local.kvs), String(remote.kvs)],
      new Error(`${text} of ${table}`),
    );
    return { error, table, lost: local.kvs - remote.kvs };
  }
  return undefined;
}

interface Total {
  kvs: bigint;
  bytes: bigint;
  crc: bigint;
}

function addUp(all: readonly Sums[]): Map<string, Total> {
  const out = new Map<string, Total>();
  for (const sums of all) {
    for (const [table, { kvs, bytes, crc }] of Object.entries(sums)) {
      const sum = out.get(table) ?? { kvs: 0n, bytes: 0n, crc: 0n };
      out.set(table, { kvs: sum.kvs + BigInt(kvs), bytes: sum.bytes + BigInt(bytes), crc: sum.crc ^ BigInt(crc) });
    }
  }
  return out;
}

async function checksum(tidb: Tidb, table: string): Promise<Total> {
  const { rows } = await tidb.query(`ADMIN CHECKSUM TABLE ${table}`).catch((thrown: unknown) => {
    throw downstreamError("compare checksums", thrown);
  });
  const [, , crc, kvs, bytes] = rows[0] ?? [];
  return { crc: BigInt(crc ?? 0), kvs: BigInt(kvs ?? 0), bytes: BigInt(bytes ?? 0) };
}
