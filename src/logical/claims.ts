import { inParallel, LevinError } from "../base/mod.ts";
import { hasRows, isMissingTable, quoteName, quoteText, type Tidb } from "../tidb/mod.ts";
import { lifeOf, type Sleep } from "./job-hold.ts";

/** Tables named in one statement or message. */
const ROWS_MAX = 500;
const NAMES_MAX = 5;
/** Tables looked at side by side. */
const LOOKS_MAX = 4;

/** A table, and what of the source goes into it. Either digest tells the same rows: of what was moved or copied, and of what was corrected in place. */
export interface ClaimedTable {
  database: string;
  table: string;
  /** Digest of where the source and its files are. */
  place: string;
  /** Digest of the files' names and sizes. */
  content: string;
}

/** What an import says of itself in the target, so that another one finds it when it has not come to its end. */
export interface Claim {
  /** Host and state directory. */
  origin: string;
  /** Of a load unit its task and source: units with different names fill one table side by side. Empty: a plain import. */
  owner: string;
  /** Milliseconds since 1970. */
  startedMs: number;
  tables: readonly ClaimedTable[];
  /** The job that the state directory of `origin` can still continue, which `--fresh` would forget; undefined: none. */
  kept: string | undefined;
}

/** Another import that has begun with the same rows for some of the tables and has not ended; those of other rows are in nobody's way. */
export interface Unfinished {
  job: string;
  origin: string;
  owner: string;
  startedMs: number;
  /** A process works at it. */
  isAlive: boolean;
  tables: UnfinishedTable[];
}

interface UnfinishedTable extends Pick<ClaimedTable, "database" | "table"> {
  ordinal: number;
  /** Empty, or the job has brought nothing in, and no process works at it. */
  isFree: boolean;
}

/** Processes that end while they are looked at. */
const ENDS_MAX = 3;

type Query = Tidb["query"];

/** The columns of the table of claims, one row for each table of a job. */
export const CLAIM_COLUMNS =
  "(job VARCHAR(64) NOT NULL, ordinal BIGINT NOT NULL, db VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, tbl VARCHAR(64) COLLATE utf8mb4_bin NOT NULL, " +
  "place VARCHAR(64) NOT NULL, content VARCHAR(64) NOT NULL, origin TEXT NOT NULL, owner TEXT NOT NULL, started_ms BIGINT NOT NULL, PRIMARY KEY (job, ordinal)) DEFAULT CHARSET = utf8mb4";

/** Writes the claim of `job` (a quoted text) anew into the table `name`. */
export async function writeClaim(query: Query, name: string, job: string, claim: Claim): Promise<void> {
  const about = `${quoteText(claim.origin)}, ${quoteText(claim.owner)}, ${claim.startedMs}`;
  await query(`DELETE FROM ${name} WHERE job = ${job}`);
  for (let at = 0; at < claim.tables.length; at += ROWS_MAX) {
    const rows = claim.tables.slice(at, at + ROWS_MAX).map(({ database, table, place, content }, i) => {
      const names = `${quoteText(database)}, ${quoteText(table)}, ${quoteText(place)}, ${quoteText(content)}`;
      return `(${job}, ${at + i}, ${names}, ${about})`;
    });
    await query(`INSERT IGNORE INTO ${name} VALUES ${rows.join(", ")}`);
  }
}

/** Names of the two tables, quoted. */
export interface Names {
  claims: string;
  positions: string;
}

/**
 * Other imports that have claimed tables of `claim` for the same rows; `job` is the asking one's. Those that no process works at and that
 * have not begun to bring rows in have only free tables. Empty where there is no table of claims.
 */
export async function findUnfinished(
  tidb: Tidb,
  names: Names,
  job: string,
  claim: Claim,
  sleep: Sleep,
): Promise<Unfinished[]> {
  const found = await findOthers(tidb.query, names, job, claim, sleep);
  await findFree(tidb, (other) => hasBegun(tidb.query, names, other), found);
  return found;
}

