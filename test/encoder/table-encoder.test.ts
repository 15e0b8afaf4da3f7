import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, toHex, utf8 } from "../../src/base/mod.ts";
import { FieldKind, newFields } from "../../src/codec/mod.ts";
import { compileTable, type EncodeOptions, WarningSummary } from "../../src/encoder/mod.ts";
import { Flag, type TableInfo, Tp } from "../../src/schema/mod.ts";
import { RowByRow } from "./by-row.ts";
import { goldenTables } from "./golden-tables.ts";
import { plainSession } from "./plain-session.ts";
import { fill } from "./source-text.ts";

const session: EncodeOptions["session"] = {
  ...plainSession,
  sqlMode: "STRICT_TRANS_TABLES",
};
const sink = { put: (): void => {} };

function table(name: string): TableInfo {
  return structuredClone(goldenTables().find((t) => t.case === name)!.tableInfo);
}

function fieldsOf(...texts: (string | null)[]): ReturnType<typeof newFields> {
  const fields = newFields(1);
  fill(
    fields,
    texts.map((text) => ({
      kind: text === null ? FieldKind.null : FieldKind.string,
      bytes: utf8(text ?? ""),
    })),
  );
  return fields;
}

function refusal(run: () => unknown): LevinError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

function compile(info: TableInfo, others: Partial<EncodeOptions> = {}): ReturnType<typeof compileTable> {
  return compileTable(info, { session, record: sink, index: sink, ...others });
}

test("column lists: any order and case, unknown names, names given twice, ignored names", () => {
  const rows = new RowByRow(table("handle-int-pk"), { session });
  const [first, second] = table("handle-int-pk").cols.map((c) => c.name.O);
  rows.encoder.bindColumns([second!.toUpperCase(), first!]);
  const swapped = rows.encode(fieldsOf("7", "1"), 1);
  rows.encoder.bindColumns([first!, second!]);
  assert.deepEqual(rows.encode(fieldsOf("1", "7"), 1).pairs, swapped.pairs);
  rows.encoder.bindColumns([first!, second!, "junk"], new Set(["junk"]));
  assert.deepEqual(rows.encode(fieldsOf("1", "7", "?"), 1).pairs, swapped.pairs);
  assert.equal(refusal(() => rows.encoder.bindColumns([first!, "nope"])).code, "Levin:Source:ErrUnknownColumn");
  assert.equal(refusal(() => rows.encoder.bindColumns([first!, first!])).code, "Levin:Encode:ErrColumnTwice");
  // A table with a handle of its own has no hidden row id.
  assert.equal(refusal(() => rows.encoder.bindColumns(["_tidb_rowid"])).code, "Levin:Source:ErrUnknownColumn");
});

test("rows with too few or too many fields are errors", () => {
  const encoder = compile(table("handle-int-pk"));
  const columns = table("handle-int-pk").cols.length;
  for (const count of [columns - 1, columns + 1]) {
    const error = refusal(() => encoder.encodeRow(fieldsOf(...Array.from({ length: count }, () => "1")), 1));
    assert.equal(error.code, "Levin:Source:ErrFieldCount");
    assert.match(error.message, new RegExp(`expected ${columns} columns, found ${count}`));
  }
});

test("a value error names column, MySQL code and message; nothing is written for the row", () => {
  for (const plainOnly of [true, false]) {
    const rows = new RowByRow(table("sysbench-sbtest"), { session, plainOnly });
    const { error, pairs } = rows.encode(fieldsOf("1", "99999999999", "a", "b"), 5);
    assert.equal(error?.code, "Levin:Encode:ErrValue");
    assert.equal(error?.fields["column"], "k");
    assert.equal(typeof error?.fields["mysqlCode"], "number");
    assert.deepEqual(pairs, []);
    assert.equal(rows.encode(fieldsOf("1", "2", "a", "b"), 6).error, undefined);
  }
});

test("warnings are counted by column with the first example", () => {
  const summary = new WarningSummary();
  const encoder = compile(table("sysbench-sbtest"), {
    session: { ...session, sqlMode: "" },
    onWarning: summary.add,
  });
  for (let i = 1; i <= 3; i++) encoder.encodeRow(fieldsOf(String(i), "x", "a", "b"), i);
  const [only] = summary.list();
  assert.equal(summary.list().length, 1);
  assert.deepEqual([only!.column, only!.count, only!.example.rowId], ["k", 3, 1]);
});

