/** BR checkpoints in files: ranges appended, written as documents, and read back. */
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom, systemClock, utf8 } from "../../../src/base/mod.ts";
import {
  type BackupRange,
  type BrCipher,
  backupPaths,
  CheckpointRunner,
  FileHome,
  type GoText,
  type Home,
  LoadReport,
  readBackupGroup,
  startBackupRunner,
  walkItems,
} from "../../../src/br/mod.ts";
import { pendingRanges } from "../../../src/br/pending.ts";
import { LocalObjects } from "../../../src/storage/mod.ts";
import { type Bench, type BenchContext, type BenchResult, peakRssBytes, ResultHash, timed } from "../bench.ts";

/** About what one range with its two files takes in a document. */
const RANGE_BYTES = 1000;

/** Ranges as a backup finishes them: two SST files each. A thousand different ones are made before and used in turn. */
function makeRanges(seed: number): BackupRange[] {
  const random = seededRandom(seed);
  const bytes = (size: number): Uint8Array => {
    const out = new Uint8Array(size);
    random.fill(out);
    return out;
  };
  const word = (): bigint => (BigInt(Math.floor(random.next() * 2 ** 32)) << 32n) | 0x9e3779b9n;
  return Array.from({ length: 1000 }, (_, i) => {
    const startKey = bytes(19);
    const endKey = bytes(19);
    const file = (cf: string) => ({
      name: `${i % 9}/${i % 9}_${i}_12_${"0123456789abcdef".repeat(4)}_${1_736_900_000_000 + i}_${cf}.sst`,
      sha256: bytes(32),
      startKey,
      endKey,
      startVersion: 0n,
      endVersion: 455_082_095_194_886_736n,
      crc64xor: word(),
      totalKvs: BigInt(100_000 + i),
      totalBytes: BigInt(40_000_000 + i),
      cf,
      size: BigInt(12_000_000 + i),
      cipherIv: bytes(16),
      tableMetas: null,
    });
    return { startKey, endKey, files: [file("default"), file("write")] };
  });
}

async function append(runner: CheckpointRunner<GoText, BackupRange>, ranges: BackupRange[], count: number) {
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let i = caller; i < count; i += 8) await runner.append(`group-${(i >> 10) % 64}`, ranges[i % ranges.length]!);
  });
  await Promise.all(callers);
}

function runnerBench(name: string, cipher: BrCipher | undefined): Bench {
  return {
    name: `br/${name}`,
    about: "8 callers append ranges of two files; documents synced one by one; all read back",
    async run(context: BenchContext): Promise<BenchResult> {
      const count = Math.max(64, Math.floor(context.sizeBytes / RANGE_BYTES));
      const ranges = makeRanges(context.seed);
      // Appending alone: a home that throws documents away.
      let documentBytes = 0;
      const nowhere: Home = {
        async *dataDocuments() {},
        async *checksumDocuments() {},
        writeData: async (document) => {
          documentBytes += document.length;
        },
        writeChecksums: async () => {},
      };
      const dry = new CheckpointRunner(pendingRanges("2025"), { home: nowhere, clock: systemClock, cipher });
      const [appending] = await timed(async () => {
        await append(dry, ranges, count);
        await dry.finish({ flush: true });
      });
      const storage = new LocalObjects(join(context.dir, "storage"));
      const runner = await startBackupRunner({
        storage,
        tso: async () => ({ physicalMs: BigInt(Date.now()), logical: 0n }),
        clock: systemClock,
        cipher,
        lockOptions: { settleMs: 0 },
      });
      const [writing] = await timed(async () => {
        await append(runner, ranges, count);
        await runner.finish({ flush: true });
      });
      const home = new FileHome(storage, backupPaths("2025"));
      const report = new LoadReport(true);
      let files = 0n;
      const [loading] = await timed(() =>
        walkItems(home, readBackupGroup, { cipher, report }, (_key, range) => {
          for (const file of range!.files!) files += file!.crc64xor & 0xffffn;
        }),
      );
      if (report.items !== count) throw new Error(`${report.items} ranges came back of ${count}`);
      const all = { bytes: documentBytes, items: count };
      return {
        measures: [
          { ...all, ...appending, stage: "append, print", limit: "memory copy" },
          { ...all, ...writing, stage: "append, write", limit: "raw file write" },
          { ...all, ...loading, stage: "load", limit: "file read" },
        ],
        hash: `${new ResultHash().add(report.items, files)}`,
      };
    },
  };
}

/** About what a range with one file takes on disk (`test/br/kill-ranges.ts`). */
const LOADED_RANGE_BYTES = 450;

/**
 * What another process wrote is read here, so that the peak memory is the loading's alone; the same files are read and written plainly
 * beside it.
 */
const loadBench: Bench = {
  name: "br/load",
  about:
    "ranges of one file that another process wrote, all loaded; the same files read and written plainly; 10 million: --size 4500",
  slow: true,
  async run(context: BenchContext): Promise<BenchResult> {
    const count = Math.max(64, Math.floor(context.sizeBytes / LOADED_RANGE_BYTES));
    const dir = join(context.dir, "storage");
    const writer = fileURLToPath(new URL("../../br/kill-writer.ts", import.meta.url));
    const words = [dir, count, 8, 8 << 20, -1].map(String);
    const child = spawnSync(process.execPath, [writer, ...words], { encoding: "utf8" });
    if (child.status !== 0) throw new Error(`the writer failed: ${child.stderr}`);
    const data = join(dir, backupPaths("2025").dataDir);
    const names = readdirSync(data);
    let bytes = 0;
    const [plainRead] = await timed(() => {
      for (const name of names) bytes += readFileSync(join(data, name)).length;
    });
    const home = new FileHome(new LocalObjects(dir), backupPaths("2025"));
    const report = new LoadReport(true);
    let sum = 0n;
    const [loading] = await timed(() =>
      walkItems(home, readBackupGroup, { report }, (_key, range) => {
        sum += range!.files![0]!.totalKvs;
      }),
    );
    const rss = peakRssBytes();
    if (report.items !== count || sum !== (BigInt(count) * BigInt(count - 1)) / 2n)
      throw new Error(`${report.items} ranges`);
    const [plainWrite] = await timed(() => {
      for (const name of names) {
        const file = openSync(join(context.dir, name), "w");
        writeSync(file, readFileSync(join(data, name)));
        fsyncSync(file);
        closeSync(file);
        rmSync(join(context.dir, name));
      }
    });
    return {
      measures: [
        { bytes, items: count, ...loading, stage: "load", limit: "file read" },
        { bytes, ...plainRead, stage: "plain read", limit: "file read" },
        { bytes, ...plainWrite, stage: "plain write", limit: "raw file write" },
      ],
      hash: `${new ResultHash().add(report.items, sum)}`,
      note: `${count} ranges in ${names.length} files, peak RSS of the load ${Math.round(rss / 2 ** 20)} MiB, load takes ${(loading.ms / plainRead.ms).toFixed(1)} times as long as the plain read`,
    };
  },
};

export const benches: Bench[] = [
  loadBench,
  runnerBench("plain", undefined),
  runnerBench("aes256", { method: "AES256_CTR", key: utf8("01234567890123456789012345678901") }),
];
