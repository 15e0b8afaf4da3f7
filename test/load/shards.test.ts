/** Reference §17 cases 13 and 14: two sources of one task into the same table of the sandbox, physically, at the same time. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock, systemFiles } from "../../src/base/mod.ts";
import { BeatStore, DirectoryPlace, type LoaderConfig, LoadUnit, type ProcessResult } from "../../src/load/mod.ts";
import { Place } from "../e2e/in-process.ts";
import { environmentOf, subtaskOf, type Target, temporaryDir, writeDump } from "./support.ts";

let place: Place;
let target: Target;
const dir = temporaryDir();
const sources = ["source1", "source2"];
type Rows = [number, string][];

before(async () => {
  place = await Place.open();
  const { host, port, statusPort } = place.sandbox.front;
  target = { host, port, statusPort };
});
after(async () => {
  await place.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function text(sql: string): Promise<string> {
  return (await place.rows(sql)).map((row) => row.map(String).join(",")).join(";");
}

async function openUnits(task: string, rows: Rows[], loader: Partial<LoaderConfig>): Promise<LoadUnit[]> {
  const units = sources.map((source, i) => {
    const dump = writeDump(join(dir, task, source), rows[i]!);
    if (task === "apart") {
      fs.writeFileSync(join(dump, "d.n-schema.sql"), "CREATE TABLE `n` (`v` varchar(20));\n");
      fs.writeFileSync(join(dump, "d.n.0.sql"), `INSERT INTO \`n\` VALUES ('${source} 1'),('${source} 2');\n`);
    }
    const subtask = subtaskOf(target, dump, { name: task, sourceId: source, sources, mode: "all" });
    subtask.routes = [{ "schema-pattern": "d", "target-schema": task }];
    Object.assign(subtask.loader, loader);
    const me = { task, source, worker: `worker-${i}`, sources };
    const coord = new BeatStore(
      "directory",
      me,
      new DirectoryPlace(systemFiles, systemClock, join(dir, "coord"), task),
      { clock: systemClock, pollMs: 20 },
    );
    return new LoadUnit(
      subtask,
      environmentOf(target, join(dir, task, `${source}-state`), {
        coord,
        worker: me.worker,
        barrierPatienceMs: 20_000,
      }),
    );
  });
  for (const unit of units) await unit.init();
  return units;
}

const codes = (results: ProcessResult[]) => results.flatMap(({ errors }) => errors.map(({ ErrCode }) => ErrCode));

test("shards without duplicates come together; ids of rows without a key do not collide", async () => {
  const units = await openUnits(
    "apart",
    [
      [
        [1, "a"],
        [2, "b"],
      ],
      [
        [3, "c"],
        [4, "d"],
      ],
    ],
    {},
  );
  const results = await Promise.all(units.map((unit) => unit.process()));
  assert.deepEqual(
    results,
    sources.map(() => ({ isCanceled: false, errors: [] })),
  );
  assert.equal(await text("SELECT * FROM apart.t"), "1,a;2,b;3,c;4,d");
  assert.equal(await text("SELECT v FROM apart.n ORDER BY v"), "source1 1;source1 2;source2 1;source2 2");
  assert.deepEqual(
    units.map((unit) => unit.status().progress),
    ["100.00 %", "100.00 %"],
  );
  for (const unit of units) await unit.close();
});

for (const [number, manual] of [
  [13, true],
  [14, false],
] as const) {
  test(`§17.${number}: duplicates of two shards, ${manual ? "manual: has duplication" : "none: 6 pairs against 3"}; resume goes on`, async () => {
    const task = `dup${number}`;
    const rows: Rows = [
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ];
    const units = await openUnits(task, [rows, rows], { onDuplicatePhysical: manual ? "manual" : "none" });
    const failed = new Map<LoadUnit, ProcessResult>();
    const runs = units.map(async (unit) => {
      const result = await unit.process();
      if (result.errors.length > 0) failed.set(unit, result);
      return result;
    });
    // One of them is last and compares; the other waits for it to finish.
    while (failed.size === 0) await systemClock.sleep(20);
    const [[unit, result]] = [...failed] as [[LoadUnit, ProcessResult]];
    const [error] = result.errors;
    if (manual) {
      assert.equal(error!.ErrCode, 34020);
      assert.equal(
        error!.Message,
        `physical import finished but the data has duplication, please check \`dm_meta_${task}\`.\`conflict_view\` to see the duplication`,
      );
      assert.equal(await text(`SHOW FULL TABLES IN dm_meta_${task} LIKE 'conflict_view'`), "conflict_view,VIEW");
      assert.equal(
        await text(`SELECT table_name, row_data FROM dm_meta_${task}.conflict_error_v4`),
        `\`${task}\`.\`t\`,3 pairs of \`${task}\`.\`t\` gave way to pairs of other sources; where it has more than its primary key, compare with ADMIN CHECK TABLE \`${task}\`.\`t\``,
      );
    } else {
      assert.equal(error!.ErrCode, 34021);
      assert.equal(error!.Message, "checksum mismatched, KV number in source files: 6, KV number in TiDB cluster: 3");
    }
    assert.deepEqual(
      units.map((one) => one.status().progress),
      ["100.00 %", "100.00 %"],
    );
    // A resume that accepts nothing gets the same answer, and imports nothing again.
    const again = await unit.resume();
    assert.deepEqual(codes([again]), [error!.ErrCode]);
    const what = manual ? "duplicates" : "checksum-mismatch";
    assert.deepEqual(await unit.resume(undefined, { what, who: "tester" }), { isCanceled: false, errors: [] });
    await Promise.all(runs);
    assert.equal(await text(`SELECT * FROM ${task}.t`), "1,a;2,b;3,c");
    assert.equal(await text(`SELECT status FROM dm_meta.${task}_lightning_checkpoint_list`), "finished;finished");
    assert.match(
      await text(`SELECT accepted FROM dm_meta.${task}_levin_load`),
      new RegExp(`${error!.ErrCode} accepted by tester at 2`),
    );
    for (const one of units) await one.close();
  });
}