/** As `findUnfinished`, without a look at the tables: none is free. */
export async function findOthers(
  query: Query,
  names: Names,
  job: string,
  claim: Claim,
  sleep: Sleep,
  endsLeft = ENDS_MAX,
): Promise<Unfinished[]> {
  const wanted = new Map(claim.tables.map((table) => [nameOf(table), table]));
  const found = new Map<string, Unfinished>();
  const rows = await claimsOf(query, names.claims);
  for (const [other, ordinal, db, tbl, place, content, origin, owner, startedMs] of rows) {
    const named = { database: db!, table: tbl! };
    const own = wanted.get(nameOf(named));
    if (other === job || own === undefined || (own.place !== place && own.content !== content)) continue;
    if (claim.owner !== "" && owner !== "" && owner !== claim.owner) continue;
    const life = found.has(other!) ? undefined : await lifeOf(query, other!, sleep);
    // It may have come to its end, and its claim be gone.
    if (life === "ended" && endsLeft > 0) return findOthers(query, names, job, claim, sleep, endsLeft - 1);
    const one = found.get(other!) ?? {
      job: other!,
      origin: origin!,
      owner: owner!,
      startedMs: Number(startedMs),
      isAlive: life === "alive",
      tables: [],
    };
    found.set(other!, one);
    one.tables.push({ ...named, ordinal: Number(ordinal), isFree: false });
  }
  return [...found.values()];
}

/**
 * As `findUnfinished` says it, inside a transaction of `query` that keeps what was seen: it waits for the transactions of others that move
 * their positions, a COMMIT that a killed process has left behind included, and looks at the tables afterwards, by other connections of
 * `tidb`, which see what was committed meanwhile.
 */
export async function findFreeForGood(
  query: Query,
  tidb: Tidb,
  names: Names,
  found: readonly Unfinished[],
): Promise<void> {
  await findFree(tidb, (other) => hasBegun(query, names, other, " FOR UPDATE"), found);
}

async function findFree(
  tidb: Tidb,
  begun: (job: string) => Promise<boolean>,
  found: readonly Unfinished[],
): Promise<void> {
  const doubtful: UnfinishedTable[] = [];
  // Two that lock rows of the same jobs lock them in one order.
  for (const { job, isAlive, tables } of [...found].sort((a, b) => (a.job < b.job ? -1 : 1))) {
    if (isAlive) continue;
    if (await begun(job)) doubtful.push(...tables);
    else for (const table of tables) table.isFree = true;
  }
  await inParallel(doubtful, LOOKS_MAX, async (one) => {
    one.isFree = !(await isFilled(tidb, one.database, one.table));
  });
}

/** Whether rows of the job may be in: it has begun a chunk, or ended a batch. One that the positions do not know may have any. */
async function hasBegun(query: Query, { positions }: Names, job: string, lock = ""): Promise<boolean> {
  try {
    const { rows } = await query(`SELECT chunk, position FROM ${positions} WHERE job = ${quoteText(job)}${lock}`);
    return rows.length === 0 || rows.some(([chunk, position]) => Number(chunk) >= 0 || Number(position) > 0);
  } catch (error) {
    if (isMissingTable(error)) return true;
    throw error;
  }
}

/**
 * Throws for the first that stands in the way of `claim`: `Levin:State:ErrLocked` where a process works at it, `ErrUnfinished` where it may
 * have brought in rows that would come twice.
 */
