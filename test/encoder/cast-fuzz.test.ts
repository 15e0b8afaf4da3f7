import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, textOf, utf8 } from "../../src/base/mod.ts";
import { ByteWriter, columnForm, encodeRowDatum, FieldKind, TimeZone } from "../../src/codec/mod.ts";
import { CastError, castField, datumToBytes } from "../../src/encoder/cast/mod.ts";
import type { ColumnInfo } from "../../src/schema/mod.ts";
import { columnOf } from "./cast-columns.ts";
import { newSession, STRICT } from "./cast-session.ts";

const TYPES = [
  "tinyint",
  "int unsigned",
  "bigint",
  "bigint unsigned",
  "float",
  "float(7,3)",
  "double",
  "decimal(10,2)",
  "decimal(65,30)",
  "decimal(5,5) unsigned",
  "bit(10)",
  "year",
  "date",
  "datetime",
  "datetime(6)",
  "timestamp(3)",
  "time",
  "time(6)",
  "char(5)",
  "varchar(10)",
  "varchar(10) character set gbk",
  "varchar(10) character set ascii",
  "varchar(10) character set utf8",
  "tinytext",
  "binary(5)",
  "blob",
  "enum('a','B','1') collate utf8mb4_general_ci",
  "set('a','b','c')",
  "json",
  "vector",
  "vector(2)",
  "int not null",
  "timestamp not null",
];
/** Types whose shown text does not read back as the same value: digits are lost, or text is no number there. */
const ONE_WAY = new Set(["float", "bit(10)", "enum('a','B','1') collate utf8mb4_general_ci"]);
const PIECES = [
  ..."0123456789",
  ..."0123456789",
  ..."-+.:/ eETZ",
  ..."0-:. ",
  "2020-01-02",
  "23:59:59",
  ".999999",
  "e+",
  "838:59:59",
  "99",
  "\u0000",
  "\u3000",
  "a,b",
  "[1,",
  '{"a":',
  '"',
  "]",
  "null",
  "😀",
  "中",
];

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random.next() * below);
}

function randomSource(next: (below: number) => number): Uint8Array {
  if (next(8) === 0) return Uint8Array.from({ length: next(12) }, () => next(256));
  let text = "";
  for (let i = next(12); i >= 0; i--) text += PIECES[next(PIECES.length)]!;
  return utf8(text);
}

/** What one cast gave: "!" for a CastError, else the text, with "=" in front or, after warnings, "~". The value can be stored. */
function castOnce(column: ColumnInfo, kind: number, bytes: Uint8Array, mode: string, zone: string): string {
  const { session, warnings } = newSession(mode, zone);
  try {
    const value = castField(kind, bytes, 0, bytes.length, column, session);
    if (value.kind === "null") return "NULL";
    const form = columnForm(column.type, true, TimeZone.find(zone)!)!;
    encodeRowDatum(new ByteWriter(), value, form);
    const shown = datumToBytes(value, column.type)!;
    return `${warnings.length === 0 ? "=" : "~"}${textOf(shown)}`;
  } catch (error) {
    if (!(error instanceof CastError)) throw new Error(`"${textOf(bytes)}" as ${column.name.O}`, { cause: error });
    return "!";
  }
}

test("any bytes in any column: a value or a CastError", () => {
  const next = numbers(20250206);
  const columns = TYPES.map(columnOf);
  const kinds = Object.values(FieldKind);
  const zones = ["UTC", "America/New_York", "+05:30"];
  let values = 0;
  for (let i = 0; i < 30000; i++) {
    const at = next(columns.length);
    const bytes = randomSource(next);
    // Most fields are text; the others show that no kind is special.
    const kind = next(4) > 0 ? FieldKind.string : kinds[next(kinds.length)]!;
    const zone = zones[next(zones.length)]!;
    const loose = castOnce(columns[at]!, kind, bytes, "", zone);
    const strict = castOnce(columns[at]!, kind, bytes, STRICT, zone);
    const where = `${TYPES[at]} <- ${kind} "${textOf(bytes)}" (${zone})`;
    if (strict !== "!") {
      values++;
      assert.equal(strict.slice(1), loose.slice(1), `${where}: strict mode has another value`);
    }
    if (loose.startsWith("=") && strict === "!") assert.match(TYPES[at]!, /date|time/, `${where}: no warning`);
  }
  assert.ok(values > 5000, `only ${values} casts went through`);
});

test("the text of a stored value reads back as the same value", () => {
  const next = numbers(7);
  let compared = 0;
  for (let i = 0; i < 20000; i++) {
    const type = TYPES[next(TYPES.length)]!;
    const column = columnOf(type);
    if (ONE_WAY.has(type)) continue;
    const first = castOnce(column, FieldKind.string, randomSource(next), "", "UTC");
    if (first === "!" || first === "NULL") continue;
    const text = first.slice(1);
    // What holds bytes that are not UTF-8 has no text; a text with wrong characters is not cut to its length.
    if (text.includes("\ufffd") || (/char|text/.test(type) && !first.startsWith("="))) continue;
    compared++;
    assert.equal(castOnce(column, FieldKind.string, utf8(text), "", "UTC"), `=${text}`, `${type} "${text}"`);
  }
  assert.ok(compared > 5000, `only ${compared} values compared`);
});

test("long texts take time in proportion", () => {
  const started = performance.now();
  for (const unit of ["1", "1.", "-", ":", " ", "[", "2020-", "a,", "e9", "\u3000", "0", "é"]) {
    const bytes = utf8(unit.repeat(20000));
    for (const type of TYPES) castOnce(columnOf(type), FieldKind.string, bytes, "", "UTC");
  }
  assert.ok(performance.now() - started < 20000, "20 000 pieces should take well under a second for a type");
});
