import { quoteName, type Tidb } from "../../tidb/mod.ts";
import { transaction } from "../checkpoint-list.ts";
import { downstreamError } from "../dm-error.ts";
import { coordTableName } from "../names.ts";
import type { BeatPlace, BeatRecord } from "./beat-store.ts";
import type { CoordState, TableSums } from "./coordination.ts";

/** The table `<task>_load_coord` in the target's meta schema. Made when it is first written. */
export class TablePlace implements BeatPlace {
  readonly #tidb: Tidb;
  readonly #schema: string;
  readonly #table: string;
  #made = false;

  constructor(tidb: Tidb, metaSchema: string, task: string) {
    this.#tidb = tidb;
    this.#schema = quoteName(metaSchema);
    this.#table = `${this.#schema}.${quoteName(coordTableName(task))}`;
  }

  async #make(): Promise<void> {
    if (this.#made) return;
    const columns = [
      "source_name varchar(255) NOT NULL PRIMARY KEY",
      "state varchar(20) NOT NULL",
      "worker varchar(255) NOT NULL",
      "joined int NOT NULL",
      "beat bigint NOT NULL",
      "sums mediumtext NOT NULL",
    ];
    await transaction(this.#tidb, "make the coordination", `CREATE SCHEMA IF NOT EXISTS ${this.#schema}`);
    await transaction(
      this.#tidb,
      "make the coordination",
      `CREATE TABLE IF NOT EXISTS ${this.#table} (${columns.join(", ")})`,
    );
    this.#made = true;
  }

  async read(): Promise<BeatRecord[]> {
    await this.#make();
    const sql = `SELECT source_name, state, worker, joined, beat, sums FROM ${this.#table}`;
    const { rows } = await this.#tidb.query(sql).catch((thrown: unknown) => {
      throw downstreamError("read the coordination", thrown);
    });
    return rows.map(([source, state, worker, joined, beat, sums]) => ({
      source: source ?? "",
      state: (state ?? "not-ready") as CoordState,
      worker: worker ?? "",
      joined: joined === "1",
      beat: Number(beat),
      sums: sums ? (JSON.parse(sums) as Record<string, TableSums>) : undefined,
    }));
  }

  async create({ source, state }: BeatRecord): Promise<void> {
    await this.#make();
    const sql = `INSERT IGNORE INTO ${this.#table} (source_name, state, worker, joined, beat, sums) VALUES (?, ?, '', 0, 0, '')`;
    await transaction(this.#tidb, "write the coordination", sql, [source, state]);
  }

  async replace({ source, state, worker, joined, beat, sums }: BeatRecord, old: number): Promise<boolean> {
    const sql = `UPDATE ${this.#table} SET state = ?, worker = ?, joined = ?, beat = ?, sums = ? WHERE source_name = ? AND beat = ?`;
    const values = [state, worker, joined ? 1 : 0, beat, sums === undefined ? "" : JSON.stringify(sums), source, old];
    return (await transaction(this.#tidb, "write the coordination", sql, values)).affectedRows === 1;
  }

  async clear(): Promise<void> {
    await transaction(this.#tidb, "remove the coordination", `DROP TABLE IF EXISTS ${this.#table}`);
    this.#made = false;
  }
}
