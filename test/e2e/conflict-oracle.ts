/** Rows that are in each other's way, and what must become of them: statements played one after the other, in the plainest way. */
import { seededRandom } from "../../src/base/mod.ts";

export type Row = readonly (string | null)[];

export interface SampleTable {
  name: string;
  create: string;
  /** Unique keys as lists of column numbers, the primary key first. */
  keys: readonly { name: string; columns: readonly number[]; of?: (row: Row) => string | undefined }[];
  /** Rows of each file; a file's rows follow those of the file before. */
  files: readonly (readonly Row[])[];
}

/** Keys compare without case and trailing spaces, as utf8mb4_general_ci does, unless they say otherwise; NULL is in nobody's way. */
function keyOf(row: Row, { columns, of }: SampleTable["keys"][number]): string | undefined {
  if (of !== undefined) return of(row);
  const parts = columns.map((column) => row[column] ?? null);
  if (parts.includes(null)) return undefined;
  return parts.map((part) => part!.trimEnd().toUpperCase()).join("\0");
}

/** Rows that stay, and how many do not. */
export function survivors(
  { keys, files }: SampleTable,
  strategy: "replace" | "ignore",
  before: readonly Row[] = [],
): { rows: Row[]; dropped: number } {
  let table: Row[] = [...before];
  const rows = files.flat();
  for (const row of rows) {
    const inTheWay = table.filter((other) =>
      keys.some((one) => {
        const key = keyOf(row, one);
        return key !== undefined && key === keyOf(other, one);
      }),
    );
    if (strategy === "replace") table = table.filter((other) => !inTheWay.includes(other)).concat([row]);
    else if (inTheWay.length === 0) table.push(row);
  }
  return { rows: table, dropped: before.length + rows.length - table.length };
}

/** How often a row has a key that one before it has, each of its keys by itself. */
export function repeatedKeys({ keys, files }: SampleTable, before: readonly Row[] = []): number {
  let count = 0;
  for (const one of keys) {
    const all = [...before, ...files.flat()].flatMap((row) => keyOf(row, one) ?? []);
    count += all.length - new Set(all).size;
  }
  return count;
}

/** Tables whose keys are of many kinds, with chains of rows in each other's way. */
export function sampleTables(seed: number, rows: number): SampleTable[] {
  const random = seededRandom(seed);
  const pick = (n: number): number => Math.floor(random.next() * n);
  const word = (n: number): string => {
    const text = `w${pick(n)}`;
    return `${pick(2) === 0 ? text : text.toUpperCase()}${" ".repeat(pick(2))}`;
  };
  const maybe = (text: string): string | null => (pick(4) === 0 ? null : text);
  const split = (all: Row[]): Row[][] => {
    const at = pick(all.length);
    return [all.slice(0, at), all.slice(at)];
  };
  const make = (row: () => Row): Row[][] => split(Array.from({ length: rows }, row));
  const wide = 2 * rows;
  return [
    {
      name: "clustered",
      create: "(id BIGINT NOT NULL PRIMARY KEY, u INT, v INT, note VARCHAR(20), UNIQUE KEY uu (u), KEY kv (v))",
      keys: [
        { name: "PRIMARY", columns: [0] },
        { name: "uu", columns: [1] },
      ],
      files: make(() => [String(pick(wide) - rows), maybe(String(pick(wide))), String(pick(9)), word(5)]),
    },
    {
      name: "texts",
      create:
        "(a VARCHAR(20) NOT NULL, b INT NOT NULL, c DECIMAL(10,2), d DATE, PRIMARY KEY (a, b), UNIQUE KEY ucd (c, d), UNIQUE KEY ud (d, a)) CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci",
      keys: [
        { name: "PRIMARY", columns: [0, 1] },
        { name: "ucd", columns: [2, 3] },
        { name: "ud", columns: [3, 0] },
      ],
      files: make(() => [word(rows), String(pick(3)), maybe(`${pick(9)}.50`), maybe(`2024-01-${10 + pick(20)}`)]),
    },
    {
      name: "keyless",
      create: "(a INT, b INT, KEY ka (a))",
      keys: [],
      files: make(() => [String(pick(9)), String(pick(9))]),
    },
  ];
}

/** Tables whose keys are not columns as they are: parts of them, computed ones, one that lies across partitions. */
export function oddTables(seed: number, rows: number): SampleTable[] {
  const random = seededRandom(seed);
  const pick = (n: number): number => Math.floor(random.next() * n);
  const split = (all: Row[]): Row[][] => [all.slice(0, rows / 3), all.slice(rows / 3)];
  const make = (row: () => Row): Row[][] => split(Array.from({ length: rows }, row));
  const sum = ([, a, b]: Row): string | undefined => (a == null || b == null ? undefined : String(+a + +b));
  return [
    {
      name: "prefix",
      create:
        "(id INT NOT NULL, s VARCHAR(20), note VARCHAR(9) NOT NULL, PRIMARY KEY (id) /*T![clustered_index] NONCLUSTERED */, UNIQUE KEY us (s(2))) CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
      keys: [
        { name: "PRIMARY", columns: [0] },
        { name: "us", columns: [1], of: ([, s]) => s?.slice(0, 2) },
      ],
      files: make(() => [String(pick(2 * rows)), `${pick(rows)}xy${pick(9)}`, `n${pick(9)}`]),
    },
    {
      name: "computed",
      create:
        "(id BIGINT NOT NULL PRIMARY KEY, a INT, b INT, c INT NOT NULL, g INT GENERATED ALWAYS AS (a + b) STORED, UNIQUE KEY ug (g), UNIQUE KEY ue ((c * 10)))",
      keys: [
        { name: "PRIMARY", columns: [0] },
        { name: "ug", columns: [1, 2], of: sum },
        { name: "ue", columns: [3] },
      ],
      files: make(() => [String(pick(2 * rows)), String(pick(rows)), String(pick(rows)), String(pick(3 * rows))]),
    },
    {
      name: "parts",
      create:
        "(id INT NOT NULL, k INT NOT NULL, v INT, note VARCHAR(9) NOT NULL, PRIMARY KEY (id, k), UNIQUE KEY uv (v, k)) PARTITION BY RANGE (k) (PARTITION p0 VALUES LESS THAN (2), PARTITION p1 VALUES LESS THAN (4), PARTITION p2 VALUES LESS THAN MAXVALUE)",
      keys: [
        { name: "PRIMARY", columns: [0, 1] },
        { name: "uv", columns: [2, 1] },
      ],
      files: make(() => [String(pick(rows / 3)), String(pick(6)), String(pick(rows / 2)), `n${pick(9)}`]),
    },
  ];
}

export function csvOf(rows: readonly Row[]): string {
  return rows.map((row) => `${row.map((value) => value ?? "\\N").join("|")}\n`).join("");
}

/** Files of a dump of the tables. */
export function dumpOf(tables: readonly SampleTable[]): [string, string][] {
  const out: [string, string][] = [["c-schema-create.sql", "CREATE DATABASE c;\n"]];
  for (const { name, create, files } of tables) {
    out.push([`c.${name}-schema.sql`, `CREATE TABLE ${name} ${create};\n`]);
    files.forEach((rows, i) => {
      out.push([`c.${name}.${i + 1}.csv`, csvOf(rows)]);
    });
  }
  return out;
}

export const shown = (rows: readonly Row[]): string[] =>
  rows.map((row) => row.map((value) => value ?? "NULL").join("|")).sort();
