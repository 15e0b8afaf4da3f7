/** What an import by statements must leave: the rows of the source put in one after the other, as the strategy says. */
import { encodeRows, type NaiveInput, type NaiveRow, type Pairs } from "./oracle.ts";
import type { Dump, Field } from "./source.ts";

interface SourceRow {
  table: string;
  path: string;
  byte: number;
  /** The row as the table shows it. */
  text: string;
  /** Undefined: a value of it is bad. */
  naive: NaiveRow | undefined;
}

/** A row that is in a table. */
interface Standing {
  table: string;
  text: string;
  pairs: Pairs;
  source: SourceRow | undefined;
}

export interface Outcome {
  /** Table → its rows, sorted. */
  rows: Map<string, string[]>;
  /** Table → places of rows of the source that are not there, because another one has their key. */
  dropped: Map<string, Set<string>>;
  /** Table → places of rows that took the place of others. */
  displacers: Map<string, Set<string>>;
  /** Table → rows of the target that are not there any more. */
  replaced: Map<string, Standing[]>;
  /** Table → rows that went; servers do not count those that are the same as what took their place. */
  conflicts: Map<string, { least: number; most: number }>;
}

type Strategy = "" | "error" | "replace" | "ignore";

export class StatementOracle {
  readonly rows: readonly SourceRow[];
  readonly #before: readonly Standing[];
  readonly #tables: readonly string[];

  private constructor(rows: readonly SourceRow[], before: readonly Standing[], tables: readonly string[]) {
    this.rows = rows;
    this.#before = before;
    this.#tables = tables;
  }

  static async open(input: Omit<NaiveInput, "before">, dump: Dump, before: readonly Pairs[]): Promise<StatementOracle> {
    const rows: SourceRow[] = [];
    const seen = new Map<string, number>();
    await encodeRows(input, [], (path, byte, naive) => {
      const at = seen.get(path) ?? 0;
      seen.set(path, at + 1);
      const table = path.split(".").slice(0, 2).join(".");
      rows.push({ table, path, byte, text: textOfRow(dump, table, dump.rowsOf.get(path)![at]!), naive });
    });
    const standing = dump.before.map(({ table, row }, i) => {
      return { table, text: textOfRow(dump, table, row), pairs: before[i]!, source: undefined };
    });
    return new StatementOracle(rows, standing, [...input.models.keys()]);
  }

  /** Places of rows with bad values. */
  get bad(): Set<string> {
    return new Set(this.rows.filter(({ naive }) => naive === undefined).map(({ path, byte }) => `${path}:${byte}`));
  }

  /**
   * `isIn`: rows that were sent; all when absent. In tables of `checked` it was decided before anything was sent, so by all rows of the
   * source.
   */
  outcome(strategy: Strategy, checked: ReadonlySet<string>, isIn: (row: SourceRow) => boolean = () => true): Outcome {
    const out: Outcome = {
      rows: new Map(),
      dropped: new Map(),
      displacers: new Map(),
      replaced: new Map(),
      conflicts: new Map(),
    };
    for (const table of this.#tables) {
      out.dropped.set(table, new Set());
      out.displacers.set(table, new Set());
      out.replaced.set(table, []);
      out.conflicts.set(table, { least: 0, most: 0 });
      const source = this.rows.filter((row) => row.table === table && (checked.has(table) || isIn(row)));
      const standing = this.#decide(table, source, strategy, out);
      const there = standing.filter((row) => row.source === undefined || isIn(row.source));
      out.rows.set(table, there.map(({ text }) => text).sort());
    }
    return out;
  }

  #decide(table: string, source: readonly SourceRow[], strategy: Strategy, out: Outcome): Standing[] {
    const owner = new Map<string, Standing>();
    const standing = new Set(this.#before.filter((row) => row.table === table));
    for (const row of standing) for (const key of row.pairs.keys()) owner.set(key, row);
    const conflicts = out.conflicts.get(table)!;
    for (const one of source) {
      if (one.naive === undefined) continue;
      const row: Standing = { table, text: one.text, pairs: one.naive.pairs, source: one };
      const { place } = one.naive;
      const inTheWay = new Set([...row.pairs.keys()].flatMap((key) => owner.get(key) ?? []));
      if (inTheWay.size > 0 && strategy !== "replace") {
        out.dropped.get(table)!.add(place!);
        conflicts.least++;
        conflicts.most++;
        continue;
      }
      for (const other of inTheWay) {
        for (const key of other.pairs.keys()) owner.delete(key);
        standing.delete(other);
        if (other.source === undefined) out.replaced.get(table)!.push(other);
        else out.dropped.get(table)!.add(other.source.naive!.place!);
        conflicts.most++;
        if (other.text !== row.text) conflicts.least++;
      }
      if (inTheWay.size > 0) out.displacers.get(table)!.add(place!);
      standing.add(row);
      for (const key of row.pairs.keys()) owner.set(key, row);
    }
    return [...standing];
  }
}

/** Values as texts; one that the server makes is not told. */
function textOfRow(dump: Dump, table: string, row: readonly (Field | undefined)[]): string {
  return shownRow(
    dump,
    table,
    row.map((value) => (value == null ? null : String(value))),
  );
}

export function shownRow({ generated }: Dump, table: string, row: readonly (string | null)[]): string {
  return JSON.stringify(row.map((value, i) => (i === generated.get(table) ? "*" : value)));
}
