import { LevinError } from "../base/mod.ts";
import { isMissingTable, quoteName, quoteText, type SqlLink, type Tidb, underLock } from "../tidb/mod.ts";
import {
  CLAIM_COLUMNS,
  type Claim,
  demandNoneInTheWay,
  findUnfinished,
  forgetUnfinished,
  writeClaim,
} from "./claims.ts";

const TABLE = "levin_logical_progress";
const CLAIMS = "levin_logical_tables";
const LOCK_PATIENCE_MS = 60_000;
/** Number of batch and chunk in the row that says of a job that it needs the table. */
const NO_CHUNK = -1;

/**
 * How many rows of each chunk are in, kept in the target: the number moves in the same transaction as the rows, so that after a lost
 * connection or a killed process the target itself says what was applied. Rows of one job are removed when it ends, the table with the
 * last of them; a job has a row from its beginning on, and both ends are under one lock, so that the table goes from under nobody. A second
 * table says of each job which tables it fills from which files and where its state lies: another import of these refuses to bring the rows a second time.
 */
export class PositionTable {
  readonly #schema: string;
  readonly #name: string;
  readonly #claims: string;
  readonly #jobId: string;
  readonly #job: string;

  /** `job` tells imports apart that run into one target. */
  constructor(schema: string, job: string) {
    this.#schema = schema;
    this.#name = `${quoteName(schema)}.${quoteName(TABLE)}`;
    this.#claims = `${quoteName(schema)}.${quoteName(CLAIMS)}`;
    this.#jobId = job;
    this.#job = quoteText(job);
  }

  /** Throws `Levin:State:ErrUnfinished` when another import of the same files has begun with tables of the claim and not ended; writes nothing. */
  async demandFree(tidb: Tidb, claim: Claim): Promise<void> {
    demandNoneInTheWay(await findUnfinished(tidb, this.#claims, this.#jobId, claim), this.#claims, claim);
  }

  /**
   * Begins the job, or continues it. `isBegun`: chunks of it may be in, so that the target must know it still, else
   * `Levin:State:ErrChanged`.
   */
  async create(tidb: Tidb, claim: Claim, isBegun: boolean): Promise<void> {
    await this.#locked(tidb, async (query) => {
      if (
        isBegun &&
        !(await unlessGone(query, `SELECT 1 FROM ${this.#name} WHERE ${this.#where(NO_CHUNK, NO_CHUNK)}`))
      ) {
        throw forgotten(`with the state in ${claim.origin}`);
      }
      await query(`CREATE DATABASE IF NOT EXISTS ${quoteName(this.#schema)}`);
      await query(
        `CREATE TABLE IF NOT EXISTS ${this.#name} (job VARCHAR(64) NOT NULL, batch BIGINT NOT NULL, chunk BIGINT NOT NULL, ` +
          "position BIGINT NOT NULL, PRIMARY KEY (job, batch, chunk))",
      );
      await query(`CREATE TABLE IF NOT EXISTS ${this.#claims} ${CLAIM_COLUMNS}`);
      const found = await findUnfinished({ ...tidb, query }, this.#claims, this.#jobId, claim);
      demandNoneInTheWay(found, this.#claims, claim);
      await forgetUnfinished(query, { claims: this.#claims, positions: this.#name }, found, claim);
      await query(`INSERT IGNORE INTO ${this.#name} VALUES (${this.#job}, ${NO_CHUNK}, ${NO_CHUNK}, 0)`);
      await writeClaim(query, this.#claims, this.#job, claim);
    });
  }

  /**
   * Rows that are in; a chunk that is not known begins at 0. Waits for a transaction that still moves it. Throws `Levin:State:ErrChanged`
   * when another import of the same files has begun since, and forgotten this one.
   */
  async begin(link: SqlLink, batch: number, chunk: number): Promise<number> {
    const own = await link.rows(`SELECT 1 FROM ${this.#name} WHERE ${this.#where(NO_CHUNK, NO_CHUNK)}`);
    if (own.length === 0) throw forgotten("the import");
    await link.run(`INSERT IGNORE INTO ${this.#name} VALUES (${this.#job}, ${batch}, ${chunk}, 0)`);
    await link.run("COMMIT");
    return this.read(link, batch, chunk);
  }

  async read(link: SqlLink, batch: number, chunk: number): Promise<number> {
    const rows = await link.rows(`SELECT position FROM ${this.#name} WHERE ${this.#where(batch, chunk)} FOR UPDATE`);
    await link.run("ROLLBACK");
    const position = rows[0]?.[0];
    if (position != null) return Number(position);
    throw new LevinError(
      "Levin:State:ErrChanged",
      `Cannot tell what is in: the import's row of chunk ${chunk} is gone from ${this.#name}`,
      { fields: { batch, chunk } },
    );
  }

  /** Inside the transaction of the rows; false: the position is not `from`. */
  async move(link: SqlLink, batch: number, chunk: number, from: number, to: number): Promise<boolean> {
    const { affectedRows } = await link.run(
      `UPDATE ${this.#name} SET position = ${to} WHERE ${this.#where(batch, chunk)} AND position = ${from}`,
    );
    return affectedRows === 1;
  }

  /** Forgets the batch's chunks. */
  async forget(tidb: Tidb, batch: number): Promise<void> {
    await unlessGone(tidb.query, `DELETE FROM ${this.#name} WHERE job = ${this.#job} AND batch = ${batch}`);
  }

  /** Forgets the job; the tables and their schema go with the last one, where nothing else is in them. */
  async remove(tidb: Tidb): Promise<void> {
    await this.#locked(tidb, async (query) => {
      await unlessGone(query, `DELETE FROM ${this.#name} WHERE job = ${this.#job}`);
      await unlessGone(query, `DELETE FROM ${this.#claims} WHERE job = ${this.#job}`);
      const left = await unlessGone(query, `SELECT 1 FROM ${this.#name} LIMIT 1`);
      if (left === undefined || left > 0) return;
      if (((await unlessGone(query, `SELECT 1 FROM ${this.#claims} LIMIT 1`)) ?? 0) > 0) return;
      await query(`DROP TABLE IF EXISTS ${this.#claims}`);
      await query(`DROP TABLE IF EXISTS ${this.#name}`);
      const { rows } = await query(
        `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteText(this.#schema)}`,
      );
      if (rows.length === 0) await query(`DROP DATABASE IF EXISTS ${quoteName(this.#schema)}`);
    });
  }

  /** One import at a time. */
  #locked(tidb: Tidb, work: (query: Tidb["query"]) => Promise<void>): Promise<void> {
    return underLock(tidb, { name: `levin_progress.${this.#schema}`, patienceMs: LOCK_PATIENCE_MS }, work);
  }

  #where(batch: number, chunk: number): string {
    return `job = ${this.#job} AND batch = ${batch} AND chunk = ${chunk}`;
  }
}

function forgotten(what: string): LevinError {
  const why = "another import of the same files into its tables makes it do so, with --fresh or while they are empty";
  return new LevinError(
    "Levin:State:ErrChanged",
    `Cannot continue ${what}: the target has forgotten how far it was; ${why}`,
  );
}

/** Number of rows it gave; undefined where there is no such table. */
async function unlessGone(query: Tidb["query"], sql: string): Promise<number | undefined> {
  try {
    return (await query(sql)).rows.length;
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}
