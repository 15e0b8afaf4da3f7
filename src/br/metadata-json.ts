/** The metadata documents of all kinds, read and printed. */
import { utf8 } from "../base/mod.ts";
import { int, listOf, text, uint } from "./json-fields.ts";
import { type Fields, type Json, JsonReader } from "./json-reader.ts";
import { printJson, quoteBytes, quoteGo } from "./json-text.ts";
import { printRange } from "./print-items.ts";
import { readRange } from "./read-items.ts";
import type {
  BackupMetadata,
  BackupRange,
  BrLayout,
  CiName,
  FileRestoreMetadata,
  FileTaskInfo,
  IngestIndexRepair,
  LockFile,
  LogMetadata,
  SchedulersConfig,
  SnapshotMetadata,
  TiflashItem,
} from "./shapes.ts";

function whole(bytes: Uint8Array, what: string, fields: (json: JsonReader) => [string, () => void][]): void {
  const json = new JsonReader(bytes, what);
  json.object(new Map(fields(json)));
  json.end();
}

export function readBackupMetadata(bytes: Uint8Array, what: string): BackupMetadata {
  const meta: BackupMetadata = { gcServiceId: "", configHash: null, backupTs: 0n, ranges: null };
  whole(bytes, what, (json) => [
    ["gc-service-id", text(json, meta, "gcServiceId")],
    [
      "config-hash",
      () => {
        meta.configHash = json.base64();
      },
    ],
    ["backup-ts", uint(json, meta, "backupTs")],
    [
      "ranges",
      () => {
        meta.ranges = listOf<BackupRange>(json, () => readRange(json));
      },
    ],
  ]);
  return meta;
}

export function printBackupMetadata(meta: BackupMetadata, layout: BrLayout): Uint8Array {
  const ranges = meta.ranges === null ? "null" : `[${meta.ranges.map((r) => printRange(r, layout)).join(",")}]`;
  return utf8(
    `{"gc-service-id":${quoteGo(meta.gcServiceId)},"config-hash":${quoteBytes(meta.configHash)},"backup-ts":${meta.backupTs},"ranges":${ranges}}`,
  );
}

function readSchedulers(json: JsonReader): SchedulersConfig | null {
  if (json.takeNull()) return null;
  const config: SchedulersConfig = { schedulers: null, scheduleCfg: null };
  const fields: Fields = new Map([
    [
      "schedulers",
      () => {
        config.schedulers = listOf(json, () => json.string() ?? "");
      },
    ],
    [
      "schedule_cfg",
      () => {
        // A name that comes twice goes on with what is there, as in Go.
        const values: { [name: string]: Json } = config.scheduleCfg ?? {};
        const there = json.members((name) => {
          Object.defineProperty(values, name, {
            value: json.any(),
            writable: true,
            enumerable: true,
            configurable: true,
          });
        });
        config.scheduleCfg = there ? values : null;
      },
    ],
    [
      "rule_id",
      () => {
        const id = json.string();
        if (id !== undefined) config.ruleId = id;
      },
    ],
  ]);
  json.object(fields);
  return config;
}

function printSchedulers(config: SchedulersConfig | null): string {
  if (config === null) return "null";
  const { schedulers, scheduleCfg, ruleId } = config;
  const names = schedulers === null ? "null" : `[${schedulers.map(quoteGo).join(",")}]`;
  const rule = ruleId === undefined ? "" : `,"rule_id":${quoteGo(ruleId)}`;
  return `{"schedulers":${names},"schedule_cfg":${printJson(scheduleCfg)}${rule}}`;
}