export function demandNoneInTheWay(found: readonly Unfinished[], { claims }: Names, claim: Claim): void {
  for (const other of found) {
    const { isAlive, origin, owner } = other;
    const concerned = other.tables.filter(({ isFree }) => !isFree).map(nameOf);
    if (concerned.length === 0) continue;
    const tables = namesOf(concerned);
    const fields = { tables, origin, owner };
    if (isAlive) {
      const message = `Cannot import into ${tables}: ${aboutOf(other)}, is under way with the same rows; wait for its end, or stop it`;
      throw new LevinError("Levin:State:ErrLocked", message, { fields });
    }
    const empty = "empty the tables (TRUNCATE TABLE or DELETE)";
    const anew = `${empty}, then begin anew`;
    const how =
      origin !== claim.origin
        ? `continue that one, or ${anew}`
        : other.job === claim.kept
          ? `continue it (the same command without --fresh), or ${anew}`
          : `its state is gone, so ${anew}`;
    const stay = `if they are to stay: DELETE FROM ${claims} WHERE job = ${quoteText(other.job)}`;
    throw new LevinError(
      "Levin:State:ErrUnfinished",
      `Cannot import into ${tables}: ${aboutOf(other)}, has not ended, and rows of it may stand there; ${how} (${stay})`,
      { fields },
    );
  }
}

/** The error for a job that the target knows no more, or no more as that of the tables `taken`: by another import that is there now, where it is known. */
export function forgottenBy(what: string, taken: readonly string[], found: readonly Unfinished[]): LevinError {
  const other = found[0];
  const why =
    other === undefined
      ? "another import of the same files into its tables has begun since, and ended or was taken back"
      : `${aboutOf(other)}, has begun with the same rows since${other.isAlive ? " and is under way" : ""}`;
  const lost = taken.length === 0 ? "know it any more" : `know it any more as that of ${namesOf(taken)}`;
  return new LevinError("Levin:State:ErrUnfinished", `Cannot continue ${what}: the target does not ${lost}: ${why}`, {
    fields: other === undefined ? {} : { origin: other.origin, owner: other.owner },
  });
}

/**
 * Forgets the claims that were found, whose tables are empty, and how far these had come: whoever works at them still is told by his next
 * statement. Jobs that have no claim left go as a whole.
 */
export async function forgetUnfinished(query: Query, names: Names, found: readonly Unfinished[]): Promise<void> {
  for (const other of found) {
    const job = quoteText(other.job);
    const ordinals = other.tables.map(({ ordinal }) => ordinal).join(", ");
    await query(`DELETE FROM ${names.claims} WHERE job = ${job} AND ordinal IN (${ordinals})`);
    const left = await query(`SELECT 1 FROM ${names.claims} WHERE job = ${job} LIMIT 1`);
    const some = left.rows.length === 0 ? "" : ` AND ordinal IN (${ordinals})`;
    await query(`DELETE FROM ${names.positions} WHERE job = ${job}${some}`);
  }
}

/** Ordinals of the tables of `claim` by name. */
export function ordinalsOf({ tables }: Claim): Map<string, number> {
  return new Map(tables.map((table, i) => [nameOf(table), i]));
}

/** Tables of the job (a quoted text) by name. */
export async function claimedBy(query: Query, name: string, job: string): Promise<Set<string>> {
  const { rows } = await query(`SELECT db, tbl FROM ${name} WHERE job = ${job} FOR UPDATE`);
  return new Set(rows.map(([database, table]) => nameOf({ database: database!, table: table! })));
}

async function claimsOf(query: Query, name: string): Promise<(string | null)[][]> {
  try {
    return (await query(`SELECT job, ordinal, db, tbl, place, content, origin, owner, started_ms FROM ${name}`)).rows;
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

async function isFilled(tidb: Tidb, database: string, table: string): Promise<boolean> {
  try {
    return await hasRows(tidb, database, table);
  } catch (error) {
    if (isMissingTable(error)) return false;
    throw error;
  }
}

/** Quoted. */
export function nameOf({ database, table }: Pick<ClaimedTable, "database" | "table">): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}

function namesOf(tables: readonly string[]): string {
  const more = tables.length > NAMES_MAX ? ` and ${tables.length - NAMES_MAX} more` : "";
  return `${tables.slice(0, NAMES_MAX).join(", ")}${more}`;
}

function aboutOf({ origin, owner, startedMs }: Unfinished): string {
  const who = owner === "" ? "an import" : `the load of ${owner}`;
  return `${who} with state in ${origin}, begun ${new Date(startedMs).toISOString()}`;
}
