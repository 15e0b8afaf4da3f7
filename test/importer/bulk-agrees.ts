/** Random tables and source texts, encoded row by row and many rows at a time. */
import assert from "node:assert/strict";
import { compareBytes, equalBytes, type Random, seededRandom, toHex, utf8 } from "../../src/base/mod.ts";
import { KvChecksum, type KvSums, type PackedBatch, type PackedSink, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeSession } from "../../src/encoder/mod.ts";
import { PairArena, packPairs, unpackPairs } from "../../src/engine/mod.ts";
import { ChunkRows, TableEncoders } from "../../src/importer/encode/chunk-rows.ts";
import { Catalog, parseSqlMode, type TableInfo } from "../../src/schema/mod.ts";
import { type Chunk, type CsvDialect, defaultCsvDialect, type Storage } from "../../src/source/mod.ts";
import { below, pick } from "../encoder/random-table.ts";

const STRICT = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";

/** How much of a case is odd: with 0 its values are plain, so that long stretches are encoded at a time. */
let oddness = 1;
const odd = (random: Random, chance: number): boolean => random.next() < chance * oddness;

const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => below(random, 10)).join("");

/** A column's type and a text for it that is mostly plain; quoted in SQL if it is no number. */
interface Kind {
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

const KINDS: readonly Kind[] = [
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

const NOT_TAKEN: readonly Kind[] = [
  { type: "json", isNumber: false, key: undefined, text: () => "[1]" },
  { type: "double(9,2)", isNumber: true, key: whole, text: (random) => `${below(random, 1e6)}.${below(random, 1e4)}` },
];

interface Case {
  create: string;
  kinds: Kind[];
  nullable: boolean[];
}

function randomCase(random: Random): Case {
  const kinds = Array.from({ length: 1 + below(random, 10) }, () => pick(random, KINDS));
  if (odd(random, 0.05)) kinds.push(pick(random, NOT_TAKEN));
  const nullable = kinds.map(() => random.next() < 0.4);
  const keys: string[] = [];
  const keyColumns = kinds.flatMap(({ key }, i) => (key === undefined ? [] : [i]));
  const first = kinds[0]!;
  let auto = "";
  if (first.type.includes("int") && random.next() < 0.5) {
    nullable[0] = false;
    auto = random.next() < 0.5 ? "AUTO_INCREMENT" : "";
    keys.push("PRIMARY KEY (c0) /*T![clustered_index] CLUSTERED */");
  }
  for (let i = below(random, random.next() < 0.3 ? 9 : 4); i > 0 && keyColumns.length > 0; i--) {
    const columns = new Set(Array.from({ length: 1 + below(random, 3) }, () => pick(random, keyColumns)));
    // The handle in a key beside a text stands in the value, too.
    if (keys.length > 0 && random.next() < 0.2) columns.add(0);
    const parts = [...columns].map((column) => `c${column}${kinds[column]!.key!(random)}`);
    keys.push(`${pick(random, ["UNIQUE KEY", "KEY"])} k${i} (${parts.join(", ")})`);
  }
  const columns = kinds.map(
    ({ type }, i) =>
      `c${i} ${type} ${nullable[i] ? (random.next() < 0.5 ? "NULL" : "DEFAULT NULL") : "NOT NULL"} ${i === 0 ? auto : ""}`,
  );
  return {
    create: `CREATE TABLE t (${[...columns, ...keys].join(", ")}) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
    kinds,
    nullable,
  };
}

const DIALECTS: readonly Partial<CsvDialect>[] = [
  {},
  {},
  {},
  {},
  { terminator: "\n" },
  { separator: "|", delimiter: "", nulls: ["NULL", ""] },
  { separator: "\t", delimiter: "'", escapedBy: "", nulls: ["", "N"] },
  { nulls: [], quotedNullIsText: false },
  { notNull: true },
  { escapedBy: "", nulls: ["NULL", "\\N"] },
  { blankLines: "skip" },
  { blankLines: "row" },
];

/** One field; a value that the dialect cannot hold is changed. */
function csvField(random: Random, kind: Kind, text: string, dialect: CsvDialect): string {
  const { delimiter, separator, escapedBy } = dialect;
  const quote = delimiter !== "" && random.next() < (kind.isNumber ? 0.1 : 0.8);
  if (!quote) return [...text].filter((c) => ![separator, delimiter, escapedBy, "\n", "\r"].includes(c)).join("");
  let escaped = text;
  if (escapedBy !== "") escaped = escaped.replaceAll("\\", "\\\\");
  return `${delimiter}${escaped.replaceAll(delimiter, delimiter + delimiter)}${delimiter}`;
}

function csvText(random: Random, { kinds, nullable }: Case, dialect: CsvDialect, rows: number): string {
  const end = dialect.terminator === "" ? pick(random, ["\n", "\n", "\r\n", "\r"]) : "\n";
  const lines = Array.from({ length: rows }, () => {
    if (odd(random, 0.01)) return pick(random, ["", "1", "  "]);
    const fields = kinds.map((kind, i) => {
      const isNull = nullable[i] ? random.next() < 0.2 : odd(random, 0.003);
      return isNull ? (dialect.nulls[0] ?? "") : csvField(random, kind, kind.text(random), dialect);
    });
    return fields.join(dialect.separator);
  });
  return lines.join(end) + (random.next() < 0.5 ? end : "");
}

function sqlText(random: Random, { kinds, nullable }: Case, rows: number): string {
  const out: string[] = [];
  for (let left = rows; left > 0; ) {
    const tuples = Array.from({ length: Math.min(left, 1 + below(random, 60)) }, () => {
      const values = kinds.map((kind, i) => {
        if (nullable[i] ? random.next() < 0.2 : odd(random, 0.003)) return pick(random, ["NULL", "NULL", "null"]);
        const text = kind.text(random);
        if (kind.isNumber && random.next() < 0.9) return text === "" ? "0" : text;
        return `'${text.replaceAll("\\", "\\\\").replaceAll("'", pick(random, ["''", "\\'"]))}'`;
      });
      return `(${values.join(odd(random, 0.02) ? " , " : ",")})`;
    });
    left -= tuples.length;
    if (random.next() < 0.1)
      out.push(
        pick(random, [
          "SET NAMES utf8mb4;",
          "/* c */;",
          "SET time_zone='+00:00';",
          "SET sql_mode='NO_BACKSLASH_ESCAPES';",
        ]),
      );
    out.push(
      `INSERT INTO t VALUES${pick(random, [" ", "\n"])}${tuples.join(pick(random, [",", ",\n", ", ", ",/* c */"]))};`,
    );
  }
  return out.join("\n");
}

interface Outcome {
  rows: number;
  many: number;
  pairs: { data: string[]; index: string[] };
  sums: KvSums;
  ownSums: KvSums;
  autoIds: unknown;
  warnings: string[];
  error: string | undefined;
}

class ArenaSink implements PairSink, PackedSink {
  readonly packed: PackedSink | undefined;
  readonly arena: PairArena;
  readonly checksum: KvChecksum;

  constructor(arena: PairArena, checksum: KvChecksum, many: boolean) {
    this.arena = arena;
    this.checksum = checksum;
    this.packed = many ? this : undefined;
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.checksum.add(key, keyLength, value, valueLength);
    this.arena.put(key, keyLength, value, valueLength);
  }

  get roomBytes(): number {
    return this.arena.roomBytes;
  }

  get roomPairs(): number {
    return this.arena.roomPairs;
  }

  putPacked(batch: PackedBatch): void {
    this.arena.putPacked(batch);
  }
}

/** The pairs as the arena sorts them. Where it says that keys ascend strictly, which a run's readers believe, they must. */
function pairsOf(arena: PairArena, own: KvChecksum): string[] {
  const { bytes, offsets, strict } = arena.sorted();
  let before: Uint8Array | undefined;
  return Array.from(offsets, (at) => {
    const [pair] = unpackPairs(bytes.subarray(at));
    const { key, value } = pair!;
    const packed = packPairs([{ key, value }]);
    assert.ok(equalBytes(bytes.subarray(at, at + packed.length), packed), "an entry is packed as the engine packs it");
    if (before !== undefined) {
      const order = compareBytes(before, key);
      assert.ok(strict ? order < 0 : order <= 0, `${toHex(before)} stands before ${toHex(key)}, strict: ${strict}`);
    }
    before = key;
    own.add(key, key.length, value, value.length);
    return `${toHex(key)} ${toHex(value)}`;
  });
}

const NO_STORAGE = {} as Storage;

async function encode(
  info: TableInfo,
  chunk: Chunk,
  session: EncodeSession,
  many: boolean,
  windowBytes: number,
): Promise<Outcome> {
  const checksum = new KvChecksum();
  const arenas = [new PairArena({ capacityBytes: 2 << 20 }), new PairArena({ capacityBytes: 2 << 20 })] as const;
  const [record, index] = arenas.map((arena) => new ArenaSink(arena, checksum, many));
  const warnings: string[] = [];
  const onWarning = (w: { column: string; mysqlCode: number; message: string; rowId: number }): void => {
    warnings.push(`${w.column} ${w.mysqlCode} ${w.message} ${w.rowId}`);
  };
  const encoders = new TableEncoders(session, (table, own) =>
    compileTable(table.info, { session: own, record: record!, index: index!, onWarning }),
  );
  const options = {
    storage: NO_STORAGE,
    session,
    windowBytes,
    compatLightning: false,
    invalidReplacement: undefined,
    allowShortRows: false,
    bulkBytesMin: many ? 0 : Number.POSITIVE_INFINITY,
  };
  const table = { name: "d.t", info, codings: new Map(), ignored: new Set<string>() };
  let count = 0;
  let manyCount = 0;
  let error: string | undefined;
  let autoIds: unknown;
  // The second chunk finds the encoder of the first.
  for (const rowIdBase of [chunk.rowIdBase, chunk.rowIdBase + 1e5]) {
    const own = { ...chunk, rowIdBase, plain: chunk.plain!.slice() };
    const rows = await ChunkRows.open(options, table, own, encoders);
    try {
      while (await rows.fill()) {
        while (rows.next()) {
          rows.encoder!.encodeRow(rows.row, rows.rowId);
          count++;
          for (let n = -1; n !== 0; manyCount += n) n = rows.encodeMany();
        }
      }
    } catch (thrown) {
      error = `${(thrown as Error).message} ${rows.reader.scanner.rowNumber} ${rows.reader.rowPosition}`;
    }
    rows.drain();
    autoIds = rows.encoder?.autoIdMax;
    if (error !== undefined) break;
  }
  const own = new KvChecksum();
  const [data, indexes] = arenas.map((arena) => pairsOf(arena, own));
  return {
    rows: count + manyCount,
    many: manyCount,
    pairs: { data: data!, index: indexes! },
    sums: checksum.result(),
    ownSums: own.result(),
    autoIds,
    warnings,
    error,
  };
}

const SESSION: EncodeSession = {
  sqlMode: "",
  timeZone: "UTC",
  newCollations: true,
  rowFormatVersion: 2,
  rowLevelChecksum: false,
  nowMs: 1.7e12,
  defaultWeekFormat: 0,
};
const DDL = {
  sqlMode: parseSqlMode(""),
  timeZone: "UTC",
  newCollation: true,
  nowMs: 0,
  database: "d",
  clusteredIndex: "on",
} as const;

/** A whole file of CSV, or of SQL where there is no dialect. */
function chunkOf(plain: Uint8Array, dialect: CsvDialect | undefined, rows: number): Chunk {
  return {
    path: "d.t.0.csv",
    database: "d",
    table: "t",
    insertNames: undefined,
    format: dialect === undefined ? "sql" : "csv",
    compression: "none",
    charset: "utf8",
    dialect,
    start: 0,
    end: plain.length,
    endsInFile: false,
    sourceBytes: plain.length,
    fileSizeBytes: plain.length,
    fileMtimeMs: 0,
    columns: undefined,
    sql: undefined,
    extraColumns: [],
    rowsBefore: 0,
    rowIdBase: 0,
    rowCountMax: rows,
    plain: plain as Uint8Array<ArrayBuffer>,
  };
}

/** Both outcomes of a random table and text. */
export async function bulkAndRows(
  seed: number,
  rowsMax: number,
): Promise<{ rows: Outcome; many: Outcome; create: string }> {
  const random = seededRandom(seed);
  oddness = pick(random, [0, 0, 0, 0, 0, 0, 0.02, 0.2, 1]);
  const made = randomCase(random);
  const session: EncodeSession = {
    ...SESSION,
    sqlMode: random.next() < 0.8 ? "" : STRICT,
    timeZone: pick(random, ["UTC", "UTC", "+00:00", "America/New_York"]),
    newCollations: random.next() < 0.8,
  };
  const catalog = new Catalog(() => 100 + below(random, 1e6));
  const ddl = { ...DDL, newCollation: session.newCollations };
  catalog.execute("CREATE DATABASE d", ddl);
  catalog.execute(made.create, ddl);
  const rows = 1 + below(random, rowsMax);
  const isCsv = random.next() < 0.6;
  const dialect = { ...defaultCsvDialect, header: false, ...pick(random, DIALECTS) };
  const plain = utf8(
    isCsv ? csvText(random, made, dialect, rows) : sqlText(random, made, rows),
  ) as Uint8Array<ArrayBuffer>;
  const chunk = {
    ...chunkOf(plain, isCsv ? dialect : undefined, rows),
    rowIdBase: pick(random, [0, 4294967290, 12345]),
  };
  const info = catalog.table("d", "t")!;
  const windowBytes = pick(random, [300, 5000, 1 << 20]);
  return { ...(await both(info, chunk, session, windowBytes)), create: made.create };
}

/** Both outcomes of a table and the bytes of a CSV file, or of an SQL file where no dialect is given. */
export async function bulkAndRowsOf(
  create: string,
  bytes: Uint8Array,
  dialect?: Partial<CsvDialect>,
  windowBytes = 1 << 20,
): Promise<{ rows: Outcome; many: Outcome }> {
  const catalog = new Catalog(() => 100);
  catalog.execute("CREATE DATABASE d", DDL);
  catalog.execute(create, DDL);
  return both(
    catalog.table("d", "t")!,
    chunkOf(bytes, dialect && { ...defaultCsvDialect, header: false, ...dialect }, 1_000_000),
    SESSION,
    windowBytes,
  );
}

async function both(info: TableInfo, chunk: Chunk, session: EncodeSession, windowBytes: number) {
  return {
    rows: await encode(info, chunk, session, false, windowBytes),
    many: await encode(info, chunk, session, true, windowBytes),
  };
}
