/** Source data on its way into an engine, on one thread: rows cut out, rows encoded, pairs sorted and stored. */
import { join } from "node:path";
import { KvChecksum, newFields, type PackedBatch, type PackedSink, type PairSink } from "../../../src/codec/mod.ts";
import { compileTable, type EncodeSession } from "../../../src/encoder/mod.ts";
import { openEngine, PairArena } from "../../../src/engine/mod.ts";
import { ChunkRows, TableEncoders } from "../../../src/importer/encode/chunk-rows.ts";
import { Catalog, DEFAULT_SQL_MODE, parseSqlMode, type TableInfo } from "../../../src/schema/mod.ts";
import {
  type Chunk,
  ChunkReader,
  loadSource,
  openLocalStorage,
  planChunks,
  type Storage,
} from "../../../src/source/mod.ts";
import { plainSession } from "../../encoder/plain-session.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash, timed } from "../bench.ts";
import { makeWorkload, type WorkloadName } from "../data/workloads.ts";

const session: EncodeSession = {
  ...plainSession,
  sqlMode: DEFAULT_SQL_MODE,
  nowMs: 1.7e12,
};

/** A dump that is planned: what a worker is given. */
interface Planned {
  storage: Storage;
  chunks: { chunk: Chunk; table: TableInfo }[];
  sourceBytes: number;
  rows: number;
}

/** Sums up the pairs and drops them. */
class SumSink implements PairSink, PackedSink {
  readonly packed = this;
  readonly checksum = new KvChecksum();

  get roomBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  get roomPairs(): number {
    return Number.POSITIVE_INFINITY;
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.checksum.add(key, keyLength, value, valueLength);
  }

  putPacked(_batch: PackedBatch): void {}
}

/** Sums up the pairs and keeps them, as the importer's sinks do. */
class ArenaSink extends SumSink {
  readonly arena: PairArena;

  constructor(arena: PairArena) {
    super();
    this.arena = arena;
  }

  override get roomBytes(): number {
    return this.arena.roomBytes;
  }

  override get roomPairs(): number {
    return this.arena.roomPairs;
  }

  override put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    super.put(key, keyLength, value, valueLength);
    this.arena.put(key, keyLength, value, valueLength);
  }

  override putPacked(batch: PackedBatch): void {
    this.arena.putPacked(batch);
  }
}

async function plan(name: WorkloadName, context: BenchContext): Promise<Planned> {
  const dir = join(context.dir, "source");
  const { sourceBytes, rows } = makeWorkload(name, dir, context.sizeBytes, context.seed);
  const storage = await openLocalStorage(dir);
  const source = await loadSource(storage);
  let ids = 100;
  const catalog = new Catalog(() => ids++);
  const chunks: Planned["chunks"] = [];
  for (const { database, create } of source.tables.map((t) => ({ ...t, create: t.create!.text }))) {
    const ddl = {
      sqlMode: parseSqlMode(session.sqlMode),
      timeZone: "UTC",
      database,
      newCollation: true,
      nowMs: session.nowMs,
    };
    if (catalog.database(database) === undefined) {
      catalog.execute(`CREATE DATABASE \`${database}\``, { ...ddl, clusteredIndex: "on" });
    }
    catalog.execute(create, { ...ddl, clusteredIndex: "on" });
  }
  for (const { database, table, files } of source.tables) {
    const info = catalog.table(database, table)!;
    for await (const chunk of planChunks(storage, files)) chunks.push({ chunk, table: info });
  }
  return { storage, chunks, sourceBytes, rows };
}

/** Cuts out every row of every chunk, as rows that no kernel takes are. */
async function scanRows({ storage, chunks }: Planned): Promise<{ rows: number; fieldCount: number }> {
  const fields = newFields(16);
  let rows = 0;
  let fieldCount = 0;
  for (const { chunk, table } of chunks) {
    const reader = await ChunkReader.open(storage, chunk, { columnCount: table.cols.length });
    while (await reader.fill()) {
      while (reader.next(fields)) {
        rows++;
        fieldCount += fields.count;
      }
    }
    await reader.close();
  }
  return { rows, fieldCount };
}

