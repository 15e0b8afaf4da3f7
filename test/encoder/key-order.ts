/** Keys sort as SQL sorts their values: for every type and collation, in index keys and in clustered keys. */
import assert from "node:assert/strict";
import { compareBytes, LevinError, type Random, seededRandom, utf8 } from "../../src/base/mod.ts";
import {
  appendSortKey,
  ByteWriter,
  type Datum,
  FieldKind,
  findCollation,
  newFields,
  splitKey,
  TimeZone,
} from "../../src/codec/mod.ts";
import { TableReader } from "../../src/embed/tidb/reader/mod.ts";
import { compareDecimals } from "../../src/encoder/cast/mod.ts";
import { compileTable, type TableEncoder } from "../../src/encoder/mod.ts";
import type { FieldTypeInfo } from "../../src/schema/mod.ts";
import { tableOf } from "./expr/golden-generated.ts";
import { plainSession } from "./plain-session.ts";
import { below, pick, randomText } from "./random-table.ts";
import { fill } from "./source-text.ts";

const COLLATIONS = {
  utf8mb4: ["bin", "general_ci", "unicode_ci", "0900_ai_ci", "0900_bin"],
  utf8: ["bin", "general_ci", "unicode_ci"],
  latin1: ["bin"],
  ascii: ["bin"],
  gbk: ["bin", "chinese_ci"],
};

const TEXTS = Object.entries(COLLATIONS).flatMap(([charset, names]) =>
  names.flatMap((name) =>
    ["char(20)", "varchar(20)"].map((type) => `${type} character set ${charset} collate ${charset}_${name}`),
  ),
);

/** Types that an index can be on. */
export const KEY_TYPES: readonly string[] = [
  ...["tinyint", "smallint", "mediumint", "int", "bigint"].flatMap((type) => [type, `${type} unsigned`]),
  ...["float", "double", "double(12,3)", "float unsigned", "decimal(20,6)", "decimal(65,30)", "decimal(5,0) unsigned"],
  ...[
    "bit(1)",
    "bit(20)",
    "bit(64)",
    "year",
    "date",
    "datetime",
    "datetime(6)",
    "timestamp(3) null",
    "time",
    "time(6)",
  ],
  ...["enum('a','B','c','')", "set('a','b','c','d')", "binary(6)", "varbinary(20)"],
  ...TEXTS,
];

function numberOf(d: Datum): bigint | number {
  switch (d.kind) {
    case "int":
    case "uint":
    case "enum":
    case "set":
    case "bit":
    case "float":
      return d.value;
    case "time":
      return d.packed;
    case "duration":
      return d.nanos;
    default:
      throw new Error(`${d.kind} has no order of numbers`);
  }
}

/** Weights of the characters one by one; where there are none the bytes. */
function weightsOf(text: Uint8Array, collation: string): number[] {
  const known = findCollation(collation)!;
  let end = text.length;
  while (known.padSpace && end > 0 && text[end - 1] === 0x20) end--;
  const trimmed = text.subarray(0, end);
  if (known.bytewise) return [...trimmed];
  const weights: number[] = [];
  for (const c of new TextDecoder().decode(trimmed)) {
    // A letter behind a blank keeps it from being trimmed.
    const key = keyOf(utf8(`${c}a`), collation);
    const letter = keyOf(utf8("a"), collation);
    const own = key.subarray(0, key.length - letter.length);
    if (collation.startsWith("gbk")) weights.push(own.reduce((sum, b) => sum * 256 + b, 0));
    else for (let i = 0; i < own.length; i += 2) weights.push(own[i]! * 256 + own[i + 1]!);
  }
  return weights;
}

function keyOf(text: Uint8Array, collation: string): Uint8Array {
  const out = new ByteWriter();
  appendSortKey(out, findCollation(collation)!, text, 0, text.length);
  return out.toBytes();
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return a.length - b.length;
}

