/** The logical backend into a real MariaDB: rows as they are, rows in each other's way, refused rows, lost connections, kill -9. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import type { Tidb } from "../../src/tidb/mod.ts";
import { csvOf, dumpOf, type Row, sampleTables, shown, survivors } from "../e2e/conflict-oracle.ts";
import { levin, type Ran } from "../e2e/in-process.ts";
import { mariadbMissing, withMariadb } from "./mariadb.ts";

const required = process.env["LEVIN_INTEROP"] === "require";
const root = new URL("../..", import.meta.url).pathname;

const CSV = '[mydumper.csv]\nseparator = "|"\ndelimiter = ""\nheader = false\n';

/** A server, and a directory for sources and states. */
class Place {
  readonly dir = fs.mkdtempSync(join(os.tmpdir(), "levin-logical-"));
  readonly tidb: Tidb;
  readonly port: number;
  #count = 0;

  constructor(tidb: Tidb, port: number) {
    this.tidb = tidb;
    this.port = port;
  }

  path(name: string): string {
    return join(this.dir, `${name}-${this.#count++}`);
  }

  folder(files: Iterable<readonly [string, string | Uint8Array]>): string {
    const dir = this.path("source");
    fs.mkdirSync(dir);
    for (const [name, content] of files) fs.writeFileSync(join(dir, name), content);
    return dir;
  }

  words(source: string, toml: string, state: string, ...flags: string[]): string[] {
    const config = join(this.folder([["levin.toml", toml]]), "levin.toml");
    const target = ["--tidb-host=127.0.0.1", `--tidb-port=${this.port}`, "--tidb-user=root", "--backend=tidb"];
    return ["import", source, "-c", config, "--memory=128MiB", `--state-dir=${state}`, ...target, ...flags];
  }

  import(source: string, toml: string, ...flags: string[]): Promise<Ran> {
    return levin(this.words(source, toml, this.path("state"), ...flags));
  }

  async rows(sql: string): Promise<string[]> {
    return shown((await this.tidb.query(sql)).rows);
  }
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  if (mariadbMissing) {
    assert.ok(!required, "mariadb-server is not installed");
    console.log("SKIPPED interop: mariadb-server not found; the logical backend was tested against the sandbox only");
    return;
  }
  await withMariadb(async (tidb, port) => {
    const place = new Place(tidb, port);
    try {
      await use(place);
    } finally {
      fs.rmSync(place.dir, { recursive: true, force: true });
    }
  });
}

async function conflicts(place: Place): Promise<void> {
  for (const strategy of ["replace", "ignore"] as const) {
    const tables = sampleTables(strategy === "replace" ? 21 : 22, 60);
    const source = place.folder(dumpOf(tables));
    const reports = new Set<string>();
    for (const [workers, chunk] of [
      [1, 1 << 20],
      [4, 150],
    ]) {
      await place.tidb.query("DROP DATABASE IF EXISTS c");
      const state = place.path("state");
      const toml = `[conflict]\nstrategy = "${strategy}"\n[mydumper]\nmax-region-size = ${chunk}\n${CSV}`;
      const { code, err } = await levin(place.words(source, toml, state, `--workers=${workers}`));
      assert.equal(code, 0, err);
      for (const table of tables)
        assert.deepEqual(await place.rows(`SELECT * FROM c.${table.name}`), shown(survivors(table, strategy).rows));
      reports.add(fs.readFileSync(join(state, "reports/conflicts.ndjson"), "utf8"));
    }
    assert.equal(reports.size, 1);
    // Rows that are there already count as earlier ones; the target decides, row after row, by the primary and every unique key.
    for (const table of tables.slice(0, 2)) {
      await place.tidb.query(`DELETE FROM c.${table.name}`);
      const kept = survivors({ ...table, files: [table.files.flat().slice(0, 30)] }, "ignore").rows;
      for (const row of kept) {
        const values = row.map((value) => (value === null ? "NULL" : `'${value}'`)).join(",");
        await place.tidb.query(`INSERT INTO c.${table.name} VALUES (${values})`);
      }
      const toml = `[conflict]\nstrategy = "${strategy}"\n[mydumper]\nmax-region-size = 200\n${CSV}`;
      const { code, err } = await place.import(place.folder(dumpOf([table])), toml, "--workers=4");
      assert.equal(code, 0, err);
      const found = await place.rows(`SELECT * FROM c.${table.name}`);
      assert.deepEqual(found, shown(survivors(table, strategy, kept).rows), `${strategy}: ${table.name}`);
    }
  }
}

