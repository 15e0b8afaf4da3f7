import { inParallel, LevinError } from "../base/mod.ts";
import { type Checksum, SnapshotHold } from "../cluster/mod.ts";
import { checksumTable } from "../ingest/mod.ts";
import { Flag } from "../schema/mod.ts";
import { quoteName, readNextRowIds, rebaseAutoIncrement, rebaseAutoRandom } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";
import { checksumRanges } from "./key-ranges.ts";
import { sumLocalRanges } from "./local-sums.ts";
import type { SourceTable } from "./source-plan.ts";

interface LocalTotals {
  crc64xor: bigint;
  kvs: bigint;
  bytes: bigint;
  rows: number;
  autoIncrementMax: bigint;
  autoRandomMax: bigint;
  rowIdMax: bigint;
}

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Sums what the chunks of a table gave. */
function localTotals(state: BatchState, name: string): LocalTotals {
  const sum: LocalTotals = {
    rows: 0,
    crc64xor: 0n,
    kvs: 0n,
    bytes: 0n,
    autoIncrementMax: 0n,
    autoRandomMax: 0n,
    rowIdMax: 0n,
  };
  for (const chunk of state.done.values()) {
    if (chunk.table !== name) continue;
    sum.rows += chunk.rows;
    sum.kvs += BigInt(chunk.kvs);
    sum.bytes += BigInt(chunk.bytes);
    sum.crc64xor ^= BigInt(chunk.crc);
    sum.autoIncrementMax = largest(sum.autoIncrementMax, BigInt(chunk.autoIncrementMax));
    sum.autoRandomMax = largest(sum.autoRandomMax, BigInt(chunk.autoRandomMax));
    sum.rowIdMax = largest(sum.rowIdMax, BigInt(chunk.rowIdMax));
  }
  for (const lost of state.conflicts?.tables ?? []) {
    if (lost.table !== name) continue;
    sum.rows -= lost.rows;
    sum.kvs -= BigInt(lost.kvs);
    sum.bytes -= BigInt(lost.bytes);
    sum.crc64xor ^= BigInt(lost.crc);
  }
  return sum;
}

/** Tables that are finished at a time. */
const TABLES_AT_A_TIME = 8;

/** After the pairs of a batch are in: allocators, checksums, analyze; says each table's result. */
export async function finishTables(
  context: RunContext,
  state: BatchState,
  tables: readonly SourceTable[],
): Promise<void> {
  await withSnapshot(context, (snapshot) =>
    inParallel(tables, TABLES_AT_A_TIME, (table) => finishTable(context, state, table, snapshot)),
  );
}

async function finishTable(
  context: RunContext,
  state: BatchState,
  table: SourceTable,
  snapshot: bigint,
): Promise<void> {
  const { env, job, options } = context;
  if (job.state.tables.has(table.name)) return;
  const local = localTotals(state, table.name);
  await raiseAllocators(context, table, local);
  const remote = await maybeChecksum(context, table, snapshot);
  const ok =
    remote === undefined ||
    (remote.crc64xor === local.crc64xor && remote.kvs === local.kvs && remote.bytes === local.bytes);
  const detail = ok ? undefined : await whatDiffers(context, state, table, local, remote);
  env.emit({
    kind: "table-done",
    table: table.name,
    rows: local.rows,
    kvs: local.kvs,
    bytes: local.bytes,
    localCrc: local.crc64xor,
    remoteCrc: remote?.crc64xor,
    ok,
    ...(detail === undefined ? {} : { detail }),
  });
  if (!ok && options.checksum === "required") {
    throw new LevinError("Levin:Verify:ErrChecksum", `Cannot verify table "${table.name}": ${detail}`, {
      fields: { table: table.name, localKvs: local.kvs, remoteKvs: remote?.kvs },
    });
  }
  if (options.analyze !== "off") await analyze(context, table);
  const { rows, kvs, bytes, crc64xor } = local;
  await job.append({
    type: "table",
    table: table.name,
    result: { rows, kvs: String(kvs), bytes: String(bytes), crc: String(crc64xor) },
    verified: remote !== undefined && ok,
  });
}

/** Compares what the cluster holds of each table with what the journal says; says every table's result. */
export async function isStillThere(context: RunContext): Promise<boolean> {
  const { env, job, plan } = context;
  let all = plan.tables.every((table) => job.state.tables.has(table.name));
  if (!all) return false;
  await withSnapshot(context, (snapshot) =>
    inParallel(plan.tables, TABLES_AT_A_TIME, async (table) => {
      const { rows, kvs, bytes, crc } = job.state.tables.get(table.name)!.result;
      const remote = await remoteChecksum(context, table, snapshot);
      const ok = String(remote.crc64xor) === crc && String(remote.kvs) === kvs && String(remote.bytes) === bytes;
      all &&= ok;
      env.emit({
        kind: "table-done",
        table: table.name,
        rows,
        kvs: BigInt(kvs),
        bytes: BigInt(bytes),
        localCrc: BigInt(crc),
        remoteCrc: remote.crc64xor,
        ok,
        detail: ok ? "imported by an earlier run" : "changed since an earlier run imported it",
      });
    }),
  );
  return all;
}

