/**
 * Checkpoints as JSON for other programs: keys and hashes in hex (`…_hex`, null where absent), 64-bit integers as decimal strings. A text that
 * is more than printable ASCII has a second field with its bytes in hex.
 */
import { toHex, utf8 } from "../base/mod.ts";
import type { Json } from "./json-reader.ts";
import type { GoText } from "./json-text.ts";
import type {
  BackupFile,
  BackupMetadata,
  BackupRange,
  ChecksumItem,
  FileRestoreMetadata,
  FileTaskInfo,
  IngestIndexRepair,
  LogItem,
  LogMetadata,
  RestoreItem,
  SchedulersConfig,
  SnapshotMetadata,
  TiflashItem,
} from "./shapes.ts";

type Line = { [name: string]: unknown };

const hexOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : toHex(bytes));
const textOf = (text: GoText): string => (typeof text === "string" ? text : new TextDecoder().decode(text));

/** A text field, with its bytes where it is not plain. */
function named(name: string, value: GoText): Line {
  const text = textOf(value);
  return /^[\x20-\x7e]*$/.test(text) ? { [name]: text } : { [name]: text, [`${name}_hex`]: toHex(utf8(text)) };
}

/** An integer that is small by its nature: a number unless a double would round it. */
function small(value: bigint): number | string {
  return BigInt.asIntN(53, value) === value || value === BigInt(Number(value)) ? Number(value) : `${value}`;
}

function fileLine(file: BackupFile | null): Line | null {
  if (file === null) return null;
  return {
    cf: textOf(file.cf),
    cipher_iv_hex: hexOf(file.cipherIv),
    crc64xor: `${file.crc64xor}`,
    end_key_hex: hexOf(file.endKey),
    end_version: `${file.endVersion}`,
    ...named("name", file.name),
    sha256_hex: hexOf(file.sha256),
    size: `${file.size}`,
    start_key_hex: hexOf(file.startKey),
    start_version: `${file.startVersion}`,
    table_metas:
      file.tableMetas?.map((meta) => ({
        crc64xor: `${meta.crc64xor}`,
        physical_id: `${meta.physicalId}`,
        total_bytes: `${meta.totalBytes}`,
        total_kvs: `${meta.totalKvs}`,
      })) ?? null,
    total_bytes: `${file.totalBytes}`,
    total_kvs: `${file.totalKvs}`,
  };
}

function rangeLine(range: BackupRange): Line {
  return {
    end_key_hex: hexOf(range.endKey),
    files: range.files?.map(fileLine) ?? null,
    start_key_hex: hexOf(range.startKey),
  };
}

export function backupItemLine(key: GoText, range: BackupRange | null): Line {
  return { ...named("group_key", key), range: range === null ? null : rangeLine(range) };
}

export function restoreItemLine(tableId: bigint, item: RestoreItem): Line {
  const line = { ...named("name", item.name), ...named("range_key", item.rangeKey), table_id: `${tableId}` };
  return item.range === undefined ? line : { ...line, range: rangeLine(item.range) };
}

export function logItemLine(key: GoText, { goff, foffs }: LogItem): Line {
  const tables = foffs === null ? null : [...foffs].map(([id, list]) => [`${id}`, list?.map(small) ?? null]);
  return { foffs: tables === null ? null : Object.fromEntries(tables), goff: small(goff), ...named("group_key", key) };
}

export function checksumsLine(items: ReadonlyMap<bigint, ChecksumItem>): Line {
  return Object.fromEntries(
    [...items].map(([id, item]) => [
      `${id}`,
      {
        crc64xor: `${item.crc64xor}`,
        table_id: `${item.tableId}`,
        total_bytes: `${item.totalBytes}`,
        total_kvs: `${item.totalKvs}`,
      },
    ]),
  );
}

export function backupMetadataLine(metadata: BackupMetadata, checksums: ReadonlyMap<bigint, ChecksumItem>): Line {
  return {
    backup_ts: `${metadata.backupTs}`,
    checksums: checksumsLine(checksums),
    config_hash_hex: hexOf(metadata.configHash),
    gc_service_id: textOf(metadata.gcServiceId),
    ranges: metadata.ranges?.map(rangeLine) ?? null,
  };
}

/** Untyped JSON as Go holds it: every number a double. */
function untyped(value: Json): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(untyped);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, untyped(member)]));
}

function schedulersLine(config: SchedulersConfig | null): Line | null {
  return config === null
    ? null
    : { schedule_cfg: untyped(config.scheduleCfg), schedulers: config.schedulers?.map(textOf) ?? null };
}

export function snapshotMetadataLine(metadata: SnapshotMetadata): Line {
  return {
    restore_uuid: metadata.restoreUuid,
    restored_ts: `${metadata.restoredTs}`,
    schedulers_config: schedulersLine(metadata.schedulersConfig),
    upstream_cluster_id: `${metadata.upstreamClusterId}`,
  };
}

function tiflashLine(items: ReadonlyMap<bigint, TiflashItem> | null): Line | null {
  if (items === null) return null;
  return Object.fromEntries(
    [...items].map(([id, item]) => [
      `${id}`,
      {
        available: item.available,
        available_partition_ids: item.availablePartitionIds?.map((n) => `${n}`) ?? null,
        count: `${item.count}`,
        location_labels: item.locationLabels,
      },
    ]),
  );
}

export function logMetadataLine(metadata: LogMetadata): Line {
  return {
    gc_ratio: textOf(metadata.gcRatio),
    restored_ts: `${metadata.restoredTs}`,
    rewrite_ts: `${metadata.rewriteTs}`,
    start_ts: `${metadata.startTs}`,
    tiflash_items: tiflashLine(metadata.tiflashItems),
    upstream_cluster_id: `${metadata.upstreamClusterId}`,
  };
}

export function fileRestoreMetadataLine(metadata: FileRestoreMetadata): Line {
  return { gc_ratio: textOf(metadata.gcRatio), schedulers_config: schedulersLine(metadata.schedulersConfig) };
}

export function fileTaskInfoLine(info: FileTaskInfo): Line {
  return {
    progress: small(info.progress),
    restore_ts: `${info.restoreTs}`,
    rewrite_ts: `${info.rewriteTs}`,
    start_ts: `${info.startTs}`,
    tiflash_items: tiflashLine(info.tiflashItems),
  };
}

export function progressLine(progress: bigint): number | string {
  return small(progress);
}

function argumentLine(value: Json): Line {
  const type = value === null ? "<nil>" : Array.isArray(value) ? "[]interface {}" : goType[typeof value];
  return { type, value: untyped(value) };
}

/** Go's names for what untyped JSON holds. */
const goType: Record<string, string> = {
  string: "string",
  number: "float64",
  bigint: "float64",
  boolean: "bool",
  object: "map[string]interface {}",
};

export function ingestRepairLines(repairs: readonly IngestIndexRepair[] | null): Line[] | null {
  const nameLine = ({ original, lower }: { original: string; lower: string }): Line => ({ L: lower, O: original });
  return (
    repairs?.map((repair) => ({
      add_args: repair.addArgs?.map(argumentLine) ?? null,
      add_sql: repair.addSql,
      index_id: `${repair.indexId}`,
      index_name: repair.indexName,
      schema_name: nameLine(repair.schemaName),
      table_name: nameLine(repair.tableName),
    })) ?? null
  );
}
