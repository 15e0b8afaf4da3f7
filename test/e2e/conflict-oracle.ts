/** Rows that are in each other's way, and what must become of them: statements played one after the other, in the plainest way. */
import { seededRandom } from "../../src/base/mod.ts";

export type Row = readonly (string | null)[];

export interface SampleTable {
  name: string;
  create: string;
  /** Unique keys as lists of column numbers, the primary key first. */
  keys: readonly { name: string; columns: readonly number[] }[];
  /** Rows of each file; a file's rows follow those of the file before. */
  files: readonly (readonly Row[])[];
}

/** Keys compare without case and trailing spaces, as utf8mb4_general_ci does; NULL is in nobody's way. */
function keyOf(row: Row, columns: readonly number[]): string | undefined {
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
      keys.some(({ columns }) => {
        const key = keyOf(row, columns);
        return key !== undefined && key === keyOf(other, columns);
      }),
    );
    if (strategy === "replace") table = table.filter((other) => !inTheWay.includes(other)).concat([row]);
    else if (inTheWay.length === 0) table.push(row);
  }
  return { rows: table, dropped: before.length + rows.length - table.length };
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
