/** What must be true when an import is over: rows, reports, engines, ids; or that nothing came in where it had to be refused. */
import { LevinError, textOf } from "../../src/base/mod.ts";
import type { ImportOptions, JobState } from "../../src/importer/mod.ts";
import { type Expected, naiveImport, type Pairs } from "./oracle.ts";
import type { Place, Story } from "./world.ts";

/** What a life said. */
export interface Said {
  /** It found the import done. */
  foundDone: boolean;
  /** So many rows were left out because of a value. */
  rejected: number;
  /** So many rows are in the way of others. */
  conflicts: number;
  /** It could not take its claim back. */
  keepsClaim: boolean;
}

interface ConflictLine {
  table: string;
  dropped: { file: string; row: number; byte: number } | null;
}

export class Judgement {
  readonly #place: Place;
  readonly #options: ImportOptions;
  readonly #story: Story;
  readonly #violated: (what: string) => never;
  /** Rows in the way of others, once they were counted. */
  conflicts = 0;

  constructor(place: Place, options: ImportOptions, story: Story, violated: (what: string) => never) {
    this.#place = place;
    this.#options = options;
    this.#story = story;
    this.#violated = violated;
  }

  /** Whether a failure says that the import is refused, where it may be. */
  isRefusal(error: unknown): boolean {
    if (!(error instanceof LevinError)) return false;
    const { strategy, limits } = this.#story;
    if (error.code === "Levin:Encode:ErrDuplicateKey") return strategy === "error";
    if (error.code === "Levin:Encode:ErrTooManyConflicts") return limits === "conflicts - 1";
    return error.code === "Levin:Encode:ErrTooManyErrors" && limits === "errors - 1";
  }

