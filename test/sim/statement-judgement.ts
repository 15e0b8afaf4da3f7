/** What must be true when an import by statements is over: each row once, reports, counts, nothing of levin's own in the target. */
import { LevinError, textOf } from "../../src/base/mod.ts";
import type { ImportOptions, JobState } from "../../src/importer/mod.ts";
import type { Said } from "./judgement.ts";
import type { Pairs } from "./oracle.ts";
import { type Outcome, StatementOracle, shownRow } from "./statement-oracle.ts";
import { META_SCHEMA, type Place, type Story } from "./world.ts";

interface SourcePlace {
  file: string;
  row: number;
  byte: number;
}

interface ConflictLine {
  table: string;
  dropped: SourcePlace | null;
  kept: SourcePlace | null;
}

const POSITIONS = `SELECT batch, chunk, position FROM ${META_SCHEMA}.levin_logical_progress`;
const CLAIMS = `SELECT db, tbl FROM ${META_SCHEMA}.levin_logical_tables`;

export class StatementJudgement {
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
    if (error.code === "Levin:Encode:ErrDuplicateKey") return strategy === "error" || strategy === "";
    if (error.code === "Levin:Encode:ErrTooManyConflicts") return limits === "conflicts - 1";
    return error.code === "Levin:Encode:ErrTooManyErrors" && limits === "errors - 1";
  }

  /** With as many conflicts the import must go well; with one less than the least of them it must not. */
  async conflictLimits(before: readonly Pairs[]): Promise<{ least: number; most: number }> {
    const oracle = await this.#oracle(before);
    return sumOf(oracle.outcome(this.#story.strategy, new Set()));
  }

  async done(state: JobState | undefined, rows: number, said: Said, before: readonly Pairs[]): Promise<void> {
    if (state?.done !== true) this.#violated("the journal does not say that the import is done");
    const { disk } = this.#place;
    const engines = [...disk.names()].filter((path) => path.startsWith("/state/engines/"));
    if (engines.length > 0) this.#violated(`${engines.length} files of engines are left`);
    const oracle = await this.#oracle(before);
    const checked = checkedOf(state!);
    const expected = oracle.outcome(this.#story.strategy, checked);
    if (this.#isTooMuch(expected, "least")) this.#violated("the import had to be refused, and was not");
    await this.#compareRows(expected);
    this.#checkCounts(state!, rows, oracle, expected, checked);
    this.#checkRejected(oracle, said);
    this.#checkConflicts(state!, expected, checked, said);
    if ((await this.#place.cluster.select("SHOW DATABASES"))!.some(([name]) => name === META_SCHEMA))
      this.#violated(`the import is done, and the target has ${META_SCHEMA}`);
  }

  /** What came in stays, and the target knows how much that is; where nothing came in it knows nothing of the import. */
  async refused(state: JobState | undefined, before: readonly Pairs[], error: unknown, said: Said): Promise<void> {
    const oracle = await this.#oracle(before);
    const all = oracle.outcome(this.#story.strategy, new Set());
    this.conflicts = sumOf(all).most;
    if (!this.#isTooMuch(all, "most")) this.#violated("the import was refused without a reason");
    const { cluster } = this.#place;
    const positions = new Map<string, number>();
    for (const [batch, chunk, position] of (await cluster.select(POSITIONS)) ?? [])
      positions.set(`${batch}.${chunk}`, Number(position));
    const sent = new Set<unknown>();
    for (const { id, chunks } of state?.batches ?? []) {
      for (const chunk of chunks) {
        const rows = oracle.rows.filter(
          ({ path, byte }) => path === chunk.path && byte >= chunk.start && byte < (chunk.end ?? Infinity),
        );
        for (const row of rows.slice(0, positions.get(`${id}.${chunk.id}`) ?? 0)) sent.add(row);
      }
    }
    await this.#compareRows(oracle.outcome(this.#story.strategy, checkedOf(state), (row) => sent.has(row)));
    const claims = await cluster.select(CLAIMS);
    const isAnyIn = [...positions.values()].some((position) => position > 0);
    if (isAnyIn && claims?.length !== tablesOf(this.#place).length)
      this.#violated(`rows are in, and the target has ${claims?.length} claims`);
    if (!isAnyIn && !said.keepsClaim && (claims !== undefined || positions.size > 0))
      this.#violated("no row is in, and the target still has the import");
    const isDuplicate = (error as LevinError).code === "Levin:Encode:ErrDuplicateKey";
    if (isDuplicate && this.#story.strategy === "error" && this.#lines("conflicts").length === 0)
      this.#violated("the report of rows in conflict is empty");
  }

  async #oracle(before: readonly Pairs[]): Promise<StatementOracle> {
    const { cluster, dump } = this.#place;
    const models = new Map(cluster.front.catalog.tables("d").map((info) => [`d.${info.name.O}`, info]));
    const session = {
      sqlMode: this.#options.sqlMode,
      timeZone: "UTC",
      newCollations: true,
      rowFormatVersion: 2 as const,
      rowLevelChecksum: false,
      nowMs: 0,
      defaultWeekFormat: 0,
    };
    // Row ids are the server's, and must only not be in the way of those that are there.
    const rowIdBases = new Map([...models.keys()].map((name) => [name, 1 << 20]));
    const input = { files: dump.files, models, session, options: this.#options, rowIdBases };
    return await StatementOracle.open(input, dump, before);
  }

  /** Counted in favour of the one answer or the other: whether the import is to be refused. */
  #isTooMuch(outcome: Outcome, side: "least" | "most"): boolean {
    const { typeErrorsMax, conflict } = this.#options;
    if (typeErrorsMax < this.#place.dump.badRows) return true;
    const count = sumOf(outcome)[side];
    const { strategy } = this.#story;
    if (strategy === "error" || strategy === "") return count > 0;
    return count > conflict!.threshold;
  }

  async #compareRows({ rows }: Outcome): Promise<void> {
    const { cluster, dump } = this.#place;
    for (const [table, expected] of rows) {
      const found = (await cluster.select(`SELECT * FROM ${table}`)) ?? [];
      const there = found.map((row) => shownRow(dump, table, row)).sort();
      if (JSON.stringify(there) === JSON.stringify(expected)) continue;
      const lost = without(expected, there);
      const more = without(there, expected);
      this.#violated(
        `${table} has ${there.length} rows, not ${expected.length}: ${lost.length} are lost (${lost[0]}), ${more.length} are too many (${more[0]})`,
      );
    }
  }

  #checkCounts(
    state: JobState,
    rows: number,
    oracle: StatementOracle,
    expected: Outcome,
    checked: ReadonlySet<string>,
  ): void {
    let sum = 0;
    const { strategy } = this.#story;
    const filled = new Set(state.batches.flatMap((batch) => batch.filled));
    for (const [table, { result, verified }] of state.tables) {
      const good = oracle.rows.filter((row) => row.table === table && row.naive !== undefined).length;
      // Rows that statements replace count as imported.
      const gone = checked.has(table) || strategy === "ignore" ? expected.dropped.get(table)!.size : 0;
      if (result.rows !== good - gone) this.#violated(`${table} has ${result.rows} rows, not ${good - gone}`);
      const isTold = !filled.has(table) && (strategy !== "replace" || checked.has(table));
      if (verified !== isTold) this.#violated(`${table} is ${verified ? "" : "not "}said to be verified`);
      sum += result.rows;
    }
    if (rows !== sum) this.#violated(`${rows} rows are reported, ${sum} are in the journal`);
    if (state.tables.size !== tablesOf(this.#place).length) this.#violated(`${state.tables.size} tables are done`);
  }

  #checkRejected(oracle: StatementOracle, said: Said): void {
    const { bad } = oracle;
    const reported = (this.#lines("type-errors") as SourcePlace[]).map(({ file, byte }) => `${file}:${byte}`);
    const isSame = reported.length === bad.size && reported.every((place) => bad.has(place));
    if (!isSame || new Set(reported).size !== bad.size)
      this.#violated(`the report has the rows ${reported.join(", ")}, bad are ${[...bad].join(", ")}`);
    // A run that was killed between its last table and its reports leaves them to the next; only one that finds all done is silent.
    if (!said.foundDone && said.rejected !== bad.size)
      this.#violated(`${said.rejected} rows are said to be left out, ${bad.size} are bad`);
  }

  #checkConflicts(state: JobState, expected: Outcome, checked: ReadonlySet<string>, said: Said): void {
    const { strategy } = this.#story;
    const losers = state.batches.reduce((sum, { conflicts }) => sum + (conflicts?.losers ?? 0), 0);
    const chunks = state.batches.flatMap(({ done }) => [...done.values()]);
    let least = 0;
    let most = 0;
    const places = { dropped: new Set<string>(), kept: new Set<string>() };
    for (const [table, conflicts] of expected.conflicts) {
      const told = chunks
        .filter((chunk) => chunk.table === table)
        .reduce((sum, { counts }) => sum + (counts?.conflictRows ?? 0), 0);
      if (checked.has(table)) {
        if (told > 0) this.#violated(`${told} rows of ${table} are in conflict behind the check of the source`);
        for (const place of expected.dropped.get(table)!) places.dropped.add(place);
        least += expected.dropped.get(table)!.size;
        most += expected.dropped.get(table)!.size;
        continue;
      }
      if (told < conflicts.least || told > conflicts.most)
        this.#violated(`${told} rows of ${table} are in conflict, not ${conflicts.least} to ${conflicts.most}`);
      const set = strategy === "replace" ? places.kept : places.dropped;
      const own = strategy === "replace" ? expected.displacers : expected.dropped;
      for (const place of own.get(table)!) set.add(place);
      least += conflicts.least;
      most += conflicts.most;
    }
    this.conflicts = most;
    const inJournal = losers + chunks.reduce((sum, { counts }) => sum + (counts?.conflictRows ?? 0), 0);
    if (inJournal < least || inJournal > most)
      this.#violated(`${inJournal} rows are in conflict by the journal, not ${least} to ${most}`);
    if (!said.foundDone && said.conflicts !== inJournal)
      this.#violated(`${said.conflicts} rows are said to be in conflict, not ${inJournal}`);
    this.#checkConflictLines(places, inJournal);
  }

  #checkConflictLines(places: { dropped: Set<string>; kept: Set<string> }, count: number): void {
    const lines = this.#lines("conflicts") as ConflictLine[];
    const max = this.#options.conflict?.maxRecordRows ?? 0;
    if (lines.length > max) this.#violated(`the report has ${lines.length} rows, ${max} are allowed`);
    const told = lines.map((line) => {
      const side = line.dropped === null ? "kept" : "dropped";
      const place = line[side];
      const text = place === null ? "" : `${place.file}:${place.row}:${place.byte}`;
      if (!places[side].has(text)) this.#violated(`the report has ${side} ${text}, which it must not`);
      return `${side} ${text}`;
    });
    if (new Set(told).size !== told.length) this.#violated("the report has a row twice");
    const all = places.dropped.size + places.kept.size;
    if (count < max && lines.length !== all) this.#violated(`the report has ${lines.length} rows, not ${all}`);
  }

  #lines(report: string): unknown[] {
    const file = this.#place.disk.files.get(`/state/reports/${report}.ndjson`);
    const lines = textOf(file?.bytes ?? new Uint8Array(0)).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  }
}

/** Tables whose rows were compared before they were sent. */
function checkedOf(state: JobState | undefined): Set<string> {
  return new Set((state?.batches ?? []).flatMap((batch) => batch.conflicts?.checked ?? []));
}

function tablesOf({ dump }: Place): string[] {
  return [...dump.files.keys()].filter((path) => path.endsWith("-schema.sql"));
}

function sumOf({ conflicts }: Outcome): { least: number; most: number } {
  let [least, most] = [0, 0];
  for (const one of conflicts.values()) {
    least += one.least;
    most += one.most;
  }
  return { least, most };
}

/** Texts of one sorted list that another has not as often. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const text of other) left.set(text, (left.get(text) ?? 0) + 1);
  return list.filter((text) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}