type Remote = Awaited<ReturnType<typeof checksumTable>>;

async function remoteChecksum(context: RunContext, table: SourceTable, snapshot: bigint): Promise<Remote> {
  const { cluster, env } = context;
  const { clock, random, signal } = env;
  const ranges = checksumRanges(context.models.get(table.name)!);
  const startedMs = clock.monotonicMs();
  const sum = await checksumTable({ clock, random, pd: cluster.pd, tikv: cluster.tikv, ranges, snapshot, signal });
  env.emit({ kind: "timing", what: "checksum", ms: clock.monotonicMs() - startedMs });
  return sum;
}

/** As `remoteChecksum`; a table that cannot be read is reported, where the user said that verifying is optional. */
async function maybeChecksum(context: RunContext, table: SourceTable, snapshot: bigint): Promise<Remote | undefined> {
  const { env, options } = context;
  if (options.checksum === "off") return undefined;
  try {
    return await remoteChecksum(context, table, snapshot);
  } catch (error) {
    if (options.checksum === "required" || env.signal.aborted) throw error;
    const message = `${table.name} was not verified: ${LevinError.from(error).message}`;
    env.emit({ kind: "log", level: "warn", message });
    return undefined;
  }
}

/** Runs `use` with a snapshot that PD keeps from garbage collection meanwhile. */
async function withSnapshot<T>(context: RunContext, use: (snapshot: bigint) => Promise<T>): Promise<T> {
  const { cluster, env, job } = context;
  const snapshot = await cluster.pd.timestamp(env.signal);
  const serviceId = `levin-checksum-${job.state.startedMs.toString(36)}`;
  const hold = await SnapshotHold.open({ clock: env.clock, pd: cluster.pd, serviceId, snapshot }, env.signal);
  try {
    return await use(snapshot);
  } finally {
    await hold.close();
  }
}

/** Compares each record and index range with what its engine holds, and names those that differ. */
async function whatDiffers(
  context: RunContext,
  state: BatchState,
  table: SourceTable,
  local: LocalTotals,
  remote: Remote,
): Promise<string> {
  const figures = (c: Checksum) => `${c.kvs} pairs, ${c.bytes} bytes, crc64 ${c.crc64xor}`;
  const totals = `sent ${figures(local)}, the cluster holds ${figures(remote)}`;
  // Pairs that were imported early are not on the disk any more.
  if (state.round > 0) return totals;
  const sums = await sumLocalRanges(context, state, remote.ranges, checksumRanges(context.models.get(table.name)!));
  const found = sums
    .filter(
      ({ here, there }) => here.crc64xor !== there.crc64xor || here.kvs !== there.kvs || here.bytes !== there.bytes,
    )
    .map(({ name, here, there }) => `${name}: sent ${figures(here)}, the cluster holds ${figures(there)}`);
  return found.length === 0 ? totals : `${found.slice(0, 4).join("; ")} (in all ${totals})`;
}

async function raiseAllocators(context: RunContext, table: SourceTable, local: LocalTotals): Promise<void> {
  const info = context.models.get(table.name)!;
  const { tidb } = context;
  const autoIncrement = info.cols.some((column) => (column.type.Flag & Flag.autoIncrement) !== 0);
  if (info.auto_random_bits > 0) {
    if (local.autoRandomMax > 0n) await rebaseAutoRandom(tidb, table.database, table.table, local.autoRandomMax + 1n);
    return;
  }
  const used = largest(autoIncrement ? local.autoIncrementMax : 0n, local.rowIdMax);
  if (used === 0n) return;
  const ids = await readNextRowIds(tidb, table.database, table.table);
  if (ids.length > 0 && ids.every((id) => id.next > used)) return;
  await rebaseAutoIncrement(tidb, table.database, table.table, used + 1n);
}

async function analyze(context: RunContext, table: SourceTable): Promise<void> {
  const { env, options, tidb } = context;
  try {
    await tidb.query(`ANALYZE TABLE ${quoteName(table.database)}.${quoteName(table.table)}`);
  } catch (error) {
    if (options.analyze === "required") throw error;
    env.emit({
      kind: "log",
      level: "warn",
      message: `${table.name} was not analyzed: ${LevinError.from(error).message}`,
    });
  }
}
