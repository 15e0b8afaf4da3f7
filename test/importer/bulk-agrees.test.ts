import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { bulkAndRows, bulkAndRowsOf } from "./bulk-agrees.ts";
import { KINDS, setOddness } from "./bulk-kinds.ts";

test("rows encoded many at a time give the pairs, sums and ids of rows encoded one by one", async () => {
  let rows = 0;
  let many = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const outcome = await bulkAndRows(seed, 400);
    const { many: manyCount, ...got } = outcome.many;
    const { many: none, ...expected } = outcome.rows;
    assert.equal(none, 0);
    assert.deepEqual(got, expected, `seed ${seed}: ${outcome.create}`);
    assert.deepEqual(got.sums, got.ownSums, `seed ${seed}: the sums are those of the pairs`);
    rows += got.rows;
    many += manyCount;
  }
  assert.ok(many > 3000, `${many} of ${rows} rows were encoded with others`);
});

test("bytes that were read ahead in another character set are not used", async () => {
  const rows = (from: number, text: string): string =>
    Array.from({ length: 30 }, (_, i) => `(${from + i},'${text}')`).join(",");
  // One row is 11 bytes with its comma; eleven letters of two bytes become 22 bytes more, as many as two rows.
  const sql = `INSERT INTO t VALUES ${rows(10, "abc")};\nSET NAMES latin1;\nINSERT INTO t VALUES (40,'${"é".repeat(11)}'),${rows(50, "abc")};`;
  const outcome = await bulkAndRowsOf("CREATE TABLE t (a int, b varchar(40))", Buffer.from(sql));
  const { many, ...got } = outcome.many;
  const { many: _, ...expected } = outcome.rows;
  assert.ok(many > 40, `${many} rows`);
  assert.equal(expected.rows, 2 * 61);
  assert.deepEqual(got, expected);
});

test("a table with more indexes than a kernel keeps sums for is encoded row by row", async () => {
  const keys = Array.from({ length: 100 }, (_, i) => `KEY k${i} (${i % 2 === 0 ? "a, b" : "b"})`).join(", ");
  const sql = `INSERT INTO t VALUES ${Array.from({ length: 50 }, (_, i) => `(${i},${i * 7})`).join(",")};`;
  const outcome = await bulkAndRowsOf(`CREATE TABLE t (a int, b int, ${keys})`, Buffer.from(sql));
  assert.deepEqual(outcome.many, outcome.rows);
  assert.deepEqual(outcome.many.sums, outcome.many.ownSums);
  assert.equal(outcome.many.error, undefined);
});

test("a blank line in a file of one column is a row where the dialect says so", async () => {
  const csv = Buffer.from(`${"some text\n".repeat(20)}\n\n   \n${"more\n".repeat(20)}`);
  for (const [blankLines, rows] of [
    ["skip", 40],
    ["row", 43],
    ["auto", 43],
  ] as const) {
    const outcome = await bulkAndRowsOf("CREATE TABLE t (a varchar(40))", csv, { blankLines });
    const { many, ...got } = outcome.many;
    const { many: _, ...expected } = outcome.rows;
    assert.equal(expected.rows, 2 * rows);
    assert.deepEqual(got, expected);
    if (blankLines !== "skip") assert.ok(many > 20);
  }
});

test("equal keys side by side are not said to ascend strictly", async () => {
  for (const key of ["PRIMARY KEY (a)", "PRIMARY KEY (a), UNIQUE KEY u (b)"]) {
    const rows = Array.from({ length: 60 }, (_, i) => `(${i - (i % 7 === 3 ? 1 : 0)},${100 + Math.floor(i / 2)},'x')`);
    const sql = Buffer.from(`INSERT INTO t VALUES ${rows.join(",")};`);
    const outcome = await bulkAndRowsOf(`CREATE TABLE t (a int, b int NOT NULL, c varchar(9), ${key})`, sql);
    const { many, ...got } = outcome.many;
    const { many: _, ...expected } = outcome.rows;
    assert.ok(many > 40, `${many} rows`);
    assert.deepEqual(got, expected);
  }
});

