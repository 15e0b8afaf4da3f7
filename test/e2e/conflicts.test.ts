/**
 * Rows in each other's way: whatever the backend, the chunks and the number of workers, the rows that stay are those that statements one
 * after the other would leave, and the report is the same to the byte (lightning.md §1.14).
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { csvOf, dumpOf, oddTables, sampleTables, shown, survivors } from "./conflict-oracle.ts";
import { levin, Place } from "./in-process.ts";

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

const CSV = '[mydumper.csv]\nseparator = "|"\ndelimiter = ""\nheader = false\n';

interface Form {
  backend: "local" | "tidb";
  workers: number;
  chunkBytes: number;
}

const forms: Form[] = [
  { backend: "local", workers: 1, chunkBytes: 1 << 20 },
  { backend: "local", workers: 4, chunkBytes: 64 },
  { backend: "local", workers: 2, chunkBytes: 300 },
  { backend: "tidb", workers: 3, chunkBytes: 200 },
  { backend: "tidb", workers: 1, chunkBytes: 1 << 20 },
];

async function run(
  source: string,
  conflict: string,
  { backend, workers, chunkBytes }: Form,
): Promise<{ code: number; err: string; report: string | undefined }> {
  const state = place.path("state");
  const toml = `${conflict}\n[mydumper]\nmax-region-size = ${chunkBytes}\n${CSV}`;
  const { code, err } = await levin([
    "import",
    source,
    "-c",
    place.file("levin.toml", toml),
    "--memory=128MiB",
    ...place.target().filter((word) => !word.startsWith("--state-dir")),
    `--backend=${backend}`,
    `--workers=${workers}`,
    `--state-dir=${state}`,
  ]);
  const path = join(state, "reports", "conflicts.ndjson");
  return { code, err, report: fs.existsSync(path) ? fs.readFileSync(path, "utf8") : undefined };
}

async function rowsOf(table: string): Promise<string[]> {
  const rows = await place.rows(`SELECT * FROM c.${table}`);
  return rows.map((row) => row.map((value) => value?.toString() ?? "NULL").join("|")).sort();
}

for (const strategy of ["replace", "ignore"] as const) {
  test(`${strategy}: the same rows and the same report whatever the form`, { timeout: 120_000 }, async () => {
    const tables = sampleTables(strategy === "replace" ? 7 : 8, 40);
    const source = place.folder(dumpOf(tables));
    let wanted: string | undefined;
    for (const form of forms) {
      const name = JSON.stringify(form);
      await place.sql.query("DROP DATABASE IF EXISTS c");
      const { code, err, report } = await run(source, `[conflict]\nstrategy = "${strategy}"`, form);
      assert.equal(code, 0, `${name}: ${err}`);
      for (const table of tables) {
        const { rows, dropped } = survivors(table, strategy);
        assert.deepEqual(await rowsOf(table.name), shown(rows), `${name}: ${table.name}`);
        const lines = report!.split("\n").filter((line) => line.includes(`"c.${table.name}"`));
        assert.equal(lines.length, dropped, `${name}: ${table.name}`);
        if (table.keys.length > 0) assert.ok(dropped > 5, "the sample has rows in each other's way");
      }
      wanted ??= report;
      assert.equal(report, wanted, name);
    }
    const first = JSON.parse(wanted!.split("\n")[0]!) as Record<string, unknown>;
    assert.deepEqual(Object.keys(first), ["table", "index", "value", "dropped", "kept"]);
  });
}

test("keys that are parts of columns, computed, or across partitions", { timeout: 120_000 }, async () => {
  for (const strategy of ["replace", "ignore"] as const) {
    const tables = oddTables(strategy === "replace" ? 41 : 42, 45);
    const source = place.folder(dumpOf(tables));
    let wanted: string | undefined;
    for (const form of [forms[0]!, forms[1]!, forms[3]!]) {
      const name = `${strategy} ${JSON.stringify(form)}`;
      await place.sql.query("DROP DATABASE IF EXISTS c");
      const { code, err, report } = await run(source, `[conflict]\nstrategy = "${strategy}"`, form);
      assert.equal(code, 0, `${name}: ${err}`);
      for (const table of tables) {
        const { rows, dropped } = survivors(table, strategy);
        const columns = table.name === "computed" ? "id, a, b, c" : "*";
        const found = await place.rows(`SELECT ${columns} FROM c.${table.name}`);
        assert.deepEqual(found.map((row) => row.join("|")).sort(), shown(rows), `${name}: ${table.name}`);
        const lines = report!.split("\n").filter((line) => line.includes(`"c.${table.name}"`));
        assert.equal(lines.length, dropped, `${name}: ${table.name}`);
        assert.ok(dropped > 5, "the sample has rows in each other's way");
      }
      wanted ??= report;
      assert.equal(report, wanted, name);
    }
  }
});

test("rows of different tables are in nobody's way, whatever their keys", { timeout: 120_000 }, async () => {
  const rows = csvOf([
    ["1", "a"],
    ["2", "b"],
    ["3", "c"],
  ]);
  const create = (name: string, more = ""): [string, string] => [
    `c.${name}-schema.sql`,
    `CREATE TABLE ${name} (id INT NOT NULL PRIMARY KEY, u VARCHAR(9), UNIQUE KEY uu (u${more === "" ? "" : ", id"}))${more};\n`,
  ];
  const names = ["one", "parts", "two"];
  const source = place.folder([
    ["c-schema-create.sql", "CREATE DATABASE c;\n"],
    create("one"),
    create("parts", " PARTITION BY HASH (id) PARTITIONS 3"),
    create("two"),
    ...names.map((name): [string, string] => [`c.${name}.csv`, rows]),
  ]);
  for (const strategy of ["replace", "ignore", "error"]) {
    for (const form of [forms[0]!, forms[3]!]) {
      await place.sql.query("DROP DATABASE IF EXISTS c");
      const { code, err } = await run(source, `[conflict]\nstrategy = "${strategy}"`, form);
      assert.equal(code, 0, `${strategy}, ${form.backend}: ${err}`);
      for (const name of names) assert.deepEqual(await rowsOf(name), ["1|a", "2|b", "3|c"], `${strategy}: ${name}`);
    }
  }
});

test("error: both rows are named, nothing is imported, the report has all of them", { timeout: 60_000 }, async () => {
  const files: [string, string][] = [
    ["c-schema-create.sql", "CREATE DATABASE c;\n"],
    ["c.t-schema.sql", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, u VARCHAR(9), UNIQUE KEY uu (u));\n"],
    [
      "c.t.1.csv",
      csvOf([
        ["1", "a"],
        ["2", "b"],
        ["3", "c"],
      ]),
    ],
    [
      "c.t.2.csv",
      csvOf([
        ["4", "b"],
        ["1", "d"],
      ]),
    ],
  ];
  const source = place.folder(files);
  let wanted: string | undefined;
  for (const form of [forms[0]!, forms[1]!, forms[3]!]) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const { code, err, report } = await run(source, '[conflict]\nstrategy = "error"', form);
    assert.equal(code, 4, err);
    assert.match(
      err,
      /index "uu", value "b": row 2 of "c\.t\.1\.csv" \(byte 4\) and row 1 of "c\.t\.2\.csv" \(byte 0\)/,
    );
    assert.deepEqual(await rowsOf("t"), []);
    wanted ??= report;
    assert.equal(report, wanted);
    assert.equal(report!.split("\n").length, 3);
  }
});

interface Told {
  index: string;
  value: string;
  dropped: { file: string; row: number } | null;
  kept: { file: string; row: number } | null;
}

/** Each line as `index value: row that goes < row that stays`, rows by file and number. */
function told(report: string | undefined): string[] {
  const place = (at: Told["kept"]): string => (at === null ? "target" : `${at.file.split(".")[2]}/${at.row}`);
  const lines = (report ?? "").split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Told)
    .map(({ index, value, dropped, kept }) => `${index} ${value}: ${place(dropped)} < ${place(kept)}`);
}

