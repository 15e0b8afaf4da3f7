import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect, dataDir, isolatedBinary, run, startSandboxProcess, targetFlags } from "./harness.ts";

let place: ReturnType<typeof isolatedBinary>;

before(() => {
  place = isolatedBinary();
});

after(() => {
  fs.rmSync(place.dir, { recursive: true, force: true });
});

interface TableDone {
  table: string;
  rows: number;
  kvs: string;
  bytes: string;
  localCrc: string;
  ok: boolean;
}

const tableEvents = (out: string): TableDone[] =>
  out
    .split("\n")
    .filter((line) => line.includes('"kind":"table-done"'))
    .map((line) => JSON.parse(line));

describe("the binary, alone in a directory with an empty environment", () => {
  test("says its version", async () => {
    const { code, out } = await run(place.levin, ["version"]);
    assert.equal(code, 0);
    assert.match(out, /^levin \d+\.\d+\.\d+\n$/);
  });

  test("imports sakila over the network into three stores; rows and checksums are read back by SQL", {
    timeout: 90_000,
  }, async () => {
    const sandbox = await startSandboxProcess(place.levin, join(place.dir, "net"), 3);
    try {
      const { code, out, err } = await run(place.levin, [
        "import",
        join(dataDir, "sakila"),
        ...targetFlags(sandbox),
        "--json",
        "--state-dir",
        join(place.dir, "net.state"),
      ]);
      assert.equal(code, 0, err);
      const done = tableEvents(out);
      assert.equal(done.length, 16);
      assert.ok(done.every((table) => table.ok));
      const sql = await connect(sandbox);
      for (const { table, rows, kvs, bytes, localCrc } of done) {
        const [[counted]] = (await sql.query(`SELECT COUNT(*) FROM ${table}`)) as unknown as [[[string]]];
        assert.equal(Number(counted[0]), rows, table);
        const [[sums]] = (await sql.query(`ADMIN CHECKSUM TABLE ${table}`)) as unknown as [[string[]]];
        assert.deepEqual(sums.slice(2).map(String), [localCrc, kvs, bytes], table);
      }
      const [films] = await sql.query(
        "SELECT title, release_year, rental_rate, rating, special_features, last_update FROM sakila.film WHERE film_id = 2",
      );
      assert.deepEqual(films, [
        ["ACE GOLDFINGER", 2006, "4.99", "G", "Trailers,Deleted Scenes", "2006-02-15 05:03:42"],
      ]);
      const [staff] = (await sql.query("SELECT picture FROM sakila.staff WHERE staff_id = 1")) as unknown as [
        [[Buffer]],
      ];
      assert.equal(staff[0][0].subarray(1, 4).toString("latin1"), "PNG");
      const again = await run(place.levin, [
        "import",
        join(dataDir, "sakila"),
        ...targetFlags(sandbox),
        "--state-dir",
        join(place.dir, "other.state"),
      ]);
      assert.equal(again.code, 3, "tables that have rows are refused");
      assert.match(again.err, /must be empty/);
      await sql.end();
    } finally {
      await sandbox.stop();
    }
  });

  test("an interrupted import ends with 130 and the same command continues it", { timeout: 90_000 }, async () => {
    const args = [
      "import",
      join(dataDir, "sakila"),
      "--sandbox",
      join(place.dir, "again"),
      "--state-dir",
      join(place.dir, "again.state"),
      "--json",
    ];
    let interrupted = 0;
    for (const signalAfterMs of [0, 50, 200, 500]) {
      const { code, signal, err, out } = await run(place.levin, args, { signalAfterMs });
      assert.ok(code === 130 || code === 0, `exit code ${code}, signal ${signal}: ${err} ${out.slice(0, 200)}`);
      if (code === 130) interrupted++;
    }
    const { code, err } = await run(place.levin, args);
    assert.equal(code, 0, err);
    assert.ok(interrupted > 0, "no run was interrupted");
    const status = await run(place.levin, ["status", join(place.dir, "again.state"), "--json"]);
    const { done, tables } = JSON.parse(status.out) as {
      done: boolean;
      tables: { table: string; rows: number; verified: boolean }[];
    };
    assert.equal(done, true);
    assert.equal(
      tables.reduce((sum, table) => sum + table.rows, 0),
      47273,
    );
    assert.ok(tables.every((table) => table.verified));
  });
});

