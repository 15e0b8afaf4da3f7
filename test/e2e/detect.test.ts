/** `levin detect`: guesses of dialects, whose configuration then reads the file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { detectCsv, dialectToml } from "../../src/cli/detect-csv.ts";
import { loadConfig } from "../../src/config/mod.ts";

const detect = (text: string) => detectCsv(new TextEncoder().encode(text), true);

test("dialects of spreadsheets and export tools", () => {
  const comma = detect('id,name\n1,"a,b"\n2,"c ""d"""\n')!;
  assert.deepEqual(comma.columns, ["id", "name"]);
  assert.deepEqual(comma.rows, [
    ["1", "a,b"],
    ["2", 'c "d"'],
  ]);
  const tabs = detect("1\tx\t\\N\n2\ty, z\t3\n")!;
  assert.equal(tabs.dialect.separator, "\t");
  assert.equal(tabs.dialect.header, false);
  assert.deepEqual(tabs.rows[0], ["1", "x", null]);
  const long = detect("'1'|+|'a;b'|+|NULL\n'2'|+|'c'|+|'x'\n")!;
  assert.equal(long.dialect.separator, "|+|");
  assert.equal(long.dialect.delimiter, "'");
  assert.deepEqual(long.dialect.nulls, ["\\N", "NULL"]);
  assert.equal(detect("one column\nonly\n"), undefined);
  assert.equal(detect(""), undefined);
});

test("the lines to copy are a configuration", () => {
  const { dialect } = detect("a;b\n1;2\n")!;
  const config = loadConfig({ file: { path: "x", text: dialectToml(dialect) }, strict: true });
  assert.equal(config.get("mydumper.csv.separator"), ";");
  assert.equal(config.get("mydumper.csv.header"), true);
});
