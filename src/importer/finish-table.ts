import { inParallel, LevinError } from "../base/mod.ts";
import { type Checksum, type Region, SnapshotHold, scanRegions } from "../cluster/mod.ts";
import { tablePrefix } from "../codec/mod.ts";
import { checksumTable } from "../ingest/mod.ts";
import { Flag } from "../schema/mod.ts";
import { quoteName, readNextRowIds, rebaseAutoIncrement, rebaseAutoRandom } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";
import { checksumRanges } from "./key-ranges.ts";
import { sumLocalRanges } from "./local-sums.ts";
import type { ChunkResult, JobRecord } from "./records.ts";
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

/** What the chunks of a batch gave, by table. */
function chunksByTable(state: BatchState): Map<string, ChunkResult[]> {
  const out = new Map<string, ChunkResult[]>();
  for (const chunk of state.done.values()) {
    const before = out.get(chunk.table);
    if (before === undefined) out.set(chunk.table, [chunk]);
    else before.push(chunk);
  }
  return out;
}

/** Sums what the chunks of a table gave. */
function localTotals(state: BatchState, name: string, chunks: readonly ChunkResult[]): LocalTotals {
  const sum: LocalTotals = {
    rows: 0,
    crc64xor: 0n,
    kvs: 0n,
    bytes: 0n,
    autoIncrementMax: 0n,
    autoRandomMax: 0n,
    rowIdMax: 0n,
  };
  for (const chunk of chunks) {
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

/** Groups of tables that are finished at a time, tables of a group that are verified at a time, and tables of a group. */
const GROUPS_AT_A_TIME = 2;
const TABLES_AT_A_TIME = 4;
const GROUP_TABLES_MAX = 32;

/** What a table that had rows before held beside the import. */
function addBase(sum: LocalTotals, state: BatchState, name: string): void {
  const base = state.cleared?.find(({ table }) => table === name);
  if (base === undefined) return;
  sum.kvs += BigInt(base.kvs);
  sum.bytes += BigInt(base.bytes);
  sum.crc64xor ^= BigInt(base.crc);
}

/** After the pairs of a batch are in: allocators, checksums, analyze; says each table's result. */
export async function finishTables(
  context: RunContext,
  state: BatchState,
  tables: readonly SourceTable[],
): Promise<void> {
  const left = tables.filter((table) => !context.job.state.tables.has(table.name));
  const chunks = chunksByTable(state);
  await withSnapshot(context, left, (view) =>
    inParallel(groupsOf(left), GROUPS_AT_A_TIME, async (group) => {
      const records: JobRecord[] = [];
      await inParallel(group, TABLES_AT_A_TIME, async (table) => {
        const local = localTotals(state, table.name, chunks.get(table.name) ?? []);
        records.push(await verifyTable(context, state, { table, local }, view));
      });
      if (context.options.analyze !== "off") await analyze(context, group);
      for (const record of records) await context.job.append(record);
    }),
  );
}

/** Parts of a few tables: what is said in one statement. */
function groupsOf(tables: readonly SourceTable[]): SourceTable[][] {
  const size = Math.min(GROUP_TABLES_MAX, Math.ceil(tables.length / GROUPS_AT_A_TIME));
  const groups: SourceTable[][] = [];
  for (const table of tables) {
    const last = groups.at(-1);
    if (last !== undefined && last.length < size) last.push(table);
    else groups.push([table]);
  }
  return groups;
}

async function verifyTable(
  context: RunContext,
  state: BatchState,
  { table, local }: { table: SourceTable; local: LocalTotals },
  view: ClusterView,
): Promise<JobRecord> {
  const { env, options } = context;
  await raiseAllocators(context, table, local);
  const remote = await maybeChecksum(context, table, view);
  addBase(local, state, table.name);
  const ok =
    remote === undefined ||
    (remote.crc64xor === local.crc64xor && remote.kvs === local.kvs && remote.bytes === local.bytes);
  const detail = ok ? undefined : await whatDiffers(context, state, table, local, view);
  const isError = !ok && options.checksum === "required";
  env.emit({
    kind: "table-done",
    table: table.name,
    rows: local.rows,
    kvs: local.kvs,
    bytes: local.bytes,
    localCrc: local.crc64xor,
    remoteCrc: remote?.crc64xor,
    ok,
    // What an error says need not be said before it.
    ...(detail === undefined || isError ? {} : { detail }),
  });
  if (isError) {
    throw new LevinError("Levin:Verify:ErrChecksum", `Cannot verify table "${table.name}": ${detail}`, {
      fields: { table: table.name, localKvs: local.kvs, remoteKvs: remote?.kvs },
    });
  }
  const { rows, kvs, bytes, crc64xor } = local;
  return {
    type: "table",
    table: table.name,
    result: { rows, kvs: String(kvs), bytes: String(bytes), crc: String(crc64xor) },
    verified: remote !== undefined && ok,
  };
}

/** Compares what the cluster holds of each table with what the journal says; says every table's result. */
export async function isStillThere(context: RunContext): Promise<boolean> {
  const { env, job, plan } = context;
  let all = plan.tables.every((table) => job.state.tables.has(table.name));
  if (!all) return false;
  await withSnapshot(context, plan.tables, (view) =>
    inParallel(plan.tables, GROUPS_AT_A_TIME * TABLES_AT_A_TIME, async (table) => {
      const { rows, kvs, bytes, crc } = job.state.tables.get(table.name)!.result;
      const remote = await remoteChecksum(context, table, view);
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

/** What is looked at: a snapshot, and the regions that hold it when they were looked up for all tables at once. */
interface ClusterView {
  snapshot: bigint;
  regions: readonly Region[] | undefined;
}

/** `detail`: each record and index range by itself. */
async function remoteChecksum(
  context: RunContext,
  table: SourceTable,
  view: ClusterView,
  detail = false,
): Promise<Remote> {
  const { cluster, env, options } = context;
  const { clock, random, signal } = env;
  const concurrency = options.clusterSettings?.checksumRequests;
  const limits = concurrency === undefined ? {} : { concurrency };
  const ranges = checksumRanges(context.models.get(table.name)!);
  const startedMs = clock.monotonicMs();
  const { pd, tikv } = cluster;
  const sum = await checksumTable({ clock, random, pd, tikv, ranges, ...view, detail, limits, signal });
  env.emit({ kind: "timing", what: "checksum", ms: clock.monotonicMs() - startedMs });
  return sum;
}

/** As `remoteChecksum`; a table that cannot be read is reported, where the user said that verifying is optional. */
async function maybeChecksum(context: RunContext, table: SourceTable, view: ClusterView): Promise<Remote | undefined> {
  const { env, options } = context;
  if (options.checksum === "off") return undefined;
  try {
    return await remoteChecksum(context, table, view);
  } catch (error) {
    if (options.checksum === "required" || env.signal.aborted) throw error;
    const message = `${table.name} was not verified: ${LevinError.from(error).message}`;
    env.emit({ kind: "log", level: "warn", message });
    return undefined;
  }
}

/** Runs `use` with a snapshot that PD keeps from garbage collection meanwhile. */
async function withSnapshot<T>(
  context: RunContext,
  tables: readonly SourceTable[],
  use: (view: ClusterView) => Promise<T>,
): Promise<T> {
  const { cluster, env, job } = context;
  const snapshot = await cluster.pd.timestamp(env.signal);
  const serviceId = `levin-checksum-${job.state.startedMs.toString(36)}`;
  const hold = await SnapshotHold.open({ clock: env.clock, pd: cluster.pd, serviceId, snapshot }, env.signal);
  try {
    return await use({ snapshot, regions: await regionsOf(context, tables) });
  } finally {
    await hold.close();
  }
}

/** Below this many tables each asks PD by itself; as many ids may lie between theirs for each. */
const REGION_SCAN_TABLES_MIN = 8;
const REGION_SCAN_GAP = 4;

/** The regions of all tables, when the tables are many and lie close together: a few scans instead of some for each table. */
async function regionsOf(context: RunContext, tables: readonly SourceTable[]): Promise<Region[] | undefined> {
  const { cluster, env, models, options } = context;
  if (options.checksum === "off" || tables.length < REGION_SCAN_TABLES_MIN) return undefined;
  const ids = tables.flatMap((table) => models.physicalIdsOf(table.name));
  let first = ids[0]!;
  let last = first;
  for (const id of ids) {
    first = Math.min(first, id);
    last = Math.max(last, id);
  }
  if (last - first > REGION_SCAN_GAP * ids.length) return undefined;
  const range = { start: tablePrefix(first), end: tablePrefix(last + 1) };
  try {
    return await scanRegions(range, { clock: env.clock, random: env.random, pd: cluster.pd, signal: env.signal });
  } catch {
    // Each table asks for itself, and says what is wrong.
    env.signal.throwIfAborted();
    return undefined;
  }
}

/** Compares each record and index range with what its engine holds, and names those that differ. */
async function whatDiffers(
  context: RunContext,
  state: BatchState,
  table: SourceTable,
  local: LocalTotals,
  view: ClusterView,
): Promise<string> {
  const remote = await remoteChecksum(context, table, view, true);
  const crcText = (crc: bigint) => crc.toString(16).padStart(16, "0");
  const figures = (c: Checksum) => `${c.kvs} pairs, ${c.bytes} bytes, crc64 ${crcText(c.crc64xor)}`;
  const totals = `sent ${figures(local)}, the cluster holds ${figures(remote)}`;
  // Pairs that were imported early are not on the disk any more.
  if (state.round > 0) return totals;
  const sums = await sumLocalRanges(context, state, remote.ranges, checksumRanges(context.models.get(table.name)!));
  const found = sums
    .filter(
      ({ here, there }) => here.crc64xor !== there.crc64xor || here.kvs !== there.kvs || here.bytes !== there.bytes,
    )
    .map(({ name, here, there }) => `${name}: sent ${figures(here)}, the cluster holds ${figures(there)}`);
  if (found.length === 0) return totals;
  // Of a table with one range the totals would be the same numbers again.
  return sums.length === 1 ? found[0]! : `${found.slice(0, 4).join("; ")} (in all ${totals})`;
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

/** One statement for all; when it fails, one each, so that it is known which tables were not analyzed. */
async function analyze(context: RunContext, tables: readonly SourceTable[]): Promise<void> {
  const { env, options, tidb } = context;
  const names = tables.map(({ database, table }) => `${quoteName(database)}.${quoteName(table)}`);
  try {
    await tidb.query(`ANALYZE TABLE ${names.join(", ")}`);
  } catch (error) {
    env.signal.throwIfAborted();
    if (tables.length > 1) {
      for (const table of tables) await analyze(context, [table]);
      return;
    }
    if (options.analyze === "required") throw error;
    const message = `${tables[0]!.name} was not analyzed: ${LevinError.from(error).message}`;
    env.emit({ kind: "log", level: "warn", message });
  }
}