  async expect(state: JobState | undefined, before: readonly Pairs[]): Promise<Expected> {
    const { cluster, dump } = this.#place;
    const models = new Map(cluster.front.catalog.tables("d").map((info) => [`d.${info.name.O}`, info]));
    const session = {
      sqlMode: this.#options.sqlMode,
      timeZone: "UTC",
      newCollations: true,
      rowFormatVersion: 2 as const,
      rowLevelChecksum: false,
      nowMs: state?.startedMs ?? 0,
      defaultWeekFormat: 0,
    };
    const rowIdBases = new Map(state?.batches.flatMap((batch) => [...(batch?.rowIdBases ?? [])]));
    // A refused import has not begun all tables: their rows are not there, and must only not be in the way of those that are.
    const begun = new Set(state?.batches.flatMap((batch) => batch.tables));
    for (const name of models.keys()) if (!begun.has(name)) rowIdBases.set(name, 1 << 20);
    const { files } = dump;
    return await naiveImport({ files, models, session, options: this.#options, before, rowIdBases });
  }

  /** With as many conflicts the import must go well; with one less it must not. */
  async conflictLimits(before: readonly Pairs[]): Promise<{ least: number; most: number }> {
    const { dropped, replaced } = await this.expect(undefined, before);
    const count = dropped.size + replaced.size;
    return { least: count, most: count };
  }

  async done(state: JobState | undefined, rows: number, said: Said, before: readonly Pairs[]): Promise<void> {
    const { cluster, dump, disk } = this.#place;
    if (state?.done !== true) this.#violated("the journal does not say that the import is done");
    const engines = [...disk.names()].filter((path) => path.startsWith("/state/engines/"));
    if (engines.length > 0) this.#violated(`${engines.length} files of engines are left`);
    const expected = await this.expect(state, before);
    if (this.#mustRefuse(expected)) this.#violated("the import had to be refused, and was not");
    this.#comparePairs(await cluster.pairs(), expected);
    const tables = [...state!.tables.values()];
    const sourceRows = tables.reduce((sum, table) => sum + table.result.rows, 0);
    if (rows !== sourceRows) this.#violated(`${rows} rows are reported, ${sourceRows} are in the journal`);
    if (tables.some((table) => !table.verified)) this.#violated("a table was not verified");
    const wanted = dump.rows - dump.badRows - expected.dropped.size;
    if (rows !== wanted) this.#violated(`${rows} rows are reported of ${dump.rows}, not ${wanted}`);
    this.#checkRejected(said);
    this.#checkConflicts(state!, expected, said);
    await this.#checkKeys(expected, before);
    if (cluster.harms.length > 0) this.#violated(`a real store would have come to harm: ${cluster.harms[0]}`);
  }

  /**
   * Nothing of a batch whose rows are in each other's way may be there. The threshold is the import's: batches before it may be done, and have
   * replaced rows of their tables.
   */
  async refused(state: JobState | undefined, before: readonly Pairs[]): Promise<void> {
    const { cluster, dump } = this.#place;
    const expected = await this.expect(state, before);
    this.conflicts = expected.dropped.size + expected.replaced.size;
    if (!this.#mustRefuse(expected)) this.#violated("the import was refused without a reason");
    const found = await cluster.pairs();
    const mayBeDone = (state?.batches.length ?? 0) > 1;
    // What gives way is deleted before what replaces it comes, which the continued import brings.
    const isBetween = (state?.batches ?? []).some((batch) => batch.conflicts?.deletes !== undefined && !batch.ingested);
    for (const pairs of before) {
      const isGone = isBetween && expected.replaced.has(pairs);
      for (const [key, value] of pairs) {
        const now = found.get(key);
        const after = expected.pairs.get(key);
        const isAllowed = mayBeDone && (now === after || (isGone && now === undefined));
        if (now !== value && !isAllowed) this.#violated(`the pair ${key} was changed`);
      }
    }
    const isRow = new Map(before.flatMap((pairs) => [...pairs]));
    if (this.#story.limits === "errors - 1") {
      for (const [key, value] of found) {
        if (!isRow.has(key) && expected.pairs.get(key) !== value) this.#violated(`the pair ${key} is nobody's`);
      }
      return;
    }
    const refused = (state?.batches ?? []).flatMap((batch) => (batch.conflicts === undefined ? batch.tables : []));
    const prefixes = cluster.front.catalog.tables("d").flatMap((info) => {
      if (!refused.includes(`d.${info.name.O}`)) return [];
      const ids = [info.id, ...(info.partition?.definitions ?? []).map(({ id }) => id)];
      return ids.map((id) => `74${(BigInt(id) | (1n << 63n)).toString(16)}`);
    });
    if (prefixes.length === 0) this.#violated("no batch was refused");
    const added = [...found.keys()].find((key) => !isRow.has(key) && prefixes.includes(key.slice(0, 18)));
    if (added !== undefined) this.#violated(`the import was refused, and the pair ${added} is there`);
    const lines = this.#lines("conflicts") as ConflictLine[];
    const { maxRecordRows, strategy } = this.#options.conflict!;
    // Too many of them may be told before they are known one by one.
    const isEmpty = strategy === "error" && lines.length < Math.min(1, maxRecordRows);
    if (isEmpty) this.#violated("the report of rows in conflict is empty");
    const foreign = lines.find((line) => line.dropped !== null && !expected.dropped.has(placeOf(line)));
    if (foreign !== undefined) this.#violated(`the report has ${placeOf(foreign)}, which is in nobody's way`);
    if (dump.rows === 0) this.#violated("the dump is empty");
  }

  #mustRefuse({ dropped, replaced }: Expected): boolean {
    const { typeErrorsMax, conflict } = this.#options;
    if (typeErrorsMax < this.#place.dump.badRows) return true;
    if (conflict?.strategy === "error") return dropped.size > 0;
    return conflict !== undefined && dropped.size + replaced.size > conflict.threshold;
  }

  #comparePairs(found: Pairs, { pairs: expected }: Expected): void {
    for (const [key, value] of expected) {
      if (found.get(key) === undefined) this.#violated(`the pair ${key} is lost (${found.size} of ${expected.size})`);
      if (found.get(key) !== value) this.#violated(`the pair ${key} has another value`);
    }
    if (found.size !== expected.size) this.#violated(`there are ${found.size - expected.size} pairs too many`);
  }

  #checkRejected(said: Said): void {
    const { badRows } = this.#place.dump;
    const reported = this.#lines("type-errors").map((line) => JSON.stringify(line));
    if (reported.length !== badRows || new Set(reported).size !== badRows) {
      this.#violated(`the report has ${reported.length} rows, ${badRows} are bad`);
    }
    // A run that was killed between its last table and its reports leaves them to the next; only one that finds all done is silent.
    if (!said.foundDone && said.rejected !== badRows) {
      this.#violated(`${said.rejected} rows are said to be left out, ${badRows} are bad`);
    }
  }

  #checkConflicts(state: JobState, { dropped, replaced }: Expected, said: Said): void {
    const losers = state.batches.reduce((sum, batch) => sum + (batch.conflicts?.losers ?? 0), 0);
    this.conflicts = dropped.size + replaced.size;
    if (losers !== this.conflicts)
      this.#violated(`${losers} rows are in conflict by the journal, not ${this.conflicts}`);
    const lines = this.#lines("conflicts") as ConflictLine[];
    const places = lines.flatMap((line) => (line.dropped === null ? [] : [placeOf(line)]));
    const foreign = places.find((place) => !dropped.has(place));
    if (foreign !== undefined) this.#violated(`the report has ${foreign}, which stays`);
    if (new Set(places).size !== places.length) this.#violated("the report has a row twice");
    const max = this.#options.conflict?.maxRecordRows ?? 0;
    if (lines.length > max) this.#violated(`the report has ${lines.length} rows, ${max} are allowed`);
    const ofTarget = lines.length - places.length;
    if (lines.length < max && (places.length !== dropped.size || ofTarget !== replaced.size)) {
      const found = `${places.length} rows of the source and ${ofTarget} of the target`;
      this.#violated(`the report has ${found}, not ${dropped.size} and ${replaced.size}`);
    }
    if (!said.foundDone && said.conflicts !== losers)
      this.#violated(`${said.conflicts} rows are said to be in conflict, not ${losers}`);
  }

  async #checkKeys({ maxIds }: Expected, before: readonly Pairs[]): Promise<void> {
    const { cluster } = this.#place;
    const old = new Set(before.flatMap((pairs) => [...pairs.keys()]));
    const repeated = (await cluster.repeatedKeys()).filter((key) => !old.has(key));
    if (repeated.length > 0) this.#violated(`${repeated.length} keys have two versions, the first is ${repeated[0]}`);
    for (const [table, largest] of maxIds) {
      const next = await cluster.nextId(table);
      if (next <= largest) this.#violated(`the next id of ${table} is ${next}, ${largest} is in use`);
    }
  }

  #lines(report: string): unknown[] {
    const file = this.#place.disk.files.get(`/state/reports/${report}.ndjson`);
    const lines = textOf(file?.bytes ?? new Uint8Array(0)).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  }
}

const placeOf = ({ dropped }: ConflictLine): string => `${dropped!.file}:${dropped!.row}:${dropped!.byte}`;
