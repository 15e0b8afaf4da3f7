/**
 * Random tables with random rows that a real tidb-lightning 8.5.4 (local backend) imported into `levin sandbox`: what it stored, as
 * checksums over its pairs, and how many rows it left out as not castable. Session: strict, time zone +08:00. A quarter of 363 tables
 * with 2 428 rows and 5 800 pairs, which were all equal.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import { KvChecksum, newFields } from "../../src/codec/mod.ts";
import { compileTable } from "../../src/encoder/mod.ts";
import { parseTableInfo } from "../../src/schema/mod.ts";
import { Scan, SqlScanner, Window } from "../../src/source/mod.ts";

interface Golden {
  tableInfo: string;
  sql: string;
  kvs: number;
  bytes: number;
  crc64xor: string;
  refused: number;
}

const session = {
  sqlMode:
    "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO",
  timeZone: "+08:00",
  newCollations: true,
  rowFormatVersion: 2,
  rowLevelChecksum: false,
  nowMs: 0,
  defaultWeekFormat: 0,
} as const;

function encode({ tableInfo, sql }: Golden): Omit<Golden, "tableInfo" | "sql"> & { rows: number } {
  const sum = new KvChecksum();
  const sink = {
    put: (key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void =>
      sum.add(key, keyLength, value, valueLength),
  };
  const encoder = compileTable(parseTableInfo(tableInfo), { session, record: sink, index: sink });
  const window = new Window(sql.length * 4);
  window.append(utf8(sql));
  window.final = true;
  const scanner = new SqlScanner({ file: "t.sql", compatLightning: true });
  const fields = newFields(8);
  let rows = 0;
  let refused = 0;
  while (scanner.next(window, fields) === Scan.row) {
    if (rows === 0) encoder.bindColumns(scanner.columns);
    rows++;
    try {
      encoder.encodeRow(fields, rows);
    } catch (error) {
      assert.ok(error instanceof LevinError, String(error));
      refused++;
    }
  }
  const { kvs, bytes, crc64xor } = sum.result();
  return { rows, refused, kvs: Number(kvs), bytes: Number(bytes), crc64xor: String(crc64xor) };
}

test("random tables as tidb-lightning 8.5.4 stored them", () => {
  const file = readFileSync(new URL("../golden/lightning-8.5.jsonl.gz", import.meta.url));
  const cases = textOf(gunzipSync(file)).trim().split("\n");
  let rowCount = 0;
  for (const line of cases) {
    const golden = JSON.parse(line) as Golden;
    const { rows, ...found } = encode(golden);
    const { tableInfo: _, sql, ...wanted } = golden;
    assert.deepEqual(found, wanted, sql);
    rowCount += rows;
  }
  assert.deepEqual([cases.length, rowCount], [96, 666]);
});
