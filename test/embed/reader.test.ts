import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { fromHex, toHex } from "../../src/base/mod.ts";
import { TimeZone } from "../../src/codec/mod.ts";
import { TableReader, valueText } from "../../src/embed/tidb/reader/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";

interface Case {
  case: string;
  table: string;
  sql: string[] | string;
  csv: string | null;
  columns: string[];
  newCollation: boolean;
  sessionVars: Record<string, string>;
  tableInfo: TableInfo;
  pairs: [string, string][];
}

const cases: Case[] = gunzipSync(fs.readFileSync(new URL("../golden/tables.jsonl.gz", import.meta.url)))
  .toString()
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));

test("every golden record is decoded, each value to text", () => {
  let records = 0;
  for (const one of cases) {
    const reader = new TableReader(
      one.tableInfo,
      one.newCollation,
      TimeZone.find(one.sessionVars["time_zone"] ?? "UTC")!,
    );
    for (const [key, value] of one.pairs) {
      if (!key.includes("5f72", 18) || key.slice(18, 22) !== "5f72") continue;
      const row = reader.decode(fromHex(key), fromHex(value));
      for (const column of reader.columns) {
        const datum = row.values[column.offset];
        if (datum === undefined) continue;
        const text = valueText(datum, column.type);
        assert.ok(
          text === null || typeof text === "string" || text instanceof Uint8Array,
          `${one.case} ${column.name.O}`,
        );
      }
      records++;
    }
  }
  assert.equal(records, 2567);
});

describe("value texts", () => {
  test("floats are written as TiDB writes them", () => {
    const type = { Tp: 5, Flag: 0, Flen: 22, Decimal: -1, Charset: "binary", Collate: "binary", Elems: null };
    const text = (value: number) => valueText({ kind: "float", value }, type);
    assert.deepEqual([1, 0.1, 1e14, 1e15, 123456789012345680, 1e-15, 1.5e-16, -2.5, 1e300].map(text), [
      "1",
      "0.1",
      "100000000000000",
      "1e15",
      "1.2345678901234568e17",
      "0.000000000000001",
      "1.5e-16",
      "-2.5",
      "1e300",
    ]);
    assert.equal(valueText({ kind: "float", value: Math.fround(0.1) }, { ...type, Tp: 4 }), "0.1");
    const single = (value: number) => valueText({ kind: "float", value: Math.fround(value) }, { ...type, Tp: 4 });
    assert.deepEqual([3.5e37, 1e-45, 1.2345678901234567e19, 0.333333333333, 123456789, 1e15].map(single), [
      "3.5e37",
      "1.4013e-45",
      "1.23457e19",
      "0.33333334",
      "123456790",
      "1e15",
    ]);
  });
  test("BIT is bytes of the column's width", () => {
    const text = valueText(
      { kind: "bit", value: 0x1ffn },
      { Tp: 16, Flag: 0, Flen: 10, Decimal: 0, Charset: "binary", Collate: "binary", Elems: null },
    );
    assert.equal(toHex(text as Uint8Array), "01ff");
  });
});
