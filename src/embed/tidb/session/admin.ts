import { indexPrefix, recordKey, tablePrefix } from "../../../codec/mod.ts";
import type { TableInfo } from "../../../schema/mod.ts";
import type { Clauses } from "../query/clauses.ts";
import type { Relation } from "../query/select.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import { madeUp } from "./made-up.ts";
import { nextRowIds } from "./show-table.ts";
import type { SessionState } from "./state.ts";

const OK: StatementResult = { kind: "ok" };

function whole(relation: Relation): StatementResult {
  return { kind: "rows", columns: relation.columns.map((column) => column.result), rows: relation.rows(undefined) };
}

export function physicalIds(table: TableInfo): number[] {
  return table.partition?.enable ? table.partition.definitions.map(({ id }) => id) : [table.id];
}

/** ADMIN, ANALYZE and SPLIT; the cursor stands at the first word. */
export async function runAdmin(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  if (clauses.takeWords("ANALYZE")) return analyze(clauses, state);
  if (clauses.takeWords("SPLIT")) return split(clauses, state);
  clauses.at++;
  if (clauses.takeWords("SHOW")) {
    if (clauses.takeWords("DDL")) return ddl(clauses, state);
    const { db, table } = state.table(clauses.tableName());
    if (!clauses.takeWords("NEXT_ROW_ID")) throw clauses.fail();
    return whole(nextRowIds(state.front, db, table));
  }
  if (clauses.takeWords("CHECK", "TABLE")) {
    do state.table(clauses.tableName());
    while (clauses.takeOp(","));
    return OK;
  }
  if (clauses.takeWords("CHECK", "INDEX")) {
    const { table } = state.table(clauses.tableName());
    const index = clauses.name();
    if (!(table.index_info ?? []).some(({ idx_name }) => idx_name.L === index.toLowerCase()))
      throw new SqlError(1105, `secondary index ${index} does not exist`);
    return OK;
  }
  if (clauses.takeWords("CHECKSUM", "TABLE")) return checksum(clauses, state);
  throw clauses.fail();
}

function analyze(clauses: Clauses, state: SessionState): StatementResult {
  if (!clauses.takeWords("TABLE")) throw clauses.fail();
  do {
    const { db, table } = state.table(clauses.tableName());
    for (const name of table.partition?.definitions.map(({ name: { O } }) => ` partition ${O}`) ?? [""]) {
      state.warnings.push({
        level: "Note",
        code: 1105,
        message: `Analyze use auto adjusted sample rate 1.000000 for table ${db}.${table.name.O}${name}, reason to use this rate is "use min(1, 110000/10000) as the sample-rate=1"`,
      });
    }
  } while (clauses.takeOp(","));
  return { kind: "ok", warnings: state.warnings.length };
}

function ddl(clauses: Clauses, state: SessionState): StatementResult {
  const place = { schema: "INFORMATION_SCHEMA" };
  if (clauses.takeWords("JOBS")) {
    const names = ["JOB_ID:int:4:32", "DB_NAME", "TABLE_NAME", "JOB_TYPE", "SCHEMA_STATE", "SCHEMA_ID:int:4:32"];
    const times = ["CREATE_TIME", "START_TIME", "END_TIME"].map((name) => `${name}:datetime:19:32`);
    const more = ["TABLE_ID:int:4:32", "ROW_COUNT:int:4:32", ...times, "STATE", "COMMENTS"];
    return whole(madeUp([...names, ...more], [], place));
  }
  const { addresses } = state.front;
  const names = ["SCHEMA_VER:int:4:32", "OWNER_ID", "OWNER_ADDRESS:128", "RUNNING_JOBS:1024", "SELF_ID", "QUERY:1024"];
  const row = ["1", "levin-sandbox", `${addresses.host}:${addresses.port}`, "", "levin-sandbox", ""];
  return whole(madeUp(names, [row], place));
}

async function checksum(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  const tables: ReturnType<SessionState["table"]>[] = [];
  do tables.push(state.table(clauses.tableName()));
  while (clauses.takeOp(","));
  clauses.end();
  const ts = await state.front.storage.currentTs();
  const rows: string[][] = [];
  for (const { db, table } of tables) {
    let crc = 0n;
    let kvs = 0n;
    let bytes = 0n;
    for (const id of new Set([table.id, ...physicalIds(table)])) {
      const part = await state.front.storage.checksum(tablePrefix(id), tablePrefix(id + 1), ts);
      crc ^= part.crc;
      kvs += part.kvs;
      bytes += part.bytes;
    }
    rows.push([db, table.name.O, String(crc), String(kvs), String(bytes)]);
  }
  const numbers = ["Checksum_crc64_xor", "Total_kvs", "Total_bytes"].map((name) => `${name}:int:22:32`);
  return whole(madeUp(["Db_name:512", "Table_name:512", ...numbers], rows, { schema: "INFORMATION_SCHEMA" }));
}

/** SPLIT TABLE t BETWEEN (a) AND (b) REGIONS n, for integer handles; SPLIT TABLE t [INDEX i] BY is not known here. */
async function split(clauses: Clauses, state: SessionState): Promise<StatementResult> {
  clauses.takeWords("REGION", "FOR");
  clauses.takeWords("PARTITION");
  if (!clauses.takeWords("TABLE")) throw clauses.fail();
  const { table } = state.table(clauses.tableName());
  const index = clauses.takeWords("INDEX") ? clauses.name() : undefined;
  if (!clauses.takeWords("BETWEEN")) throw clauses.fail();
  const bounds = [bound(clauses)];
  if (!clauses.takeWords("AND")) throw clauses.fail();
  bounds.push(bound(clauses));
  if (!clauses.takeWords("REGIONS")) throw clauses.fail();
  const count = clauses.int();
  const names = ["TOTAL_SPLIT_REGION:int:4:32", "SCATTER_FINISH_RATIO:ratio"];
  const [low, high] = bounds.map((text) => (/^-?\d+$/.test(text) ? BigInt(text) : undefined));
  if (index === undefined && (low === undefined || high === undefined || table.is_common_handle))
    throw new SqlError(1235, "the sandbox splits tables with integer handles only", "42000");
  let done = 0;
  for (const id of physicalIds(table)) {
    if (index !== undefined) {
      const found = table.index_info?.find(({ idx_name }) => idx_name.L === index.toLowerCase());
      if (found === undefined)
        throw new SqlError(1176, `Key '${index}' doesn't exist in table '${table.name.O}'`, "42000");
      await state.front.storage.splitAt(indexPrefix(id, found.id));
      await state.front.storage.splitAt(indexPrefix(id, found.id + 1));
    } else {
      const step = (high! - low!) / BigInt(count);
      for (let i = 0; i < count; i++) {
        const key = i === 0 ? undefined : recordKey(id, { kind: "int", value: low! + step * BigInt(i) });
        await state.front.storage.splitAt(key ?? recordKey(id, { kind: "int", value: low! }).subarray(0, 11));
      }
    }
    done += count;
  }
  return whole(madeUp(names, [[String(done), "1"]], { schema: "INFORMATION_SCHEMA" }));
}

function bound(clauses: Clauses): string {
  if (!clauses.takeOp("(")) throw clauses.fail();
  const { text } = clauses.textUntil([]);
  while (!clauses.takeOp(")")) {
    if (clauses.done) throw clauses.fail();
    clauses.at++;
  }
  return text;
}
