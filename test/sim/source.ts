/** Small random dumps in memory. */
import { LevinError, type Random, utf8 } from "../../src/base/mod.ts";
import type { Storage } from "../../src/source/mod.ts";
import type { Life } from "./life.ts";

export type Field = string | number | null;

/** Definition, and one row as the fields of a CSV line. */
interface TableShape {
  columns: string;
  /** What follows the columns. */
  options?: string;
  row(id: number, text: () => string): Field[];
  /** One of rows that are in each other's way in chains, where there is more than one key. */
  loose?(below: (n: number) => number): Field[];
  /** Field that a number belongs into. */
  number: number;
  /** Field whose value the server makes. */
  generated?: number;
}

const shapes: TableShape[] = [
  {
    columns: "id INT PRIMARY KEY CLUSTERED, v VARCHAR(60), KEY k (v)",
    row: (id, text) => [id * 3, text()],
    number: 0,
  },
  {
    columns: "a VARCHAR(20), b BIGINT, c DECIMAL(10,2), PRIMARY KEY (a, b) CLUSTERED, UNIQUE KEY u (b)",
    row: (id, text) => [text().slice(0, 20), id, `${id}.25`],
    number: 1,
  },
  { columns: "a INT, t TEXT, KEY k (a)", number: 0, row: (id, text) => [id % 7, text()] },
  {
    columns: "id BIGINT AUTO_INCREMENT PRIMARY KEY NONCLUSTERED, d DATETIME, v VARCHAR(40)",
    row: (id, text) => [1000 - id, "2024-02-29 12:13:14", text()],
    number: 0,
  },
  {
    columns: "id BIGINT PRIMARY KEY CLUSTERED, v VARCHAR(40)",
    options: " PARTITION BY HASH (id) PARTITIONS 3",
    row: (id, text) => [id, text()],
    number: 0,
  },
  {
    columns: "id BIGINT AUTO_RANDOM(5) PRIMARY KEY CLUSTERED, v VARCHAR(60)",
    number: 0,
    row: (id, text) => [id + 1, text()],
  },
  {
    columns: "id INT PRIMARY KEY CLUSTERED, u INT, w VARCHAR(8), UNIQUE KEY uu (u), UNIQUE KEY uw (w)",
    number: 0,
    row: (id) => [id, id * 2, `w${id}`],
    loose: (below) => [below(30), below(4) === 0 ? null : below(30), `w${below(30)}`],
  },
  {
    columns: "a INT PRIMARY KEY NONCLUSTERED, u INT, t VARCHAR(60), UNIQUE KEY uu (u), KEY kt (t)",
    number: 0,
    row: (id, text) => [id, id + 7, text()],
    loose: (below) => [below(40), below(4) === 0 ? null : below(40), "t".repeat(below(40))],
  },
];

/** Of statements alone. */
const statementShapes: TableShape[] = [
  {
    columns: "id BIGINT AUTO_INCREMENT PRIMARY KEY CLUSTERED, n INT, v VARCHAR(60)",
    row: (id, text) => [null, id, text()],
    number: 1,
    generated: 0,
  },
  {
    columns: "n INT NOT NULL, v VARCHAR(10) DEFAULT 'x'",
    row: (id) => [id % 3, "same"],
    number: 0,
  },
];

const letters = "abcdefghijklmnopqrstuvwxyz0123456789 ";

export const sourceDir = "/dump";

export interface Dump {
  /** By path. */
  files: ReadonlyMap<string, Uint8Array>;
  rows: number;
  /** Of them: rows with a value that no column takes; they must be left out and reported. */
  badRows: number;
  /** What makes the tables, and the rows that they have before the import, one a statement. */
  schema: string[];
  before: { table: string; statement: string; row: Field[] }[];
  /** The rows of each file, and of each table the field that the server makes. */
  rowsOf: Map<string, Field[][]>;
  generated: Map<string, number>;
}

export interface DumpWish {
  /** Rows with keys that rows before them have. */
  duplicates: boolean;
  /** Rows in the tables, whose keys the source has too or does not have. */
  filled: "no" | "apart" | "overlapping";
  /** Tables that statements alone fill in a way of their own too. */
  byStatements?: boolean;
}

