import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import { test } from "node:test";
import { utf8 } from "../../src/base/mod.ts";
import { newFields } from "../../src/codec/mod.ts";
import { encoderFor, goldenTables } from "./golden-tables.ts";
import { fill, readCsv } from "./source-text.ts";

const ROWS = 60_000;
/** Less than one small object a row. */
const LIMIT = 6e6;

test("many rows leave the heap as it was", () => {
  for (const name of ["tpch-lineitem", "tpch-orders"]) {
    const table = goldenTables().find((t) => t.case === name)!;
    const rows: ReturnType<typeof newFields>[] = [];
    readCsv(utf8(table.csv!), (fields) => {
      const copy = newFields(1);
      const values = Array.from({ length: fields.count }, (_, i) => ({
        kind: fields.kind[i]!,
        bytes: fields.bytes.slice(fields.start[i], fields.end[i]),
      }));
      fill(copy, values);
      rows.push(copy);
    });
    let bytes = 0;
    const sink = {
      put: (_key: Uint8Array, keyLength: number, _value: Uint8Array, valueLength: number): void => {
        bytes += keyLength + valueLength;
      },
    };
    const encoder = encoderFor(table, sink, {});
    const run = (count: number): void => {
      for (let i = 0; i < count; i++) encoder.encodeRow(rows[i % rows.length]!, i + 1);
    };
    run(5000);
    const before = memoryUsage();
    run(ROWS);
    const after = memoryUsage();
    const grown = after.heapUsed - before.heapUsed + after.external - before.external;
    assert.ok(grown < LIMIT, `${name}: ${grown} bytes more after ${ROWS} rows`);
    assert.ok(bytes > ROWS * 100);
  }
});