/** Both rows are named: that of the source, and that of the table by its primary key. */
async function namesBoth(place: Place): Promise<void> {
  const create =
    "CREATE TABLE t (id BINARY(2) NOT NULL PRIMARY KEY, s VARCHAR(20) CHARACTER SET latin1, n DECIMAL(9,2), UNIQUE KEY us (s, n), UNIQUE KEY un (n));\n";
  await place.tidb.query("DROP DATABASE IF EXISTS c");
  const dump = (rows: string): string =>
    place.folder([
      ["c-schema-create.sql", "CREATE DATABASE c;\n"],
      ["c.t-schema.sql", create],
      ["c.t.csv", rows],
    ]);
  assert.equal((await place.import(dump("ab|é|1.50\ncd|f|2\n"), CSV)).code, 0);
  for (const [row, where] of [
    ["ab|x|9", "0x6162"],
    ["xy|É|1.5", "0x6162"],
    ["xy|zzz|2.00", "0x6364"],
  ]) {
    const state = place.path("state");
    const toml = `[conflict]\nstrategy = "error"\n${CSV}`;
    const { code, err } = await levin(place.words(dump(`mm|m|7\n${row}\n`), toml, state));
    assert.equal(code, 4, err);
    assert.ok(err.includes(`the row \`id\`=${where} of the target and row 2 of "c.t.csv" (byte 7)`), err);
    const report = fs.readFileSync(join(state, "reports/conflicts.ndjson"), "utf8");
    assert.equal((JSON.parse(report) as { target: string }).target, `\`id\`=${where}`);
  }
}

async function values(place: Place): Promise<void> {
  const files: [string, string | Uint8Array][] = [
    ["v-schema-create.sql", "CREATE DATABASE v;\n"],
    [
      "v.t-schema.sql",
      "CREATE TABLE t (id INT PRIMARY KEY, b BLOB, s VARCHAR(50) CHARACTER SET utf8mb4, n BIT(12), e ENUM('x','y'), g INT AS (id * 2) STORED, h INT AS (id + 1) VIRTUAL, ts TIMESTAMP(3) NULL, f DOUBLE);\n",
    ],
    [
      "v.t.sql",
      "SET TIME_ZONE='+05:00';\nINSERT INTO `t` (`id`,`b`,`s`,`n`,`e`,`ts`,`f`) VALUES\n" +
        "(1,_binary 'a\\0\\'\\\\\\n','it''s \\\\ é🙂',b'101','x','2024-01-01 05:00:00.250',1e3),\n" +
        "(2,x'ff00fe27','',0x0a0,'y',NULL,-0.5),(3,'',NULL,NULL,NULL,'2024-06-01 05:00:00',NULL);\n",
    ],
  ];
  const source = place.folder(files);
  for (const mode of ["STRICT_TRANS_TABLES", "STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES"]) {
    // Literals of the dump itself are read under the mode, too.
    const plain = mode.includes("NO_BACKSLASH");
    const dir = plain
      ? place.folder(
          files.map(([name, text]) => [name, name === "v.t.sql" ? `SET sql_mode='';\n${text as string}` : text]),
        )
      : source;
    await place.tidb.query("DROP DATABASE IF EXISTS v");
    const { code, err } = await place.import(dir, "", `--sql-mode=${mode}`);
    assert.equal(code, 0, err);
    await place.tidb.query("SET time_zone = '+00:00'");
    assert.deepEqual(
      await place.rows(
        "SELECT id, HEX(b), HEX(s), HEX(n), e, g, h, CONVERT_TZ(ts, @@session.time_zone, '+00:00'), f FROM v.t",
      ),
      [
        "1|6100275C0A|69742773205C20C3A9F09F9982|5|x|2|2|2024-01-01 00:00:00.250|1000",
        "2|FF00FE27||A0|y|4|3|NULL|-0.5",
        "3||NULL|NULL|NULL|6|4|2024-06-01 00:00:00.000|NULL",
      ],
    );
  }
}

