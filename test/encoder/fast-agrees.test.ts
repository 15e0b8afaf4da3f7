import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, type Random, seededRandom, toHex } from "../../src/base/mod.ts";
import { type Fields, newFields, type PairSink } from "../../src/codec/mod.ts";
import { compileTable, type EncodeWarning, type TableEncoder } from "../../src/encoder/mod.ts";
import type { TableInfo } from "../../src/schema/mod.ts";
import { below, copyExpressions, pick, randomField, randomTable } from "./random-table.ts";
import { fill } from "./source-text.ts";

const STRICT = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";
const ZONES = ["UTC", "+08:00", "America/New_York", "Asia/Shanghai", "-03:30"];

class Log implements PairSink {
  readonly lines: string[] = [];
  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.lines.push(`${toHex(key.subarray(0, keyLength))} ${toHex(value.subarray(0, valueLength))}`);
  }
}

interface Side {
  encoder: TableEncoder;
  log: Log;
  warnings: EncodeWarning[];
}

function side(
  table: TableInfo,
  settings: { sqlMode: string; timeZone: string; newCollations: boolean; rowLevelChecksum: boolean },
  plain: boolean,
): Side {
  const log = new Log();
  const warnings: EncodeWarning[] = [];
  const encoder = compileTable(table, {
    session: { ...settings, rowFormatVersion: 2, nowMs: 1.7e12, defaultWeekFormat: 0 },
    record: log,
    index: log,
    plainOnly: plain,
    expressions: copyExpressions,
    onWarning: (w) => warnings.push(w),
  });
  return { encoder, log, warnings };
}

function outcome(s: Side, fields: Fields, rowId: number): string[] {
  s.log.lines.length = 0;
  s.warnings.length = 0;
  const end: string[] = [];
  try {
    s.encoder.encodeRow(fields, rowId);
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    // Which of several bad fields is named first is not the same on both paths.
    end.push(error.code);
    return end;
  }
  for (const w of s.warnings) end.push(`${w.column} ${w.mysqlCode} ${w.message} ${w.rowId}`);
  return [...s.log.lines, ...end.sort()];
}

function compare(random: Random, rows: number): number {
  const table = randomTable(random);
  const settings = {
    sqlMode: random.next() < 0.7 ? "" : STRICT,
    timeZone: pick(random, ZONES),
    newCollations: random.next() < 0.8,
    rowLevelChecksum: random.next() < 0.2,
  };
  const fast = side(table, settings, false);
  const plain = side(table, settings, true);
  const names = table.cols.map((c) => c.name.O).filter(() => random.next() < 0.9);
  if (table.pk_is_handle === false && !table.is_common_handle && random.next() < 0.2) names.push("_tidb_rowid");
  const columns = random.next() < 0.5 ? undefined : names;
  const seed = below(random, 1000);
  for (const { encoder } of [fast, plain]) encoder.startChunk(seed);
  fast.encoder.bindColumns(columns);
  plain.encoder.bindColumns(columns);
  const fields = newFields(1);
  let good = 0;
  for (let i = 0; i < rows; i++) {
    const given = columns ?? table.cols.map((c) => c.name.O);
    const values = given.map((name) =>
      randomField(random, table.cols.find((c) => c.name.O === name) ?? table.cols[0]!),
    );
    fill(fields, values);
    const rowId = 1 + below(random, 2 ** 40);
    const a = outcome(fast, fields, rowId);
    const b = outcome(plain, fields, rowId);
    assert.deepEqual(a, b);
    if (a.length > 0 && !a[0]!.startsWith("Levin")) good++;
  }
  assert.deepEqual(fast.encoder.autoIdMax, plain.encoder.autoIdMax);
  return good;
}

test("fast and plain path agree on random tables and rows", () => {
  let good = 0;
  for (let seed = 1; seed <= 150; seed++) {
    try {
      good += compare(seededRandom(seed), 30);
    } catch (error) {
      (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
  assert.ok(good > 1200, `${good} rows were good`);
});