test("the report names the key that a row loses, and the row that it gives way to", { timeout: 120_000 }, async () => {
  const two = "CREATE TABLE named (a INT NULL, b INT NULL, v VARCHAR(9), UNIQUE KEY ua (a), UNIQUE KEY ub (b));\n";
  const mixed = "CREATE TABLE named (a INT NOT NULL PRIMARY KEY, b VARCHAR(9), UNIQUE KEY u (b));\n";
  const replaced = ["3,3,r1", "3,4,r2", "5,4,r3", "\\N,4,r4"];
  const first = ["1,a", "2,b", "1,c", "3,b"];
  const second = ["2,x", "3,x"];
  const cases: [string, string, string[][], string[]][] = [
    ["replace", two, [replaced], ["ua 3: 1/1 < 1/2", "ub 4: 1/2 < 1/4", "ub 4: 1/3 < 1/4"]],
    // One that stays rather than one that goes itself: the first row loses "ua" to the second, "ub" to the third.
    ["replace", two, [["1,2,x", "1,3,y", "4,2,z", "5,3,w"]], ["ub 2: 1/1 < 1/3", "ub 3: 1/2 < 1/4"]],
    ["ignore", mixed, [first, second], ["PRIMARY 1: 1/3 < 1/1", 'u "b": 1/4 < 1/2', "PRIMARY 2: 2/1 < 1/2"]],
    [
      "error",
      mixed,
      [first, second],
      ["PRIMARY 1: 1/3 < 1/1", 'u "b": 1/4 < 1/2', "PRIMARY 2: 2/1 < 1/2", "PRIMARY 3: 2/2 < 1/4", 'u "x": 2/2 < 2/1'],
    ],
    // Entries that are no unique value's are repeated with the record, which is told.
    ["error", mixed.replace("));", "), KEY k (b));"), [["1,\\N", "1,\\N"]], ["PRIMARY 1: 1/2 < 1/1"]],
  ];
  for (const [strategy, create, parts, wanted] of cases) {
    const source = place.folder([
      ["c-schema-create.sql", "CREATE DATABASE c;\n"],
      ["c.named-schema.sql", create],
      ...parts.map((rows, i): [string, string] => [
        `c.named.${i + 1}.csv`,
        rows.map((row) => `${row.replaceAll(",", "|")}\n`).join(""),
      ]),
    ]);
    for (const form of [forms[0]!, forms[3]!]) {
      await place.sql.query("DROP DATABASE IF EXISTS c");
      const { code, err, report } = await run(source, `[conflict]\nstrategy = "${strategy}"`, form);
      assert.equal(code, strategy === "error" ? 4 : 0, err);
      assert.deepEqual(told(report), wanted, `${strategy}, ${form.backend}`);
      if (strategy !== "error") assert.match(err, new RegExp(`${wanted.length} rows are in the way of others; see`));
      else if (wanted.length > 1) {
        // A row may have several keys again.
        const rows = new Set(wanted.map((line) => / (\d+\/\d+) </.exec(line)![1]));
        assert.match(err, new RegExp(`have the same key; ${rows.size - 1} more rows have a key again`));
        assert.match(err, new RegExp(`times that a row has a key of another one: ${wanted.length}; see`));
      }
    }
  }
});

