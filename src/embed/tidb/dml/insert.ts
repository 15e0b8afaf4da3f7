import { textOf } from "../../../base/mod.ts";
import { FieldKind } from "../../../codec/mod.ts";
import { type ColumnInfo, Flag } from "../../../schema/mod.ts";
import type { Scope } from "../query/evaluate.ts";
import { ROW_ID } from "../reader/mod.ts";
import type { AutoIds } from "../store/mod.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import {
  type AutoColumn,
  asksForId,
  autoColumnOf,
  autoRandomId,
  autoRandomNumber,
  shardedRowId,
} from "./auto-columns.ts";
import { cellOf } from "./cells.ts";
import type { EncodedRow, RowEncoder } from "./encoder.ts";
import { type Cell, DEFAULT_CELL, intCell } from "./fields.ts";
import { checkParents } from "./foreign-keys.ts";
import type { Insert } from "./statements.ts";
import type { UniqueKey } from "./table-rows.ts";
import { assign, assignmentsOf, changeRow } from "./update.ts";
import type { Obstacle, RowWriter } from "./writer.ts";

export interface InsertSettings {
  sqlMode: string;
  autoIds: AutoIds;
  scope: Scope;
  writeRowId: boolean;
  allowExplicitRandom: boolean;
  /** auto_increment_increment and auto_increment_offset. */
  increment: bigint;
  offset: bigint;
}

export interface InsertOutcome {
  result: Extract<StatementResult, { kind: "ok" }>;
  /** First value that AUTO_INCREMENT gave, for LAST_INSERT_ID(). */
  generated: bigint | undefined;
}

/** Where the fields of a row go. */
interface Plan {
  /** Columns of the encoder, in the order of its fields. */
  names: string[];
  /** Per name: the position in VALUES, or -1 where the statement does not give it. */
  sources: number[];
  auto: AutoColumn | undefined;
  /** Positions within `names`. */
  autoAt: number;
  rowIdAt: number;
}

class Inserter {
  readonly #writer: RowWriter;
  readonly #insert: Insert;
  readonly #settings: InsertSettings;
  readonly #plan: Plan;
  readonly #encoder: RowEncoder;
  readonly #zeroIsValue: boolean;
  affected = 0n;
  copied = 0;
  touched = 0;
  generated: bigint | undefined;
  explicit: bigint | undefined;

  constructor(writer: RowWriter, insert: Insert, settings: InsertSettings) {
    this.#writer = writer;
    this.#insert = insert;
    this.#settings = settings;
    this.#plan = planOf(writer, insert, settings);
    const mode = insert.ignore ? withoutStrict(settings.sqlMode) : settings.sqlMode;
    this.#encoder = writer.rows.encoder(this.#plan.names, mode);
    this.#zeroIsValue = /NO_AUTO_VALUE_ON_ZERO/i.test(settings.sqlMode);
  }