test("largest automatic ids are kept, failed rows do not count", () => {
  for (const plainOnly of [true, false]) {
    const encoder = compile(table("auto-increment-null-zero"), { plainOnly });
    encoder.encodeRow(fieldsOf("7", "1"), 1);
    encoder.encodeRow(fieldsOf(null, "1"), 3);
    assert.throws(() => encoder.encodeRow(fieldsOf("900", "x"), 2));
    assert.equal(encoder.autoIdMax.autoIncrement, 7n);
    const random = compile(table("auto-random"), { plainOnly });
    random.encodeRow(fieldsOf(String((3n << 58n) + 12n), "1"), 1);
    assert.equal(random.autoIdMax.autoRandom, 12n);
    const rowid = compile(table("handle-rowid"), { plainOnly });
    const width = table("handle-rowid").cols.length;
    rowid.encodeRow(fieldsOf(...Array.from({ length: width }, () => null)), 5_000_000_000);
    assert.equal(rowid.autoIdMax.rowId, 5_000_000_000n);
  }
});

test("what a table cannot do is refused when it is compiled, with table, column or index and reason", () => {
  const cases: [(t: TableInfo) => void, RegExp][] = [
    [(t) => Object.assign(t, { view: {} }), /table "t": it is a view/],
    [(t) => Object.assign(t, { sequence: {} }), /it is a sequence/],
    [(t) => (t.cols[0]!.type.Tp = Tp.geometry), /column "\w+" has type code 255/],
    [(t) => (t.cols[1]!.change_state_info = { relative_col_offset: 0 }), /is being changed by a running ALTER TABLE/],
    [(t) => (t.cols[1]!.generated_expr_string = "foo(`a`)"), /generated column "\w+" has the expression foo/],
    [(t) => (t.index_info![0]!.partial_condition_expr_string = "foo(a)"), /index "\w+" has the condition foo/],
    [(t) => Object.assign(t.index_info![0]!, { state: 3, backfill_state: 1 }), /index "\w+" is being added/],
    [
      (t) => Object.assign(t.index_info![0]!, { is_global: true, global_index_version: 2 }),
      /global index "\w+" has version 2/,
    ],
  ];
  for (const [change, message] of cases) {
    const info = table("index-nonunique");
    info.name.O = "t";
    const before = info.index_info!.filter((i) => !i.is_primary);
    info.index_info = before;
    change(info);
    const error = refusal(() => compile(info));
    assert.equal(error.code, "Levin:Schema:ErrUnsupported");
    assert.match(error.message, message);
  }
  const collated = table("collation-utf8mb4_general_ci");
  for (const column of collated.cols) if (column.type.Collate !== "binary") column.type.Collate = "utf8mb4_klingon_ci";
  assert.match(refusal(() => compile(collated)).message, /collation utf8mb4_klingon_ci, which is unknown/);
  assert.doesNotThrow(() => compile(collated, { session: { ...session, newCollations: false } }));
});

test("a default expression is refused only when a column list leaves its column out", () => {
  const info = table("handle-int-pk");
  const column = info.cols[1]!;
  column.default_is_expr = true;
  column.default = "no_such_function()";
  const encoder = compile(info);
  assert.doesNotThrow(() => encoder.bindColumns(info.cols.map((c) => c.name.O)));
  assert.match(
    refusal(() => encoder.bindColumns([info.cols[0]!.name.O])).message,
    /default \(no_such_function\(\)\), of which levin does not know the function no_such_function/,
  );
});

test("rows without a column list may hold generated columns or not", () => {
  const info = table("handle-rowid");
  const [a, b] = [info.cols[0]!, info.cols[1]!];
  b.generated_expr_string = a.name.O;
  const expressions = (): { generated: () => (row: readonly unknown[]) => never } => ({
    generated: () => (row) => row[0] as never,
  });
  const rows = new RowByRow(info, { session, expressions: expressions as EncodeOptions["expressions"] });
  const rest = info.cols.slice(2).map(() => null);
  const without = rows.encode(fieldsOf(null, ...rest), 1);
  assert.deepEqual(rows.encode(fieldsOf(null, "junk", ...rest), 1).pairs, without.pairs);
  assert.equal(without.error, undefined);
});

test("rows of more than 65535 bytes and ids above 255 take the large form on both paths", () => {
  const info = table("row-large-values");
  const width = info.cols.length;
  const text = ["1", ...Array.from({ length: width - 1 }, () => "x".repeat(60_000))];
  const results = [true, false].map((plainOnly) => {
    const rows = new RowByRow(info, { session: { ...session, sqlMode: "" }, plainOnly });
    const small = rows.encode(fieldsOf("2", ...text.slice(1).map(() => "y")), 2);
    const large = rows.encode(fieldsOf(...text), 1);
    const again = rows.encode(fieldsOf("2", ...text.slice(1).map(() => "y")), 2);
    assert.deepEqual(again.pairs, small.pairs);
    return toHex(large.pairs[0]!.value);
  });
  assert.equal(results[0], results[1]);
  assert.equal((info.cols[0]!.type.Flag & Flag.priKey) !== 0, info.pk_is_handle);
});