test("statements without a strategy: the row that the server refuses is named with the one in its way", {
  timeout: 60_000,
}, async () => {
  const files: [string, string][] = [
    ["c-schema-create.sql", "CREATE DATABASE c;\n"],
    ["c.t-schema.sql", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, u VARCHAR(9), UNIQUE KEY uu (u));\n"],
    ["c.t.1.csv", csvOf([...Array(50).keys()].map((k) => [String(k), `a${k}`]))],
    ["c.t.2.csv", csvOf([...Array(50).keys()].map((k) => [String(k + 100), k === 40 ? "a7" : null]))],
  ];
  const source = place.folder(files);
  await place.sql.query("DROP DATABASE IF EXISTS c");
  const { code, err } = await run(source, "", { backend: "tidb", workers: 1, chunkBytes: 1 << 20 });
  assert.equal(code, 4, err);
  assert.match(
    err,
    /index "uu", value a7: row 8 of "c\.t\.1\.csv" \(byte 35\) and row 41 of "c\.t\.2\.csv" \(byte 280\) have/,
  );
});

test("threshold and max-record-rows", { timeout: 60_000 }, async () => {
  const tables = sampleTables(9, 40).slice(0, 1);
  const source = place.folder(dumpOf(tables));
  const { dropped } = survivors(tables[0]!, "ignore");
  for (const form of [forms[0]!, forms[4]!]) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const conflict = (threshold: number, more = "") =>
      `[conflict]\nstrategy = "ignore"\nthreshold = ${threshold}\n${more}`;
    const refused = await run(source, conflict(dropped - 1), form);
    assert.equal(refused.code, 4, refused.err);
    assert.match(refused.err, /ErrTooManyConflicts/);
    assert.deepEqual(await rowsOf("clustered"), []);
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const taken = await run(source, conflict(dropped, "max-record-rows = 3\n"), form);
    assert.equal(taken.code, 0, taken.err);
    assert.equal(taken.report!.split("\n").length, 4);
  }
});

