import { assert, LevinError } from "../base/mod.ts";
import { isMissingTable, quoteName, quoteText, type SqlLink, type Tidb, underLocks } from "../tidb/mod.ts";
import {
  CLAIM_COLUMNS,
  type Claim,
  type ClaimedTable,
  claimedBy,
  demandNoneInTheWay,
  findFreeForGood,
  findOthers,
  findUnfinished,
  forgetUnfinished,
  forgottenBy,
  type Names,
  nameOf,
  ordinalsOf,
  type Unfinished,
  writeClaim,
} from "./claims.ts";
import type { Sleep } from "./job-hold.ts";
import { faultOf } from "./sql-faults.ts";

const TABLE = "levin_logical_progress";
const CLAIMS = "levin_logical_tables";
const LOCK_PATIENCE_MS = 60_000;
/** Of what is tidied up behind a failure. */
const TIDY_PATIENCE_MS = 5_000;
/** Number of batch, chunk and table in the row that says of a job that it needs the table of positions. */
const NO_CHUNK = -1;
/** In TiDB FOR UPDATE waits for nobody in an optimistic transaction. */
const BEGIN = "BEGIN /*T! PESSIMISTIC */";
/** Of a transaction that the server has ended for another's sake. */
const TRIES = 3;

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
  readonly #names: Names;
  readonly #sleep: Sleep;
  readonly #jobId: string;
  readonly #job: string;
  /** Of the claim, by name. */
  #ordinals: ReadonlyMap<string, number> = new Map();

  /** `job` tells imports apart that run into one target. */
  constructor(schema: string, job: string, sleep: Sleep) {
    this.#schema = schema;
    this.#name = `${quoteName(schema)}.${quoteName(TABLE)}`;
    this.#claims = `${quoteName(schema)}.${quoteName(CLAIMS)}`;
    this.#names = { claims: this.#claims, positions: this.#name };
    this.#sleep = sleep;
    this.#jobId = job;
    this.#job = quoteText(job);
  }

  /**
   * Throws when another import of the same files has begun with tables of the claim and not ended: `Levin:State:ErrUnfinished`, or
   * `ErrLocked` where a process works at it. Writes nothing.
   */
  async demandFree(tidb: Tidb, claim: Claim): Promise<void> {
    demandNoneInTheWay(await findUnfinished(tidb, this.#names, this.#jobId, claim, this.#sleep), this.#names, claim);
  }

  /**
   * Begins the job, or continues it. `isBegun`: chunks of it may be in, so that the target must know it still, and as that of each table
   * that `isToFill`, else `Levin:State:ErrUnfinished`, which names the import that has made it forget. Uses two connections at least.
   */
  async create(
    tidb: Tidb,
    claim: Claim,
    isBegun: boolean,
    isToFill: (table: ClaimedTable) => boolean = () => true,
  ): Promise<void> {
    this.#ordinals = ordinalsOf(claim);
    await this.#locked(tidb, async (query) => {
      const inSession = { ...tidb, query };
      if (isBegun && !(await unlessGone(query, `SELECT 1 FROM ${this.#name} WHERE ${this.#where(NO_CHUNK, NO_CHUNK)}`)))
        throw await this.forgotten(inSession, claim);
      await query(`CREATE DATABASE IF NOT EXISTS ${quoteName(this.#schema)}`);
      await query(
        `CREATE TABLE IF NOT EXISTS ${this.#name} (job VARCHAR(64) NOT NULL, batch BIGINT NOT NULL, chunk BIGINT NOT NULL, ` +
          "position BIGINT NOT NULL, ordinal BIGINT NOT NULL, PRIMARY KEY (job, batch, chunk))",
      );
      await query(`CREATE TABLE IF NOT EXISTS ${this.#claims} ${CLAIM_COLUMNS}`);
      const found = await findOthers(query, this.#names, this.#jobId, claim, this.#sleep);
      const needed = isBegun ? claim.tables.filter(isToFill) : [];
      await repeated(() => inTransaction(query, () => this.#claim(query, tidb, claim, needed, found))).catch(
        async (thrown: unknown) => {
          if (!(thrown instanceof ForgottenError)) throw thrown;
          throw await this.forgotten(inSession, claim, thrown.tables);
        },
      );
    });
  }

  /** Inside a transaction, so that a process that is killed here leaves the claim that was there. */
  async #claim(
    query: Tidb["query"],
    tidb: Tidb,
    claim: Claim,
    needed: readonly ClaimedTable[],
    found: readonly Unfinished[],
  ): Promise<void> {
    if (needed.length > 0) {
      const own = await query(`SELECT 1 FROM ${this.#name} WHERE ${this.#where(NO_CHUNK, NO_CHUNK)} FOR UPDATE`);
      if (own.rows.length === 0) throw new ForgottenError(this.#name);
      const claimed = await claimedBy(query, this.#claims, this.#job);
      const taken = needed.map(nameOf).filter((name) => !claimed.has(name));
      if (taken.length > 0) throw new ForgottenError(this.#name, taken);
    }
    await findFreeForGood(query, tidb, this.#names, found);
    demandNoneInTheWay(found, this.#names, claim);
    await forgetUnfinished(query, this.#names, found);
    await query(`INSERT IGNORE INTO ${this.#name} VALUES (${this.#job}, ${NO_CHUNK}, ${NO_CHUNK}, 0, ${NO_CHUNK})`);
    await writeClaim(query, this.#claims, this.#job, claim);
  }

  /**
   * Rows that are in; a chunk that is not known begins at 0. Waits for a transaction that still moves it. Throws a `ForgottenError` when
   * another import of the same files has begun since, and forgotten this one, or that it fills the chunk's table, which is one of the claim's.
   */
  async begin(
    link: SqlLink,
    batch: number,
    chunk: number,
    table: Pick<ClaimedTable, "database" | "table">,
  ): Promise<number> {
    const ordinal = this.#ordinals.get(nameOf(table));
    assert(ordinal !== undefined, "the table is one of the claim's");
    await link.run(BEGIN);
    // Who forgets a job locks this row, too.
    const own = await link.rows(`SELECT 1 FROM ${this.#name} WHERE ${this.#where(NO_CHUNK, NO_CHUNK)} FOR UPDATE`);
    const claimed = await link.rows(
      `SELECT 1 FROM ${this.#claims} WHERE job = ${this.#job} AND ordinal = ${ordinal} FOR UPDATE`,
    );
    if (own.length === 0 || claimed.length === 0) {
      await link.run("ROLLBACK");
      throw new ForgottenError(this.#name, own.length === 0 ? [] : [nameOf(table)]);
    }
    await link.run(`INSERT IGNORE INTO ${this.#name} VALUES (${this.#job}, ${batch}, ${chunk}, 0, ${ordinal})`);
    await link.run("COMMIT");
    return this.read(link, batch, chunk);
  }

  async read(link: SqlLink, batch: number, chunk: number): Promise<number> {
    const rows = await link.rows(`SELECT position FROM ${this.#name} WHERE ${this.#where(batch, chunk)} FOR UPDATE`);
    await link.run("ROLLBACK");
    const position = rows[0]?.[0];
    if (position != null) return Number(position);
    throw new ForgottenError(this.#name);
  }

  /** What a `ForgottenError` means to the user: `Levin:State:ErrUnfinished` with the state directory of the import that took the tables over. */
  async forgotten(tidb: Tidb, claim: Claim, taken: readonly string[] = []): Promise<LevinError> {
    const found = await findOthers(tidb.query, this.#names, this.#jobId, claim, this.#sleep);
    return forgottenBy(`the import with state in ${claim.origin}`, taken, found);
  }

  /** Inside the transaction of the rows; false: the position is not `from`. */
  async move(link: SqlLink, batch: number, chunk: number, from: number, to: number): Promise<boolean> {
    const { affectedRows } = await link.run(
      `UPDATE ${this.#name} SET position = ${to} WHERE ${this.#where(batch, chunk)} AND position = ${from}`,
    );
    return affectedRows === 1;
  }

  /** Forgets the batch's chunks, but not that rows came in. */
  async forget(tidb: Tidb, batch: number): Promise<void> {
    await unlessGone(tidb.query, `UPDATE ${this.#name} SET position = 1 WHERE ${this.#where(NO_CHUNK, NO_CHUNK)}`);
    await unlessGone(tidb.query, `DELETE FROM ${this.#name} WHERE job = ${this.#job} AND batch = ${batch}`);
  }

  /** Forgets the job; the tables and their schema go with the last one, where nothing else is in them. */
  async remove(tidb: Tidb): Promise<void> {
    await this.#locked(tidb, async (query) => {
      await inTransaction(query, async () => {
        await unlessGone(query, `DELETE FROM ${this.#name} WHERE job = ${this.#job}`);
        await unlessGone(query, `DELETE FROM ${this.#claims} WHERE job = ${this.#job}`);
      });
      await this.#dropUnused(query);
    });
  }

  /**
   * Behind a failure: where no row of the job is in, forgets the job, so that it is in nobody's way. `isTransactional`: the positions tell
   * it; else it may be so only where no chunk was begun. `note` is called before, with what makes the job's own state begin anew; when it
   * fails nothing is forgotten. True: it was forgotten.
   */
  async takeBack(tidb: Tidb, isTransactional: boolean, note: () => Promise<void>): Promise<boolean> {
    let isEmpty = false;
    const work = async (query: Tidb["query"]): Promise<void> => {
      await inTransaction(query, async () => {
        // Waits for a transaction whose COMMIT is under way.
        const { rows } = await query(`SELECT chunk, position FROM ${this.#name} WHERE job = ${this.#job} FOR UPDATE`);
        const isIn = ([chunk, position]: readonly (string | null)[]): boolean =>
          Number(position) > 0 || (!isTransactional && Number(chunk) >= 0);
        isEmpty = rows.length > 0 && !rows.some(isIn);
        if (!isEmpty) return;
        await note();
        await query(`DELETE FROM ${this.#name} WHERE job = ${this.#job}`);
        await query(`DELETE FROM ${this.#claims} WHERE job = ${this.#job}`);
      });
      if (isEmpty) await this.#dropUnused(query);
    };
    await this.#locked(tidb, work, TIDY_PATIENCE_MS);
    return isEmpty;
  }

  async #dropUnused(query: Tidb["query"]): Promise<void> {
    // A session that was lost may have dropped them, and not the schema.
    if (((await unlessGone(query, `SELECT 1 FROM ${this.#name} LIMIT 1`)) ?? 0) > 0) return;
    if (((await unlessGone(query, `SELECT 1 FROM ${this.#claims} LIMIT 1`)) ?? 0) > 0) return;
    await query(`DROP TABLE IF EXISTS ${this.#claims}`);
    await query(`DROP TABLE IF EXISTS ${this.#name}`);
    const { rows } = await query(
      `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteText(this.#schema)}`,
    );
    if (rows.length === 0) await query(`DROP DATABASE IF EXISTS ${quoteName(this.#schema)}`);
  }

  /** One import at a time. */
  #locked(
    tidb: Tidb,
    work: (query: Tidb["query"]) => Promise<void>,
    patienceMs: number = LOCK_PATIENCE_MS,
  ): Promise<void> {
    return underLocks(tidb, { names: [`levin_progress.${this.#schema}`], patienceMs }, work);
  }

  #where(batch: number, chunk: number): string {
    return `job = ${this.#job} AND batch = ${batch} AND chunk = ${chunk}`;
  }
}

/** The target does not know the job any more, or not as that of `tables`; `PositionTable.forgotten` says why. */
export class ForgottenError extends LevinError {
  readonly tables: readonly string[];

  constructor(table: string, tables: Iterable<string> = []) {
    super("Levin:State:ErrUnfinished", `Cannot continue the import: ${table} does not know it any more`);
    this.tables = [...tables];
  }
}

/** COMMIT, or ROLLBACK where `work` throws. */
async function inTransaction(query: Tidb["query"], work: () => Promise<void>): Promise<void> {
  await query(BEGIN);
  try {
    await work();
    await query("COMMIT");
  } catch (error) {
    await query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Again where a wait for a lock was too long, or closed a circle of waiters. */
async function repeated(work: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || !(error instanceof LevinError) || faultOf(error) !== "retry") throw error;
    }
  }
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
