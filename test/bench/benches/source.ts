/** The source alone: cutting large files by proof, reading rows in chunks and uncut, decompressing; quoted text with line ends among it. */
import { createReadStream, createWriteStream, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { newFields } from "../../../src/codec/mod.ts";
import {
  type Chunk,
  ChunkReader,
  defaultCsvDialect,
  loadSource,
  openLocalStorage,
  type PlanOptions,
  planChunks,
  type Storage,
} from "../../../src/source/mod.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash, timed } from "../bench.ts";
import { makeWorkload } from "../data/workloads.ts";

/** A CSV file whose quoted fields hold line ends, quotes and things that look like rows. */
async function writeQuoted(dir: string, sizeBytes: number): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const out = createWriteStream(join(dir, "bench.quoted.csv"));
  let part = "id,title,body,n\n";
  for (let at = 0, id = 1; at < sizeBytes; id++) {
    const row = `${id},"title ${id * 7919}","line one of ${id}\n2,""quoted"",x\n""${id}""\nand so on, ${"text ".repeat(id % 9)}",${id % 97}\n`;
    at += row.length;
    part += row;
    if (part.length < 1 << 20) continue;
    if (!out.write(part)) await new Promise((resolve) => out.once("drain", resolve));
    part = "";
  }
  await new Promise<void>((resolve) => out.end(part, resolve));
}

async function rowsOf(storage: Storage, chunks: readonly Chunk[]): Promise<number> {
  const fields = newFields(32);
  let rows = 0;
  for (const chunk of chunks) {
    const reader = await ChunkReader.open(storage, chunk);
    while (await reader.fill()) while (reader.next(fields)) rows++;
    await reader.close();
  }
  return rows;
}

/** Plans and reads what lies in a directory. */
async function measure(
  dir: string,
  bytes: number,
  options: PlanOptions,
): Promise<{ measures: Measure[]; rows: number }> {
  const storage = await openLocalStorage(dir);
  const dialect = { ...defaultCsvDialect, nulls: ["\\N"] };
  const source = await loadSource(storage, { dialect });
  const plan = async (how: PlanOptions): Promise<Chunk[]> => {
    const out: Chunk[] = [];
    for (const { files } of source.tables) out.push(...(await Array.fromAsync(planChunks(storage, files, how))));
    return out;
  };
  const [planCost, chunks] = await timed(() => plan(options));
  const [readCost, rows] = await timed(() => rowsOf(storage, chunks));
  const limit = "file read";
  if (chunks.length === 1) return { measures: [{ stage: "read rows", bytes, items: rows, ...readCost, limit }], rows };
  const whole = await plan({ ...options, chunkBytes: Number.MAX_SAFE_INTEGER });
  const [wholeCost, again] = await timed(() => rowsOf(storage, whole));
  if (again !== rows) throw new Error(`${rows} rows in chunks, ${again} in whole files`);
  const measures: Measure[] = [
    { stage: "cut by proof", bytes, items: chunks.length, ...planCost, limit },
    { stage: "read rows", bytes, items: rows, ...readCost, limit },
    { stage: "read uncut", bytes, items: again, ...wholeCost, limit },
  ];
  return { measures, rows };
}

async function plain(context: BenchContext, name: "lineitem" | "sysbench" | "quoted"): Promise<BenchResult> {
  const dir = join(context.dir, "source");
  if (name === "quoted") await writeQuoted(dir, context.sizeBytes);
  else makeWorkload(name, dir, context.sizeBytes, context.seed);
  const storage = await openLocalStorage(dir);
  const bytes = (await storage.list()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { measures, rows } = await measure(dir, bytes, { chunkBytes: Math.ceil(context.sizeBytes / 8) });
  return { measures, hash: new ResultHash().add(rows).toString() };
}

async function compressed(context: BenchContext, suffix: "gz" | "zst"): Promise<BenchResult> {
  const dir = join(context.dir, "source");
  await writeQuoted(dir, context.sizeBytes);
  const from = join(dir, "bench.quoted.csv");
  const bytes = statSync(from).size;
  const packed = join(context.dir, "packed");
  mkdirSync(packed);
  const encoder = suffix === "gz" ? createGzip({ level: 1 }) : createZstdCompress();
  await pipeline(createReadStream(from), encoder, createWriteStream(join(packed, `bench.quoted.csv.${suffix}`)));
  const { measures, rows } = await measure(packed, bytes, {});
  return { measures, hash: new ResultHash().add(rows).toString() };
}

export const benches: Bench[] = [
  { name: "source/lineitem", about: "CSV without line ends in quotes", run: (context) => plain(context, "lineitem") },
  { name: "source/sysbench", about: "SQL", run: (context) => plain(context, "sysbench") },
  {
    name: "source/quoted",
    about: "CSV with line ends and quotes in quotes",
    run: (context) => plain(context, "quoted"),
  },
  { name: "source/quoted-gz", about: "the same, gzip", run: (context) => compressed(context, "gz") },
  { name: "source/quoted-zst", about: "the same, zstd", run: (context) => compressed(context, "zst") },
];
