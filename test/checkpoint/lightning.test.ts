import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { systemFiles } from "../../src/base/mod.ts";
import {
  type CheckpointsModel,
  chunkKey,
  destroyErrors,
  dumpCsv,
  emptyCheckpoints,
  fileHome,
  ignoreErrors,
  isUnderWay,
  newChunk,
  newEngine,
  newTable,
  qualifiedName,
  type SqlAccess,
  selectTables,
  tableHome,
  tablesWithLocalFiles,
} from "../../src/checkpoint/mod.ts";

function sample(): CheckpointsModel {
  const model = emptyCheckpoints();
  model.taskCheckpoint!.taskId = 9_007_199_254_740_993n;
  model.taskCheckpoint!.lightningVer = "v8.5.0";
  const chunk = newChunk({
    path: "d.t.sql",
    offset: 5n,
    endOffset: 100n,
    pos: 60n,
    kvcChecksum: 2n ** 64n - 1n,
    columnPermutation: [1, 0, -1],
    type: 3,
  });
  const engine = newEngine({ status: 30, chunks: { [chunkKey(chunk)]: chunk } });
  model.checkpoints["`d`.`t`"] = newTable({ status: 30, engines: { [-1]: newEngine({ status: 30 }), 0: engine } });
  model.checkpoints["`d`.`bad`"] = newTable({ status: 6, engines: { 0: newEngine({ status: 3 }) } });
  model.checkpoints["`d`.`don``e`"] = newTable({ status: 210 });
  return model;
}

describe("Lightning's checkpoint file", () => {
  test("comes back as it was written; its bytes are Lightning's", async () => {
    const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-lcp-"));
    const home = fileHome(systemFiles, join(dir, "cp.pb"));
    assert.equal(await home.load(), undefined);
    await home.save(sample());
    const back = await home.load();
    assert.deepEqual(back, sample());
    // Written out by hand from the field numbers of file_checkpoints.proto: one table with status 30 and engine -1.
    const small = emptyCheckpoints();
    small.checkpoints["`a`.`b`"] = newTable({ status: 30, engines: { [-1]: newEngine({ status: 60 }) } });
    small.taskCheckpoint = undefined as never;
    await home.save(small);
    const bytes = fs.readFileSync(join(dir, "cp.pb")).toString("hex");
    //            checkpoints{ key "`a`.`b`"            value{ status 30, engines{ key sint32 -1 -> 01, value{ status 60 } } } }
    assert.equal(bytes, `0a15${"0a07"}${Buffer.from("`a`.`b`").toString("hex")}120a181e42060801${"1202083c"}`);
    await home.move(77n);
    assert.deepEqual(fs.readdirSync(dir), ["cp.pb.77.bak"]);
    await home.remove();
    fs.rmSync(dir, { recursive: true });
  });

  test("a damaged file is an error that names it", async () => {
    const path = join(os.tmpdir(), `levin-lcp-${process.pid}.pb`);
    fs.writeFileSync(path, Buffer.from("0aff", "hex"));
    await assert.rejects(fileHome(systemFiles, path).load(), (error: Error) => error.message.includes(path));
    fs.rmSync(path);
  });
});

describe("Lightning's checkpoint tables", () => {
  test("a save that the server refuses in the middle leaves no open transaction", async () => {
    const said: string[] = [];
    let refuses = true;
    const query: SqlAccess["query"] = async (sql) => {
      said.push(sql.split(" ")[0]!);
      if (refuses && sql.includes("engine_v5") && sql.startsWith("INSERT")) throw new Error("data too long");
      return { rows: [] };
    };
    const home = tableHome({ address: "a", query, session: (use) => use(query), close: async () => undefined }, "cp");
    await assert.rejects(home.save(sample()), /data too long/);
    assert.equal(said.at(-1), "ROLLBACK");
    refuses = false;
    said.length = 0;
    await home.save(sample());
    assert.deepEqual([said[0], said.at(-1)], ["BEGIN", "COMMIT"]);
    assert.equal(said.filter((word) => word === "INSERT").length, 1 + 3 + 3 + 1);
  });
});

describe("what tidb-lightning-ctl does with them", () => {
  test("tables by qualified or plain name", () => {
    const model = sample();
    assert.equal(qualifiedName("d", "don`e"), "`d`.`don``e`");
    assert.deepEqual(selectTables(model, "d.t"), ["`d`.`t`"]);
    assert.deepEqual(selectTables(model, "`d`.`t`"), ["`d`.`t`"]);
    assert.deepEqual(selectTables(model, "d.don`e"), ["`d`.`don``e`"]);
    assert.deepEqual(selectTables(model, "d.nope"), []);
    assert.equal(selectTables(model, "all").length, 3);
  });

  test("errors are ignored or destroyed, of the tables that failed only", () => {
    const ignored = sample();
    assert.deepEqual(ignoreErrors(ignored, selectTables(ignored, "all")), ["`d`.`bad`"]);
    const bad = ignored.checkpoints["`d`.`bad`"]!;
    assert.deepEqual([bad.status, bad.engines[0]!.status], [30, 30]);
    const destroyed = sample();
    assert.deepEqual(destroyErrors(destroyed, selectTables(destroyed, "all")), ["`d`.`bad`"]);
    assert.deepEqual(Object.keys(destroyed.checkpoints).sort(), ["`d`.`don``e`", "`d`.`t`"]);
  });

  test("which tables need local files, and which are under way", () => {
    const model = sample();
    assert.deepEqual(tablesWithLocalFiles(model), ["`d`.`t`"]);
    assert.ok(isUnderWay(model.checkpoints["`d`.`t`"]!));
    assert.ok(!isUnderWay(model.checkpoints["`d`.`don``e`"]!));
    assert.ok(!isUnderWay(newTable({ status: 30 })));
    assert.ok(isUnderWay(newTable({ status: 90 })));
  });

  test("CSV", () => {
    const { "tables.csv": tables, "engines.csv": engines, "chunks.csv": chunks } = dumpCsv(sample());
    assert.match(tables, /^task_id,table_name,status,/);
    assert.match(tables, /^9007199254740993,`d`\.`t`,30,0,0,0,0$/m);
    assert.match(engines, /^`d`\.`t`,-1,30$/m);
    assert.match(chunks, /^`d`\.`t`,d\.t\.sql,5,3,0,,0,"\[1,0,-1\]",60,0,100,0,0,0,0,18446744073709551615$/m);
  });
});