test("lightning_task_info: tables and view, when asked for", { timeout: 60_000 }, async () => {
  const tables = sampleTables(12, 30).slice(0, 1);
  const source = place.folder(dumpOf(tables));
  const { dropped } = survivors(tables[0]!, "replace");
  const toml = '[lightning]\ntask-info-schema-name = "lightning_task_info"\n[conflict]\nstrategy = "replace"';
  for (const [form, table] of [
    [forms[0]!, "conflict_error_v4"],
    [forms[4]!, "conflict_records_v2"],
  ] as const) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    await place.sql.query("DROP DATABASE IF EXISTS lightning_task_info");
    const { code, err } = await run(source, toml, form);
    assert.equal(code, 0, err);
    const rows = await place.rows(`SELECT table_name FROM lightning_task_info.${table}`);
    assert.equal(rows.length, dropped);
    assert.equal(String(rows[0]![0]), "c.clustered");
    const views = await place.rows(
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'lightning_task_info' AND TABLE_TYPE = 'VIEW'",
    );
    assert.equal(String(views), "conflict_view");
  }
});

test("precheck-conflict-before-import without a strategy: an error before anything is imported", {
  timeout: 60_000,
}, async () => {
  const tables = sampleTables(13, 30).slice(0, 1);
  const source = place.folder(dumpOf(tables));
  for (const form of [forms[0]!, forms[3]!]) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const { code, err } = await run(source, "[conflict]\nprecheck-conflict-before-import = true", form);
    assert.equal(code, 4, err);
    assert.match(err, /row \d+ of "c\.clustered\.\d\.csv" \(byte \d+\) and row \d+ of/);
    assert.deepEqual(await rowsOf("clustered"), []);
  }
});

test("an import that is interrupted anywhere goes on to the same rows and the same report", {
  timeout: 120_000,
}, async () => {
  const tables = sampleTables(14, 40);
  const source = place.folder(dumpOf(tables));
  const toml = (chunk: number) => `[conflict]\nstrategy = "ignore"\n[mydumper]\nmax-region-size = ${chunk}\n${CSV}`;
  const reports = new Set<string>();
  let interrupted = 0;
  for (const backend of ["local", "tidb"]) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const state = place.path("state");
    const words = [
      ...["import", source, "-c", place.file("levin.toml", toml(150)), "--memory=128MiB", "--workers=2"],
      ...place.target().filter((word) => !word.startsWith("--state-dir")),
      ...[`--backend=${backend}`, `--state-dir=${state}`],
    ];
    for (let life = 1; ; life++) {
      const stop = new AbortController();
      // A little later each time, by the journal's records that a life may write.
      const journal = join(state, "journal");
      const before = fs.existsSync(journal) ? fs.statSync(journal).size : 0;
      const timer = setInterval(() => {
        if (life < 8 && fs.existsSync(journal) && fs.statSync(journal).size > before + 40 * life) stop.abort();
      }, 1);
      const { code, err } = await levin(words, { signal: stop.signal });
      clearInterval(timer);
      if (code === 0) break;
      assert.equal(code, 130, err);
      interrupted++;
    }
    for (const table of tables)
      assert.deepEqual(await rowsOf(table.name), shown(survivors(table, "ignore").rows), `${backend}: ${table.name}`);
    reports.add(fs.readFileSync(join(state, "reports", "conflicts.ndjson"), "utf8"));
  }
  assert.equal(reports.size, 1);
  assert.ok(interrupted > 2, `interrupted ${interrupted} times`);
});