  cells(row: number): Cell[] {
    const { names, sources } = this.#plan;
    const exprs = this.#insert.rows[row]!;
    return names.map((_, i) => {
      const at = sources[i]!;
      if (at < 0) return DEFAULT_CELL;
      return exprs.length === 0 ? DEFAULT_CELL : cellOf(exprs[at]!, this.#settings.scope);
    });
  }

  /** Fills in ids; what a row brings itself moves the counter. */
  #fillIds(cells: Cell[]): void {
    const { auto, autoAt, rowIdAt } = this.#plan;
    const { autoIds, increment, offset } = this.#settings;
    const { table } = this.#writer.rows;
    const { startTs } = this.#writer.context.txn;
    if (auto !== undefined) {
      const cell = cells[autoAt]!;
      const unsigned = (auto.column.type.Flag & Flag.unsigned) !== 0;
      if (asksForId(cell, this.#zeroIsValue && !auto.random)) {
        let id = autoIds.take(table, auto.kind, 1n);
        if (auto.random) id = autoRandomId(table, unsigned, id, startTs);
        else while (increment > 1n && (id - offset) % increment !== 0n) id = autoIds.take(table, auto.kind, 1n);
        this.generated ??= id;
        cells[autoAt] = intCell(id);
      } else if (auto.random && !this.#settings.allowExplicitRandom) {
        throw new SqlError(
          8216,
          "Invalid auto random: Explicit insertion on auto_random column is disabled. Try to set @@allow_auto_random_explicit_insert = true.",
        );
      } else {
        const text = textOf(cell.bytes).trim();
        if (/^-?\d{1,20}$/.test(text)) {
          const id = BigInt(text);
          if (id > 0n) {
            autoIds.raise(table, auto.kind, auto.random ? autoRandomNumber(table, unsigned, id) : id);
            this.explicit = id;
          }
        }
      }
    }
    if (rowIdAt < 0) return;
    const cell = cells[rowIdAt]!;
    if (cell.kind === FieldKind.default || cell.kind === FieldKind.null) {
      cells[rowIdAt] = intCell(shardedRowId(table, autoIds.take(table, "rowid", 1n), startTs));
    } else if (/^\d{1,19}$/.test(textOf(cell.bytes))) {
      const bits = BigInt(63 - table.ShardRowIDBits);
      autoIds.raise(table, "rowid", BigInt(textOf(cell.bytes)) & ((1n << bits) - 1n));
    }
  }

  /** All rows are encoded before the first one is put in its place, as TiDB does: bad values are named before duplicates. */
  async run(): Promise<void> {
    const { rows } = this.#writer;
    // Nobody else has a row id that was just given out.
    const freshId = rows.hasRowId && this.#plan.sources[this.#plan.rowIdAt]! < 0;
    const encoded: { row: EncodedRow; uniques: UniqueKey[] }[] = [];
    for (let i = 0; i < this.#insert.rows.length; i++) {
      const row = this.#encode(i);
      if (row !== undefined) encoded.push({ row, uniques: rows.uniqueKeys(row).slice(freshId ? 1 : 0) });
    }
    const keys = encoded.flatMap(({ uniques }) => uniques.map(({ key }) => key));
    await this.#writer.lock(keys);
    await this.#writer.context.txn.readAhead(keys);
    for (const { row, uniques } of encoded) await this.#place(row, uniques);
  }

  /** Undefined for a row that IGNORE leaves out. */
  #encode(number: number): EncodedRow | undefined {
    const writer = this.#writer;
    const cells = this.cells(number);
    this.#fillIds(cells);
    const cellOfColumn = (name: string) => cells[this.#plan.names.findIndex((one) => one.toLowerCase() === name)];
    try {
      return writer.encode(() => writer.rows.encodeCells(this.#encoder, cells), cellOfColumn, number + 1);
    } catch (error) {
      if (!this.#insert.ignore || !(error instanceof SqlError) || error.errno !== 1526) throw error;
      writer.context.warn({ level: "Warning", code: error.errno, message: error.message });
      return undefined;
    }
  }

  async #place(row: EncodedRow, uniques: readonly UniqueKey[]): Promise<void> {
    const writer = this.#writer;
    const { replace, ignore, update } = this.#insert;
    for (;;) {
      const obstacle = await writer.obstacle(uniques);
      if (obstacle === undefined) break;
      if (replace) {
        if (writer.rows.same(writer.rows.exact(obstacle.pair), writer.rows.exact(row.record))) {
          this.affected++;
          return;
        }
        writer.remove(obstacle.pair);
        this.affected++;
        continue;
      }
      if (update.length > 0) return this.#update(obstacle, row);
      const duplicate = writer.rows.duplicate(obstacle.unique, row);
      if (!ignore) throw duplicate;
      writer.context.warn({ level: "Warning", code: duplicate.errno, message: duplicate.message });
      return;
    }
    await checkParents(writer, row);
    writer.add(row);
    this.affected++;
    this.copied++;
  }

  async #update(obstacle: Obstacle, row: EncodedRow): Promise<void> {
    const writer = this.#writer;
    const given = writer.rows.texts(row.record);
    const cells = assign(
      writer,
      obstacle.pair,
      assignmentsOf(writer, this.#insert.update),
      this.#settings.scope,
      given,
    );
    const changed = await changeRow(writer, obstacle.pair, cells, {
      sqlMode: this.#settings.sqlMode,
      rowNumber: 1,
      ignore: this.#insert.ignore,
    });
    this.touched++;
    this.affected += changed ? 2n : writer.context.foundRows ? 1n : 0n;
  }
}

function withoutStrict(mode: string): string {
  return mode
    .split(",")
    .filter((one) => !/^STRICT_|^TRADITIONAL$/i.test(one.trim()))
    .join(",");
}

function planOf(writer: RowWriter, insert: Insert, settings: InsertSettings): Plan {
  const { rows } = writer;
  const given = insert.columns ?? rows.columns.map(({ name }) => name.O);
  const seen = new Set<string>();
  const names: string[] = [];
  const sources: number[] = [];
  const auto = autoColumnOf(rows.table);
  given.forEach((name, at) => {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw new SqlError(1110, `Column '${name}' specified twice`, "42000");
    seen.add(lower);
    if (lower === ROW_ID) {
      if (!settings.writeRowId)
        throw new SqlError(1105, "insert, update and replace statements for _tidb_rowid are not supported");
      if (!rows.hasRowId) throw new SqlError(1054, `Unknown column '${name}' in 'field list'`, "42S22");
    } else {
      const column = rows.columns.find((one) => one.name.L === lower);
      if (column === undefined) throw new SqlError(1054, `Unknown column '${name}' in 'field list'`, "42S22");
      if (column.generated_expr_string !== "") {
        checkGenerated(insert, column, at, rows.table.name.O);
        return;
      }
    }
    names.push(name);
    sources.push(at);
  });
  checkCounts(insert, given.length);
  const put = (name: string): number => {
    const at = names.findIndex((one) => one.toLowerCase() === name.toLowerCase());
    if (at >= 0) return at;
    sources.push(-1);
    return names.push(name) - 1;
  };
  return {
    names,
    sources,
    auto,
    autoAt: auto === undefined ? -1 : put(auto.column.name.O),
    rowIdAt: rows.hasRowId ? put(ROW_ID) : -1,
  };
}

/** Every row has a value for each column, or none at all. */
function checkCounts(insert: Insert, expected: number): void {
  insert.rows.forEach((row, i) => {
    if (row.length === expected || (row.length === 0 && (insert.columns?.length ?? 0) === 0)) return;
    throw new SqlError(1136, `Column count doesn't match value count at row ${i + 1}`, "21S01");
  });
}

function checkGenerated(insert: Insert, column: ColumnInfo, at: number, table: string): void {
  for (const row of insert.rows) {
    if (row[at] === undefined || row[at].kind === "default") continue;
    throw new SqlError(
      3105,
      `The value specified for generated column '${column.name.O}' in table '${table}' is not allowed.`,
    );
  }
}

/** Runs INSERT or REPLACE into the transaction of the writer. */
export async function runInsert(writer: RowWriter, insert: Insert, settings: InsertSettings): Promise<InsertOutcome> {
  let warnings = 0;
  const { warn } = writer.context;
  writer.context.warn = (warning) => {
    warnings++;
    warn(warning);
  };
  const inserter = new Inserter(writer, insert, settings);
  await inserter.run();
  const records = insert.rows.length;
  const duplicates = insert.ignore ? records - inserter.copied : inserter.touched;
  const result: InsertOutcome["result"] = {
    kind: "ok",
    affectedRows: inserter.affected,
    insertId: inserter.generated ?? inserter.explicit ?? 0n,
    warnings,
  };
  if (records > 1) result.info = `Records: ${records}  Duplicates: ${duplicates}  Warnings: ${warnings}`;
  return { result, generated: inserter.generated };
}
