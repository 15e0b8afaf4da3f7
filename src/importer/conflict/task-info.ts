import { quoteName, quoteText, type Tidb } from "../../tidb/mod.ts";
import type { RunContext } from "../context.ts";
import type { RejectedRow } from "../encode/rejected-row.ts";
import { type ConflictLine, placeWords } from "./conflict-report.ts";

const ROWS_OF_INSERT = 200;

/**
 * Tables of Lightning's error schema as of TiDB 7.6 and later (`pkg/lightning/errormanager`); the names' versions are part of what scripts
 * look for. `raw_*` stay empty: levin names rows by file and byte, and does not keep their pairs.
 */
const TABLES: Readonly<Record<string, string>> = {
  type_error_v2:
    "(id bigint PRIMARY KEY AUTO_INCREMENT, task_id bigint NOT NULL, create_time datetime(6) NOT NULL DEFAULT now(6), table_name varchar(261) NOT NULL, " +
    "path varchar(2048) NOT NULL, offset bigint NOT NULL, error text NOT NULL, row_data text NOT NULL)",
  conflict_error_v4:
    "(id bigint PRIMARY KEY AUTO_INCREMENT, task_id bigint NOT NULL, create_time datetime(6) NOT NULL DEFAULT now(6), table_name varchar(261) NOT NULL, " +
    "index_name varchar(128) NOT NULL, key_data text NOT NULL, row_data text NOT NULL, raw_key mediumblob NOT NULL, raw_value mediumblob NOT NULL, " +
    "raw_handle mediumblob NOT NULL, raw_row mediumblob NOT NULL, kv_type tinyint(1) NOT NULL, KEY (task_id, table_name), KEY (index_name), " +
    "KEY (table_name, index_name), KEY (kv_type))",
  conflict_records_v2:
    "(id bigint PRIMARY KEY AUTO_INCREMENT, task_id bigint NOT NULL, create_time datetime(6) NOT NULL DEFAULT now(6), table_name varchar(261) NOT NULL, " +
    "path varchar(2048) NOT NULL, offset bigint NOT NULL, error text NOT NULL, row_id bigint NOT NULL, row_data text NOT NULL, KEY (task_id, table_name))",
};

const VIEW =
  "SELECT 0 AS is_precheck_conflict, id, task_id, create_time, table_name, index_name, key_data, row_data, raw_key, raw_value, raw_handle, raw_row, kv_type, " +
  "NULL AS path, NULL AS offset, NULL AS error, NULL AS row_id FROM conflict_error_v4 UNION ALL " +
  "SELECT 1 AS is_precheck_conflict, id, task_id, create_time, table_name, NULL AS index_name, NULL AS key_data, row_data, NULL AS raw_key, NULL AS raw_value, " +
  "NULL AS raw_handle, NULL AS raw_row, NULL AS kv_type, path, offset, error, row_id FROM conflict_records_v2";

/** Writes what the reports hold into tables of the target, where that is asked for. The same rows when it is done again. */
export async function writeTaskInfo(
  { env, job, options, tidb }: Pick<RunContext, "env" | "job" | "options" | "tidb">,
  paths: { conflicts: string | undefined; rejected: string | undefined },
): Promise<void> {
  const schema = options.conflict?.taskInfoSchema ?? "";
  if (schema === "" || (paths.conflicts === undefined && paths.rejected === undefined)) return;
  const lines = async <T>(path: string | undefined): Promise<T[]> => {
    const bytes = path === undefined ? undefined : await env.files.read(path);
    const text = new TextDecoder().decode(bytes);
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
  };
  const tables = new TaskTables(tidb, schema, BigInt(job.state.startedMs) * 1_000_000n);
  await tables.create();
  const conflicts = await lines<ConflictLine>(paths.conflicts);
  const rejected = await lines<RejectedRow>(paths.rejected);
  const logical = options.backend === "tidb";
  await tables.fill(
    "type_error_v2",
    ["path", "offset", "error", "row_data"],
    rejected.map(({ table, file, byte, error, text }) => [table, file, byte, error, text ?? ""]),
  );
  await tables.fill(
    "conflict_records_v2",
    ["path", "offset", "error", "row_id", "row_data"],
    logical ? conflicts.map((line) => [line.table, ...record(line)]) : [],
  );
  await tables.fill(
    "conflict_error_v4",
    ["index_name", "key_data", "row_data", "raw_key", "raw_value", "raw_handle", "raw_row", "kv_type"],
    logical
      ? []
      : conflicts.map((line) => [line.table, line.index, line.value, words(line), "", "", "", "", kind(line)]),
  );
}