async function refused(place: Place): Promise<void> {
  const lines = Array.from({ length: 300 }, (_, k): Row => [String(k), k % 100 === 50 ? "999999999999" : "7"]);
  const source = place.folder([
    ["r-schema-create.sql", "CREATE DATABASE r;\n"],
    ["r.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, n INT);\n"],
    ["r.t.csv", csvOf(lines)],
  ]);
  await place.tidb.query("DROP DATABASE IF EXISTS r");
  const strict = "--sql-mode=STRICT_TRANS_TABLES";
  const failed = await place.import(source, CSV, strict);
  assert.equal(failed.code, 4);
  assert.match(failed.err, /column "n" of table .*MySQL error 1264; file "r\.t\.csv", row 51, byte 240\)/);
  await place.tidb.query("DROP DATABASE IF EXISTS r");
  const state = place.path("state");
  const left = await levin(place.words(source, `[lightning]\nmax-error = 3\n${CSV}`, state, strict));
  assert.equal(left.code, 0, left.err);
  assert.deepEqual(await place.rows("SELECT COUNT(*), SUM(n) FROM r.t"), ["297|2079"]);
  const report = fs.readFileSync(join(state, "reports/type-errors.ndjson"), "utf8").trim().split("\n");
  assert.deepEqual(
    report.map((line) => (JSON.parse(line) as { row: number }).row),
    [51, 151, 251],
  );
  await place.tidb.query("DROP DATABASE IF EXISTS r");
  const tooMany = await place.import(source, `[lightning]\nmax-error = 2\n${CSV}`, strict);
  assert.equal(tooMany.code, 4);
  assert.match(tooMany.err, /ErrTooManyErrors/);
}

/** Under a mode that is not strict, by INSERT and by REPLACE. */
async function changed(place: Place): Promise<void> {
  const lines = Array.from({ length: 300 }, (_, k): Row => [String(k), k % 3 === 1 ? "999999999999" : "7"]);
  const source = place.folder([
    ["r-schema-create.sql", "CREATE DATABASE r;\n"],
    ["r.t-schema.sql", "CREATE TABLE t (id INT PRIMARY KEY, n INT);\n"],
    ["r.t.csv", csvOf([...lines, ["1", "5"], ["2", "999999999999"]])],
  ]);
  await place.tidb.query("DROP DATABASE IF EXISTS r");
  const toml = `[conflict]\nstrategy = "replace"\n[tikv-importer]\nlogical-import-batch-rows = 7\n${CSV}`;
  const { code, err } = await place.import(source, toml, "--sql-mode=", "--workers=2");
  assert.equal(code, 0, err);
  assert.deepEqual(await place.rows("SELECT COUNT(*) FROM r.t WHERE n = 2147483647"), ["100"]);
  // The row that another one replaces is not sent.
  assert.match(
    err,
    /100 values of r\.t were changed by the target, as its SQL mode lets it, the first: Out of range value for column 'n' \(1264\), file "r\.t\.csv", row 5, byte 27/,
  );
}

/** A dump of tables with and without a unique key. */
function large(place: Place, rows: number): string {
  const random = seededRandom(5);
  const text = (): string => `row ${Math.floor(random.next() * 1e9)} `.repeat(5);
  const line = (k: number): Row => [String(k), text()];
  const part = (from: number, to: number): string => csvOf(Array.from({ length: to - from }, (_, k) => line(from + k)));
  return place.folder([
    ["k-schema-create.sql", "CREATE DATABASE k;\n"],
    ["k.keyed-schema.sql", "CREATE TABLE keyed (id INT PRIMARY KEY, t VARCHAR(200), UNIQUE KEY ut (t(60), id));\n"],
    ["k.loose-schema.sql", "CREATE TABLE loose (id INT, t VARCHAR(200));\n"],
    ["k.keyed.1.csv", part(0, rows / 2)],
    ["k.keyed.2.csv", part(rows / 2, rows)],
    ["k.loose.1.csv", part(0, rows)],
  ]);
}

