import { quoteName, type SqlResult, type Tidb } from "../tidb/mod.ts";
import { downstreamError } from "./dm-error.ts";
import { checkpointListName } from "./names.ts";

/** DM's three states of a load, in their order. */
export type LoadState = "init" | "running" | "finished";

const STATES: readonly LoadState[] = ["init", "running", "finished"];

export function isLoadState(text: string): text is LoadState {
  return (STATES as readonly string[]).includes(text);
}

/** True when `a` comes before `b`. */
export function isBefore(a: LoadState, b: LoadState): boolean {
  return STATES.indexOf(a) < STATES.indexOf(b);
}

/** DM's own record of a load in the target: one table a task, one row a source, read and written by DM as well. Errors are DM's. */
export class CheckpointList {
  readonly #tidb: Tidb;
  readonly #schema: string;
  readonly #table: string;
  readonly #key: [task: string, source: string];
  readonly #warn: (message: string) => void;

  constructor(tidb: Tidb, metaSchema: string, task: string, source: string, warn: (message: string) => void) {
    this.#tidb = tidb;
    this.#schema = quoteName(metaSchema);
    this.#table = `${this.#schema}.${quoteName(checkpointListName(task))}`;
    this.#key = [task, source];
    this.#warn = warn;
  }

  /** Makes schema and table, each in a transaction of its own. */
  async prepare(): Promise<void> {
    await transaction(this.#tidb, "initialize checkpoint", `CREATE SCHEMA IF NOT EXISTS ${this.#schema}`);
    const columns = [
      "task_name varchar(255) NOT NULL",
      "source_name varchar(255) NOT NULL",
      "status varchar(10) NOT NULL DEFAULT 'init' COMMENT 'init,running,finished'",
      "PRIMARY KEY (task_name, source_name)",
    ];
    const create = `CREATE TABLE IF NOT EXISTS ${this.#table} (\n\t\t${columns.join(",\n\t\t")}\n\t)`;
    await transaction(this.#tidb, "initialize checkpoint", create);
  }

  /** Makes the row, unless there is one. */
  async register(): Promise<void> {
    const sql = `INSERT IGNORE INTO ${this.#table} (task_name, source_name) VALUES (?, ?)`;
    await transaction(this.#tidb, "initialize checkpoint", sql, this.#key);
  }

  async update(state: LoadState): Promise<void> {
    const sql = `UPDATE ${this.#table} set status = ? WHERE task_name = ? AND source_name = ?`;
    await transaction(this.#tidb, "update lightning status", sql, [state, ...this.#key]);
  }

  /** No row: init; a word that is no state: init, with a warning. */
  async read(): Promise<LoadState> {
    const sql = `SELECT status FROM ${this.#table} WHERE task_name = ? AND source_name = ?`;
    let result: SqlResult;
    try {
      result = await this.#tidb.query(sql, this.#key);
    } catch (thrown) {
      throw downstreamError("initialize connection", thrown);
    }
    const text = result.rows[0]?.[0] ?? "init";
    if (isLoadState(text)) return text;
    this.#warn(`unknown load status "${text}" of ${this.#key.join(", ")} in the checkpoint list; taken for init`);
    return "init";
  }

  /** Removes the row; the table stays for the other sources. */
  async remove(): Promise<void> {
    const sql = `DELETE FROM ${this.#table} WHERE task_name = ? AND source_name = ?`;
    await transaction(this.#tidb, "update lightning status", sql, this.#key);
  }
}

/** One statement between BEGIN and COMMIT on one connection. */
export async function transaction(
  tidb: Tidb,
  annotation: string,
  sql: string,
  values?: (string | number | null)[],
): Promise<SqlResult> {
  try {
    return await tidb.session(async (query) => {
      await query("BEGIN");
      try {
        const result = await query(sql, values);
        await query("COMMIT");
        return result;
      } catch (error) {
        await query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  } catch (thrown) {
    throw downstreamError(annotation, thrown);
  }
}

/** The states of all sources of a task; empty when there is no list. */
export async function readAllStates(tidb: Tidb, metaSchema: string, task: string): Promise<Map<string, LoadState>> {
  const table = `${quoteName(metaSchema)}.${quoteName(checkpointListName(task))}`;
  const sql = `SELECT source_name, status FROM ${table} WHERE task_name = ?`;
  const { rows } = await tidb.query(sql, [task]).catch((thrown: unknown) => {
    throw downstreamError("initialize connection", thrown);
  });
  return new Map(
    rows.map(([source, status]) => [source ?? "", isLoadState(status ?? "") ? (status as LoadState) : "init"]),
  );
}