/**
 * Says in a task's `conflict_view` what is known of conflicts that no report names, as those of rows of different sources: a line for a
 * table, which takes the place of one of before. `table` as in `db.table`; `taskId` counts nanoseconds.
 */
export async function writeConflictNote(
  tidb: Tidb,
  schema: string,
  { table, text, taskId }: { table: string; text: string; taskId: bigint },
): Promise<void> {
  const tables = new TaskTables(tidb, schema, taskId);
  await tables.create();
  await tables.note(table, text);
}

const kind = ({ index }: ConflictLine): number => (index === "PRIMARY" ? 1 : 0);

function record(line: ConflictLine): (string | number)[] {
  const { index, value, dropped, kept } = line;
  const at = dropped ?? kept;
  return [
    at?.file ?? "",
    at?.byte ?? 0,
    `index ${index}, value ${value}: ${words(line, "another row")}`,
    at?.row ?? 0,
    "",
  ];
}

/** `without`: what to call a row that has no place; the logical backend has it of rows of the source, too. */
function words({ dropped, kept, target }: ConflictLine, without = placeWords(null)): string {
  const unnamed = target === undefined ? without : placeWords(null, target);
  const of = (place: ConflictLine["kept"]): string => (place === null ? unnamed : placeWords(place));
  return `dropped ${of(dropped)}, kept ${of(kept)}`;
}

class TaskTables {
  readonly #tidb: Tidb;
  readonly #schema: string;
  readonly #task: bigint;

  constructor(tidb: Tidb, schema: string, task: bigint) {
    this.#tidb = tidb;
    this.#schema = quoteName(schema);
    this.#task = task;
  }

  async create(): Promise<void> {
    await this.#tidb.query(`CREATE DATABASE IF NOT EXISTS ${this.#schema}`);
    for (const [name, columns] of Object.entries(TABLES))
      await this.#tidb.query(`CREATE TABLE IF NOT EXISTS ${this.#schema}.${name} ${columns}`);
    await this.#tidb.session(async (query) => {
      await query(`USE ${this.#schema}`);
      await query(`CREATE OR REPLACE VIEW conflict_view AS ${VIEW}`);
    });
  }

  async note(table: string, text: string): Promise<void> {
    const into = `${this.#schema}.conflict_error_v4`;
    await this.#tidb.query(`DELETE FROM ${into} WHERE table_name = ${quoteText(table)} AND index_name = ''`);
    await this.#tidb.query(
      `INSERT INTO ${into} (task_id, table_name, index_name, key_data, row_data, raw_key, raw_value, raw_handle, raw_row, kv_type) ` +
        `VALUES (${this.#task}, ${quoteText(table)}, '', '', ${quoteText(text)}, '', '', '', '', 0)`,
    );
  }

  /** Each row begins with the table's name. */
  async fill(name: string, columns: readonly string[], rows: readonly (string | number)[][]): Promise<void> {
    const table = `${this.#schema}.${name}`;
    await this.#tidb.query(`DELETE FROM ${table} WHERE task_id = ${this.#task}`);
    for (let at = 0; at < rows.length; at += ROWS_OF_INSERT) {
      const values = rows.slice(at, at + ROWS_OF_INSERT).map((row) => {
        const shown = row.map((value) => (typeof value === "number" ? String(value) : quoteText(value)));
        return `(${this.#task}, ${shown.join(", ")})`;
      });
      await this.#tidb.query(
        `INSERT INTO ${table} (task_id, table_name, ${columns.join(", ")}) VALUES ${values.join(", ")}`,
      );
    }
  }
}
