/**
 * One data set in all its forms gives the same pairs: SQL, CSV dialects, compressions, one file, chunks from 64 bytes up, one to four
 * workers. The tables have keys of their own, so that no pair depends on where a row stands.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { seededRandom } from "../../src/base/mod.ts";
import { inlineEncoder, levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

const CREATE = `CREATE TABLE m (
  id BIGINT NOT NULL, part INT NOT NULL, txt VARCHAR(200), raw VARBINARY(40), num DECIMAL(20,4), at DATETIME(3),
  PRIMARY KEY (part, id), UNIQUE KEY u (raw, id), KEY k (txt(10), num)
) CHARSET=utf8mb4`;

type Value = string | null;

/** Text with all that quotes, escapes, separators and line ends can do. */
function values(count: number): Value[][] {
  const random = seededRandom(42);
  const pick = (n: number): number => Math.floor(random.next() * n);
  const bits = [
    "a",
    "é",
    "🙂",
    "'",
    '"',
    "\\",
    ",",
    "\t",
    "\n",
    "\r\n",
    ";",
    "NULL",
    "\\N",
    "--",
    "/*",
    "(",
    ")",
    "\0",
    "\x1a",
    " ",
    "|+|",
  ];
  const text = (): Value =>
    pick(9) === 0 ? null : Array.from({ length: pick(12) }, () => bits[pick(bits.length)]).join("");
  return Array.from({ length: count }, (_, k) => [
    String(k - 50),
    String(pick(3)),
    text(),
    text()?.slice(0, 8) ?? null,
    pick(5) === 0 ? null : `${pick(2) === 0 ? "-" : ""}${pick(1e6)}.${String(pick(10_000)).padStart(4, "0")}`,
    pick(5) === 0
      ? null
      : `2024-0${1 + pick(9)}-1${pick(10)} 0${pick(10)}:00:00.${String(pick(1000)).padStart(3, "0")}`,
  ]);
}

const names = ["id", "part", "txt", "raw", "num", "at"];
const rows = values(120);

const escapes: Record<string, string> = {
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x1a": "\\Z",
  "\\": "\\\\",
};
const backslashed = (text: string): string => text.replace(/[\0\n\r\t\x1a\\]/g, (one) => escapes[one]!);
const sqlValue = (value: Value): string => (value === null ? "NULL" : `'${backslashed(value).replaceAll("'", "''")}'`);

function insert(list: readonly Value[][], perStatement: number, order?: readonly number[]): string {
  const columns = order === undefined ? "" : ` (${order.map((k) => names[k]).join(",")})`;
  const out: string[] = [];
  for (let at = 0; at < list.length; at += perStatement) {
    const tuples = list.slice(at, at + perStatement).map((row) => {
      const shown = order === undefined ? row : order.map((k) => row[k]!);
      return `(${shown.map((value) => sqlValue(value ?? null)).join(",")})`;
    });
    out.push(`INSERT INTO m${columns} VALUES\n${tuples.join(",\n")};\n`);
  }
  return out.join("");
}

