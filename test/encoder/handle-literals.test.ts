import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, utf8 } from "../../src/base/mod.ts";
import { FieldKind, newFields, splitKey } from "../../src/codec/mod.ts";
import { compileTable, handleLiterals } from "../../src/encoder/mod.ts";
import { tableOf } from "./expr/golden-generated.ts";
import { plainSession } from "./plain-session.ts";

/** Literals that name the row with these key columns. */
function literalsOf(columns: string, ...values: (string | Uint8Array)[]): string[] {
  const names = values.map((_, i) => String.fromCharCode(97 + i));
  const table = tableOf(`create table t (${columns}, primary key (${names.join(", ")}) clustered)`);
  let key = new Uint8Array();
  const encoder = compileTable(table, {
    session: {
      ...plainSession,
    },
    record: { put: (bytes, length) => (key = bytes.slice(0, length)) },
    index: { put: () => undefined },
  });
  encoder.bindColumns(undefined);
  const fields = newFields(8);
  const parts = values.map((value) => (typeof value === "string" ? utf8(value) : value));
  fields.bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  fields.count = parts.length;
  let at = 0;
  parts.forEach((part, i) => {
    fields.kind[i] = FieldKind.string;
    fields.start[i] = at;
    at += part.length;
    fields.end[i] = at;
  });
  encoder.encodeRow(fields, 1);
  const split = splitKey(key);
  assert.equal(split.kind, "record");
  const { handle } = split as Extract<typeof split, { kind: "record" }>;
  return handleLiterals(table, handle)!.map(({ column, literal }) => `${column}=${literal}`);
}

test("key columns as literals that equal them and nothing else", () => {
  assert.deepEqual(literalsOf("a int", "-5"), ["a=-5"]);
  assert.deepEqual(literalsOf("a varchar(9) collate utf8mb4_bin, b decimal(5,2)", "o'k", "1.5"), [
    "a='o''k'",
    "b=1.50",
  ]);
  // Under NO_BACKSLASH_ESCAPES 'k\\\\' has two of them.
  assert.deepEqual(literalsOf("a varchar(9) collate utf8mb4_bin", "o'k\\"), ["a=_utf8mb4 0x6f276b5c"]);
  assert.deepEqual(literalsOf("a varbinary(4), b varbinary(4), c date", fromHex("00ff"), "", "2020-01-02"), [
    "a=0x00ff",
    "b=''",
    "c='2020-01-02'",
  ]);
  assert.deepEqual(literalsOf("a varchar(9) collate utf8mb4_bin", "\ufeffk"), ["a='\ufeffk'"]);
});
