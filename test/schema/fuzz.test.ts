import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, seededRandom } from "../../src/base/mod.ts";
import {
  Catalog,
  parseExpr,
  parseLosslessJson,
  parseTableInfo,
  showCreateTable,
  splitScript,
  stringifyLossless,
} from "../../src/schema/mod.ts";
import { goldenTables, sessionOf } from "./golden.ts";

const random = seededRandom(20_240_601);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;

/** Only LevinError may come out of text, however broken. */
function survives(run: () => void, input: string): void {
  try {
    run();
  } catch (error) {
    assert.ok(
      error instanceof LevinError && error.code !== "Levin:Internal:ErrUnexpected",
      `${input}\n${(error as Error).stack}`,
    );
  }
}

const cases = goldenTables().filter(({ ddl }) => ddl.length < 2000);
const statements = cases.flatMap((golden) =>
  [...splitScript(golden.ddl, sessionOf(golden).sqlMode), { text: golden.showCreate }].map(({ text }) => text),
);
const words = [...new Set(statements.flatMap((text) => text.match(/\w+|[^\w\s]|\s+/g) ?? []))];

/** Drops, doubles, swaps and replaces words and characters. */
function mutate(text: string): string {
  let out = text;
  const times = 1 + Math.floor(random.next() * 3);
  for (let i = 0; i < times; i++) {
    const parts = out.match(/\w+|[^\w\s]|\s+/g) ?? [""];
    const at = Math.floor(random.next() * parts.length);
    switch (Math.floor(random.next() * 6)) {
      case 0:
        parts.splice(at, 1);
        break;
      case 1:
        parts.splice(at, 0, pick(words), " ");
        break;
      case 2:
        parts[at] = pick(words);
        break;
      case 3:
        parts.splice(at, 0, ...parts.slice(at, at + 12));
        break;
      case 4:
        parts.splice(at);
        break;
      default:
        parts[at] = pick([
          "'",
          "`",
          "/*",
          "*/",
          "/*!",
          "(",
          ")",
          "\0",
          "9".repeat(30),
          "x'0",
          "\ud83d",
          "--",
          "@@",
          "0x",
        ]);
    }
    out = parts.join("");
  }
  return out;
}

test("broken DDL gives a LevinError or a table that can be shown and read back", () => {
  for (let i = 0; i < 2000; i++) {
    const session = sessionOf(pick(cases));
    const sql = mutate(pick(statements));
    survives(() => {
      let id = 1;
      const catalog = new Catalog(() => id++);
      catalog.execute("create database g", session);
      catalog.execute("create table nt (id int, v int, key(v))", session);
      for (const { text } of splitScript(sql, session.sqlMode)) catalog.execute(text, session);
      for (const table of catalog.tables("g")) {
        if (table.view || table.sequence) continue;
        showCreateTable(table, session);
        assert.equal(stringifyLossless(tableAgain(table)), stringifyLossless(sorted(table)), sql);
      }
    }, sql);
  }
});

function tableAgain(table: unknown): unknown {
  return sorted(parseTableInfo(stringifyLossless(table)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

test("broken expressions give a LevinError", () => {
  const parts = [
    "a",
    "1",
    "'x'",
    "(",
    ")",
    ",",
    "+",
    "-",
    "->",
    "->>",
    "case",
    "when",
    "then",
    "end",
    "between",
    "and",
    "not",
    "in",
  ];
  const more = [
    "interval",
    "day",
    "cast(",
    "as",
    "char",
    "array",
    "is",
    "null",
    "like",
    "escape",
    "*",
    "!",
    "~",
    "||",
    ".",
    "@@",
    "{d",
    "}",
  ];
  for (let i = 0; i < 8_000; i++) {
    const length = 1 + Math.floor(random.next() * 12);
    const text = Array.from({ length }, () => pick(random.next() < 0.6 ? parts : more)).join(" ");
    survives(() => void parseExpr(text), text);
  }
});

test("broken TableInfo JSON gives a LevinError", () => {
  const texts = cases.slice(0, 60).map(({ tableInfo }) => stringifyLossless(tableInfo));
  const bits = ["null", "-1", "true", '""', "[]", "{}", "1e999", "18446744073709551616", "[[", '{"O":1}', "\\u12", '"'];
  for (let i = 0; i < 1500; i++) {
    const text = pick(texts);
    const at = Math.floor(random.next() * text.length);
    const tokens = text.slice(at).match(/^[^:]*:("[^"]*"|[^,{}[\]]*)/);
    const end = tokens ? at + tokens[0].length : at + 1;
    const broken =
      random.next() < 0.5
        ? text.slice(0, at) + pick(bits) + text.slice(at + 3)
        : text.slice(0, end) + pick(bits) + text.slice(end + 1);
    survives(() => void parseTableInfo(broken), broken.slice(Math.max(0, at - 40), at + 60));
  }
});

test("JSON keeps large integers and refuses what is no JSON", () => {
  const text =
    '{"a":9007199254740993,"b":-18446744073709551615,"c":[1,2.5,1e3,9007199254740991],"d":"\\u00e9\\n","__proto__":null}';
  const value = parseLosslessJson(text) as Record<string, unknown>;
  assert.equal(value["a"], 9007199254740993n);
  assert.equal(value["b"], -18446744073709551615n);
  assert.deepEqual(value["c"], [1, 2.5, 1000, 9007199254740991]);
  assert.equal(value["d"], "é\n");
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(parseLosslessJson(stringifyLossless(value)), value);
  for (const bad of ["", "{", "[1,]", '{"a"}', "01", "+1", "nul", '"\n"', "1 2", "[".repeat(100_000)]) {
    assert.throws(() => parseLosslessJson(bad), LevinError, bad.slice(0, 10));
  }
});

test("TableInfo that does not fit is refused by the member's name", () => {
  const good = JSON.parse(stringifyLossless(cases[0]!.tableInfo)) as Record<string, never>;
  const refused = (change: (table: Record<string, never>) => void): string => {
    const table = structuredClone(good);
    change(table);
    try {
      parseTableInfo(JSON.stringify(table));
    } catch (error) {
      assert.ok(error instanceof LevinError);
      return error.message;
    }
    return "accepted";
  };
  const set = (path: string, value: unknown) => (table: Record<string, never>) => {
    const keys = path.split(".");
    let at = table as Record<string, unknown>;
    for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[keys.at(-1)!] = value;
  };
  assert.equal(refused(set("id", "7")), 'Cannot read TableInfo: "id" is not an integer');
  assert.equal(refused(set("cols.0.type", 3)), 'Cannot read TableInfo: "cols[0].type" is not an object');
  assert.equal(refused(set("cols.1.offset", 0)), 'Cannot read TableInfo: "cols[1].offset" is 0');
  assert.equal(
    refused(set("index_info.0.idx_cols.0.offset", 99)),
    'Cannot read TableInfo: "index_info[0].idx_cols[0].offset" 99 is no column of the table',
  );
  assert.equal(refused(set("pk_is_handle", 1)), 'Cannot read TableInfo: "pk_is_handle" is neither true nor false');
  assert.equal(
    refused(set("partition", { type: 1, definitions: [] })),
    'Cannot read TableInfo: "partition.definitions" is empty',
  );
  assert.equal(
    refused((table) => void delete table["auto_random_bits"]),
    "accepted",
  );
});