test("older spellings mean the same", { timeout: 60_000 }, async () => {
  const tables = sampleTables(10, 30).slice(0, 1);
  const source = place.folder(dumpOf(tables));
  const cases: [string, Form, "replace" | "ignore"][] = [
    ['[tikv-importer]\nduplicate-resolution = "remove"', forms[0]!, "replace"],
    ['[tikv-importer]\nduplicate-resolution = "record"', forms[0]!, "replace"],
    ['[tikv-importer]\non-duplicate = "ignore"', forms[4]!, "ignore"],
    ['[tikv-importer]\non-duplicate = "replace"', forms[4]!, "replace"],
  ];
  for (const [toml, form, strategy] of cases) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    const { code, err } = await run(source, toml, form);
    assert.equal(code, 0, `${toml}: ${err}`);
    assert.deepEqual(await rowsOf("clustered"), shown(survivors(tables[0]!, strategy).rows), toml);
  }
  const both = '[tikv-importer]\non-duplicate = "ignore"\nduplicate-resolution = "replace"';
  const { code, err } = await run(source, both, forms[0]!);
  assert.equal(code, 2, err);
  assert.match(err, /on-duplicate together with tikv-importer\.duplicate-resolution/);
});

test("rows that are there already count as earlier ones", { timeout: 120_000 }, async () => {
  for (const strategy of ["replace", "ignore"] as const) {
    const all = sampleTables(strategy === "replace" ? 31 : 32, 40);
    // The target's rows first, by an import of their own; the second import meets them.
    const before = sampleTables(33, 20).map((table, i) => {
      const rows = survivors({ ...table, keys: all[i]!.keys }, "ignore").rows;
      return { ...table, files: [rows] };
    });
    const first = place.folder(dumpOf(before));
    const second = place.folder(dumpOf(all));
    for (const form of [forms[0]!, forms[1]!, forms[3]!]) {
      const name = `${strategy} ${JSON.stringify(form)}`;
      await place.sql.query("DROP DATABASE IF EXISTS c");
      const start = await run(first, "", forms[0]!);
      assert.equal(start.code, 0, start.err);
      if (form.backend === "local") {
        const refused = await run(second, `[conflict]\nstrategy = "${strategy}"`, form);
        assert.equal(refused.code, 3, "the target must be empty unless the configuration says otherwise");
      }
      const conflict = `[tikv-importer]\nincremental-import = true\n[conflict]\nstrategy = "${strategy}"`;
      const { code, err, report } = await run(second, conflict, form);
      assert.equal(code, 0, `${name}: ${err}`);
      for (const [i, table] of all.entries()) {
        const { rows, dropped } = survivors(table, strategy, before[i]!.files[0]);
        assert.deepEqual(await rowsOf(table.name), shown(rows), `${name}: ${table.name}`);
        if (form.backend !== "local") continue;
        // A row of the target that two rows replace, each by another key, has one line all the same.
        const lines = report!.split("\n").filter((line) => line.includes(`"c.${table.name}"`));
        assert.equal(lines.length, dropped, `${name}: ${table.name}`);
      }
    }
  }
});

test("error: the row of the source is named, and the row of the target that is in its way", {
  timeout: 60_000,
}, async () => {
  const before = ["7|Ab|a|1|2024-01-02", "8|it's \\\\ é|b|1|2024-01-03", "-9|x,(y|\\N|2|\\N"];
  // By the primary key, by text without case, by two columns, by a value that the source writes another way.
  const cases: [row: string, index: string, where: string][] = [
    ["7|n|\\N|9|\\N", "PRIMARY", "`id`=7"],
    ["1|aB|\\N|9|\\N", "uname", "`id`=7"],
    ["1|it's \\\\ é|\\N|9|\\N", "uname", "`id`=8"],
    ["1|X,(Y|\\N|9|\\N", "uname", "`id`=-9"],
    ["1|n|b|1|\\N", "ukn", "`id`=8"],
    ["1|n|\\N|9|2024-01-03", "ud", "`id`=8"],
  ];
  const create =
    "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci, k VARCHAR(9), n INT, d DATE, UNIQUE KEY uname (name), UNIQUE KEY ukn (k, n), UNIQUE KEY ud (d));\n";
  const dump = (rows: readonly string[]): string =>
    place.folder([
      ["c-schema-create.sql", "CREATE DATABASE c;\n"],
      ["c.t-schema.sql", create],
      ["c.t.1.csv", rows.map((row) => `${row}\n`).join("")],
    ]);
  const first = dump(before);
  const toml = '[tikv-importer]\nincremental-import = true\n[conflict]\nstrategy = "error"';
  await place.sql.query("DROP DATABASE IF EXISTS c");
  assert.equal((await run(first, "", forms[0]!)).code, 0);
  for (const [i, [row, index, where]] of cases.entries()) {
    // Statements end at the first such row; the other backend is asked once.
    for (const form of i === 1 ? [forms[0]!, forms[3]!] : [forms[3]!]) {
      const name = `${form.backend}: ${row}`;
      const { code, err, report } = await run(dump(["100|m|m|9|2023-01-01", row]), toml, form);
      assert.equal(code, 4, `${name}: ${err}`);
      assert.ok(err.includes(`the row ${where} of the target and row 2 of "c.t.1.csv" (byte 21)`), `${name}: ${err}`);
      const [line, ...more] = report!.split("\n");
      const { value: _, ...line1 } = JSON.parse(line!) as Record<string, unknown>;
      const dropped = { file: "c.t.1.csv", row: 2, byte: 21 };
      assert.deepEqual(line1, { table: "c.t", index, dropped, kept: null, target: where }, name);
      assert.deepEqual(more, [""], name);
    }
  }
  const { report } = await run(dump(cases.map(([row]) => row)), toml, forms[0]!);
  const lines = report!.split("\n").slice(0, -1);
  const targets = lines.map((line) => (JSON.parse(line) as { target?: string }).target);
  assert.deepEqual(
    targets.filter((where) => where !== undefined),
    cases.map(([, , where]) => where),
  );
  assert.equal((await rowsOf("t")).length, before.length);
});

