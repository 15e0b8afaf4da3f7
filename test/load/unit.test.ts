/** The load unit against the sandbox as it really runs. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dmctlStatus, LoadUnit } from "../../src/load/mod.ts";
import { Place } from "../e2e/in-process.ts";
import { environmentOf, subtaskOf, type Target, temporaryDir, writeDump } from "./support.ts";

let place: Place;
let target: Target;
const dir = temporaryDir();

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

test("init, process, status: a dump goes into the sandbox, the list says so", async () => {
  const dump = writeDump(join(dir, "one"), [
    [1, "a"],
    [2, "b"],
  ]);
  const env = environmentOf(target, join(dir, "one-state"));
  const unit = new LoadUnit(subtaskOf(target, dump), env);
  await unit.init();
  assert.equal(await unit.isFreshTask(), true);
  assert.equal(unit.status().progress, "0.00 %");
  assert.deepEqual(await unit.process(), { isCanceled: false, errors: [] });
  assert.equal(await unit.isFreshTask(), false);
  assert.equal(await text("SELECT * FROM d.t"), "1,a;2,b");
  assert.equal(await text("SELECT * FROM dm_meta.task1_lightning_checkpoint_list"), "task1,source1,finished");
  const { finishedBytes, bps: _, ...status } = dmctlStatus(unit.status());
  assert.ok(Number(finishedBytes) > 0);
  assert.deepEqual(status, {
    totalBytes: finishedBytes,
    progress: "100.00 %",
    metaBinlog: "(mysql-bin.000002, 2022)",
    metaBinlogGTID: "97b5142f-e19c-11e8-808c-0242ac110005:1-13",
  });
  await unit.close();
});

test("values that were changed because DM's SQL mode is not strict are counted, whoever changes them", async () => {
  const long = "x".repeat(30);
  for (const importMode of ["physical", "logical"] as const) {
    const name = `changed_${importMode}`;
    const dump = writeDump(join(dir, name), [
      [1, "a"],
      [2, long],
      [3, long],
    ]);
    const env = environmentOf(target, join(dir, `${name}-state`));
    const routes = [{ "schema-pattern": "d", "target-schema": name }];
    const { loader } = subtaskOf(target, dump);
    const unit = new LoadUnit(subtaskOf(target, dump, { name, routes, loader: { ...loader, importMode } }), env);
    await unit.init();
    assert.deepEqual(await unit.process(), { isCanceled: false, errors: [] }, name);
    assert.equal(await text(`SELECT id, LENGTH(v) FROM ${name}.t`), "1,1;2,20;3,20");
    assert.equal(unit.detail().changedValues, 2, name);
    const told = env.events.flatMap((event) => (event.kind === "log" && event.level === "warn" ? event.message : []));
    const words =
      importMode === "physical"
        ? /^2 values of \w+\.t\.v were changed by the SQL mode, the first: .*\(1406\)$/
        : /^2 values of \w+\.t were changed by the target, as its SQL mode lets it, the first: .*'v' \(1406\), file "d\.t\.0\.sql", row 2, byte \d+$/;
    assert.ok(
      told.some((line) => words.test(line)),
      told.join("\n"),
    );
    await unit.close();
  }
});

test("what lies beside the dump is kept there under DM's names, and is in nobody's way", async () => {
  const dump = writeDump(join(dir, "beside"), [[11, "a"]]);
  fs.writeFileSync(join(dump, "d.t.1.sql"), "INSERT INTO `t` VALUES (12,1,1);\n");
  const subtask = subtaskOf(target, dump, {
    name: "beside",
    routes: [{ "schema-pattern": "d", "target-schema": "beside" }],
  });
  const unit = new LoadUnit(subtask, environmentOf(target, join(dir, "beside-state")));
  await unit.init();
  assert.equal((await unit.process()).errors[0]!.ErrCode, 34019);
  fs.appendFileSync(join(dump, "tidb_lightning_checkpoint.pb"), "");
  fs.writeFileSync(join(dump, "d.t.1.sql"), "INSERT INTO `t` VALUES (12,'b');\n");
  await unit.close();
  const again = new LoadUnit(subtask, environmentOf(target, join(dir, "beside-state-2")));
  await again.init();
  const { errors } = await again.resume();
  assert.deepEqual(errors, []);
  assert.equal(await text("SELECT * FROM beside.t"), "11,a;12,b");
  await again.close();
});
