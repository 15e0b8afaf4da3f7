/** What an import looks at right before its first ingest, and what its journal says of that. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { beginIngest } from "../../src/importer/begin-ingest.ts";
import { applyRecord, emptyState } from "../../src/importer/job-state.ts";
import { checkInput } from "../../src/importer/prechecks.ts";
import type { JobRecord } from "../../src/importer/records.ts";
import { TableModels } from "../../src/importer/table-models.ts";

type Context = Parameters<typeof beginIngest>[0];

const planned: JobRecord[] = [{ type: "batch", batch: 0, tables: ["d.a", "d.b"], commitTs: "7" }];

function stateOf(records: readonly JobRecord[]) {
  const state = emptyState();
  for (const record of records) applyRecord(state, record);
  return state;
}

/** A batch of many tables, of which these have rows. */
async function begin(withRows: readonly number[], options: Record<string, unknown> = {}) {
  const names = Array.from({ length: 300 }, (_, i) => `t${i}`);
  const tables = names.map((table) => ({
    name: `d.${table}`,
    database: "d",
    table,
  }));
  const state = stateOf([
    {
      type: "batch",
      batch: 0,
      tables: tables.map(({ name }) => name),
      commitTs: "7",
    },
  ]);
  const asked: string[] = [];
  const query = async (sql: string) => {
    asked.push(sql);
    const rows = withRows.flatMap((i) => {
      const found = new RegExp(`SELECT (\\d+) FROM \`d\`\\.\`t${i}\` LIMIT 1`).exec(sql);
      return found === null ? [] : [[found[1]!]];
    });
    return { columns: ["0"], rows, affectedRows: 0 };
  };
  const context = {
    options: {
      checkRequirements: true,
      intoRows: false,
      parallelIndex: undefined,
      tidb: { connectionsMax: 8 },
      ...options,
    },
    env: { signal: new AbortController().signal },
    tidb: { query },
    cluster: { pd: { timestamp: async () => 99n } },
    job: { append: async (record: JobRecord) => applyRecord(state, record) },
  } as unknown as Context;
  const batch = state.batches[0]!;
  const run = () =>
    beginIngest(context, { id: 0, tables, sizeBytes: 0 } as unknown as Parameters<typeof beginIngest>[1], batch);
  return { run, batch, asked };
}

describe("before the first ingest", () => {
  test("many tables are looked at by a few statements, once, and the commit timestamp is new", async () => {
    const { run, batch, asked } = await begin([]);
    assert.equal(batch.begun, false);
    await run();
    assert.equal(asked.length, 3);
    assert.deepEqual([batch.begun, batch.commitTs], [true, 99n]);
    batch.ranges.data.set("00", "ff");
    await run();
    assert.equal(asked.length, 3);
  });

  test("a table that has got rows is named, and nothing has begun", async () => {
    const { run, batch } = await begin([283]);
    await assert.rejects(run(), {
      code: "Levin:Check:ErrTargetNotEmpty",
      message: /"d\.t283" must be empty, and has got/,
    });
    assert.equal(batch.begun, false);
    const into = await begin([5], { intoRows: true });
    await assert.rejects(into.run(), {
      code: "Levin:Check:ErrTargetChanged",
      message: /"d\.t5".*it was empty/,
    });
  });

  test("tables that may have anything, or rows of other sources, are not looked at", async () => {
    for (const options of [{ checkRequirements: false }, { parallelIndex: 1 }]) {
      const { run, batch, asked } = await begin([1], options);
      await run();
      assert.deepEqual([asked.length, batch.begun], [0, true]);
    }
  });
});

/** Tables that the check for empty ones leaves out. */
function touchedBy(records: readonly JobRecord[]): string[] {
  const state = stateOf(records);
  const options = { tidb: { connectionsMax: 1 }, backend: "local" };
  const given = [options, {}, { tables: [], source: {} }, new TableModels(), {}, { state }];
  const { touched } = checkInput(...(given as unknown as Parameters<typeof checkInput>));
  return [...touched];
}

describe("a table is the import's own", () => {
  const flushed: JobRecord = {
    type: "flushed",
    batch: 0,
    runs: { data: [1], index: [] },
    chunks: [],
  };
  const both = ["d.a", "d.b"];
  for (const [what, records, touched] of [
    ["not when it is planned", [], []],
    ["not while it is encoded", [flushed], []],
    ["not when it is encoded", [flushed, { type: "encoded", batch: 0, told: true }], []],
    ["not when its early import is due", [flushed, { type: "early", batch: 0, told: true }], []],
    [
      "when the journal says that its ingest follows",
      [flushed, { type: "cleared", batch: 0, commitTs: "9", base: [] }],
      both,
    ],
    [
      "also where its pairs were lost then",
      [
        { type: "cleared", batch: 0, commitTs: "9", base: [] },
        { type: "lost", batch: 0 },
      ],
      both,
    ],
    ["when it is encoded, in an old journal, which says no more", [flushed, { type: "encoded", batch: 0 }], both],
    ["when its early import is due, in an old journal", [flushed, { type: "early", batch: 0 }], both],
  ] as [string, JobRecord[], string[]][]) {
    test(what, () => assert.deepEqual(touchedBy([...planned, ...records]), touched));
  }
});
