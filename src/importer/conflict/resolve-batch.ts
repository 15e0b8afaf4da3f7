import { joinPath, LevinError } from "../../base/mod.ts";
import { KvChecksum } from "../../codec/mod.ts";
import { BufferPool, type Engine, PairArena } from "../../engine/mod.ts";
import type { Batch } from "../batches.ts";
import { chunksOf } from "../chunk-stream.ts";
import type { EncodeContext } from "../context.ts";
import type { EncodePool } from "../encode/encode-pool.ts";
import { columnCountsOf, type EncodedBatch, workerTables } from "../encode-batch.ts";
import type { BatchState } from "../job-state.ts";
import { ReadAhead } from "../read-ahead.ts";
import type { ConflictRecord, TableSums } from "../records.ts";
import {
  type ConflictLine,
  keyWords,
  looksForConflicts,
  placeWords,
  reportDir,
  reportPart,
  reportText,
  type SourcePlace,
  sourcePlace,
} from "./conflict-report.ts";
import { type Decision, decide, eachRow, keyEndOf, lossesOf, type MarkedRow, type Rule } from "./decide.ts";
import type { TakenKey } from "./existing-rows.ts";
import { KeyTable } from "./key-table.ts";
import { placeAt } from "./row-entries.ts";

/** Told of each row that does not stay, in the order of the source. */
export type OnLoser = (table: string, rowId: number) => void;

export interface ResolveOptions {
  onLoser?: OnLoser;
  /** Keys that rows of the target have. */
  taken?: () => AsyncIterable<TakenKey>;
}

/** By strategy. */
const RULES: Readonly<Record<string, Rule>> = { replace: "last", ignore: "first", error: "only" };
const OVERLAY_ARENA_BYTES = 16 << 20;
const OVERLAY_ARENA_BYTES_MIN = 64 << 10;

/**
 * Finds the rows of an encoded batch that have the same key, decides which of them stay, and writes the overlay under which the engines
 * are then read. Costs one reading of the sorted pairs where there is no such row; where there are some, the source is read a second
 * time. Throws `Levin:Encode:ErrDuplicateKey` (strategy "error") and `Levin:Encode:ErrTooManyConflicts`.
 */
export async function resolveBatch(
  context: EncodeContext,
  pool: EncodePool,
  batch: Batch,
  encoded: EncodedBatch,
  { onLoser = () => undefined, taken }: ResolveOptions = {},
): Promise<void> {
  const { job, env } = context;
  const state = job.state.batches[batch.id]!;
  if (!looksForConflicts(context) || state.conflicts !== undefined) return;
  const { rows, overlay } = encoded.engines.conflict!;
  await dropRuns(rows);
  await dropRuns(overlay);
  const keys = await findKeys(context, encoded, batch);
  const hits = await takenHits(keys, taken);
  let record: ConflictRecord = { type: "conflicts", batch: batch.id, losers: 0, tables: [] };
  if (keys.count > 0) {
    await markRows(context, pool, batch, encoded, keys);
    const rule = RULES[context.options.conflict!.strategy] ?? "first";
    const isTaken = new Uint8Array(keys.capacity);
    for (const { key } of hits) isTaken[keys.find(key, 0, key.length)] = 1;
    const decision = await decide(rows, keys, rule, env.signal, (slot) => isTaken[slot] === 1);
    record = await new Resolution(context, batch, state, keys, decision, onLoser, hits).write(rows, overlay);
    await dropRuns(rows);
  }
  await job.append(record);
}

/** An earlier process may have been killed in the middle. */
async function dropRuns(engine: Engine): Promise<void> {
  for (const { runId } of await engine.runs()) await engine.dropRun(runId);
}

/** Keys of the import that rows of the target have; they join those that are looked for. */
async function takenHits(keys: KeyTable, taken: ResolveOptions["taken"]): Promise<TakenKey[]> {
  const hits: TakenKey[] = [];
  for await (const hit of taken?.() ?? []) {
    hits.push(hit);
    keys.add(hit.key, 0, hit.key.length);
  }
  return hits;
}

