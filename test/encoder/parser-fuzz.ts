/** Texts that look like JSON, decimals, dates and times, or like nothing: each parser gives a value or a CastError. */
import assert from "node:assert/strict";
import { type Random, seededRandom, textOf, utf8 } from "../../src/base/mod.ts";
import {
  ByteWriter,
  columnForm,
  encodeRowDatum,
  FieldKind,
  JsonError,
  jsonText,
  parseJson,
  TimeZone,
} from "../../src/codec/mod.ts";
import { CastError, castField, datumToBytes } from "../../src/encoder/cast/mod.ts";
import { columnOf } from "./cast-columns.ts";
import { newSession, STRICT } from "./cast-session.ts";
import { below, pick } from "./random-table.ts";

const TYPES =
  `decimal(10,2)|decimal(65,30)|decimal(5,5) unsigned|date|datetime|datetime(6)|timestamp(3)|time|time(6)|year|json|int|bigint unsigned
double|float(7,3)|bit(10)|vector(2)`.split(/[|\n]/);
const PIECES: Record<string, string[]> = {
  json: [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"',
    "\\u00e9",
    "\\ud83d",
    "\\",
    "1",
    "-0",
    "1e5",
    ".5",
    "null",
    "true",
    "nul",
    " ",
    "\t",
    "é",
    "😀",
    "1e999",
  ],
  decimal: ["0", "1", "9", "99999999", "000000000", ".", "-", "+", "e", "E", "10", " ", "x", "e-5", "e99999"],
  date: [
    "2020",
    "20",
    "0000",
    "1",
    "12",
    "31",
    "29",
    "-",
    ":",
    ".",
    " ",
    "T",
    "Z",
    "+08:00",
    "-14:00",
    "/",
    "999999",
    "x",
    "24",
    "60",
    "838",
  ],
};

/** So long that what is quadratic is seen. */
const REPEATS = [200, 5000];

function randomText(random: Random): string {
  const pieces = PIECES[pick(random, Object.keys(PIECES))]!;
  if (random.next() < 0.02) return pick(random, pieces).repeat(pick(random, REPEATS));
  return Array.from({ length: below(random, 14) }, () => pick(random, pieces)).join("");
}

function jsonAgain(bytes: Uint8Array): void {
  let json: Uint8Array;
  try {
    json = parseJson(bytes);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    return;
  }
  const text = jsonText(json);
  assert.equal(jsonText(parseJson(utf8(text))), text);
}

/** One text through JSON's parser and the casts to a type; true if there was a value. */
export function fuzzParsers(seed: number): boolean {
  const random = seededRandom(seed);
  const text = randomText(random);
  const bytes =
    random.next() < 0.9 ? utf8(text) : Uint8Array.from({ length: below(random, 12) }, () => below(random, 256));
  const type = pick(random, TYPES);
  try {
    jsonAgain(bytes);
    const column = columnOf(type);
    const { session } = newSession(random.next() < 0.5 ? "" : STRICT, pick(random, ["UTC", "America/New_York"]));
    try {
      const value = castField(FieldKind.string, bytes, 0, bytes.length, column, session);
      datumToBytes(value, column.type);
      if (value.kind !== "null") encodeRowDatum(new ByteWriter(), value, columnForm(column.type, true, TimeZone.utc)!);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      return false;
    }
  } catch (thrown) {
    (thrown as Error).message =
      `"${textOf(bytes).slice(0, 200)}" as ${type} (seed ${seed}): ${(thrown as Error).message}`;
    throw thrown;
  }
}
