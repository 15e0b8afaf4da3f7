import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { fromHex, LevinError, textOf, toHex, utf8 } from "../../src/base/mod.ts";
import { evaluateVirtual, makeRowEncoder } from "../../src/cli/sandbox-rows.ts";
import { columnForm, decodeRowDatum, TimeZone } from "../../src/codec/mod.ts";
import { TableRows } from "../../src/embed/tidb/dml/table-rows.ts";
import type { Front } from "../../src/embed/tidb/mod.ts";
import { valueText } from "../../src/embed/tidb/reader/mod.ts";
import { Catalog, type ColumnInfo, parseSqlMode, type TableInfo } from "../../src/schema/mod.ts";

interface TableCase {
  case: string;
  sqlMode: string;
  newCollation: boolean;
  sessionVars: Record<string, string>;
  tableInfo: TableInfo;
  pairs: [string, string][];
}

interface CastCase {
  type: string;
  timeZone?: string;
  out?: { text: string | null; textIsHex?: boolean; rowHex: string | null };
}

function golden<T>(name: string): T[] {
  return gunzipSync(fs.readFileSync(new URL(`../golden/${name}`, import.meta.url)))
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** Values that leave their row as text lose something: JSON made by CAST holds dates that no JSON text has. */
const NOT_AGAIN = ["type-json-cast-expr"];

test("rows of every golden table give their pairs again, record and index entries, as UPDATE and DELETE need them", () => {
  let tables = 0;
  let refused = 0;
  for (const one of golden<TableCase>("tables.jsonl.gz")) {
    if (NOT_AGAIN.includes(one.case)) continue;
    const { sessionVars } = one;
    const front = { newCollations: one.newCollation, evaluateVirtual, makeRowEncoder } as unknown as Front;
    const got = new Map<string, string>();
    try {
      const rows = new TableRows(front, "d", one.tableInfo, {
        sqlMode: one.sqlMode,
        timeZone: sessionVars["time_zone"] ?? "UTC",
        newCollations: one.newCollation,
        rowFormatVersion: sessionVars["tidb_row_format_version"] === "1" ? 1 : 2,
        rowLevelChecksum: /^(1|ON)$/.test(sessionVars["tidb_enable_row_level_checksum"] ?? ""),
        nowMs: 0,
        defaultWeekFormat: 0,
      });
      for (const [key, value] of one.pairs) {
        if (key.slice(18, 22) !== "5f72") continue;
        const { record, index } = rows.pairsOf(rows.exact({ key: fromHex(key), value: fromHex(value) }));
        for (const pair of [record, ...index]) got.set(toHex(pair.key), toHex(pair.value));
      }
    } catch (error) {
      // A function of an expression that the encoder does not know is refused by name.
      assert.ok(error instanceof LevinError && /does not know/.test(error.message), `${one.case}: ${error}`);
      refused++;
      continue;
    }
    assert.deepEqual([...got].sort(), [...one.pairs].sort(), one.case);
    tables++;
  }
  assert.ok(tables >= 218 && refused <= 9, `${tables} tables, ${refused} refused`);
});

test("texts of stored values are those that SELECT shows", () => {
  const columns = new Map<string, ColumnInfo>();
  const session = {
    sqlMode: parseSqlMode(""),
    timeZone: "UTC",
    database: "d",
    newCollation: true,
    clusteredIndex: "on" as const,
    nowMs: 0,
  };
  const columnOf = (type: string): ColumnInfo => {
    const known = columns.get(type);
    if (known !== undefined) return known;
    const catalog = new Catalog(() => 1);
    catalog.execute("CREATE DATABASE d", session);
    catalog.execute(`CREATE TABLE t (c ${type})`, session);
    const column = catalog.table("d", "t")!.cols[0]!;
    columns.set(type, column);
    return column;
  };
  let compared = 0;
  for (const { type, timeZone, out } of golden<CastCase>("casts.jsonl.gz")) {
    if (out?.rowHex == null) continue;
    const column = columnOf(type);
    const form = columnForm(column.type, true, TimeZone.find(timeZone ?? "UTC")!)!;
    const text = valueText(decodeRowDatum(fromHex(out.rowHex), form), column.type)!;
    const bytes = typeof text === "string" ? utf8(text) : text;
    assert.equal(out.textIsHex ? toHex(bytes) : textOf(bytes), out.text, `${type} ${out.rowHex}`);
    compared++;
  }
  assert.equal(compared, 4305);
});
