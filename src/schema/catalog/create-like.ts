import { ciStr } from "../build/column.ts";
import { checkTableName } from "../build/table.ts";
import type { CreateTable } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";
import { SchemaState, type TableInfo } from "../table-info.ts";

/** CREATE TABLE … LIKE (`BuildTableInfoWithLike`): a copy without foreign keys and with new partition ids; the id is left 0. */
export function createLike(create: CreateTable, like: TableInfo, partitionIds: () => number): TableInfo {
  if (like.view || like.sequence) throw ddlError(1347, `'${like.name.O}' is not BASE TABLE`);
  checkTableName(create.table.name);
  const table = structuredClone(like);
  table.id = 0;
  table.name = ciStr(create.table.name);
  table.index_info = table.index_info?.filter(({ state }) => state === SchemaState.public) ?? null;
  table.auto_inc_id = 0;
  table.fk_info = null;
  table.cache_table_status = 0;
  table.temp_table_type = create.temporary === undefined ? 0 : create.temporary === "global" ? 1 : 2;
  table.update_timestamp = 0;
  table.constraint_info?.forEach((constraint, i) => {
    constraint.constraint_name = ciStr(`${table.name.L}_chk_${i + 1}`);
    constraint.tbl_name = { ...table.name };
  });
  for (const definition of table.partition?.definitions ?? []) definition.id = partitionIds();
  return table;
}