/** Text of a UUID in one of the forms Go's parser takes: dashes, none, braces, `urn:uuid:`. */
function parseUuid(json: JsonReader, text: string): string {
  const bare =
    text.length === 45 && /^urn:uuid:/i.test(text) ? text.slice(9) : text.length === 38 ? text.slice(1, -1) : text;
  const match = /^([0-9a-f]{8})(-?)([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{12})$/i.exec(bare);
  if (match === null) throw json.error(`"${text}" is no UUID`);
  const [, a, , b, c, d, e] = match;
  return `${a}-${b}-${c}-${d}-${e}`.toLowerCase();
}

export const ZERO_UUID = "00000000-0000-0000-0000-000000000000";

export function readSnapshotMetadata(bytes: Uint8Array, what: string): SnapshotMetadata {
  const meta: SnapshotMetadata = {
    upstreamClusterId: 0n,
    restoredTs: 0n,
    schedulersConfig: null,
    restoreUuid: ZERO_UUID,
  };
  whole(bytes, what, (json) => [
    ["upstream-cluster-id", uint(json, meta, "upstreamClusterId")],
    ["restored-ts", uint(json, meta, "restoredTs")],
    [
      "schedulers-config",
      () => {
        meta.schedulersConfig = readSchedulers(json);
      },
    ],
    [
      "restore-uuid",
      () => {
        const text = json.string();
        if (text !== undefined) meta.restoreUuid = parseUuid(json, text);
      },
    ],
  ]);
  return meta;
}

export function printSnapshotMetadata(meta: SnapshotMetadata): Uint8Array {
  return utf8(
    `{"upstream-cluster-id":${meta.upstreamClusterId},"restored-ts":${meta.restoredTs},"schedulers-config":${printSchedulers(meta.schedulersConfig)},"restore-uuid":"${meta.restoreUuid}"}`,
  );
}

function readTiflash(json: JsonReader, before: Map<bigint, TiflashItem> | null): Map<bigint, TiflashItem> | null {
  const items = before ?? new Map<bigint, TiflashItem>();
  const there = json.members((name) => {
    if (!/^[+-]?\d+$/.test(name)) throw json.error(`"${name}" is no table id`);
    const item: TiflashItem = { count: 0n, locationLabels: null, available: false, availablePartitionIds: null };
    json.object(
      new Map([
        ["count", uint(json, item, "count")],
        [
          "locationlabels",
          () => {
            item.locationLabels = listOf(json, () => json.string() ?? "");
          },
        ],
        [
          "available",
          () => {
            item.available = json.boolean() ?? item.available;
          },
        ],
        [
          "availablepartitionids",
          () => {
            item.availablePartitionIds = listOf(json, () => json.int64() ?? 0n);
          },
        ],
      ]),
    );
    items.set(BigInt(name.replace("+", "")), item);
  });
  return there ? items : null;
}

function printTiflash(items: ReadonlyMap<bigint, TiflashItem> | null): string {
  if (items === null || items.size === 0) return "";
  const list = <T>(values: readonly T[] | null, print: (value: T) => string): string =>
    values === null ? "null" : `[${values.map(print).join(",")}]`;
  const printed = [...items]
    .map(([id, item]) => [`${id}`, item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([id, item]) =>
        `"${id}":{"Count":${item.count},"LocationLabels":${list(item.locationLabels, quoteGo)},"Available":${item.available},"AvailablePartitionIDs":${list(item.availablePartitionIds, (n) => `${n}`)}}`,
    );
  return `,"tiflash-recorder":{${printed.join(",")}}`;
}

export function readLogMetadata(bytes: Uint8Array, what: string): LogMetadata {
  const meta: LogMetadata = {
    upstreamClusterId: 0n,
    restoredTs: 0n,
    startTs: 0n,
    rewriteTs: 0n,
    gcRatio: "",
    tiflashItems: null,
  };
  whole(bytes, what, (json) => [
    ["upstream-cluster-id", uint(json, meta, "upstreamClusterId")],
    ["restored-ts", uint(json, meta, "restoredTs")],
    ["start-ts", uint(json, meta, "startTs")],
    ["rewrite-ts", uint(json, meta, "rewriteTs")],
    ["gc-ratio", text(json, meta, "gcRatio")],
    [
      "tiflash-recorder",
      () => {
        meta.tiflashItems = readTiflash(json, meta.tiflashItems);
      },
    ],
  ]);
  return meta;
}

export function printLogMetadata(meta: LogMetadata): Uint8Array {
  return utf8(
    `{"upstream-cluster-id":${meta.upstreamClusterId},"restored-ts":${meta.restoredTs},"start-ts":${meta.startTs},"rewrite-ts":${meta.rewriteTs},"gc-ratio":${quoteGo(meta.gcRatio)}${printTiflash(meta.tiflashItems)}}`,
  );
}

export function readProgress(bytes: Uint8Array, what: string): bigint {
  let progress = 0n;
  whole(bytes, what, (json) => [
    [
      "progress",
      () => {
        progress = json.int64() ?? progress;
      },
    ],
  ]);
  return progress;
}

export function printProgress(progress: bigint): Uint8Array {
  return utf8(`{"progress":${progress}}`);
}

export function readFileRestoreMetadata(bytes: Uint8Array, what: string): FileRestoreMetadata {
  const meta: FileRestoreMetadata = { schedulersConfig: null, gcRatio: "" };
  whole(bytes, what, (json) => [
    [
      "schedulers-config",
      () => {
        meta.schedulersConfig = readSchedulers(json);
      },
    ],
    ["gc-ratio", text(json, meta, "gcRatio")],
  ]);
  return meta;
}

export function printFileRestoreMetadata(meta: FileRestoreMetadata): Uint8Array {
  const parts: string[] = [];
  if (meta.schedulersConfig !== null) parts.push(`"schedulers-config":${printSchedulers(meta.schedulersConfig)}`);
  if (meta.gcRatio.length > 0) parts.push(`"gc-ratio":${quoteGo(meta.gcRatio)}`);
  return utf8(`{${parts.join(",")}}`);
}

export function readFileTaskInfo(bytes: Uint8Array, what: string): FileTaskInfo {
  const info: FileTaskInfo = { progress: 0n, startTs: 0n, restoreTs: 0n, rewriteTs: 0n, tiflashItems: null };
  whole(bytes, what, (json) => [
    ["progress", int(json, info, "progress")],
    ["start-ts", uint(json, info, "startTs")],
    ["restore-ts", uint(json, info, "restoreTs")],
    ["rewrite-ts", uint(json, info, "rewriteTs")],
    [
      "tiflash-recorder",
      () => {
        info.tiflashItems = readTiflash(json, info.tiflashItems);
      },
    ],
  ]);
  return info;
}

export function printFileTaskInfo(info: FileTaskInfo): Uint8Array {
  return utf8(
    `{"progress":${info.progress},"start-ts":${info.startTs},"restore-ts":${info.restoreTs},"rewrite-ts":${info.rewriteTs}${printTiflash(info.tiflashItems)}}`,
  );
}

/** An identifier: an object of both forms, or a plain text, whose lower-case form is made here. */
function readCiName(json: JsonReader, before: CiName): CiName {
  const name: CiName = { ...before };
  if (!json.atObject()) {
    const text = json.string();
    return text === undefined ? before : { original: text, lower: text.toLowerCase() };
  }
  json.object(
    new Map([
      ["o", text(json, name, "original")],
      ["l", text(json, name, "lower")],
    ]),
  );
  return name;
}

const printCiName = ({ original, lower }: CiName): string => `{"O":${quoteGo(original)},"L":${quoteGo(lower)}}`;

export function readIngestRepairs(bytes: Uint8Array, what: string): IngestIndexRepair[] | null {
  let repairs: IngestIndexRepair[] | null = null;
  whole(bytes, what, (json) => [
    [
      "sqls",
      () => {
        repairs = listOf(json, () => {
          const repair: IngestIndexRepair = {
            indexId: 0n,
            schemaName: { original: "", lower: "" },
            tableName: { original: "", lower: "" },
            indexName: "",
            addSql: "",
            addArgs: null,
          };
          json.object(
            new Map([
              ["index-id", int(json, repair, "indexId")],
              [
                "schema-name",
                () => {
                  repair.schemaName = readCiName(json, repair.schemaName);
                },
              ],
              [
                "table-name",
                () => {
                  repair.tableName = readCiName(json, repair.tableName);
                },
              ],
              ["index-name", text(json, repair, "indexName")],
              ["add-sql", text(json, repair, "addSql")],
              [
                "add-args",
                () => {
                  repair.addArgs = listOf(json, () => json.any());
                },
              ],
            ]),
          );
          return repair;
        });
      },
    ],
  ]);
  return repairs;
}

export function printIngestRepairs(repairs: readonly IngestIndexRepair[] | null): Uint8Array {
  const one = (repair: IngestIndexRepair): string =>
    `{"index-id":${repair.indexId},"schema-name":${printCiName(repair.schemaName)},"table-name":${printCiName(repair.tableName)},"index-name":${quoteGo(repair.indexName)},"add-sql":${quoteGo(repair.addSql)},"add-args":${printJson(repair.addArgs)}}`;
  return utf8(`{"SQLs":${repairs === null ? "null" : `[${repairs.map(one).join(",")}]`}}`);
}

export function readLock(bytes: Uint8Array, what: string): LockFile {
  const lock: LockFile = { lockId: 0n, expireAt: 0n };
  whole(bytes, what, (json) => [
    ["lock-id", uint(json, lock, "lockId")],
    ["expire-at", int(json, lock, "expireAt")],
  ]);
  return lock;
}

export function printLock({ lockId, expireAt }: LockFile): Uint8Array {
  return utf8(`{"lock-id":${lockId},"expire-at":${expireAt}}`);
}
