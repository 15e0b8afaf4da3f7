import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, textOf } from "../../src/base/mod.ts";
import { readChecksumDocument, readDataDocument } from "../../src/br/documents.ts";
import {
  type BackupFile,
  type BackupRange,
  type BrCipher,
  backupConfigHash,
  backupConfigText,
  backupItemLine,
  backupPaths,
  type CheckpointDb,
  type CipherMethod,
  decrypt,
  encrypt,
  FileHome,
  type GoText,
  LOG_DB,
  LoadReport,
  loadBackupMetadata,
  logItemLine,
  readBackupGroup,
  readLogGroup,
  readRestoreGroup,
  restoreItemLine,
  SNAPSHOT_DB,
  saveBackupMetadata,
  saveLogMetadata,
  saveSnapshotMetadata,
  startBackupRunner,
  startLogRunner,
  startRestoreRunner,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";
import { FakeSql } from "./fake-sql.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { sampleFiles, sampleFolders, sampleJson } from "./samples.ts";
import { SimClock } from "./sim-clock.ts";

type Step = Record<string, unknown> & { op: string };

const hex = (value: unknown): Uint8Array | null => (typeof value === "string" ? fromHex(value) : null);

/** A text of a step: its bytes where it is no UTF-8. */
function goText(step: Record<string, unknown>, name: string): GoText {
  const text = step[name];
  return typeof text === "string" ? text : fromHex(step[`${name}_hex`] as string);
}

function fileOf(file: Record<string, unknown> | null): BackupFile | null {
  if (file === null) return null;
  const metas = file["table_metas"] as Record<string, string>[] | null;
  return {
    name: goText(file, "name"),
    sha256: hex(file["sha256_hex"]),
    startKey: hex(file["start_key_hex"]),
    endKey: hex(file["end_key_hex"]),
    startVersion: BigInt(file["start_version"] as string),
    endVersion: BigInt(file["end_version"] as string),
    crc64xor: BigInt(file["crc64xor"] as string),
    totalKvs: BigInt(file["total_kvs"] as string),
    totalBytes: BigInt(file["total_bytes"] as string),
    // The samples give this one as text only; the bytes that are no UTF-8 are those of the name.
    cf: (file["cf"] as string).includes("\ufffd") ? fromHex("61fffe62c3") : (file["cf"] as string),
    size: BigInt(file["size"] as string),
    cipherIv: hex(file["cipher_iv_hex"]),
    tableMetas:
      metas?.map((meta) => ({
        physicalId: BigInt(meta["physical_id"]!),
        crc64xor: BigInt(meta["crc64xor"]!),
        totalKvs: BigInt(meta["total_kvs"]!),
        totalBytes: BigInt(meta["total_bytes"]!),
      })) ?? null,
  };
}

function rangeOf(step: Record<string, unknown>): BackupRange {
  return {
    startKey: hex(step["start_key_hex"]),
    endKey: hex(step["end_key_hex"]),
    files: (step["files"] as (Record<string, unknown> | null)[] | null)?.map(fileOf) ?? null,
  };
}

const checksumOf = (step: Step) => ({
  tableId: BigInt(step["table_id"] as string),
  crc64xor: BigInt(step["crc64xor"] as string),
  totalKvs: BigInt(step["total_kvs"] as string),
  totalBytes: BigInt(step["total_bytes"] as string),
});

interface BackupSample {
  cipher: { method: CipherMethod; key_hex: string | null } | null;
  steps: Step[];
  walk: { values?: unknown[] };
  data_files: Record<string, { groups: { plain_text: string }[] }> | null;
  checksum_files: Record<string, { content_text: string }> | null;
}

/** Groups of a file come in any order from the original. */
const sortedTexts = (texts: string[]): string[] => texts.sort();

describe("the appends of the samples, written here", () => {
  for (const name of sampleFolders("backup")) {
    test(`backup ${name}: the same groups byte for byte, metadata and lock too`, async () => {
      const sample = sampleJson<BackupSample>(`backup/${name}/expected.json`);
      const cipher: BrCipher | undefined =
        sample.cipher === null
          ? undefined
          : { method: sample.cipher.method, key: fromHex(sample.cipher.key_hex ?? "") };
      const clock = new SimClock();
      const storage = new MemoryStorage();
      let runner: Awaited<ReturnType<typeof startBackupRunner>> | undefined;
      let lockText: string | undefined;
      for (const step of sample.steps) {
        if (step.op === "save_metadata") {
          const from = new MemoryStorage();
          const path = backupPaths("2025").meta;
          from.objects.set(path, sampleFiles().get(`backup/${name}/tree/${path}`)!);
          await saveBackupMetadata(storage, (await loadBackupMetadata(from)).metadata);
          // A reader has already put U+FFFD where the original's writer escapes it.
          const original = textOf(from.objects.get(path)!).replaceAll("\\ufffd", "\ufffd");
          assert.equal(textOf(storage.objects.get(path)!), original);
        } else if (step.op === "start_runner") {
          const time = {
            physicalMs: BigInt(step["clock_physical_ms"] as string),
            logical: BigInt(step["clock_logical"] as string),
          };
          runner = await clock.until(startBackupRunner({ storage, tso: async () => time, clock, cipher }));
          lockText = textOf(storage.objects.get(backupPaths("2025").lock!)!);
        } else if (step.op === "append") await runner!.append(goText(step, "group_key"), rangeOf(step));
        else if (step.op === "flush_checksum") await runner!.appendChecksum(checksumOf(step));
        else if (step.op === "wait") await clock.advance(1000 * (step["seconds"] as number), 3);
        else if (step.op === "wait_for_finish") await runner!.finish({ flush: step["flush"] as boolean });
        else assert.fail(`a step that is not known: ${step.op}`);
      }
      const lockFile = sampleFiles().get(`backup/${name}/tree/${backupPaths("2025").lock}`);
      if (lockFile !== undefined) assert.equal(lockText, textOf(lockFile));
      const dataOf = (wanted: string): [string, Uint8Array][] =>
        [...storage.objects].filter(([path]) => path.startsWith(`checkpoints/backup/${wanted}/`));
      const groups: string[] = [];
      for (const [path, bytes] of dataOf("data")) {
        assert.match(path, /\/[0-9a-f]{72}\.cpt$/);
        for (const group of readDataDocument(bytes, path).groups) {
          assert.equal(group!.iv === null, cipher === undefined || cipher.method === "PLAINTEXT");
          groups.push(textOf(decrypt(group!.data!, group!.iv, cipher)!));
        }
      }
      const wanted = Object.values(sample.data_files ?? {}).flatMap((file) => file.groups.map((g) => g.plain_text));
      assert.deepEqual(sortedTexts(groups), sortedTexts(wanted));
      assert.equal(dataOf("data").length, Object.keys(sample.data_files ?? {}).length);
      const items = dataOf("checksum").flatMap(([path, bytes]) =>
        [...textOf(readChecksumDocument(bytes, path).content).matchAll(/\{"table-id[^}]*\}/g)].map(([text]) => text),
      );
      const wantedItems = Object.values(sample.checksum_files ?? {}).flatMap((file) =>
        [...file.content_text.matchAll(/\{"table-id[^}]*\}/g)].map(([text]) => text),
      );
      assert.deepEqual(sortedTexts(items), sortedTexts(wantedItems));
      const values: unknown[] = [];
      const home = new FileHome(storage, backupPaths("2025"));
      await walkItems(home, readBackupGroup, { cipher, report: new LoadReport(true) }, (key, range) => {
        values.push(backupItemLine(key, range));
      });
      const text = (value: unknown): string => JSON.stringify(value);
      assert.deepEqual(sortedTexts(values.map(text)), sortedTexts((sample.walk.values ?? []).map((v) => canonical(v))));
    });
  }
});

/** A sample's value with its members in the order of levin's lines. */
function canonical(value: unknown): string {
  return JSON.stringify(value);
}

interface TableSample {
  database?: CheckpointDb;
  steps: Step[];
  load_data?: { values: unknown[] };
  states?: { result: { load_data?: { values: unknown[] } } }[];
}

describe("the appends of restores, written here", () => {
  for (const name of sampleFolders("restore-tables")) {
    test(`${name}: a reader finds the same items`, async () => {
      const sample = sampleJson<TableSample>(`restore-tables/${name}/expected.json`);
      if (!sample.steps?.some(({ op }) => op === "append")) return;
      const isLog = sample.states !== undefined;
      const db = isLog ? LOG_DB : (sample.database ?? SNAPSHOT_DB);
      const sql = new FakeSql();
      if (isLog) {
        const zero = { upstreamClusterId: 0n, restoredTs: 0n, startTs: 0n, rewriteTs: 0n };
        await saveLogMetadata(sql.query, { ...zero, gcRatio: "", tiflashItems: null });
      } else await saveSnapshotMetadata(sql.query, null, db as typeof SNAPSHOT_DB);
      const clock = new SimClock();
      const home = new TableHome(sql.query, db);
      const restore = isLog ? undefined : startRestoreRunner({ home, clock });
      const log = isLog ? startLogRunner({ home, clock }) : undefined;
      for (const step of sample.steps) {
        if (step.op === "wait") await clock.advance(1000 * (step["seconds"] as number), 2);
        if (step.op === "flush_checksum" && (step["error"] ?? null) === null)
          await restore!.appendChecksum(checksumOf(step));
        if (step.op !== "append") continue;
        if (log !== undefined) {
          const [tableId, goff, foff] = [step["table_id"], step["goff"], step["foff"]].map((n) => BigInt(n as string));
          await log.append(goText(step, "group_key"), { tableId: tableId!, goff: goff!, foff: foff! });
        } else {
          const part = (field: string): GoText =>
            step[field] === undefined && step[`${field}_hex`] === undefined ? "" : goText(step, field);
          const item = { rangeKey: part("range_key"), name: part("name") };
          if ((step["error"] ?? null) === null) await restore!.append(BigInt(step["table_id"] as string), item);
        }
      }
      await (restore ?? log)!.finish({ flush: true });
      const values: unknown[] = [];
      const report = new LoadReport(true);
      if (isLog) {
        await walkItems(home, readLogGroup, { report }, (key, item) => void values.push(logItemLine(key, item)));
      } else {
        await walkItems(
          home,
          readRestoreGroup,
          { report },
          (key, item) => void values.push(restoreItemLine(key, item)),
        );
      }
      const wanted = (isLog ? sample.states!.at(-1)!.result.load_data : sample.load_data)!.values;
      assert.deepEqual(flat(values), flat(wanted));
    });
  }
});

/** Items of log restore as single files: how they were put together depends on when the flushes came. */
function flat(values: unknown[]): string[] {
  const out: string[] = [];
  for (const value of values as Record<string, unknown>[]) {
    const foffs = value["foffs"] as Record<string, number[]> | undefined;
    if (foffs === undefined) out.push(JSON.stringify(value));
    else {
      for (const [table, list] of Object.entries(foffs)) {
        for (const foff of list) out.push(JSON.stringify([value["group_key"], value["goff"], table, foff]));
      }
    }
  }
  return out.sort();
}

describe("config hashes", () => {
  interface HashSample {
    name: string;
    hash_hex: string;
    hashed_text: string;
    input: Record<string, unknown>;
  }
  for (const { name, hash_hex, hashed_text, input } of sampleJson<{ samples: HashSample[] }>("config-hash/samples.json")
    .samples) {
    test(name, () => {
      const cipher = input["cipher"] as { method: CipherMethod; key_hex: string | null };
      const config = {
        lastBackupTs: BigInt(input["last_backup_ts"] as string),
        ignoreStats: input["ignore_stats"] as boolean,
        useCheckpoint: input["use_checkpoint"] as boolean,
        s3: input["s3"] as Record<string, string>,
        gcs: input["gcs"] as Record<string, string>,
        azblob: input["azblob"] as Record<string, string>,
        storage: input["storage"] as string,
        pd: input["pd"] as string[] | null,
        sendCredentialsToTikv: input["send_credentials_to_tikv"] as boolean,
        noCredentials: input["no_credentials"] as boolean,
        filterStrings: input["filter_strings"] as string[] | null,
        cipher: cipher.method === "UNKNOWN" ? undefined : { method: cipher.method, key: fromHex(cipher.key_hex ?? "") },
        keyspaceName: input["keyspace_name"] as string,
      };
      assert.equal(backupConfigText(config), hashed_text);
      assert.equal(Buffer.from(backupConfigHash(config)).toString("hex"), hash_hex);
    });
  }
});

test("AES-256-CTR of a known group", () => {
  const cipher: BrCipher = { method: "AES256_CTR", key: new TextEncoder().encode("01234567890123456789012345678901") };
  const plain = new TextEncoder().encode('{"group-key":1,"groups":[{"RangeKey":"a"},{"RangeKey":"A"}]}');
  const iv = Uint8Array.from({ length: 16 }, (_, i) => i);
  const sealed = encrypt(plain, cipher, () => iv);
  assert.equal(
    Buffer.from(sealed.data).toString("base64"),
    "vZ9kywZVT5MsnOF+aHVFH525mvcYXiCb+ef5cm5gMpbJZis942lq22774uCs1w0TFovyHdT6xeGP7ovf",
  );
  assert.deepEqual(new Uint8Array(decrypt(sealed.data, iv, cipher)!), plain);
});
