/**
 * Documents changed at random, against what Go's `encoding/json` made of them with structs of BR's shape (`go-json.jsonl.gz`: kind, base64 of the
 * document, the values, or null where Go refused it). And bytes of any kind, which must end in a value or in an error, soon.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { LevinError, seededRandom, toHex, utf8 } from "../../src/base/mod.ts";
import { readChecksumDocument, readChecksumItems, readDataDocument } from "../../src/br/documents.ts";
import {
  readBackupMetadata,
  readIngestRepairs,
  readLock,
  readLogMetadata,
  readProgress,
  readSnapshotMetadata,
} from "../../src/br/metadata-json.ts";
import type { BackupFile, BackupRange, GoText, Json, TiflashItem } from "../../src/br/mod.ts";
import { readBackupGroup, readLogGroup, readRestoreGroup } from "../../src/br/mod.ts";

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : toHex(bytes));
const text = (value: GoText): string => toHex(typeof value === "string" ? utf8(value) : value);
const list = <T>(values: readonly T[] | null, show: (value: T) => unknown): unknown =>
  values === null ? null : values.map(show);
const small = (value: bigint): string => `${value}`;
const byKey = ([a]: [bigint, unknown], [b]: [bigint, unknown]): number => (a < b ? -1 : 1);

function file(found: BackupFile | null): unknown {
  if (found === null) return null;
  const { name, sha256, startKey, endKey, startVersion, endVersion, crc64xor, totalKvs, totalBytes, cf, size } = found;
  const numbers = [startVersion, endVersion, crc64xor, totalKvs, totalBytes].map(small);
  const metas = list(found.tableMetas, (m) => [m.physicalId, m.crc64xor, m.totalKvs, m.totalBytes].map(small));
  return [
    text(name),
    hex(sha256),
    hex(startKey),
    hex(endKey),
    ...numbers,
    text(cf),
    `${size}`,
    hex(found.cipherIv),
    metas,
  ];
}

const range = (found: BackupRange): unknown => [hex(found.startKey), hex(found.endKey), list(found.files, file)];

const tiflash = (items: Map<bigint, TiflashItem> | null): unknown =>
  items === null
    ? null
    : [...items]
        .sort(byKey)
        .map(([id, item]) => [
          `${id}`,
          `${item.count}`,
          list(item.locationLabels, text),
          item.available,
          list(item.availablePartitionIds, small),
        ]);

function untyped(value: Json): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return `s${text(value)}`;
  if (typeof value === "bigint" || typeof value === "number") return `n${Number(value)}`;
  if (Array.isArray(value)) return value.map(untyped);
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [text(name), untyped(member)]);
  return ["map", ...members.sort(([a], [b]) => (a < b ? -1 : 1)).flat()];
}

const kinds: Record<string, (bytes: Uint8Array) => unknown> = {
  data(bytes) {
    const { dureNs, groups } = readDataDocument(bytes, "x");
    return [
      `${dureNs}`,
      list(groups, (g) => (g === null ? null : [hex(g.data), hex(g.checksum), hex(g.iv), `${g.size}`])),
    ];
  },
  checksum(bytes) {
    const { dureNs, content } = readChecksumDocument(bytes, "x");
    return [`${dureNs}`, hex(content)];
  },
  items: (bytes) =>
    readChecksumItems(bytes, "x").map((item) =>
      item === undefined ? null : [item.tableId, item.crc64xor, item.totalKvs, item.totalBytes].map(small),
    ),
  backup(bytes) {
    const { key, items } = readBackupGroup(bytes);
    return [text(key), items.map((item) => (item === null ? null : range(item)))];
  },
  restore(bytes) {
    const { key, items } = readRestoreGroup(bytes);
    return [`${key}`, items.map(({ rangeKey, name }) => [text(rangeKey), text(name)])];
  },
  log(bytes) {
    const { key, items } = readLogGroup(bytes);
    const offsets = (foffs: Map<bigint, bigint[] | null>): unknown =>
      [...foffs].sort(byKey).map(([id, values]) => [`${id}`, list(values, small)]);
    return [text(key), items.map(({ goff, foffs }) => [`${goff}`, foffs === null ? null : offsets(foffs)])];
  },
  backupmeta(bytes) {
    const { gcServiceId, configHash, backupTs, ranges } = readBackupMetadata(bytes, "x");
    return [text(gcServiceId), hex(configHash), `${backupTs}`, list(ranges, range)];
  },
  snapmeta(bytes) {
    const { upstreamClusterId, restoredTs, schedulersConfig: config, restoreUuid } = readSnapshotMetadata(bytes, "x");
    const shown =
      config === null ? null : [list(config.schedulers, text), untyped(config.scheduleCfg), text(config.ruleId ?? "")];
    return [`${upstreamClusterId}`, `${restoredTs}`, shown, restoreUuid];
  },
  logmeta(bytes) {
    const meta = readLogMetadata(bytes, "x");
    const numbers = [meta.upstreamClusterId, meta.restoredTs, meta.startTs, meta.rewriteTs].map(small);
    return [...numbers, text(meta.gcRatio), tiflash(meta.tiflashItems)];
  },
  progress: (bytes) => `${readProgress(bytes, "x")}`,
  ingest: (bytes) =>
    list(readIngestRepairs(bytes, "x"), (repair) => [
      `${repair.indexId}`,
      ...[repair.schemaName, repair.tableName].flatMap(({ original, lower }) => [text(original), text(lower)]),
      text(repair.indexName),
      text(repair.addSql),
      list(repair.addArgs, untyped),
    ]),
  lock(bytes) {
    const { lockId, expireAt } = readLock(bytes, "x");
    return [`${lockId}`, `${expireAt}`];
  },
};

function outcome(kind: string, bytes: Uint8Array): unknown {
  try {
    return kinds[kind]!(bytes);
  } catch (error) {
    assert.ok(error instanceof LevinError && error.code === "Levin:Br:ErrFormat", String((error as Error).stack));
    return undefined;
  }
}

const corpus = gunzipSync(readFileSync(new URL("../golden/br-checkpoint/go-json.jsonl.gz", import.meta.url)))
  .toString()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as [kind: string, document: string, values: unknown]);

test("documents mean what they mean to Go, or are refused as Go refuses them", () => {
  assert.equal(corpus.length, 3000);
  for (const [kind, document, values] of corpus) {
    const bytes = new Uint8Array(Buffer.from(document, "base64"));
    assert.deepEqual(outcome(kind, bytes) ?? null, values, `${kind} ${Buffer.from(bytes).toString("latin1")}`);
  }
});

test("bytes of any kind end in a value or an error, soon", () => {
  const random = seededRandom(8);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!;
  const began = Date.now();
  for (let round = 0; round < 8000; round++) {
    const bytes = Buffer.from(pick(corpus)[1], "base64");
    for (let change = Math.floor(random.next() * 4); change >= 0 && bytes.length > 0; change--) {
      const at = Math.floor(random.next() * bytes.length);
      if (random.next() < 0.5) bytes[at] = Math.floor(random.next() * 256);
      else bytes.copyWithin(at, Math.floor(random.next() * bytes.length));
    }
    outcome(pick(Object.keys(kinds)), new Uint8Array(bytes));
  }
  for (const open of ['{"a":', "[", '{"groups":[', '{"group-key":"', '{"foffs":{"1":[']) {
    for (const kind of Object.keys(kinds)) assert.equal(outcome(kind, utf8(open.repeat(20_000))), undefined);
  }
  assert.ok(Date.now() - began < 20_000);
});