/** ORDER BY: NULL first, numbers by size, text by the weights of its collation. */
function compareDatums(a: Datum, b: Datum, type: FieldTypeInfo): number {
  if (a.kind === "null" || b.kind === "null") return (a.kind === "null" ? 0 : 1) - (b.kind === "null" ? 0 : 1);
  if (a.kind === "decimal" && b.kind === "decimal") return compareDecimals(a.value, b.value);
  if (a.kind === "bytes" && b.kind === "bytes") {
    return compareLists(weightsOf(a.value, type.Collate), weightsOf(b.value, type.Collate));
  }
  const [x, y] = [numberOf(a), numberOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

const PIECES = ["a", "A", "b", "B", " ", "z", "0", "é", "ß", "中", "文", "😀", "Ä", "\u0001", "_", "ss", "\u0300"];

function randomValue(random: Random, type: FieldTypeInfo, text: (random: Random) => Uint8Array): Uint8Array {
  const isText = type.Collate !== "" && (type.Tp === 15 || type.Tp === 253 || type.Tp === 254) && type.Elems == null;
  if (!isText) return text(random);
  const pieces = type.Charset === "ascii" ? PIECES.filter((piece) => /^[ -~]*$/.test(piece)) : PIECES;
  return utf8(Array.from({ length: below(random, 5) }, () => pick(random, pieces)).join(""));
}

interface Entry {
  readonly key: Uint8Array;
  readonly datum: Datum;
}

class Ordering {
  private readonly table;
  private readonly type: FieldTypeInfo;
  private readonly encoder: TableEncoder;
  private readonly reader: TableReader;
  private readonly fields = newFields(2);
  private record: { key: Uint8Array; value: Uint8Array } | undefined;
  private index: Uint8Array | undefined;
  private readonly clustered: boolean;

  constructor(type: string, clustered: boolean) {
    this.clustered = clustered;
    const key = clustered ? "primary key (c, v) clustered" : "key k (c)";
    this.table = tableOf(
      `create table t (c ${clustered ? `${type.replace(" null", "")} not null` : type}, v int, ${key})`,
    );
    this.type = this.table.cols[0]!.type;
    const copy = (bytes: Uint8Array, size: number): Uint8Array => bytes.slice(0, size);
    this.encoder = compileTable(this.table, {
      session: {
        ...plainSession,
      },
      record: {
        put: (k, kl, v, vl) => {
          this.record = { key: copy(k, kl), value: copy(v, vl) };
        },
      },
      index: {
        put: (k, kl) => {
          this.index = copy(k, kl);
        },
      },
    });
    this.encoder.bindColumns(undefined);
    this.reader = new TableReader(this.table, true, TimeZone.utc);
  }

  /** The key and the stored value of a random source value; undefined where it cannot be stored. */
  entry(random: Random): Entry | undefined {
    const column = this.table.cols[0]!;
    const bytes = randomValue(random, this.type, (r) => randomText(r, column));
    const kind = !this.clustered && random.next() < 0.05 ? FieldKind.null : FieldKind.string;
    fill(this.fields, [
      { kind, bytes },
      { kind: FieldKind.string, bytes: utf8("1") },
    ]);
    try {
      this.encoder.encodeRow(this.fields, 1);
    } catch (thrown) {
      if (!(thrown instanceof LevinError)) throw thrown;
      return undefined;
    }
    const { key, value } = this.record!;
    const datum = this.reader.decode(key, value).values[0]!;
    assert.equal(splitKey(key).kind, "record");
    return { key: this.clustered ? key : this.index!, datum };
  }

  check(a: Entry, b: Entry): void {
    const wanted = Math.sign(compareDatums(a.datum, b.datum, this.type));
    const got = Math.sign(compareBytes(a.key, b.key));
    const show = (d: Datum): string => JSON.stringify(d, (_, v) => (typeof v === "bigint" ? String(v) : v));
    assert.equal(got, wanted, `${show(a.datum)} and ${show(b.datum)}`);
  }
}

/** Compares random values of one type with each other; the number of comparisons. */
export function keyOrder(type: string, clustered: boolean, seed: number, values: number): number {
  const random = seededRandom(seed);
  try {
    const ordering = new Ordering(type, clustered);
    const entries: Entry[] = [];
    for (let i = 0; i < values; i++) {
      const entry = ordering.entry(random);
      if (entry !== undefined) entries.push(entry);
    }
    for (const a of entries) for (const b of entries) ordering.check(a, b);
    return entries.length ** 2;
  } catch (thrown) {
    (thrown as Error).message =
      `${type}, ${clustered ? "clustered" : "index"}, seed ${seed}: ${(thrown as Error).message}`;
    throw thrown;
  }
}
