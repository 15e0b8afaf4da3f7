import { quoteName, type Tidb } from "../tidb/mod.ts";
import { transaction } from "./checkpoint-list.ts";
import { downstreamError } from "./dm-error.ts";
import { unitStateName } from "./names.ts";

/** How far a load is, finer than DM's three states. */
export type Phase = "init" | "running" | "imported" | "finished";

/** What levin remembers of a load beside DM's row: it outlives the process. Times in milliseconds since 1970. */
export interface UnitRecord {
  phase: Phase;
  /** Worker that wrote last. */
  owner: string;
  /** DM's code of the last failure; 0 when there is none. */
  errorCode: number;
  errorText: string;
  /** Who accepted duplicates or a mismatch, when, and which code. */
  accepted: string;
  /** Where replication goes on, as DM's texts. */
  position: string;
  gtid: string;
  updatedMs: number;
}

export const emptyRecord: UnitRecord = {
  phase: "init",
  owner: "",
  errorCode: 0,
  errorText: "",
  accepted: "",
  position: "",
  gtid: "",
  updatedMs: 0,
};

const COLUMNS = ["phase", "owner", "error_code", "error_text", "accepted", "position", "gtid", "updated_ms"] as const;
const MAX_TEXT = 4000;

/** The table `<task>_levin_load` beside DM's list; DM does not know it. */
export class UnitStateTable {
  readonly #tidb: Tidb;
  readonly #table: string;
  readonly #key: [task: string, source: string];

  constructor(tidb: Tidb, metaSchema: string, task: string, source: string) {
    this.#tidb = tidb;
    this.#table = `${quoteName(metaSchema)}.${quoteName(unitStateName(task))}`;
    this.#key = [task, source];
  }

  /** The schema exists already: DM's list is in it. */
  async prepare(): Promise<void> {
    const columns = [
      "task_name varchar(255) NOT NULL",
      "source_name varchar(255) NOT NULL",
      "phase varchar(20) NOT NULL",
      "owner varchar(255) NOT NULL",
      "error_code int NOT NULL",
      "error_text text NOT NULL",
      "accepted text NOT NULL",
      "position varchar(512) NOT NULL",
      "gtid mediumtext NOT NULL",
      "updated_ms bigint NOT NULL",
      "PRIMARY KEY (task_name, source_name)",
    ];
    const sql = `CREATE TABLE IF NOT EXISTS ${this.#table} (${columns.join(", ")})`;
    await transaction(this.#tidb, "initialize checkpoint", sql);
  }

  /** Undefined when there is no row. */
  async read(): Promise<UnitRecord | undefined> {
    const sql = `SELECT ${COLUMNS.join(", ")} FROM ${this.#table} WHERE task_name = ? AND source_name = ?`;
    const { rows } = await this.#tidb.query(sql, this.#key).catch((thrown: unknown) => {
      throw downstreamError("initialize connection", thrown);
    });
    const row = rows[0];
    if (row === undefined) return undefined;
    const text = (i: number) => row[i] ?? "";
    return {
      phase: text(0) as Phase,
      owner: text(1),
      errorCode: Number(text(2)),
      errorText: text(3),
      accepted: text(4),
      position: text(5),
      gtid: text(6),
      updatedMs: Number(text(7)),
    };
  }

  async write(record: UnitRecord): Promise<void> {
    const values = [
      record.phase,
      record.owner,
      record.errorCode,
      record.errorText.slice(0, MAX_TEXT),
      record.accepted.slice(0, MAX_TEXT),
      record.position,
      record.gtid,
      record.updatedMs,
    ];
    const marks = values.map(() => "?").join(", ");
    const sql = `REPLACE INTO ${this.#table} (task_name, source_name, ${COLUMNS.join(", ")}) VALUES (?, ?, ${marks})`;
    await transaction(this.#tidb, "update lightning status", sql, [...this.#key, ...values]);
  }

  async remove(): Promise<void> {
    const sql = `DELETE FROM ${this.#table} WHERE task_name = ? AND source_name = ?`;
    await transaction(this.#tidb, "update lightning status", sql, this.#key);
  }
}
