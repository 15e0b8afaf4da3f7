/** Rows as a real TiDB 8.5.4 stored them, where it differs from the TiDB of the golden tables or was seen to differ from levin. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toHex, utf8 } from "../../src/base/mod.ts";
import { FieldKind, newFields } from "../../src/codec/mod.ts";
import { compileTable } from "../../src/encoder/mod.ts";
import { parseSqlMode, runScript, type TableInfo } from "../../src/schema/mod.ts";
import { jsonDoublesOf } from "../../src/tidb/mod.ts";
import { plainSession } from "./plain-session.ts";
import { fill } from "./source-text.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/tidb-8.5-rows.json", import.meta.url), "utf8")) as {
  version: string;
  ddl: string;
  columns: string[];
  rows: [string[], string][];
};

/** The record value of each row. */
function records(version: string): string[] {
  const sqlMode = "STRICT_TRANS_TABLES";
  const catalog = runScript(golden.ddl, {
    sqlMode: parseSqlMode(sqlMode),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    clusteredIndex: "on",
    nowMs: 0,
  });
  const found: string[] = [];
  const put = (_: Uint8Array, __: number, value: Uint8Array, length: number): void => {
    found.push(toHex(value.subarray(0, length)));
  };
  const encoder = compileTable(catalog.tables("d")[0]!, {
    session: {
      ...plainSession,
      sqlMode,
      jsonDoubles: jsonDoublesOf(version),
    },
    record: { put },
    index: { put: () => {} },
  });
  encoder.bindColumns(golden.columns);
  const fields = newFields(4);
  for (const [i, [values]] of golden.rows.entries()) {
    fill(
      fields,
      values.map((text) => ({ kind: FieldKind.string, bytes: utf8(text) })),
    );
    encoder.encodeRow(fields, i + 1);
  }
  return found;
}

test("TiDB 8.5: doubles of JSON as text, GREATEST and LEAST of unsigned integers", () => {
  assert.deepEqual(
    records(golden.version),
    golden.rows.map(([, record]) => record),
  );
});

test("later TiDB writes the same JSON otherwise", () => {
  const early = records(golden.version);
  const late = records("8.0.11-TiDB-v9.0.0-beta.1");
  // Only 1e-6 is written alike.
  assert.deepEqual(
    late.map((record, i) => record === early[i]),
    [false, false, true, false, false, false, false, false, false],
  );
  assert.ok(late[0]!.includes(toHex(utf8('{"a": 1.0}'))));
  assert.ok(late[1]!.includes(toHex(utf8('{"a": 0.0000001}'))));
});

test("which TiDB writes which", () => {
  const doubles = (version: string) => jsonDoublesOf(`8.0.11-TiDB-${version}`);
  assert.deepEqual(
    ["v6.5.10", "v8.5.4", "8.5.0-20250101-abc", "v9.0.0-beta.1", "v8.4.0-this-is-a-placeholder", "v26.3.0"].map(
      doubles,
    ),
    ["go", "go", "go", "point", "point", "point"],
  );
  assert.equal(jsonDoublesOf("8.0.36"), "point");
});

const base = { timeZone: "UTC", newCollations: true, rowFormatVersion: 2, rowLevelChecksum: false, nowMs: 0 } as const;
const sink = { put: (): void => {} };

function tableOf(ddl: string): TableInfo {
  const catalog = runScript(ddl, {
    sqlMode: parseSqlMode(""),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    clusteredIndex: "on",
    nowMs: 0,
  });
  return catalog.tables("d")[0]!;
}

test("a vector has no value that stands for NULL, but one for no default", () => {
  const info = tableOf("CREATE TABLE e (id INT PRIMARY KEY, v VECTOR NOT NULL);");
  let record = "";
  const put = (_: Uint8Array, __: number, value: Uint8Array, length: number): void => {
    record = toHex(value.subarray(0, length));
  };
  const session = { ...base, sqlMode: "", defaultWeekFormat: 0 };
  const encoder = compileTable(info, { session, record: { put }, index: sink });
  const fields = newFields(2);
  const one = { kind: FieldKind.string, bytes: utf8("1") };
  fill(fields, [one, { kind: FieldKind.null, bytes: utf8("") }]);
  assert.throws(() => encoder.encodeRow(fields, 1), /VECTOR column 'v' cannot be null/);
  encoder.bindColumns(["id"]);
  fill(fields, [one]);
  encoder.encodeRow(fields, 1);
  assert.equal(record, "800001000000020400" + "00000000");
});

test("what tidb-lightning 8.5 refuses before the first row: JSON of binary strings", () => {
  for (const call of ["json_unquote(c)", "json_extract(c, '$.a')"]) {
    const info = tableOf(`CREATE TABLE g (id INT PRIMARY KEY, c VARBINARY(20), g VARCHAR(20) AS (${call}) STORED);`);
    const session = { ...base, sqlMode: "", defaultWeekFormat: 0 };
    assert.throws(() => compileTable(info, { session, record: sink, index: sink }), /CHARACTER SET 'binary'/, call);
  }
});

test("INSERT in an expression is INSERT_FUNC in the table's metadata", () => {
  const [, g] = tableOf("CREATE TABLE i (c VARCHAR(9), g VARCHAR(9) AS (INSERT(c, 1, 1, 'zz')) STORED);").cols;
  assert.equal(g!.generated_expr_string, "insert_func(`c`, 1, 1, _utf8mb4'zz')");
});
