/** Kinds of columns and random texts for them, for tables that are encoded many rows at a time. */
import type { Random } from "../../src/base/mod.ts";
import { below, pick } from "../encoder/random-table.ts";

/** How much of a case is odd: with 0 its values are plain, so that long stretches are encoded at a time. */
let oddness = 1;
export function setOddness(value: number): void {
  oddness = value;
}
export const odd = (random: Random, chance: number): boolean => random.next() < chance * oddness;

const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => below(random, 10)).join("");

/** A column's type and a text for it that is mostly plain; quoted in SQL if it is no number. */
export interface Kind {
  type: string;
  isNumber: boolean;
  /** Behind the column's name in an index; undefined where it has no place there. */
  key: ((random: Random) => string) | undefined;
  text(random: Random): string;
}

const whole = (): string => "";

/** Numbers of up to `plain` digits fit. */
function integer(type: string, plain: number): Kind {
  const sign = type.includes("unsigned") ? "" : "-";
  const text = (random: Random): string =>
    odd(random, 0.1)
      ? `${pick(random, ["", "-"])}${odd(random, 0.5) ? pick(random, EDGES) : digits(random, plain + 2)}`
      : `${random.next() < 0.3 ? sign : ""}${digits(random, 1 + below(random, plain))}`;
  return { type, isNumber: true, key: whole, text };
}

const EDGES =
  "0 1 127 128 129 255 256 32767 32768 65535 65536 2147483647 2147483648 4294967295 4294967296 12345678 123456789 999999999999999999 9223372036854775807 9223372036854775808 00000000012".split(
    " ",
  );

function decimal(precision: number, scale: number, unsigned = ""): Kind {
  const text = (random: Random): string => {
    const sign = unsigned === "" && random.next() < 0.2 ? "-" : "";
    const least = odd(random, 0.1) ? 0 : Math.min(1, scale);
    const fraction =
      scale > 0 && random.next() < 0.8
        ? `.${digits(random, least + below(random, scale + 1 - least) + (odd(random, 0.03) ? 1 : 0))}`
        : "";
    return `${sign}${digits(random, odd(random, 0.03) ? precision : below(random, precision - scale + 1)) || "0"}${fraction}`;
  };
  return { type: `decimal(${precision},${scale}) ${unsigned}`, isNumber: true, key: whole, text };
}

function date(random: Random): string {
  const year = !odd(random, 0.1) ? 1960 + below(random, 90) : below(random, 10_000);
  const two = (n: number): string => String(n).padStart(2, "0");
  if (odd(random, 0.03))
    return pick(random, ["0000-00-00", "2000-1-1", "20000101", "2000-02-30", "1900-02-29", "2000/02/29"]);
  return `${String(year).padStart(4, "0")}-${two(1 + below(random, 12))}-${two(1 + below(random, odd(random, 0.1) ? 32 : 28))}`;
}

function time(type: string, fsp: number): Kind {
  const text = (random: Random): string => {
    const two = (n: number): string => String(below(random, odd(random, 0.01) ? n + 2 : n)).padStart(2, "0");
    const fraction = random.next() < 0.5 ? "" : `.${digits(random, below(random, odd(random, 0.1) ? 8 : fsp + 1))}`;
    return `${date(random)}${odd(random, 0.03) ? "T" : " "}${two(24)}:${two(60)}:${two(60)}${fsp === 0 && !odd(random, 0.1) ? "" : fraction}`;
  };
  return { type: `${type}(${fsp})`, isNumber: false, key: whole, text };
}

const SPECIAL = ['"', "'", "\\", ",", "\n", "\r\n", "é", "語", "😀", " ", "\0", "\t", "NULL", "\\N", ""];

function words(type: string, longest: number, alphabet = "abcxyz NULN0-"): Kind {
  const text = (random: Random): string => {
    if (odd(random, 0.05)) return pick(random, SPECIAL) + pick(random, ["", "x"]);
    const size = odd(random, 0.02) ? longest + 1 : below(random, Math.min(longest, random.next() < 0.1 ? 700 : 40) + 1);
    const letters = Array.from({ length: size }, () => pick(random, [...alphabet]));
    if (odd(random, 0.06)) letters[below(random, size)] = pick(random, SPECIAL);
    // Blanks at the end, and sizes around a group of a key.
    if (random.next() < 0.1) letters.fill(" ", below(random, size + 1));
    if (random.next() < 0.1) letters.length = Math.min(size, pick(random, [0, 7, 8, 9, 16, 24]));
    return letters.join("");
  };
  const longestKey = /^(?:tiny)?text|\(2000\)/.test(type) ? 200 : longest;
  const key = (random: Random): string =>
    longestKey === longest && random.next() < 0.5
      ? ""
      : `(${Math.min(longestKey, pick(random, [1, 3, 7, 8, 9, 16, 24, 200]))})`;
  return { type, isNumber: false, key, text };
}

