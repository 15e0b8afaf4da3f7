/** Random tables and rows: what the encoder stores, the sandbox's reader gives back, and stored again it gives the same pairs. */
import assert from "node:assert/strict";
import { LevinError, type Random, seededRandom, textOf, toHex, utf8 } from "../../src/base/mod.ts";
import {
  countRunes,
  type Datum,
  FieldKind,
  jsonText,
  NULL_DATUM,
  newFields,
  type PairSink,
  parseJson,
  TimeZone,
} from "../../src/codec/mod.ts";
import { cellOfDatum, fieldsOf, intCell } from "../../src/embed/tidb/dml/fields.ts";
import { TableReader, valueText } from "../../src/embed/tidb/reader/mod.ts";
import { CastSession, castField, datumToBytes } from "../../src/encoder/cast/mod.ts";
import { compileTable, type TableEncoder } from "../../src/encoder/mod.ts";
import type { ColumnInfo, TableInfo } from "../../src/schema/mod.ts";
import { below, copyExpressions, pick, randomField, randomTable } from "./random-table.ts";
import { fill } from "./source-text.ts";

const STRICT = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";
/** Settings under which stored values are taken again as they are. */
const LENIENT = "ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO";
/** Without hours that come twice. */
const ZONES = ["UTC", "+08:00", "-03:30"];

interface Settings {
  timeZone: string;
  newCollations: boolean;
  rowLevelChecksum: boolean;
  rowFormatVersion: 1 | 2;
}

class Pairs implements PairSink {
  pairs: { key: Uint8Array; value: Uint8Array }[] = [];

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.pairs.push({ key: key.slice(0, keyLength), value: value.slice(0, valueLength) });
  }

  texts(): string[] {
    return this.pairs.map(({ key, value }) => `${toHex(key)} ${toHex(value)}`).sort();
  }
}

function encoderOf(table: TableInfo, sqlMode: string, settings: Settings, record: Pairs, index: Pairs, plain: boolean) {
  return compileTable(table, {
    session: { ...settings, sqlMode, nowMs: 1.7e12, defaultWeekFormat: 0 },
    record,
    index,
    plainOnly: plain,
    expressions: copyExpressions,
  });
}

/** The columns that repeat others, as `copyExpressions` computes them. */
function fillCopies(table: TableInfo): (values: unknown[]) => void {
  return (values) => {
    for (const column of table.cols) {
      if (column.generated_expr_string === "" || column.generated_stored) continue;
      values[column.offset] = values[Number(column.generated_expr_string.slice(1))];
    }
  };
}

/** What SELECT shows of a source value, or undefined where the encoder has more to say than the cast. */
function castText(
  field: { kind: number; bytes: Uint8Array },
  column: ColumnInfo,
  session: CastSession,
): string | undefined {
  if (field.kind === FieldKind.default || field.kind === FieldKind.null) return undefined;
  const isText = field.kind === FieldKind.decimal || field.kind === FieldKind.float;
  const kind = isText ? FieldKind.string : field.kind;
  const datum = castField(kind, field.bytes, 0, field.bytes.length, column, session);
  return shown(datumToBytes(datum, column.type));
}

const shown = (value: string | Uint8Array | null): string =>
  value === null ? "NULL" : toHex(typeof value === "string" ? utf8(value) : value);

/**
 * Values that no text gives again: text that was partly invalid is not cut to its column's length (TiDB `convertToString`), and JSON
 * made of an unsigned number keeps its type.
 */
function hasNoText(d: Datum | undefined, { type }: ColumnInfo): boolean {
  if (d?.kind === "json") return toHex(parseJson(utf8(jsonText(d.value)))) !== toHex(d.value);
  return d?.kind === "bytes" && type.Flen >= 0 && countRunes(d.value, 0, d.value.length) > type.Flen;
}

class RoundTrip {
  readonly table: TableInfo;
  readonly columns: readonly ColumnInfo[];
  private readonly random: Random;
  private readonly record = new Pairs();
  private readonly index = new Pairs();
  private readonly encoder: TableEncoder;
  private readonly again: TableEncoder;
  private readonly reader: TableReader;
  private readonly session: CastSession;
  private readonly fields = newFields(1);

  constructor(random: Random) {
    this.random = random;
    this.table = randomTable(random);
    const settings: Settings = {
      timeZone: pick(random, ZONES),
      newCollations: random.next() < 0.8,
      rowLevelChecksum: random.next() < 0.2,
      rowFormatVersion: random.next() < 0.9 ? 2 : 1,
    };
    const sqlMode = random.next() < 0.7 ? "" : STRICT;
    this.encoder = encoderOf(this.table, sqlMode, settings, this.record, this.index, random.next() < 0.3);
    this.again = encoderOf(this.table, LENIENT, settings, this.record, this.index, random.next() < 0.5);
    this.columns = this.table.cols.filter((column) => column.generated_expr_string === "");
    const names = this.columns.map((column) => column.name.O);
    this.encoder.startChunk(below(random, 1000));
    this.encoder.bindColumns(names);
    const hasRowId = !this.table.pk_is_handle && !this.table.is_common_handle;
    this.again.bindColumns(hasRowId ? [...names, "_tidb_rowid"] : names);
    const zone = TimeZone.find(settings.timeZone)!;
    this.reader = new TableReader(this.table, settings.newCollations, zone, fillCopies);
    this.session = new CastSession({ ...settings, sqlMode, nowMs: 1.7e12, warn: () => undefined });
  }

  /** True if the row was stored. */
  row(): boolean {
    const given = this.columns.map((column) => randomField(this.random, column));
    fill(this.fields, given);
    if (!this.stores(this.encoder, 1 + below(this.random, 2 ** 40))) return false;
    const first = [...this.record.texts(), ...this.index.texts()];
    const { key, value } = this.record.pairs[0]!;
    const { values, rowId } = this.reader.decode(key, value);
    this.columns.forEach((column, i) => {
      const wanted = castText(given[i]!, column, this.session);
      const got = shown(valueText(values[column.offset]!, column.type));
      if (wanted !== undefined) assert.equal(got, wanted, `column ${column.name.O}, ${textOf(given[i]!.bytes)}`);
    });
    if (this.columns.some((column) => hasNoText(values[column.offset], column))) return true;
    const cells = this.columns.map((column) => cellOfDatum(values[column.offset] ?? NULL_DATUM, column.type));
    if (rowId !== undefined) cells.push(intCell(rowId));
    Object.assign(this.fields, fieldsOf(cells));
    assert.ok(this.stores(this.again, 1), "a stored row is not taken again");
    assert.deepEqual(
      [...this.record.texts(), ...this.index.texts()],
      first,
      given.map((g) => `${g.kind} ${textOf(g.bytes)}`).join(" | "),
    );
    return true;
  }

  private stores(encoder: TableEncoder, rowId: number): boolean {
    this.record.pairs = [];
    this.index.pairs = [];
    try {
      encoder.encodeRow(this.fields, rowId);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof LevinError)) throw thrown;
      return false;
    }
  }
}

/** One random table with so many random rows; the number of rows that were stored. */
export function roundTrips(seed: number, rows: number): number {
  const random = seededRandom(seed);
  try {
    const trip = new RoundTrip(random);
    let stored = 0;
    for (let i = 0; i < rows; i++) if (trip.row()) stored++;
    return stored;
  } catch (thrown) {
    (thrown as Error).message = `round trip of seed ${seed}: ${(thrown as Error).message}`;
    throw thrown;
  }
}
