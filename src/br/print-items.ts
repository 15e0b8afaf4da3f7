/** Items as the JSON of BR's writers: what is zero in a file is left out, what is null in a range is `null`. */
import { type GoText, quoteBytes, quoteGo } from "./json-text.ts";
import type { BackupFile, BackupRange, BrLayout, RestoreItem, TableMeta } from "./shapes.ts";

function printMeta(meta: TableMeta): string {
  const parts: string[] = [];
  if (meta.physicalId !== 0n) parts.push(`"physical_id":${meta.physicalId}`);
  if (meta.crc64xor !== 0n) parts.push(`"crc64xor":${meta.crc64xor}`);
  if (meta.totalKvs !== 0n) parts.push(`"total_kvs":${meta.totalKvs}`);
  if (meta.totalBytes !== 0n) parts.push(`"total_bytes":${meta.totalBytes}`);
  return `{${parts.join(",")}}`;
}

function some(bytes: Uint8Array | null): bytes is Uint8Array {
  return bytes !== null && bytes.length > 0;
}

function printFile(file: BackupFile | null): string {
  if (file === null) return "null";
  let out = "";
  if (file.name.length > 0) out += `,"name":${quoteGo(file.name)}`;
  if (some(file.sha256)) out += `,"sha256":${quoteBytes(file.sha256)}`;
  if (some(file.startKey)) out += `,"start_key":${quoteBytes(file.startKey)}`;
  if (some(file.endKey)) out += `,"end_key":${quoteBytes(file.endKey)}`;
  if (file.startVersion !== 0n) out += `,"start_version":${file.startVersion}`;
  if (file.endVersion !== 0n) out += `,"end_version":${file.endVersion}`;
  if (file.crc64xor !== 0n) out += `,"crc64xor":${file.crc64xor}`;
  if (file.totalKvs !== 0n) out += `,"total_kvs":${file.totalKvs}`;
  if (file.totalBytes !== 0n) out += `,"total_bytes":${file.totalBytes}`;
  if (file.tableMetas !== null && file.tableMetas.length > 0) {
    out += `,"table_metas":[${file.tableMetas.map(printMeta).join(",")}]`;
  }
  if (file.cf.length > 0) out += `,"cf":${quoteGo(file.cf)}`;
  if (file.size !== 0n) out += `,"size":${file.size}`;
  if (some(file.cipherIv)) out += `,"cipher_iv":${quoteBytes(file.cipherIv)}`;
  return `{${out.slice(1)}}`;
}

export function printRange(range: BackupRange, layout: BrLayout): string {
  const files = range.files === null ? "null" : `[${range.files.map(printFile).join(",")}]`;
  const size = layout === "2024" ? ',"Size":0' : "";
  return `{"StartKey":${quoteBytes(range.startKey)},"EndKey":${quoteBytes(range.endKey)},"Files":${files}${size}}`;
}

export function printRestoreItem(item: RestoreItem, layout: BrLayout): string {
  if (layout !== "2025") return `{"RangeKey":${quoteGo(item.rangeKey)}}`;
  const parts: string[] = [];
  if (item.rangeKey.length > 0) parts.push(`"range-key":${quoteGo(item.rangeKey)}`);
  if (item.name.length > 0) parts.push(`"name":${quoteGo(item.name)}`);
  return `{${parts.join(",")}}`;
}

/** An item of log restore: table ids in the order of their texts. */
export function printLogItem(goff: bigint, foffs: ReadonlyMap<bigint, readonly bigint[]>): string {
  const tables = [...foffs].map(([id, offsets]) => [`${id}`, offsets] as const);
  tables.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{"goff":${goff},"foffs":{${tables.map(([id, offsets]) => `"${id}":[${offsets.join(",")}]`).join(",")}}}`;
}

export function printGroup(key: GoText | bigint, items: readonly string[]): string {
  return `{"group-key":${typeof key === "bigint" ? key : quoteGo(key)},"groups":[${items.join(",")}]}`;
}