/** Keys that stand in the engines more than once. */
async function findKeys(context: EncodeContext, encoded: EncodedBatch, batch: Batch): Promise<KeyTable> {
  const { env, models, options } = context;
  const keys = KeyTable.empty();
  const buffers = new BufferPool(4 << 20);
  const pairsOfRow = Math.max(
    ...batch.tables.map(({ name }) => 1 + (models.get(name)!.index_info ?? []).filter((one) => !one.mv_index).length),
  );
  const multiValued = batch.tables.some(({ name }) => models.get(name)!.index_info?.some((one) => one.mv_index));
  // Every row that is lost has at most so many keys that another one has.
  const { strategy, threshold } = options.conflict!;
  const before = losersBefore(context, batch);
  const max = strategy === "error" || multiValued ? Number.POSITIVE_INFINITY : (threshold - before) * pairsOfRow;
  let hits = 0;
  for (const name of ["data", "index"] as const) {
    const engine = encoded.engines.engines[name];
    await engine.cascade({ signal: env.signal });
    const onDuplicate = ({ key }: { key: Uint8Array }): void => {
      keys.add(key, 0, key.length);
      if (++hits > max) throw tooMany(context, before + Math.ceil(hits / pairsOfRow), true);
    };
    for await (const batchOfPairs of engine.reader({}, { signal: env.signal, onDuplicate, buffers }))
      buffers.give(batchOfPairs.packed);
  }
  return keys;
}

/** Reads the batch's chunks again for the rows that have one of the keys. */
async function markRows(
  context: EncodeContext,
  pool: EncodePool,
  batch: Batch,
  encoded: EncodedBatch,
  keys: KeyTable,
): Promise<void> {
  const { env, job } = context;
  const state = job.state.batches[batch.id]!;
  // All of them, whatever the state says.
  const again: BatchState = { ...state, done: new Map() };
  await pool.mark(
    {
      dir: encoded.dir,
      tables: workerTables(context, batch),
      keys: keys.buffer,
      chunks: new ReadAhead(
        chunksOf({ ...context, columnCountOf: columnCountsOf(context) }, batch, again, () => undefined),
        context.options.workers + 1,
      ),
    },
    env.signal,
  );
}

/** In the other batches, so far: the threshold is the import's. */
function losersBefore({ job }: EncodeContext, batch: Batch): number {
  return job.state.batches.reduce((sum, one) => sum + (one.id === batch.id ? 0 : (one.conflicts?.losers ?? 0)), 0);
}

function tooMany({ options }: EncodeContext, found: number, atLeast: boolean): LevinError {
  const { threshold } = options.conflict!;
  const what = `${atLeast ? "at least " : ""}${found} rows are in the way of others, conflict.threshold allows ${threshold}`;
  const where = atLeast ? "" : `; see ${joinPath(options.stateDir, "reports", "conflicts.ndjson")}`;
  return new LevinError("Levin:Encode:ErrTooManyConflicts", `Cannot go on: ${what}${where}`, {
    fields: { max: threshold, found },
  });
}

/** A row for the report, before the place of the other one is known. */
interface Noted {
  table: number;
  key: Uint8Array;
  dropped: SourcePlace;
  other: number;
}

/** Writes down what was decided: overlay, report, sums. */
class Resolution {
  readonly #context: EncodeContext;
  readonly #batch: Batch;
  readonly #state: BatchState;
  readonly #keys: KeyTable;
  readonly #decision: Decision;
  readonly #sums: { rows: number; checksum: KvChecksum }[];
  readonly #noted: Noted[] = [];
  readonly #onLoser: OnLoser;
  readonly #hits: readonly TakenKey[];
  #hitOf: Map<number, TakenKey> | undefined;
  /** One key of each row of the target that is to go. */
  readonly #gone: { hit: TakenKey; where: string }[] = [];