/** Most dumps are small: what goes wrong does so with few rows too, and more runs are made. */
export function randomDump(random: Random, wish: DumpWish): Dump {
  const below = (n: number): number => Math.floor(random.next() * n);
  const isSmall = random.next() < 0.6;
  const tables = 1 + below(isSmall ? 2 : 3);
  const badShare = random.next() < 0.3 ? 0.1 : 0;
  const known = wish.byStatements ? [...shapes, ...statementShapes] : shapes;
  const first = below(known.length);
  // Equal keys in tables that are alike are in nobody's way.
  const step = random.next() < 0.35 ? 0 : 1;
  const dump = {
    files: new Map([["d-schema-create.sql", utf8("CREATE DATABASE d;")]]),
    rows: 0,
    badRows: 0,
    schema: ["CREATE DATABASE d"],
    before: [] as Dump["before"],
    rowsOf: new Map<string, Field[][]>(),
    generated: new Map<string, number>(),
  };
  for (let i = 0; i < tables; i++) {
    const shape = known[(first + i * step) % known.length]!;
    const create = `CREATE TABLE t${i} (${shape.columns})${shape.options ?? ""}`;
    dump.schema.push(create.replace("TABLE t", "TABLE d.t"));
    dump.files.set(`d.t${i}-schema.sql`, utf8(`${create};`));
    if (shape.generated !== undefined) dump.generated.set(`d.t${i}`, shape.generated);
    const count = isSmall ? 2 + below(14) : 3 + below(45);
    const rows = randomRows(shape, count, wish.duplicates, random);
    dump.rows += rows.length;
    for (const row of rows) {
      if (random.next() >= badShare) continue;
      row[shape.number] = "none";
      dump.badRows++;
    }
    if (wish.filled !== "no" && below(4) > 0) {
      const base = wish.filled === "apart" ? 5000 : below(count);
      for (let k = 1 + below(4); k > 0; k--) {
        const row = shape.row(base + k, () => "there before");
        dump.before.push({ table: `d.t${i}`, statement: `INSERT INTO d.t${i} VALUES ${sqlRow(row)}`, row });
      }
    }
    addFiles(dump, `t${i}`, rows, below);
  }
  return dump;
}

function randomRows(shape: TableShape, count: number, duplicates: boolean, random: Random): Field[][] {
  const below = (n: number): number => Math.floor(random.next() * n);
  const text = (): string => Array.from({ length: 4 + below(36) }, () => letters[below(letters.length)]).join("");
  const isLoose = duplicates && below(3) > 0;
  const rows: Field[][] = [];
  for (let id = 0; id < count; id++) {
    if (isLoose && shape.loose !== undefined) rows.push(shape.loose(below));
    else if (!duplicates || id === 0 || below(4) > 0) rows.push(shape.row(id, text));
    else rows.push(below(4) === 0 ? [...rows[below(id)]!] : shape.row(below(id), text));
  }
  return rows;
}

function addFiles(
  { files, rowsOf }: { files: Map<string, Uint8Array>; rowsOf: Dump["rowsOf"] },
  table: string,
  rows: readonly Field[][],
  below: (n: number) => number,
): void {
  const cut = below(3) === 0 ? 1 + below(rows.length) : rows.length;
  for (const [i, part] of [rows.slice(0, cut), rows.slice(cut)].entries()) {
    if (part.length === 0) continue;
    const path = `d.${table}.${i}`;
    const isCsv = below(2) === 0;
    if (isCsv) files.set(`${path}.csv`, utf8(part.map((row) => `${csvRow(row)}\n`).join("")));
    else files.set(`${path}.sql`, utf8(`INSERT INTO ${table} VALUES\n${part.map(sqlRow).join(",\n")};\n`));
    rowsOf.set(`${path}.${isCsv ? "csv" : "sql"}`, part);
  }
}

const csvRow = (row: readonly Field[]): string => row.map((value) => (value === null ? "\\N" : `"${value}"`)).join(",");
const sqlRow = (row: readonly Field[]): string =>
  `(${row.map((value) => (value === null ? "NULL" : `'${value}'`)).join(",")})`;

/** The dump as a storage of one process. */
export function storageOf(files: ReadonlyMap<string, Uint8Array>, life: Life | undefined): Storage {
  const step = <T>(what: string, path: string, run: () => T): Promise<T> => {
    if (life === undefined) return Promise.resolve(run());
    const failure = () => new LevinError("Levin:Source:ErrUnreadable", `Cannot ${what} "${path}": EIO: i/o error`);
    return life.step("source", what, async () => run(), failure);
  };
  return {
    name: sourceDir,
    list: () =>
      step("list", sourceDir, () =>
        [...files]
          .map(([path, bytes]) => ({ path, sizeBytes: bytes.length, mtimeMs: 1_600_000_000_000 }))
          .sort((a, b) => (a.path < b.path ? -1 : 1)),
      ),
    open: (path) =>
      step("open", path, () => {
        const bytes = files.get(path);
        if (bytes === undefined) throw new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": ENOENT`);
        return {
          sizeBytes: bytes.length,
          read: (into, position) =>
            step("read", path, () => {
              const part = bytes.subarray(position, position + into.length);
              into.set(part);
              return part.length;
            }),
          close: () => Promise.resolve(),
        };
      }),
  };
}
