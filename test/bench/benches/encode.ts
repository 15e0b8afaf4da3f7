/** Source data on its way into an engine, on one thread: rows cut out, rows encoded, pairs sorted and stored. */
import { join } from "node:path";
import { KvChecksum, newFields, type PairSink } from "../../../src/codec/mod.ts";
import { compileTable, type EncodeSession } from "../../../src/encoder/mod.ts";
import { openEngine, PairArena } from "../../../src/engine/mod.ts";
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
class SumSink implements PairSink {
  readonly sums = new KvChecksum();

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.sums.add(key, keyLength, value, valueLength);
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

/** Reads every row of every chunk. */
async function readRows(
  { storage, chunks }: Planned,
  encoderOf: (table: TableInfo) => { encodeRow(fields: ReturnType<typeof newFields>, rowId: number): void },
  afterRow?: () => Promise<void> | undefined,
): Promise<number> {
  const fields = newFields(16);
  let rows = 0;
  for (const { chunk, table } of chunks) {
    const encoder = encoderOf(table);
    const reader = await ChunkReader.open(storage, chunk, { columnCount: table.cols.length });
    let rowId = chunk.rowIdBase;
    while (await reader.fill()) {
      while (reader.next(fields)) {
        encoder.encodeRow(fields, ++rowId);
        rows++;
        const wait = afterRow?.();
        if (wait !== undefined) await wait;
      }
    }
    await reader.close();
  }
  return rows;
}

function encodeBench(name: WorkloadName): Bench {
  return {
    name: `encode/${name}`,
    about: "scan alone; scan and encode; all that and sorted runs in files; one thread",
    async run(context): Promise<BenchResult> {
      const planned = await plan(name, context);
      const all = { bytes: planned.sourceBytes, items: planned.rows, limit: "file read" as const };
      let fields = 0;
      const count = {
        encodeRow(row: { count: number }): void {
          fields += row.count;
        },
      };
      const [scan, rows] = await timed(() => readRows(planned, () => count));
      const sink = new SumSink();
      const [encode] = await timed(() =>
        readRows(planned, (table) => compileTable(table, { session, record: sink, index: sink })),
      );
      const [store, pairs] = await timed(() => encodeToRuns(planned, context));
      const { crc64xor, kvs, bytes } = sink.sums.result();
      if (rows !== planned.rows) throw new Error(`${rows} rows were read, ${planned.rows} were made`);
      if (BigInt(pairs) !== kvs) throw new Error(`${kvs} pairs were encoded, ${pairs} were stored`);
      const measures: Measure[] = [
        { ...all, ...scan, stage: "scan" },
        { ...all, ...encode, stage: "scan, encode" },
        { ...all, ...store, stage: "scan to runs" },
      ];
      return { measures, hash: `${new ResultHash().add(rows, fields, crc64xor, kvs, bytes)}` };
    },
  };
}

/** As the importer's workers do it: one arena for records, one for index entries, a run whenever one is full. Returns the pairs. */
async function encodeToRuns(planned: Planned, context: BenchContext): Promise<number> {
  const capacityBytes = context.tiny ? 64 * 1024 : 32 * 1024 * 1024;
  const parts = await Promise.all(
    ["data", "index"].map(async (part) => ({
      arena: new PairArena({ capacityBytes }),
      sums: new KvChecksum(),
      engine: await openEngine({ name: part, store: { dir: join(context.dir, part), blocks: "files" } }),
    })),
  );
  let runId = 0;
  const flush = async (least: (arena: PairArena) => boolean): Promise<void> => {
    for (const { arena, engine, sums } of parts) {
      if (!least(arena)) continue;
      await engine.writeRun(arena, { runId: runId++, checksum: sums.result().crc64xor });
      arena.clear();
      sums.clear();
    }
  };
  const [record, index] = parts.map(
    ({ arena, sums }): PairSink => ({
      put(key, keyLength, value, valueLength) {
        sums.add(key, keyLength, value, valueLength);
        arena.put(key, keyLength, value, valueLength);
      },
    }),
  );
  await readRows(
    planned,
    (table) => compileTable(table, { session, record: record!, index: index! }),
    () => (parts.some(({ arena }) => arena.full) ? flush((arena) => arena.full) : undefined),
  );
  await flush((arena) => arena.count > 0);
  const totals = await Promise.all(parts.map(({ engine }) => engine.totals()));
  await Promise.all(parts.map(({ engine }) => engine.destroy()));
  return totals.reduce((sum, { pairs }) => sum + pairs, 0);
}

const names: WorkloadName[] = ["lineitem", "sysbench", "wide", "index-heavy", "many-tables"];

export const benches: Bench[] = names.map(encodeBench);