/** Exact forms, exponents, and digits beyond what is exact. */
function float(type: string): Kind {
  const text = (random: Random): string => {
    const sign = !type.includes("unsigned") && random.next() < 0.3 ? "-" : "";
    if (odd(random, 0.1))
      return sign + pick(random, [".5", "5.", "1e400", "1e-400", "4e38", "9007199254740993", "1e+", "", "0x1"]);
    const size = 1 + below(random, random.next() < 0.1 ? 17 : 6);
    const fraction = random.next() < 0.6 ? `.${digits(random, 1 + below(random, random.next() < 0.1 ? 17 : 6))}` : "";
    const power =
      random.next() < 0.2 ? pick(random, ["e", "E", "e-", "e+"]) + below(random, odd(random, 0.3) ? 50 : 15) : "";
    return sign + (random.next() < 0.1 ? "0" : digits(random, size)) + fraction + power;
  };
  return { type, isNumber: true, key: whole, text };
}

const ELEMENTS = ["a", "ab", "abc", "eight by", "eight bytes", "Ünï", "語", "", "NULL", "N", "a,b", 'q"'];
const PLAIN_ELEMENTS = ELEMENTS.slice(0, 7);

function enumeration(collate: string): Kind {
  const names = ELEMENTS.map((name) => `'${name}'`).join(",");
  const text = (random: Random): string =>
    odd(random, 0.1)
      ? pick(random, [...ELEMENTS, "A", "a ", "1", "zz", "13", "eight by "])
      : pick(random, PLAIN_ELEMENTS);
  return { type: `enum(${names}) COLLATE ${collate}`, isNumber: false, key: whole, text };
}

export const KINDS: readonly Kind[] = [
  ...["tinyint", "smallint", "mediumint", "int", "bigint"].flatMap((type, i) => [
    integer(type, [2, 4, 6, 9, 18][i]!),
    integer(`${type} unsigned`, [2, 4, 7, 9, 18][i]!),
  ]),
  decimal(15, 2),
  decimal(10, 0),
  decimal(18, 9),
  decimal(27, 9),
  decimal(18, 0),
  decimal(4, 4),
  decimal(12, 3, "unsigned"),
  { type: "date", isNumber: false, key: whole, text: date },
  time("datetime", 0),
  time("datetime", 6),
  time("timestamp", 3),
  float("double"),
  float("float"),
  float("double unsigned"),
  enumeration("utf8mb4_bin"),
  enumeration("utf8mb4_general_ci"),
  {
    type: "year",
    isNumber: true,
    key: whole,
    text: (random) => (odd(random, 0.1) ? pick(random, ["0", "70", "1900", "02000"]) : `${1901 + below(random, 255)}`),
  },
  words("char(12)", 12),
  words("varchar(40)", 40),
  words("varchar(2000)", 2000),
  words("text", 3000),
  words("varchar(20)", 20, "abé語文😀\u0800\uffff "),
  words("tinytext", 100, "ab語文😀 "),
  words("char(10) CHARACTER SET utf8", 10, "xé語 "),
  words("varchar(30) CHARACTER SET latin1", 30),
  words("varchar(30) CHARACTER SET ascii", 30),
  words("varchar(24) COLLATE utf8mb4_general_ci", 24, "aAzZ_[ ~09\x01\x7f"),
  words("char(20) COLLATE utf8mb4_unicode_ci", 20, "aAzZ_- ~09\x01\x7f"),
  words("varchar(200) COLLATE utf8mb4_0900_ai_ci", 200, "aAzZ_- ~09\x01\x7f"),
  words("varchar(20) COLLATE utf8mb4_0900_bin", 20, "aAé 0"),
  words("text COLLATE utf8mb4_general_ci", 300),
  words("varchar(16) CHARACTER SET utf8 COLLATE utf8_general_ci", 16, "abCD 1"),
];

export const NOT_TAKEN: readonly Kind[] = [
  { type: "json", isNumber: false, key: undefined, text: () => "[1]" },
  { type: "double(9,2)", isNumber: true, key: whole, text: (random) => `${below(random, 1e6)}.${below(random, 1e4)}` },
];