/** Encodes every row of every chunk, as the importer's workers do it. */
async function encodeRows(
  { storage, chunks }: Planned,
  record: PairSink,
  index: PairSink,
  afterRows?: () => Promise<void> | undefined,
): Promise<void> {
  const encoders = new TableEncoders(session, (table, own) =>
    compileTable(table.info, { session: own, record, index }),
  );
  const options = {
    storage,
    session,
    windowBytes: 1024 * 1024,
    compatLightning: false,
    invalidReplacement: undefined,
    allowShortRows: false,
  };
  for (const { chunk, table } of chunks) {
    const name = `${chunk.database}.${chunk.table}`;
    const worker = { name, info: table, codings: new Map(), ignored: new Set<string>() };
    const rows = await ChunkRows.open(options, worker, chunk, encoders);
    while (await rows.fill()) {
      while (rows.next()) {
        rows.encoder!.encodeRow(rows.row, rows.rowId);
        for (let many = -1; many !== 0; many = rows.encodeMany()) {
          const wait = afterRows?.();
          if (wait !== undefined) await wait;
        }
      }
    }
    rows.drain();
    await rows.close();
  }
}

function encodeBench(name: WorkloadName): Bench {
  return {
    name: `encode/${name}`,
    about: "scan alone; scan and encode; all that and sorted runs in files; one thread",
    async run(context): Promise<BenchResult> {
      const planned = await plan(name, context);
      const all = { bytes: planned.sourceBytes, items: planned.rows, limit: "file read" as const };
      const [scan, { rows, fieldCount }] = await timed(() => scanRows(planned));
      const sink = new SumSink();
      const [encode] = await timed(() => encodeRows(planned, sink, sink));
      const [store, pairs] = await timed(() => encodeToRuns(planned, context));
      const { crc64xor, kvs, bytes } = sink.checksum.result();
      if (rows !== planned.rows) throw new Error(`${rows} rows were read, ${planned.rows} were made`);
      if (BigInt(pairs) !== kvs) throw new Error(`${kvs} pairs were encoded, ${pairs} were stored`);
      const measures: Measure[] = [
        { ...all, ...scan, stage: "scan" },
        { ...all, ...encode, stage: "scan, encode" },
        { ...all, ...store, stage: "scan to runs" },
      ];
      return { measures, hash: `${new ResultHash().add(rows, fieldCount, crc64xor, kvs, bytes)}` };
    },
  };
}

/** As the importer's workers do it: one arena for records, one for index entries, a run whenever one is full. Returns the pairs. */
async function encodeToRuns(planned: Planned, context: BenchContext): Promise<number> {
  const capacityBytes = context.tiny ? 64 * 1024 : 32 * 1024 * 1024;
  const parts = await Promise.all(
    ["data", "index"].map(async (part) => ({
      sink: new ArenaSink(new PairArena({ capacityBytes })),
      engine: await openEngine({ name: part, store: { dir: join(context.dir, part), blocks: "files" } }),
    })),
  );
  let runId = 0;
  const flush = async (least: (arena: PairArena) => boolean): Promise<void> => {
    for (const { sink, engine } of parts) {
      if (!least(sink.arena)) continue;
      await engine.writeRun(sink.arena, { runId: runId++ });
      sink.arena.clear();
    }
  };
  await encodeRows(planned, parts[0]!.sink, parts[1]!.sink, () =>
    parts.some(({ sink }) => sink.arena.full) ? flush((arena) => arena.full) : undefined,
  );
  await flush((arena) => arena.count > 0);
  const totals = await Promise.all(parts.map(({ engine }) => engine.totals()));
  await Promise.all(parts.map(({ engine }) => engine.destroy()));
  return totals.reduce((sum, { pairs }) => sum + pairs, 0);
}

const names: WorkloadName[] = ["lineitem", "sysbench", "wide", "index-heavy", "many-tables"];

export const benches: Bench[] = names.map(encodeBench);