describe("mistakes have their error and exit code", () => {
  const schema = "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(5) NOT NULL, b INT, UNIQUE KEY u (b));";

  async function importOf(
    name: string,
    files: Record<string, string | Uint8Array>,
  ): Promise<{ code: number | null; err: string }> {
    const source = join(place.dir, name);
    fs.mkdirSync(source, { recursive: true });
    for (const [file, content] of Object.entries(files)) fs.writeFileSync(join(source, file), content);
    return run(place.levin, [
      "import",
      source,
      "--sandbox",
      join(place.dir, `${name}.cluster`),
      "--state-dir",
      join(place.dir, `${name}.state`),
    ]);
  }

  const cases: [name: string, files: Record<string, string | Uint8Array>, code: number, message: RegExp][] = [
    [
      "few-fields",
      { "d.t-schema.sql": schema, "d.t.csv": "id,a,b\n1,x,1\n2,y\n" },
      4,
      /expected 3 columns, found 2 .*d\.t\.csv.*row 2.*byte 13/,
    ],
    ["unknown-column", { "d.t-schema.sql": schema, "d.t.csv": "id,a,nope\n1,x,1\n" }, 4, /no column "nope".*d\.t\.csv/],
    [
      "duplicate-key",
      { "d.t-schema.sql": schema, "d.t.csv": "id,a,b\n1,x,1\n2,y,2\n1,z,3\n" },
      4,
      /duplicate|same key/i,
    ],
    [
      "duplicate-unique",
      { "d.t-schema.sql": schema, "d.t.csv": "id,a,b\n1,x,1\n2,y,1\n" },
      4,
      /two rows have the same key: unique index "[a-z]+", value 1; with conflict.strategy/,
    ],
    [
      "too-long",
      { "d.t-schema.sql": schema, "d.t.sql": "INSERT INTO t VALUES (1,'abcdef',1);\n" },
      4,
      /column "a".*1406.*d\.t\.sql.*row 1/,
    ],
    ["no-schema", { "d.t.csv": "id\n1\n" }, 3, /no table `d`\.`t`/],
    ["unknown-file", { "d.t-schema.sql": schema, "what.dat": "x" }, 3, /what\.dat/],
    ["bad-schema", { "d.t-schema.sql": "CREATE TABLE t (id INT PRIMARY KEY,,);" }, 1, /d\.t-schema\.sql/],
    [
      "not-gzip",
      { "d.t-schema.sql": schema, "d.t.csv.gz": Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2) },
      4,
      /d\.t\.csv\.gz/,
    ],
  ];
  for (const [name, files, code, message] of cases) {
    test(name, { timeout: 30_000 }, async () => {
      const ended = await importOf(name, files);
      assert.match(ended.err, message);
      assert.equal(ended.code, code, ended.err);
      assert.doesNotMatch(ended.err, /\n\s+at /, "no stack trace for a user's mistake");
    });
  }

  test("usage, missing directories, servers that are down", { timeout: 60_000 }, async () => {
    const down = await run(place.levin, [
      "import",
      join(dataDir, "sakila"),
      "--tidb-host",
      "127.0.0.1",
      "--tidb-port",
      "1",
      "--state-dir",
      join(place.dir, "down.state"),
    ]);
    assert.equal(down.code, 1);
    assert.match(down.err, /Cannot reach TiDB at 127\.0\.0\.1:1/);
    const none = await run(place.levin, [
      "import",
      join(place.dir, "none"),
      "--sandbox",
      join(place.dir, "n.cluster"),
      "--state-dir",
      join(place.dir, "n.state"),
    ]);
    assert.equal(none.code, 3, none.err);
    assert.match(none.err, /none/);
    assert.equal((await run(place.levin, ["import"], { cwd: place.dir })).code, 2);
    assert.equal((await run(place.levin, ["frobnicate"])).code, 2);
    assert.equal((await run(place.levin, ["import", "x", "--tidb-port", "abc"], { cwd: place.dir })).code, 2);
    assert.equal((await run(place.levin, ["status", place.dir])).code, 2);
  });

  test("PD that is down", { timeout: 60_000 }, async () => {
    const sandbox = await startSandboxProcess(place.levin, join(place.dir, "pddown"), 1);
    try {
      const flags = targetFlags({ ...sandbox, pd: ["127.0.0.1:1"] });
      const ended = await run(place.levin, [
        "import",
        join(dataDir, "sakila"),
        ...flags,
        "--state-dir",
        join(place.dir, "pddown.state"),
      ]);
      assert.equal(ended.code, 1, ended.err);
      assert.match(ended.err, /PD.*127\.0\.0\.1:1/s);
    } finally {
      await sandbox.stop();
    }
  });
});