  constructor(
    context: EncodeContext,
    batch: Batch,
    state: BatchState,
    keys: KeyTable,
    decision: Decision,
    onLoser: OnLoser,
    hits: readonly TakenKey[],
  ) {
    this.#hits = hits;
    this.#onLoser = onLoser;
    this.#context = context;
    this.#batch = batch;
    this.#state = state;
    this.#keys = keys;
    this.#decision = decision;
    this.#sums = batch.tables.map(() => ({ rows: 0, checksum: new KvChecksum() }));
  }

  async write(rows: Engine, overlay: Engine): Promise<ConflictRecord> {
    const { options, env } = this.#context;
    const { strategy, threshold } = options.conflict!;
    const deletes = strategy === "replace" ? await this.#deletes() : [];
    const { losers: ofSource } = this.#decision;
    const losers = ofSource + deletes.reduce((sum, { where }) => sum + where.length, 0);
    // The rows have more than what of them goes into the overlay.
    const { packedBytes } = await rows.totals();
    const capacityBytes = Math.min(OVERLAY_ARENA_BYTES, Math.max(OVERLAY_ARENA_BYTES_MIN, packedBytes));
    const arena = new PairArena({ capacityBytes });
    let run = 0;
    const flush = async (): Promise<void> => {
      if (arena.count > 0) await overlay.writeRun(arena, { runId: run++ });
      arena.clear();
    };
    // Rows come in batches of about a megabyte, so a look at the arena between them is enough.
    const between = async (): Promise<void> => (arena.full ? flush() : undefined);
    await eachRow(rows, env.signal, (row) => this.#take(row, arena), between);
    if (strategy !== "error") await flush();
    const lines = await this.#lines(rows);
    await this.#report(lines);
    if (strategy === "error") throw duplicate(lines[0]!, losers);
    const all = losersBefore(this.#context, this.#batch) + losers;
    if (all > threshold) throw tooMany(this.#context, all, false);
    const tables: TableSums[] = this.#sums.flatMap(({ rows: count, checksum }, i) => {
      if (count === 0) return [];
      const { kvs, bytes, crc64xor } = checksum.result();
      const { name } = this.#batch.tables[i]!;
      return [{ table: name, rows: count, kvs: String(kvs), bytes: String(bytes), crc: String(crc64xor) }];
    });
    return { type: "conflicts", batch: this.#batch.id, losers, tables, ...(deletes.length === 0 ? {} : { deletes }) };
  }

  /** Rows of the target that have a key of the import, each once. */
  async #deletes(): Promise<{ table: string; where: string[] }[]> {
    const byTable = new Map<string, Set<string>>();
    for (const hit of this.#hits) {
      const { name } = hit.table;
      const rows = byTable.get(name) ?? new Set();
      byTable.set(name, rows);
      const row = await hit.where();
      if (!rows.has(row)) this.#gone.push({ hit, where: row });
      rows.add(row);
    }
    return [...byTable].map(([table, where]) => ({ table, where: [...where] }));
  }

  #take(row: MarkedRow, arena: PairArena): void {
    const { keeper } = this.#decision;
    const keys = this.#keys;
    const losses = lossesOf(row, keys, this.#decision);
    if (losses.length === 0) {
      for (const pair of row.pairs) {
        const keyEnd = keyEndOf(pair);
        if (keys.find(pair, 2, keyEnd) < 0) continue;
        arena.put(pair.subarray(2), keyEnd - 2, pair.subarray(keyEnd), pair.length - keyEnd);
      }
      return;
    }
    const { checksum } = this.#sums[row.table]!;
    this.#sums[row.table]!.rows++;
    this.#onLoser(this.#batch.tables[row.table]!.name, row.rowId);
    for (const pair of row.pairs) {
      const keyEnd = keyEndOf(pair);
      checksum.addAt(pair, 2, keyEnd, pair, keyEnd, pair.length);
      const slot = keys.find(pair, 2, keyEnd);
      if (slot < 0 || keeper[slot] === 0) arena.put(pair.subarray(2), keyEnd - 2, pair, 0);
    }
    for (const { pair, other } of losses) {
      if (this.#noted.length >= this.#context.options.conflict!.maxRecordRows) return;
      this.#noted.push({
        table: row.table,
        key: pair.slice(2, keyEndOf(pair)),
        dropped: sourcePlace(placeAt(row.place, 0), (chunk) => this.#state.chunks[chunk]!.path),
        other,
      });
    }
  }

  /** Finds where the other rows stand. */
  async #lines(rows: Engine): Promise<ConflictLine[]> {
    const { maxRecordRows } = this.#context.options.conflict!;
    const wanted = new Map<number, SourcePlace | null>(this.#noted.map(({ other }) => [other, null]));
    for (const { hit } of this.#gone) wanted.set(this.#winnerOf(hit), null);
    await eachRow(rows, this.#context.env.signal, ({ ordinal, place }) => {
      if (!wanted.has(ordinal)) return;
      wanted.set(
        ordinal,
        sourcePlace(placeAt(place, 0), (chunk) => this.#state.chunks[chunk]!.path),
      );
    });
    const session = { newCollations: this.#context.newCollations, timeZone: "UTC" };
    const lines: ConflictLine[] = [];
    for (const { table, key, dropped, other } of this.#noted) {
      const { name } = this.#batch.tables[table]!;
      const words = keyWords(this.#context.models.get(name)!, key, session);
      const target = other === 0 ? await this.#rowWith(key) : undefined;
      lines.push({ table: name, ...words, dropped, kept: wanted.get(other) ?? null, target });
    }
    for (const { hit, where } of this.#gone.slice(0, Math.max(0, maxRecordRows - lines.length))) {
      const words = keyWords(this.#context.models.get(hit.table.name)!, hit.key, session);
      const kept = wanted.get(this.#winnerOf(hit)) ?? null;
      lines.push({ table: hit.table.name, ...words, dropped: null, kept, target: where });
    }
    return lines;
  }

  #winnerOf({ key }: TakenKey): number {
    return this.#decision.winner[this.#keys.find(key, 0, key.length)]!;
  }

  /** Names the row of the target that has a key; undefined where its primary key cannot be written as literals. */
  async #rowWith(key: Uint8Array): Promise<string | undefined> {
    const slot = this.#keys.find(key, 0, key.length);
    this.#hitOf ??= new Map(this.#hits.map((hit) => [this.#keys.find(hit.key, 0, hit.key.length), hit]));
    return this.#hitOf
      .get(slot)
      ?.where()
      .catch((thrown: unknown) => {
        if (thrown instanceof LevinError && thrown.code === "Levin:Schema:ErrUnsupported") return undefined;
        throw thrown;
      });
  }

  async #report(lines: readonly ConflictLine[]): Promise<void> {
    const { env, options } = this.#context;
    const dir = reportDir(options.stateDir);
    await env.files.makeDir(dir);
    await env.files.replace(joinPath(dir, reportPart(this.#batch.id)), reportText(lines));
  }
}

function duplicate(line: ConflictLine, losers: number): LevinError {
  const { table, index, value, dropped, kept, target } = line;
  const others = losers === 2 ? "one more row has" : `${losers - 1} more rows have`;
  const more = losers > 1 ? `; ${others} a key again, see reports/conflicts.ndjson` : "";
  return new LevinError(
    "Levin:Encode:ErrDuplicateKey",
    `Cannot import table "${table}": index "${index}", value ${value}: ${placeWords(kept, target)} and ${placeWords(dropped)} have the same key${more}`,
    {
      fields: {
        table,
        index,
        value,
        inTheWay: target,
        file: dropped?.file,
        row: dropped?.row,
        byte: dropped?.byte,
        rows: losers,
      },
    },
  );
}
