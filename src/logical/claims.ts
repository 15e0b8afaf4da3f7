import { LevinError } from "../base/mod.ts";
import { hasRows, isMissingTable, quoteName, quoteText, type Tidb } from "../tidb/mod.ts";

/** Tables named in one statement or message. */
const ROWS_MAX = 500;
const NAMES_MAX = 5;

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
  /** Forget other imports of the same rows into these tables; of a load unit only those of the same owner. */
  fresh: boolean;
  /** Called for what was forgotten though its tables have rows. */
  onForgotten(message: string): void;
}

/** Another import that has begun with the same rows for some of the tables and has not ended; those of other rows are in nobody's way. */
export interface Unfinished {
  job: string;
  origin: string;
  owner: string;
  startedMs: number;
  tables: { ordinal: number; name: string; isEmpty: boolean }[];
}

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

/** Other imports that have claimed tables of `claim` for the same rows; `job` is the asking one's. Empty where there is no table of claims. */
export async function findUnfinished(tidb: Tidb, name: string, job: string, claim: Claim): Promise<Unfinished[]> {
  const wanted = new Map(claim.tables.map((table) => [nameOf(table), table]));
  const found = new Map<string, Unfinished>();
  for (const [other, ordinal, db, tbl, place, content, origin, owner, startedMs] of await claimsOf(tidb.query, name)) {
    const own = wanted.get(nameOf({ database: db!, table: tbl! }));
    if (other === job || own === undefined || (own.place !== place && own.content !== content)) continue;
    if (claim.owner !== "" && owner !== "" && owner !== claim.owner) continue;
    const one = found.get(other!) ?? {
      job: other!,
      origin: origin!,
      owner: owner!,
      startedMs: Number(startedMs),
      tables: [],
    };
    found.set(other!, one);
    const isEmpty = !(await isFilled(tidb, db!, tbl!));
    one.tables.push({ ordinal: Number(ordinal), name: nameOf({ database: db!, table: tbl! }), isEmpty });
  }
  return [...found.values()];
}

/** Throws `Levin:State:ErrUnfinished` for the first that stands in the way of `claim`: it may have brought in rows that would come twice. */
export function demandNoneInTheWay(found: readonly Unfinished[], name: string, claim: Claim): void {
  for (const other of found) {
    const filled = other.tables.filter(({ isEmpty }) => !isEmpty).map(({ name }) => name);
    if (filled.length === 0 || (claim.fresh && (claim.owner === "" || claim.owner === other.owner))) continue;
    const anew =
      claim.owner === ""
        ? "empty the tables and say --fresh"
        : other.owner === claim.owner
          ? "empty the tables and begin anew (levin load reset --yes)"
          : `empty the tables and begin anew (or delete its rows from ${name}, if they are to stay)`;
    throw new LevinError(
      "Levin:State:ErrUnfinished",
      `Cannot import into ${namesOf(filled)}: ${aboutOf(other)}, has not ended, and rows of it may stand there; continue that one, or ${anew}`,
      { fields: { tables: namesOf(filled), origin: other.origin, owner: other.owner } },
    );
  }
}

/** Forgets the claims that were found; jobs whose rows would be missed, or that have no claim left, go as a whole. */
export async function forgetUnfinished(
  query: Query,
  names: { claims: string; positions: string },
  found: readonly Unfinished[],
  claim: Claim,
): Promise<void> {
  for (const other of found) {
    const job = quoteText(other.job);
    const ordinals = other.tables.map(({ ordinal }) => ordinal).join(", ");
    await query(`DELETE FROM ${names.claims} WHERE job = ${job} AND ordinal IN (${ordinals})`);
    const filled = other.tables.filter(({ isEmpty }) => !isEmpty).map(({ name }) => name);
    const left = await query(`SELECT 1 FROM ${names.claims} WHERE job = ${job} LIMIT 1`);
    if (filled.length > 0 || left.rows.length === 0) await query(`DELETE FROM ${names.positions} WHERE job = ${job}`);
    if (filled.length === 0) continue;
    claim.onForgotten(`${aboutOf(other)}, is forgotten; rows of it may stand in ${namesOf(filled)}`);
  }
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

function nameOf({ database, table }: Pick<ClaimedTable, "database" | "table">): string {
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
