import { indexPrefix, recordPrefix, tablePrefix } from "../codec/mod.ts";
import type { NamedRange } from "../ingest/mod.ts";
import { SchemaState, type TableInfo } from "../schema/mod.ts";

/** The first key behind all keys with this prefix. */
function behind(prefix: Uint8Array): Uint8Array {
  const out = prefix.slice();
  for (let i = out.length - 1; i >= 0; i--) {
    if (out[i]! < 0xff) {
      out[i]!++;
      return out.subarray(0, i + 1);
    }
  }
  return new Uint8Array(0);
}

export function physicalTables(table: TableInfo): { id: number; name: string }[] {
  const { partition } = table;
  if (!partition?.enable) return [{ id: table.id, name: "" }];
  return partition.definitions.map((definition) => ({ id: definition.id, name: `partition ${definition.name.O}, ` }));
}

/** Records and each index of each physical table, as `ADMIN CHECKSUM TABLE` sums them. */
export function checksumRanges(table: TableInfo): NamedRange[] {
  const out: NamedRange[] = [];
  const add = (name: string, prefix: Uint8Array): void => {
    out.push({ name, start: prefix, end: behind(prefix) });
  };
  const indexes = (table.index_info ?? []).filter(
    (index) => index.state === SchemaState.public && !(index.is_primary && table.is_common_handle),
  );
  const partitioned = table.partition?.enable === true;
  for (const { id, name } of physicalTables(table)) {
    add(`${name}records`, recordPrefix(id));
    for (const index of indexes) {
      if (!(partitioned && index.is_global)) add(`${name}index "${index.idx_name.O}"`, indexPrefix(id, index.id));
    }
  }
  if (partitioned) {
    for (const index of indexes)
      if (index.is_global) add(`global index "${index.idx_name.O}"`, indexPrefix(table.id, index.id));
  }
  return out;
}

/** Everything that the import of a table writes to: its id, and those of its partitions. */
export function tableKeyRanges(ids: readonly number[]): { start: Uint8Array; end: Uint8Array }[] {
  return [...new Set(ids)].map((id) => ({ start: tablePrefix(id), end: behind(tablePrefix(id)) }));
}
