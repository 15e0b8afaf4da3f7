/**
 * A backup that is to be killed: appends ranges from several callers at once, as far as an earlier process has not done so, and says of each
 * document that is written its name and hash. Words: directory, ranges, callers, bytes of a batch, number of the file operation to die at (-1: none).
 */
import { writeSync } from "node:fs";
import { type Files, systemClock, systemFiles, toHex, utf8 } from "../../src/base/mod.ts";
import {
  backupPaths,
  FileHome,
  LoadReport,
  readBackupGroup,
  saveBackupMetadata,
  sha256,
  startBackupRunner,
  walkItems,
} from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { indexOf, rangeOf } from "./kill-ranges.ts";

const [dir, ...numbers] = process.argv.slice(2);
const [count, callers, batchBytes, dieAt] = numbers.map(Number) as [number, number, number, number];

let operations = 0;

/** File operations that end the process in their middle: the n-th one is begun and nothing after it happens. */
function mortal(files: Files): Files {
  const counted: Record<string, unknown> = {};
  for (const [name, operation] of Object.entries(files)) {
    counted[name] = (...args: unknown[]): unknown => {
      const dies = operations++ === dieAt;
      // Half of the time the operation is on its way when the process dies.
      const result =
        dies && dieAt % 2 === 0 ? undefined : (operation as (...all: unknown[]) => unknown).apply(files, args);
      if (dies) process.kill(process.pid, "SIGKILL");
      return result;
    };
  }
  return counted as unknown as Files;
}

class TellingObjects extends LocalObjects {
  override async write(name: string, bytes: Uint8Array): Promise<void> {
    await super.write(name, bytes);
    writeSync(1, `${name} ${toHex(sha256(bytes))}\n`);
  }
}

const storage = new TellingObjects(dir!, { files: mortal(systemFiles) });
const paths = backupPaths("2025");
if ((await storage.read(paths.meta)) === undefined) {
  await saveBackupMetadata(storage, { gcServiceId: "br-1", configHash: utf8("h"), backupTs: 1n, ranges: null });
}
const done = new Uint8Array(count);
await walkItems(new FileHome(storage, paths), readBackupGroup, { report: new LoadReport(true) }, (_key, range) => {
  done[indexOf(range, count)!] = 1;
});
const runner = await startBackupRunner({
  storage,
  tso: async () => ({ physicalMs: BigInt(Math.floor(systemClock.nowMs())), logical: 0n }),
  clock: systemClock,
  batchBytes,
  memoryBytes: 4 * batchBytes,
  lockOptions: { settleMs: 0 },
});
await Promise.all(
  Array.from({ length: callers }, async (_, caller) => {
    for (let i = caller; i < count; i += callers) {
      if (done[i] === 1) continue;
      await runner.append(`group ${(i >> 12) % 7}`, rangeOf(i));
      if (i % 5000 === 0)
        await runner.appendChecksum({ tableId: BigInt(i), crc64xor: 1n, totalKvs: 1n, totalBytes: 1n });
    }
  }),
);
await runner.finish({ flush: true });
writeSync(1, `finished ${operations}\n`);
