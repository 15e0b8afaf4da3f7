import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, LevinError, textOf, toHex } from "../../src/base/mod.ts";
import { readChecksumDocument, readDataDocument, sha256 } from "../../src/br/documents.ts";
import {
  type BrCipher,
  backupItemLine,
  backupMetadataLine,
  backupPaths,
  type CipherMethod,
  decrypt,
  FileHome,
  isEncrypting,
  LoadReport,
  loadBackupMetadata,
  readBackupGroup,
  walkItems,
} from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { sampleFiles, sampleFolders, sampleJson, unpackTree } from "./samples.ts";

interface CipherSample {
  method: CipherMethod;
  key_hex: string | null;
}

interface WalkSample {
  error: string | null;
  panic?: string;
  past_dure_time_ns?: string;
  values?: unknown[];
}

interface MetadataSample {
  error?: string | null;
  panic?: string;
  metadata?: unknown;
}

interface GroupSample {
  checksum_hex: string;
  iv_hex: string | null;
  plain_text: string;
  size: number;
}

interface BackupSample {
  cipher: CipherSample | null;
  data_files: Record<string, { dure_time_ns: string; groups: GroupSample[] }> | null;
  checksum_files: Record<string, { dure_time_ns: string; content_text: string; checksum_hex: string }> | null;
  files: { path: string; sha256_hex: string; size: number }[];
  walk: WalkSample;
  load_metadata: MetadataSample;
}

function cipherOf(sample: CipherSample | null): BrCipher | undefined {
  return sample === null ? undefined : { method: sample.method, key: fromHex(sample.key_hex ?? "") };
}

interface Walked {
  values: unknown[];
  report: LoadReport;
  error: LevinError | undefined;
}

async function walk(dir: string, cipher: BrCipher | undefined, strict = false): Promise<Walked> {
  const report = new LoadReport(strict);
  const values: unknown[] = [];
  try {
    const home = new FileHome(new LocalObjects(dir), backupPaths("2025"));
    await walkItems(home, readBackupGroup, { cipher, report }, (key, range) => {
      values.push(backupItemLine(key, range));
    });
    return { values, report, error: undefined };
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return { values, report, error };
  }
}

/** Errors of levin's own words: both sides fail, the text differs. BR's own texts are kept. */
function sameError(own: LevinError | undefined, expected: string | null | undefined): void {
  assert.equal(own !== undefined, (expected ?? null) !== null, `${own?.message} against ${expected}`);
  if (/cipher type invalid|invalid key size/.test(expected ?? "")) assert.equal(own?.message, expected);
}

async function checkMetadata(dir: string, expected: MetadataSample): Promise<LoadReport> {
  const report = new LoadReport();
  let error: LevinError | undefined;
  let line: unknown;
  try {
    const { metadata, checksums } = await loadBackupMetadata(new LocalObjects(dir), { report });
    line = backupMetadataLine(metadata, checksums);
  } catch (thrown) {
    error = LevinError.from(thrown);
  }
  if (expected.panic !== undefined) {
    // Where the original's process ends, levin says what is wrong and goes on.
    assert.ok(error !== undefined || report.damageCount > 0);
    return report;
  }
  sameError(error, expected.error);
  if (error === undefined) assert.deepEqual(line, expected.metadata);
  return report;
}

describe("backup checkpoints that BR wrote", () => {
  for (const name of sampleFolders("backup")) {
    test(`${name}: items, groups, checksums and metadata`, async () => {
      const sample = sampleJson<BackupSample>(`backup/${name}/expected.json`);
      const dir = unpackTree(`backup/${name}/tree`);
      const cipher = cipherOf(sample.cipher);
      const { values, report, error } = await walk(dir, cipher, true);
      assert.equal(error, undefined);
      assert.deepEqual(values, sample.walk.values ?? []);
      assert.equal(`${report.pastDureNs}`, sample.walk.past_dure_time_ns);
      await checkMetadata(dir, sample.load_metadata);
      for (const [file, expected] of Object.entries(sample.data_files ?? {})) {
        const bytes = sampleFiles().get(`backup/${name}/tree/checkpoints/backup/data/${file}`)!;
        const data = readDataDocument(bytes, file);
        assert.equal(`${data.dureNs}`, expected.dure_time_ns);
        const groups = data.groups.map((group) => ({
          checksum_hex: toHex(group!.checksum!),
          iv_hex: group!.iv === null ? null : toHex(group!.iv),
          plain_text: textOf(decrypt(group!.data!, group!.iv, cipher)!),
          size: Number(group!.size),
        }));
        const wanted = expected.groups.map(({ checksum_hex, iv_hex, plain_text, size }) => ({
          checksum_hex,
          iv_hex,
          plain_text,
          size,
        }));
        assert.deepEqual(groups, wanted);
      }
      for (const [file, expected] of Object.entries(sample.checksum_files ?? {})) {
        const bytes = sampleFiles().get(`backup/${name}/tree/checkpoints/backup/checksum/${file}`)!;
        const { dureNs, content, intact } = readChecksumDocument(bytes, file);
        assert.deepEqual(
          [`${dureNs}`, textOf(content), toHex(sha256(content)), intact],
          [expected.dure_time_ns, expected.content_text, expected.checksum_hex, true],
        );
      }
    });
  }
});

interface BrokenSample {
  note: string;
  read_with: CipherSample | null;
  walk: WalkSample;
  load_metadata: MetadataSample;
}

/** Cases in which nothing is damaged: other shapes that the format allows. */
const HARMLESS =
  /^(intact|plain-intact|data-files-all-gone|data-file-duplicate|checksum-same-table-twice|checksum-sub-folder|checksum-folder-gone|checksum-foreign-name|foreign-names|data-path-is-file|group-size-wrong|metadata-.*|method-aes128-with-32-byte-key|plain-read-with-plaintext-method|data-outer-(null|empty-object|null-groups|largest-time|negative-time)|data-group-inner-(empty-range|no-groups|null|null-range|older-with-size|other-case)|data-same-group-in-two-elements|checksum-inner-null)$/;

describe("damaged, foreign and unusual backup checkpoints", () => {
  const samples = sampleJson<Record<string, BrokenSample>>("broken-backup/behaviour.json");
  for (const [name, sample] of Object.entries(samples)) {
    test(`${name}: ${sample.note}`, async () => {
      const dir = unpackTree(`broken-backup/${name}/tree`);
      const cipher = cipherOf(sample.read_with);
      const { values, report, error } = await walk(dir, cipher);
      const metadata = await checkMetadata(dir, sample.load_metadata);
      if (sample.walk.panic === undefined) {
        sameError(error, sample.walk.error);
        assert.deepEqual(values, sample.walk.values ?? []);
        assert.equal(`${report.pastDureNs}`, sample.walk.past_dure_time_ns);
      } else {
        assert.equal(error, undefined);
        assert.ok(report.damageCount > 0);
      }
      const damaged = error !== undefined || report.damageCount + metadata.damageCount > 0;
      const failedMetadata = (sample.load_metadata.error ?? null) !== null;
      assert.equal(damaged || (failedMetadata && !name.startsWith("metadata-")), !HARMLESS.test(name));
      const strict = await walk(dir, cipher, true);
      assert.equal(strict.error !== undefined, error !== undefined || report.damageCount > 0);
      const noneRead = /^(wrong-key|no-cipher-for-encrypted|plaintext-method-for-encrypted|plain-read-with-key)$/.test(
        name,
      );
      assert.equal(report.wrongKey(isEncrypting(cipher))?.code, noneRead ? "Levin:Br:ErrCipher" : undefined);
    });
  }
});
