import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../src/base/mod.ts";
import { FieldKind, type Fields, newFields } from "../../src/codec/mod.ts";
import { bindRow } from "../../src/logical/binding.ts";
import { InsertBuilder } from "../../src/logical/insert-builder.ts";
import type { LogicalTable } from "../../src/logical/mod.ts";
import { columnOf, duplicateOf } from "../../src/logical/sql-faults.ts";

function fieldsOf(values: readonly [kind: number, text: string | Uint8Array][]): Fields {
  const fields = newFields(values.length);
  const parts = values.map(([, text]) => (typeof text === "string" ? utf8(text) : text));
  fields.bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  values.forEach(([kind], k) => {
    fields.bytes.set(parts[k]!, at);
    fields.kind[k] = kind;
    fields.start[k] = at;
    at += parts[k]!.length;
    fields.end[k] = at;
  });
  fields.count = values.length;
  return fields;
}

const column = (name: string, more: Partial<LogicalTable["columns"][number]> = {}) => ({
  name,
  generated: false,
  binary: false,
  number: undefined,
  charset: undefined,
  ...more,
});
const table: LogicalTable = {
  database: "d",
  table: "t`x",
  columns: [column("a"), column("g", { generated: true }), column("b", { binary: true }), column("c")],
  uniqueKeys: [],
  transactional: true,
};
const none = { extras: [], ignored: new Set<string>() };

test("values of all kinds become literals", () => {
  const { slots, head, fieldCount } = bindRow(table, undefined, 3, none);
  assert.equal(head, "INTO `d`.`t``x` (`a`,`b`,`c`) VALUES");
  assert.equal(fieldCount, 3);
  const builder = new InsertBuilder(64);
  builder.begin(head, false);
  builder.add(
    fieldsOf([
      [FieldKind.int, "-7"],
      [FieldKind.string, "it's \\"],
      [FieldKind.null, ""],
    ]),
    slots,
  );
  builder.add(
    fieldsOf([
      [FieldKind.hex, Uint8Array.of(0, 255)],
      [FieldKind.binary, Uint8Array.of(0xff, 0x27)],
      [FieldKind.default, ""],
    ]),
    slots,
  );
  builder.add(
    fieldsOf([
      [FieldKind.true, ""],
      [FieldKind.bit, new Uint8Array(0)],
      [FieldKind.float, "1e5"],
    ]),
    slots,
  );
  const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  const rows = [
    "(-7,_binary'it''s \\\\',NULL)",
    "(0x00ff,_binary'\xff'',DEFAULT)".replace("'',", "''',"),
    "(TRUE,'',1e5)",
  ];
  assert.equal(latin1(builder.statement("REPLACE")), `REPLACE ${head} ${rows.join(",")}`);
  assert.equal(latin1(builder.statement("INSERT IGNORE", 1, 3)), `INSERT IGNORE ${head} ${rows.slice(1).join(",")}`);
  assert.equal(latin1(builder.rowText(2)), rows[2]);
  builder.begin(head, true);
  builder.add(
    fieldsOf([
      [FieldKind.string, "\\'"],
      [FieldKind.null, ""],
      [FieldKind.null, ""],
    ]),
    slots,
  );
  assert.equal(textOf(builder.statement("INSERT")), `INSERT ${head} ('\\''',NULL,NULL)`);
});

test("texts of plain numbers lose their quotes in columns of such numbers, others keep them", () => {
  const texts: [text: string, integer: boolean, decimal: boolean][] = [
    ["0", true, true],
    ["-5", true, true],
    ["007", true, true],
    ["999999999999999999", true, true],
    ["9223372036854775807", false, false],
    ["12.50", false, true],
    ["-0.1", false, true],
    ["12.", false, false],
    [".5", false, false],
    ["1.2.3", false, false],
    ["+5", false, false],
    [" 5", false, false],
    ["5 ", false, false],
    ["1e5", false, false],
    ["0x10", false, false],
    ["-", false, false],
    ["--5", false, false],
    ["", false, false],
    ["NULL", false, false],
  ];
  for (const [text, ...plain] of texts) {
    for (const [k, number] of (["integer", "decimal"] as const).entries()) {
      const builder = new InsertBuilder(64);
      builder.begin("INTO t VALUES", false);
      const slot = { name: "n", field: 0, text: undefined, binary: false, number };
      builder.add(fieldsOf([[FieldKind.string, text]]), [slot]);
      assert.equal(textOf(builder.rowText(0)), plain[k] === true ? `(${text})` : `('${text}')`, `${number}: ${text}`);
    }
  }
});

test("columns are bound by name or by position, generated and ignored ones are left out", () => {
  const named = bindRow(table, ["C", "G", "a"], 3, { extras: [], ignored: new Set(["a"]) });
  assert.equal(named.head, "INTO `d`.`t``x` (`c`) VALUES");
  const all = bindRow(table, undefined, 4, none);
  assert.deepEqual(
    all.slots.map(({ name, field }) => [name, field]),
    [
      ["a", 0],
      ["b", 2],
      ["c", 3],
    ],
  );
  const extra = bindRow(table, undefined, 2, { extras: [{ name: "c", value: "it's" }], ignored: new Set() });
  const builder = new InsertBuilder(64);
  builder.begin(extra.head, false);
  builder.add(
    fieldsOf([
      [FieldKind.uint, "1"],
      [FieldKind.null, ""],
    ]),
    extra.slots,
  );
  assert.equal(textOf(builder.statement("INSERT")), `INSERT ${extra.head} (1,NULL,'it''s')`);
  assert.throws(() => bindRow(table, ["a", "A"], 2, none), /column "A" is named twice/);
  assert.throws(() => bindRow(table, ["a", "z"], 2, none), /no column "z"/);
});

test("servers' words give column, value and index", () => {
  assert.equal(columnOf("Out of range value for column 'n' at row 1"), "n");
  assert.equal(columnOf("Column 'id' cannot be null"), "id");
  assert.equal(columnOf("Incorrect integer value: 'x' for column `d`.`t`.`k` at row 1"), "k");
  assert.equal(columnOf("Field 'f' doesn't have a default value"), "f");
  assert.deepEqual(duplicateOf("Duplicate entry 'a-'b'' for key 't.uu'"), { value: "a-'b'", index: "uu" });
  assert.deepEqual(duplicateOf("Duplicate entry '1' for key 'PRIMARY'"), { value: "1", index: "PRIMARY" });
});