test("a text that would begin where the input of a kernel ends is left to the scanner", async () => {
  // The first window ends behind the comma of the second row, which the kernel is given first.
  const windowBytes = 300;
  const long = "x".repeat(windowBytes - '"a","b"\n'.length - '"",'.length);
  const csv = Buffer.from(`"a","b"\n"${long}","b"\n${'"a","b"\n'.repeat(40)}`);
  const { rows, many } = await bulkAndRowsOf("CREATE TABLE t (a text, b varchar(40))", csv, {}, windowBytes);
  assert.equal(rows.rows, 2 * 42);
  assert.equal(rows.error, undefined);
  assert.ok(many.many > 20, `${many.many} rows, ${many.error}`);
  assert.deepEqual({ ...many, many: 0 }, rows);
});

test("a row whose pair is longer than a kernel writes lengths for goes row by row", async () => {
  const create = "CREATE TABLE t (a varchar(600) COLLATE utf8mb4_bin, b text, PRIMARY KEY (a) CLUSTERED)";
  // Without the key's part of the pair the value alone would fit until 15 990.
  const sizes = [
    ...Array.from({ length: 40 }, (_, i) => i),
    15_000,
    15_040,
    15_100,
    15_200,
    15_300,
    15_380,
    15_400,
    15_700,
    15_980,
    15_990,
    16_000,
    16_400,
  ];
  const line = (size: number, i: number) => `"${String(100 + i)}${"k".repeat(597)}","${"b".repeat(size)}"\n`;
  const { rows, many } = await bulkAndRowsOf(create, Buffer.from(sizes.map(line).join("")), {});
  assert.equal(rows.error, undefined);
  assert.ok(many.many > 40, `${many.many} rows, ${many.error}`);
  assert.deepEqual({ ...many, many: 0 }, rows);
});

test("a handle that stands in an index beside a text has all its sizes in the value", async () => {
  const near = (bits: number): bigint[] => [-1n, 0n, 1n].map((step) => (1n << BigInt(bits)) + step);
  const positive = [0n, ...[7, 8, 15, 16, 31, 32].flatMap(near), (1n << 63n) - 1n];
  for (const [type, ids] of [
    ["bigint", [...positive, ...positive.map((id) => -id - 1n)]],
    ["bigint unsigned", positive],
  ] as const) {
    const create = `CREATE TABLE t (id ${type} PRIMARY KEY, c varchar(9), d int, KEY (c, id), UNIQUE KEY (id, c), KEY (d, c, id))`;
    const csv = Buffer.from(ids.map((id, i) => `${id},${i % 3 === 0 ? "\\N" : `"c${i}"`},${i}\n`).join(""));
    const { rows, many } = await bulkAndRowsOf(create, csv, {});
    assert.equal(rows.error, undefined);
    assert.ok(many.many > 10, `${many.many} rows`);
    assert.deepEqual({ ...many, many: 0 }, rows);
  }
});

