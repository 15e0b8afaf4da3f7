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
import { KINDS, type Kind, NOT_TAKEN, odd, setOddness } from "./bulk-kinds.ts";

const STRICT = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";

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
  } else if (keyColumns.length > 0 && random.next() < 0.4) {
    const columns = new Set(Array.from({ length: 1 + below(random, 3) }, () => pick(random, keyColumns)));
    for (const column of columns) nullable[column] = false;
    const parts = [...columns].map((column) => `c${column}${kinds[column]!.key!(random)}`);
    keys.push(`PRIMARY KEY (${parts.join(", ")}) /*T![clustered_index] CLUSTERED */`);
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
  setOddness(pick(random, [0, 0, 0, 0, 0, 0, 0.02, 0.2, 1]));
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
