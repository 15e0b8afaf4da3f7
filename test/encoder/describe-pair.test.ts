import assert from "node:assert/strict";
import { test } from "node:test";
import { readTable } from "../../src/cli/read-table.ts";
import { describePair } from "../../src/encoder/mod.ts";
import { plainSession } from "./plain-session.ts";

const session = { newCollations: true, timeZone: "UTC" };
const table = readTable(
  {
    path: "t.sql",
    text: "create table t (a int, b varchar(20) collate utf8mb4_general_ci, c decimal(10,2), primary key (a), unique key (b), key k (c));",
    tableId: undefined,
    table: undefined,
    clusteredIndex: "on",
  },
  {
    ...plainSession,
  },
);

test("a record and its index entries are told in words", () => {
  const row = "800002000000020306000d0048656c6c6f200a028000000132";
  assert.deepEqual(describePair(table, "7480000000000000015f728000000000000001", row, session), [
    'table "t" (id 1)',
    "record, handle 1",
    '  column "a" (id 1): in the handle',
    '  column "b" (id 2): "Hello "',
    '  column "c" (id 3): 1.50',
  ]);
  assert.deepEqual(
    describePair(table, "7480000000000000015f698000000000000002060a028000000132038000000000000001", "30", session),
    [
      'table "t" (id 1)',
      'index "k" (id 2)',
      '  column "c": 1.50',
      "  then the handle: 1",
      "  value: nothing of its own",
    ],
  );
});

test("a key as it stands at the borders of regions is taken apart first", () => {
  const plain = "7480000000000000015f728000000000000001";
  const encoded = "7480000000000000ff015f728000000000ff0000010000000000fa";
  assert.deepEqual(describePair(table, encoded.toUpperCase(), undefined, session), [
    `encoded as at the borders of regions; plain: ${plain}`,
    'table "t" (id 1)',
    "record, handle 1",
  ]);
});

test("a distinct entry of a unique index without its value says where the handle is", () => {
  const unique = { ...table, index_info: table.index_info!.map((index) => ({ ...index, is_unique: true })) };
  assert.deepEqual(
    describePair(unique, "7480000000000000015f698000000000000002060a028000000132", undefined, session).slice(1),
    ['index "k" (id 2, unique)', '  column "c": 1.50', "  the handle is in the value: give VALUE to see it"],
  );
});

test("what is no pair of the table is said so", () => {
  for (const key of ["6d4442", "00", "7480"])
    assert.throws(() => describePair(table, key, undefined, session), /Cannot decode KEY: it is no key of table data/);
  assert.match(
    describePair(table, "7480000000000000095f728000000000000001", undefined, session)[0]!,
    /not that of "t"/,
  );
  assert.throws(() => describePair(table, "xyz", undefined, session), /Cannot decode KEY/);
  assert.throws(() => describePair(table, "7480000000000000015f728000000000000001", "80ff", session), {
    code: "Levin:Codec:ErrCorrupt",
  });
});