test("numbers and names at the limits of what a kernel takes, each between plain rows", async () => {
  const years = ["1900", "1901", "2155", "2156", "02000", "0", "70"];
  const floats =
    "9007199254740991 9007199254740992 9007199254740993 0.1234567890123456 123456789012.123456 70368744177664.000000000000000001 1e22 1e23 1e-22 1e-23 1e0005 5e005 -0 -0.0 3.4028234e38 3.4028235e38 3.4028236e38 -3.5e38 1e39 1e-46 7e-45".split(
      " ",
    );
  const names = ["NULL", "N", "", "a", "ab", "A", "2", "'2'", "'NULL'", "'N'", "''", "'ab'"];
  const odd = [
    ...years.map((year) => [year, "1", "1", "'a'"]),
    ...floats.flatMap((float) => [
      ["2000", float, "1", "'a'"],
      ["2000", "1", float, "'a'"],
    ]),
    ...names.map((name) => ["2000", "1", "1", name]),
  ];
  const create =
    "CREATE TABLE t (y year, d double, f float, e enum('a','ab','NULL','N','','2'), KEY (y), KEY (d, f), UNIQUE KEY (f), KEY (e))";
  const plain = Array.from({ length: 12 }, () => ["2001", "1.5", "-2.5e3", "'ab'"]);
  const rowsOf = odd.flatMap((row) => [...plain, row]);
  for (const quotedNullIsText of [true, false, undefined]) {
    const isCsv = quotedNullIsText !== undefined;
    // SQL has no bare words but NULL.
    const lines = rowsOf.filter(([, , , name]) => isCsv || /^'|^2$|^NULL$/.test(name!)).map((row) => row.join(","));
    const sql = `INSERT INTO t VALUES ${lines.map((line) => `(${line})`).join(",")};`;
    const nulls = isCsv && { delimiter: "'", nulls: ["N", "NULL", ""], quotedNullIsText };
    const { rows, many } = await bulkAndRowsOf(create, Buffer.from(isCsv ? lines.join("\n") : sql), nulls || undefined);
    assert.equal(rows.error, undefined);
    assert.ok(many.many > rows.rows / 2, `${many.many} of ${rows.rows} rows`);
    assert.deepEqual({ ...many, many: 0 }, rows);
  }
});

test("clustered keys of several columns and of texts stand in records and entries as they do row by row", async () => {
  const tables = [
    "CREATE TABLE t (a int, b int, c varchar(400), d date NULL, PRIMARY KEY (a, b), KEY (d), UNIQUE KEY (d, c), KEY (c(3), b))",
    "CREATE TABLE t (a int, b decimal(3,1), c varchar(400), d date NULL, PRIMARY KEY (b), UNIQUE KEY (a), KEY (c, d), KEY (b))",
    "CREATE TABLE t (a int, b int, c char(255), d date NULL, PRIMARY KEY (c), KEY (a), KEY (c, d), UNIQUE KEY (d))",
    "CREATE TABLE t (a int, b int, c varchar(400), d date NULL, PRIMARY KEY (c), KEY (a), KEY (c(2), d), UNIQUE KEY (d))",
    "CREATE TABLE t (a int, b int, c varchar(400), d date NULL, PRIMARY KEY (c(5), a), KEY (a), KEY (c(7), d), UNIQUE KEY (d, c))",
    "CREATE TABLE t (a int, b int, c varchar(400) COLLATE utf8mb4_general_ci, d date, PRIMARY KEY (d, c), KEY (a), KEY (c(7)))",
    "CREATE TABLE t (a int AUTO_INCREMENT, b int, c varchar(400), d date NULL, PRIMARY KEY (b, a), KEY (a))",
    "CREATE TABLE t (a int NULL, b int, c varchar(400) NULL, d date, PRIMARY KEY (d, b), KEY (c), UNIQUE KEY (c, a))",
  ];
  const texts = [
    "",
    "a",
    "  ",
    "abc ",
    "eightlet",
    "eight letters and more",
    "Ab  ",
    // Keys of more than 127 bytes.
    ...[85, 95, 100, 105, 200].map((n) => "z".repeat(n)),
    ...[120, 126, 127, 128, 255, 256, 300].map((n) => `x${" ".repeat(n)}`),
  ];
  for (const create of tables) {
    const lines = Array.from({ length: 120 }, (_, i) => {
      const text = texts[i % texts.length]!;
      const isNull = i % 7 === 3 && create.includes("c varchar(400) NULL");
      const day =
        i % 5 === 2 && create.includes("d date NULL") && !create.includes("KEY (d, c), KEY (a)")
          ? "\\N"
          : `20${10 + (i % 80)}-01-02`;
      return `${i * 37 - 99},${i % 90},${isNull ? "\\N" : `"${create.includes("char(255)") ? text.slice(0, 255) : text}"`},${day}\n`;
    });
    const { rows, many } = await bulkAndRowsOf(create, Buffer.from(lines.join("")), {});
    assert.equal(rows.error, undefined, create);
    assert.ok(many.many > (create.includes("_ci") ? 100 : 200), `${many.many} of ${rows.rows} rows of ${create}`);
    assert.deepEqual({ ...many, many: 0 }, rows, create);
  }
});

test("rows of each kind of column are encoded many at a time, in an index or not", async () => {
  setOddness(0);
  try {
    for (const [i, { type, isNumber, key, text }] of KINDS.entries()) {
      const random = seededRandom(700 + i);
      for (const index of key === undefined ? [""] : ["", `, KEY k (c${key(random)})`]) {
        const rows = Array.from({ length: 120 }, (_, at) => `${at},${isNumber ? text(random) : `"${text(random)}"`}\n`);
        const create = `CREATE TABLE t (id int PRIMARY KEY CLUSTERED, c ${type}${index})`;
        const { many, ...got } = (await bulkAndRowsOf(create, Buffer.from(rows.join("")), {})).many;
        assert.ok(many > 0, `${create}: ${got.rows} rows, ${got.error}`);
      }
    }
  } finally {
    setOddness(1);
  }
});
