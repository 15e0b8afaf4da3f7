import { textOf, utf8 } from "../base/mod.ts";
import { crc32 } from "../codec/mod.ts";

/** Longest name of a schema in MySQL and TiDB. */
const NAME_BYTES = 64;

/**
 * Schema of Lightning's own checkpoint in the downstream, as DM names it: `<task>_<crc32 of the source>_tidb_lightning_checkpoint`, cut to
 * 64 bytes. Other than DM, a cut never splits a character: DM's name would not be valid text.
 */
export function checkpointSchemaName(task: string, source: string): string {
  if (task === "") return "tidb_lightning_checkpoint";
  return cut(`${task}_${crc32(utf8(source)) >>> 0}_tidb_lightning_checkpoint`);
}

function cut(name: string): string {
  const bytes = utf8(name);
  if (bytes.length <= NAME_BYTES) return name;
  let end = NAME_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return textOf(bytes.subarray(0, end));
}

/** Database of the records of duplicates. */
export function taskInfoSchemaName(metaSchema: string, task: string): string {
  return `${metaSchema}_${task}`;
}

/** DM's own three-state list, one row a task and source. */
export function checkpointListName(task: string): string {
  return `${task}_lightning_checkpoint_list`;
}

/** levin's own row beside it. */
export function unitStateName(task: string): string {
  return `${task}_levin_load`;
}

/** Leases and sums of a coordination that lives in the target. */
export function coordTableName(task: string): string {
  return `${task}_load_coord`;
}