const wantedLarge = (rows: number): string => `${rows}|${rows}|${(rows * (rows - 1)) / 2}`;
const countOf = (table: string): string => `SELECT COUNT(*), COUNT(DISTINCT id), SUM(id) FROM k.${table}`;

async function lostConnections(place: Place): Promise<void> {
  const rows = 10_000;
  const source = large(place, rows);
  await place.tidb.query("DROP DATABASE IF EXISTS k");
  // Of imports that failed.
  await place.tidb.query("DROP DATABASE IF EXISTS lightning_metadata");
  let stop = false;
  let killed = 0;
  const killer = (async () => {
    while (!stop) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      const list = await place.tidb.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND (INFO LIKE 'INSERT INTO%' OR INFO = 'COMMIT' OR INFO LIKE 'UPDATE%')",
      );
      const victim = list.rows[killed % Math.max(1, list.rows.length)]?.[0];
      if (victim === undefined || killed >= 25) continue;
      killed++;
      await place.tidb.query(`KILL ${victim}`).catch(() => undefined);
    }
  })();
  const toml = `[tikv-importer]\nlogical-import-batch-rows = 200\n[mydumper]\nmax-region-size = 300000\n${CSV}`;
  const { code, err } = await place.import(source, toml, "--workers=3");
  stop = true;
  await killer;
  assert.equal(code, 0, err);
  assert.ok(killed > 3, `${killed} connections were killed`);
  for (const table of ["keyed", "loose"]) assert.deepEqual(await place.rows(countOf(table)), [wantedLarge(rows)]);
  assert.deepEqual(await place.rows("SHOW DATABASES LIKE 'lightning_metadata'"), []);
}

/** Killed so often, unless it ends between two looks; then a life is let alone. */
const KILLS = Number(process.env["LEVIN_KILLS"] ?? 6);

/** Rows in both tables of `large`; 0 before they are there. */
async function rowsThere(place: Place): Promise<number> {
  const count = "SELECT (SELECT COUNT(*) FROM k.keyed) + (SELECT COUNT(*) FROM k.loose)";
  return place.tidb.query(count).then(
    ({ rows }) => Number(rows[0]![0]),
    () => 0,
  );
}

async function killNine(place: Place): Promise<void> {
  const rows = 10_000;
  const source = large(place, rows);
  await place.tidb.query("DROP DATABASE IF EXISTS k");
  const random = seededRandom(11);
  const state = place.path("state");
  const toml = `[conflict]\nstrategy = "error"\n[tikv-importer]\nlogical-import-batch-rows = 100\n[mydumper]\nmax-region-size = 300000\n${CSV}`;
  const words = place.words(source, toml, state, "--workers=3");
  let kills = 0;
  for (let life = 0; ; life++) {
    assert.ok(life <= KILLS, "it comes to an end");
    const child = spawn(process.execPath, [join(root, "src/main.ts"), ...words], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    child.stderr.on("data", (part) => {
      err += String(part);
    });
    const ended = new Promise<[number | null, string | null]>((resolve) =>
      child.on("close", (...what) => resolve(what)),
    );
    // Some rows further each time, so that lives end at different places and there is something left for the last one.
    const until = (await rowsThere(place)) + random.next() * ((2 * rows) / (KILLS + 2));
    while (kills < KILLS && child.exitCode === null && child.signalCode === null) {
      if ((await rowsThere(place)) > until) child.kill("SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [code, signal] = await ended;
    if (signal === "SIGKILL") {
      kills++;
      continue;
    }
    assert.equal(code, 0, err);
    break;
  }
  assert.ok(kills > 1, `killed ${kills} times`);
  for (const table of ["keyed", "loose"]) assert.deepEqual(await place.rows(countOf(table)), [wantedLarge(rows)]);
  console.log(`logical backend into MariaDB: ${kills} times killed, every row once`);
}

test("the logical backend into MariaDB", { timeout: 300_000 }, async () => {
  await withPlace(async (place) => {
    await values(place);
    await refused(place);
    await changed(place);
    await conflicts(place);
    await namesBoth(place);
    await lostConnections(place);
    await killNine(place);
  });
});