test("error: rows of the source in each other's way are told before any is sent, also into a table with rows", {
  timeout: 60_000,
}, async () => {
  const dump = (rows: string): string =>
    place.folder([
      ["c-schema-create.sql", "CREATE DATABASE c;\n"],
      ["c.t-schema.sql", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, u VARCHAR(9), UNIQUE KEY uu (u));\n"],
      ["c.t.csv", rows],
    ]);
  const [first, second] = [dump("1|a\n"), dump("2|b\n3|c\n4|b\n3|d\n")];
  for (const form of [forms[0]!, forms[3]!]) {
    await place.sql.query("DROP DATABASE IF EXISTS c");
    assert.equal((await run(first, "", forms[0]!)).code, 0);
    const toml = '[tikv-importer]\nincremental-import = true\n[conflict]\nstrategy = "error"';
    const { code, err, report } = await run(second, toml, form);
    assert.equal(code, 4, err);
    assert.deepEqual(told(report?.replaceAll("c.t.csv", "c.t.1.csv")), ['uu "b": 1/3 < 1/1', "PRIMARY 3: 1/4 < 1/2"]);
    assert.deepEqual(await rowsOf("t"), ["1|a"]);
  }
});

test("the threshold counts the rows that go, also where one takes the place of several of the target", {
  timeout: 120_000,
}, async () => {
  const dump = (rows: string): string =>
    place.folder([
      ["c-schema-create.sql", "CREATE DATABASE c;\n"],
      [
        "c.counted-schema.sql",
        "CREATE TABLE counted (id INT NOT NULL PRIMARY KEY, u VARCHAR(9), UNIQUE KEY uu (u));\n",
      ],
      ["c.counted.csv", rows],
    ]);
  const [first, second] = [dump("1|a\n2|b\n3|c\n"), dump("1|b\n3|c\n")];
  for (const form of [forms[0]!, forms[4]!]) {
    for (const [threshold, wanted] of [
      [3, 0],
      [2, 4],
    ] as const) {
      await place.sql.query("DROP DATABASE IF EXISTS c");
      assert.equal((await run(first, "", forms[0]!)).code, 0);
      const toml =
        `[tikv-importer]\nincremental-import = true\n[conflict]\nstrategy = "replace"\nthreshold = ${threshold}\n` +
        '[lightning]\ntask-info-schema-name = "task"';
      const { code, err } = await run(second, toml, form);
      assert.equal(code, wanted, `${form.backend}, ${threshold}: ${err}`);
      if (form.backend !== "tidb" || code !== 0) continue;
      // The server does not say whose row it was.
      const rows = await place.rows("SELECT error FROM task.conflict_records_v2");
      assert.ok(rows.length > 0 && rows.every(([text]) => String(text).includes("dropped another row, kept row ")));
    }
  }
});