function csv(separator: string, quote: string, escaped: boolean, nullText: string, end: string, header = true): string {
  const field = (value: Value): string => {
    if (value === null) return nullText;
    const text = escaped ? backslashed(value) : value;
    return `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
  };
  const all = rows.map((row) => row.map(field).join(separator));
  return [...(header ? [names.join(separator)] : []), ...all].map((line) => line + end).join("");
}

interface Form {
  files: [string, string | Uint8Array][];
  toml?: string;
}

const schema: [string, string] = ["f.m-schema.sql", CREATE];
const plain = csv(",", '"', true, "\\N", "\n");
const plainBytes = new TextEncoder().encode(plain);
const dialect = (lines: string): string => `[mydumper.csv]\n${lines}\n`;

const forms: Record<string, Form> = {
  "one statement": { files: [schema, ["f.m.sql", insert(rows, 1000)]] },
  "a statement a row, other column orders": {
    files: [schema, ["f.m.sql", insert(rows.slice(0, 60), 1, [3, 1, 0, 5, 4, 2]) + insert(rows.slice(60), 7)]],
  },
  "several files": {
    files: [schema, ["f.m.1.sql", insert(rows.slice(50), 9)], ["f.m.2.csv", header(rows.slice(0, 50))]],
  },
  "one-file dump": {
    files: [
      ["dump.sql", `CREATE DATABASE f;\nUSE f;\n${CREATE};\nLOCK TABLES m WRITE;\n${insert(rows, 13)}UNLOCK TABLES;\n`],
    ],
  },
  csv: { files: [schema, ["f.m.csv", plain]] },
  "csv, CRLF": { files: [schema, ["f.m.csv", csv(",", '"', true, "\\N", "\r\n")]] },
  "csv, quotes only": {
    files: [schema, ["f.m.csv", csv(",", '"', false, "nil", "\n")]],
    toml: dialect('backslash-escape = false\nnull = "nil"'),
  },
  "csv, long separators, no header": {
    files: [schema, ["f.m.csv", csv("|+|", "'", true, "\\N", "<EOL>", false)]],
    toml: dialect(`separator = "|+|"\ndelimiter = "'"\nterminator = "<EOL>"\nheader = false`),
  },
  tsv: { files: [schema, ["f.m.csv", header(rows, "\t")]], toml: dialect('separator = "\\t"\ndelimiter = ""') },
  gzip: { files: [schema, ["f.m.csv.gz", gzipSync(plain)]] },
  "gzip, two members": {
    files: [
      schema,
      ["f.m.csv.gz", Buffer.concat([gzipSync(plainBytes.subarray(0, 999)), gzipSync(plainBytes.subarray(999))])],
    ],
  },
  zstd: { files: [schema, ["f.m.sql.zst", zstdCompressSync(insert(rows, 17))]] },
};

/** Without quotes; separators in values are escaped. */
function header(list: readonly Value[][], separator = ","): string {
  const field = (value: Value): string =>
    value === null ? "\\N" : backslashed(value).replaceAll(separator, `\\${separator}`).replaceAll('"', '\\"');
  const lines = list.map((row) => row.map(field).join(separator));
  return `${[names.join(separator), ...lines].join("\n")}\n`;
}

async function sums({ files, toml = "" }: Form, chunkBytes: number, workers: number): Promise<string> {
  const config = place.file("levin.toml", toml);
  const chunk = place.file("chunk.toml", `${toml}[mydumper]\nmax-region-size = ${chunkBytes}\n`);
  const words = [
    "import",
    place.folder(files),
    "-c",
    chunkBytes > 0 ? chunk : config,
    `--workers=${workers}`,
    "--memory=128MiB",
  ];
  // The same id, so that keys can be compared.
  await place.sql.query("DROP DATABASE IF EXISTS f");
  const { code, out, err } = await levin([...words, "--json", ...place.target()]);
  assert.equal(code, 0, err);
  const shown = (await place.rows("SELECT * FROM f.m")).map((row) =>
    row.map((one) => one?.toString("hex") ?? "-").join(),
  );
  const done = out.split("\n").find((line) => line.includes('"table-done"'));
  const { rows: count, kvs, bytes } = JSON.parse(done!) as { rows: number; kvs: string; bytes: string };
  return JSON.stringify([count, kvs, bytes, shown.sort()]);
}

test("all forms, chunk sizes and numbers of workers give the same rows and pairs", { timeout: 120_000 }, async () => {
  const wanted = await sums(forms["one statement"]!, 0, 1);
  let turn = 0;
  for (const [name, form] of Object.entries(forms)) {
    const chunkBytes = [64, 100, 1000, 4096][turn % 4]!;
    const workers = 1 + (turn++ % 4);
    assert.equal(
      await sums(form, chunkBytes, workers),
      wanted,
      `${name}, chunks of ${chunkBytes} bytes, ${workers} workers`,
    );
  }
});

test("an interrupted import of compressed files goes on, and misses no row", { timeout: 120_000 }, async () => {
  const csv = Array.from({ length: 6000 }, (_, k) => `${k},"row ${k}\nx ${(k * 7919) % 10007}"\n`).join("");
  const rowsOf = (from: number): string => Array.from({ length: 50 }, (_, k) => `(${from + k},'${from}')`).join(",");
  const inserts = (table: string): string =>
    Array.from({ length: 40 }, (_, k) => `INSERT INTO ${table} VALUES ${rowsOf(50 * k)};\n`).join("");
  const create = (table: string): string => `CREATE TABLE ${table} (id INT PRIMARY KEY, v TEXT)`;
  const dump = `CREATE DATABASE z; USE z;\n${["a", "b"].map((t) => `${create(t)};\n${inserts(t)}`).join("")}`;
  const cases: [files: [string, string | Uint8Array][], table: string, count: number][] = [
    [
      [
        ["z.a-schema.sql", create("a")],
        ["z.a.csv.gz", gzipSync(`id,v\n${csv}`)],
      ],
      "a",
      6000,
    ],
    [[["dump.sql.gz", gzipSync(dump)]], "b", 2000],
  ];
  for (const [files, table, count] of cases) {
    await place.sql.query("DROP DATABASE IF EXISTS z");
    const config = place.file("chunks.toml", "[mydumper]\nmax-region-size = 5000\n");
    const words = [
      "import",
      place.folder(files),
      "-c",
      config,
      "--workers=2",
      "--memory=128MiB",
      "--json",
      ...place.target(),
    ];
    const stop = new AbortController();
    let finished = 0;
    const write = (text: string): void => {
      for (const line of text.split("\n"))
        if (/"chunk".*"finished"/.test(line) && ++finished === 2) stop.abort(new Error("enough"));
    };
    const first = await levin(words, { encodeWorker: inlineEncoder, signal: stop.signal, stdout: { write } });
    assert.equal(first.code, 130, first.err);
    const second = await levin(words, { encodeWorker: inlineEncoder });
    assert.equal(second.code, 0, second.err);
    const [sums] = await place.rows(`SELECT COUNT(*), SUM(id) FROM z.${table}`);
    assert.deepEqual(sums!.map(String), [String(count), String((count * (count - 1)) / 2)]);
  }
});
