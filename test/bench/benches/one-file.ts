/**
 * One file that a single worker would be left alone with, were it not cut: quoted CSV with line ends, quotes and separators inside values;
 * plain, gzip, zstd; one and two workers. The whole encode stage: cutting, threads, rows to pairs, sorted runs on disk.
 */
import { createReadStream, createWriteStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { seededRandom, systemClock, systemFiles } from "../../../src/base/mod.ts";
import { type EncodeBatch, EncodePool } from "../../../src/importer/encode/encode-pool.ts";
import { openBatchEngines } from "../../../src/importer/engines.ts";
import { planMemory, systemWorld } from "../../../src/importer/mod.ts";
import { ReadAhead } from "../../../src/importer/read-ahead.ts";
import { Catalog, DEFAULT_SQL_MODE, parseSqlMode, stringifyLossless, type TableInfo } from "../../../src/schema/mod.ts";
import { defaultCsvDialect, loadSource, planChunks } from "../../../src/source/mod.ts";
import { plainSession } from "../../encoder/plain-session.ts";
import { type Bench, type BenchContext, type BenchResult, ResultHash, timed } from "../bench.ts";

const CREATE = `CREATE TABLE big (id BIGINT NOT NULL, grp INT, name VARCHAR(40), note VARCHAR(400), amount DECIMAL(12,2), at DATETIME,
  PRIMARY KEY (id) CLUSTERED)`;

const session = {
  ...plainSession,
  sqlMode: DEFAULT_SQL_MODE,
  nowMs: 1.7e12,
} as const;

const words = [
  "alpha",
  "beta,gamma",
  "line\nbreak",
  'quo""ted',
  "delta",
  "é🙂",
  "plain text here",
  "1,2\n3,4\n",
  "tail",
];

function tableInfo(): TableInfo {
  let ids = 100;
  const catalog = new Catalog(() => ids++);
  const ddl = {
    sqlMode: parseSqlMode(session.sqlMode),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    nowMs: session.nowMs,
    clusteredIndex: "on",
  } as const;
  catalog.execute("CREATE DATABASE d", ddl);
  catalog.execute(CREATE, ddl);
  return catalog.table("d", "big")!;
}

async function writeFile(path: string, sizeBytes: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random.next() * n);
  const two = (n: number): string => String(n).padStart(2, "0");
  const out = createWriteStream(path);
  out.write("id,grp,name,note,amount,at\n");
  let part = "";
  for (let at = 0, id = 1; at < sizeBytes; id++) {
    const note = Array.from({ length: 3 + below(12) }, () => words[below(words.length)]).join(" ");
    const row = `${id},${below(1000)},"name ${below(1e5)}","${note}",${below(1e5)}.${two(below(100))},2024-${two(1 + below(12))}-${two(1 + below(28))} 12:13:14\n`;
    at += Buffer.byteLength(row);
    part += row;
    if (part.length < 1 << 20) continue;
    if (!out.write(part)) await new Promise((resolve) => out.once("drain", resolve));
    part = "";
  }
  await new Promise<void>((resolve) => out.end(part, resolve));
}

/** Encodes what lies in a directory; the number of rows. */
async function encode(dir: string, engines: string, workers: number): Promise<number> {
  const world = systemWorld(systemClock, new URL("../../../src/importer/encode/encode-worker.ts", import.meta.url));
  const { worker: sizes } = planMemory(384 * 2 ** 20, { workers, rangeJobs: 4, blocks: "files" });
  const dialect = { ...defaultCsvDialect, nulls: ["\\N"] };
  const storage = await world.openStorage(dir);
  const { tables } = await loadSource(storage, { dialect });
  const info = tableInfo();
  const pool = new EncodePool(workers, world.startEncoder, {
    sourceDir: dir,
    sizes,
    session,
    compatLightning: false,
    invalidReplacement: undefined,
    allowShortRows: false,
    typeErrorsMax: 0,
  });
  let id = 0;
  const modelText = stringifyLossless(info);
  async function* chunks() {
    for await (const chunk of planChunks(storage, tables[0]!.files, { columnCount: 6 })) yield { id: id++, chunk };
  }
  let rows = 0;
  mkdirSync(engines, { recursive: true });
  const batch: EncodeBatch = {
    batch: 0,
    dir: engines,
    tableOf: (name) => ({ name, modelText, form: { columnText: "utf8", binaryFormat: "raw" }, ignored: [] }),
    oneEngine: false,
    blocks: "files",
    firstRun: 0,
    chunks: new ReadAhead(chunks(), workers + 1),
    onRejected: async () => undefined,
    onFlushed: async () => undefined,
    onProgress: (more: number) => {
      rows += more;
    },
    room: async () => true,
  };
  const opened = await openBatchEngines({ world, files: systemFiles }, engines, "files", false);
  try {
    await pool.encode(batch, new AbortController().signal);
  } finally {
    await pool.close();
    await opened.close();
  }
  return rows;
}

async function oneFile(context: BenchContext, suffix: "" | ".gz" | ".zst"): Promise<BenchResult> {
  const dir = join(context.dir, "source");
  mkdirSync(dir);
  const plain = join(dir, "d.big.csv");
  await writeFile(plain, context.sizeBytes, context.seed);
  const bytes = statSync(plain).size;
  writeFileSync(join(dir, "d.big-schema.sql"), CREATE);
  if (suffix !== "") {
    const encoder = suffix === ".gz" ? createGzip({ level: 1 }) : createZstdCompress();
    await pipeline(createReadStream(plain), encoder, createWriteStream(plain + suffix));
    renameSync(plain, join(context.dir, "plain"));
  }
  const measures: BenchResult["measures"] = [];
  const hash = new ResultHash();
  for (const workers of [1, 2]) {
    const [cost, rows] = await timed(() => encode(dir, join(context.dir, `engines-${workers}`), workers));
    hash.add(rows);
    measures.push({ stage: `${workers} workers`, bytes, items: rows, ...cost, limit: "file read" });
  }
  return { measures, hash: hash.toString() };
}

export const benches: Bench[] = (["", ".gz", ".zst"] as const).map((suffix) => ({
  name: `one-file/csv${suffix}`,
  about: "one CSV file with line ends in quotes, by one and by two workers",
  slow: true,
  run: (context) => oneFile(context, suffix),
}));
