/** Golden partition functions: the partition of each row, the value of the expression, or the error. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { LevinError } from "../../../src/base/mod.ts";
import { CastError, type CastSession, datumToText } from "../../../src/encoder/cast/mod.ts";
import { tableExpressions } from "../../../src/encoder/expr/mod.ts";
import type { TableInfo } from "../../../src/schema/mod.ts";
import { readJsonLines } from "../../codec/golden-file.ts";
import { type Fault, MODES, rowOf, sessionOf, tableOf } from "./golden-generated.ts";

interface PartitionCase {
  by: "key" | "hash" | "ddl";
  columns: string[];
  in: { kind: "string" | "null" | "uint"; text?: string }[];
  expr?: string;
  clause?: string;
  timeZone?: string;
  /** Number of partitions -> index; an index for `ddl`. */
  partition?: Record<string, number> | number;
  value?: string | null;
  valueError?: Fault;
  notAllowed?: Fault;
  error?: Fault;
}

const sessions = new Map<string, CastSession>();

function sessionFor(c: PartitionCase): CastSession {
  const zone = c.timeZone ?? "UTC";
  let session = sessions.get(zone);
  if (session === undefined) {
    session = sessionOf("strict", zone).session;
    sessions.set(zone, session);
  }
  return session;
}

const expressionsOf = (c: PartitionCase) =>
  tableExpressions(sessionFor(c), { sqlMode: MODES.strict, defaultWeekFormat: 0 });

/** Index of the partition, or the code of the error. */
function place(c: PartitionCase, clause: string): number | undefined | { code: number } {
  const session = sessionFor(c);
  let table: TableInfo;
  try {
    table = tableOf(
      `create table t (${c.columns.map((type, i) => `${"abc"[i]} ${type}`).join(", ")}) ${clause}`,
      c.timeZone,
    );
  } catch (thrown) {
    if (!(thrown instanceof LevinError)) throw thrown;
    return { code: Number(thrown.fields["errno"] ?? thrown.code) };
  }
  try {
    const row = rowOf(table, c.in, session);
    return expressionsOf(c).partition(table)(row);
  } catch (thrown) {
    if (thrown instanceof CastError) return { code: thrown.code };
    if (thrown instanceof LevinError) return { code: Number(thrown.fields["mysqlCode"]) };
    throw thrown;
  }
}

/** The value of a partition expression, as a generated column has it. */
function expressionValue(c: PartitionCase): string | null | { code: number } {
  const columns = c.columns.map((type, i) => `${"abc"[i]} ${type}`).join(", ");
  const table = tableOf(`create table t (${columns}, g varchar(64))`);
  const column = table.cols[c.columns.length]!;
  column.generated_expr_string = c.expr!;
  column.generated_stored = true;
  try {
    return datumToText(expressionsOf(c).generated(table, column)(rowOf(table, c.in, sessionFor(c))), column.type);
  } catch (thrown) {
    if (thrown instanceof CastError) return { code: thrown.code };
    throw thrown;
  }
}

test("golden partition functions", () => {
  const counts = { key: 0, hash: 0, ddl: 0, values: 0 };
  for (const c of readJsonLines<PartitionCase>("misc/partition.jsonl.gz")) {
    const name = JSON.stringify(c);
    counts[c.by]++;
    // What TiDB refuses to partition by has no value that counts.
    if (c.notAllowed === undefined && (c.value !== undefined || c.valueError !== undefined)) {
      counts.values++;
      const wanted = c.valueError === undefined ? c.value : { code: c.valueError.code };
      assert.deepEqual(expressionValue(c), wanted, name);
    }
    const fault = c.error ?? c.notAllowed;
    if (c.by === "ddl") {
      assert.deepEqual(place(c, c.clause!), fault === undefined ? c.partition : { code: fault.code }, name);
      continue;
    }
    const by = c.by === "key" ? `key (${c.columns.map((_, i) => "abc"[i]).join(", ")})` : `hash (${c.expr})`;
    const wanted = fault === undefined ? Object.entries(c.partition as Record<string, number>) : [["4", -1] as const];
    for (const [count, index] of wanted) {
      const got = place(c, `partition by ${by} partitions ${count}`);
      assert.deepEqual(got, fault === undefined ? index : { code: fault.code }, `${name} ${count}`);
    }
  }
  assert.deepEqual(counts, { key: 161, hash: 530, ddl: 66, values: 482 });
});
