/** `levin load` as people use it: a DM-style task file from start to finish, in this process, into the sandbox. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { levin, Place } from "../e2e/in-process.ts";
import { temporaryDir, writeDump } from "./support.ts";

let place: Place;
const dir = temporaryDir();

before(async () => {
  place = await Place.open();
});
after(async () => {
  await place.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A task file as DM's documentation has them; the dump of `mysql-01` lies where DM's dump unit would leave it. */
function taskFile(name: string, more: { loader?: string; top?: string; password?: string } = {}): string {
  const { host, port, statusPort } = place.sandbox.front;
  const path = join(dir, `${name}.yaml`);
  fs.writeFileSync(
    path,
    `name: "${name}"
task-mode: full            # only the dump is loaded
meta-schema: "dm_meta"
timezone: "+00:00"
case-sensitive: false
${more.top ?? ""}
target-database:
  host: "${host}"
  port: ${port}
  status-port: ${statusPort}
  user: "root"
  password: "${more.password ?? ""}"
  session:
    tidb_skip_utf8_check: 1
routes:
  route-rule-1:
    schema-pattern: "d"
    table-pattern: "t"
    target-schema: "${name}_routed"
    target-table: "t2"
filters: {}
block-allow-list:
  list-1:
    do-dbs: ["d"]
mydumpers:
  global:
    threads: 4
loaders:
  global:
    pool-size: 1
    dir: "${join(dir, name)}"
${more.loader ?? '    import-mode: "physical"'}
syncers:
  global:
    worker-count: 16
mysql-instances:
  - source-id: "mysql-01"
    route-rules: ["route-rule-1"]
    block-allow-list: "list-1"
    mydumper-config-name: "global"
    loader-config-name: "global"
    syncer-config-name: "global"
`,
  );
  return path;
}

async function text(sql: string): Promise<string> {
  return (await place.rows(sql)).map((row) => row.map(String).join(",")).join(";");
}

for (const mode of ["physical", "logical"]) {
  test(`a DM-style YAML from start to finish, ${mode}`, async () => {
    const name = `whole_${mode}`;
    writeDump(join(dir, `${name}.${name}`), [
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    const state = join(dir, `${name}-state`);
    const file = taskFile(name, { loader: `    import-mode: "${mode}"` });
    const ran = await levin(["load", "run", "-c", file, "--source", "mysql-01", "--state-dir", state]);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(await text(`SELECT * FROM ${name}_routed.t2`), "1,a;2,b;3,c");
    assert.equal(await text(`SELECT * FROM dm_meta.${name}_lightning_checkpoint_list`), `${name},mysql-01,finished`);
    const shown = await levin(["load", "status", state, "--json"]);
    const summary = JSON.parse(shown.out) as Record<string, unknown>;
    assert.deepEqual(
      [summary["state"], summary["progress"], summary["metaBinlog"], summary["rows"]],
      ["finished", "100.00 %", "(mysql-bin.000002, 2022)", mode === "physical" ? 3 : summary["rows"]],
    );
    // Again: nothing to do, nothing done.
    const again = await levin(["load", "run", "-c", file, "--source", "mysql-01", "--state-dir", state]);
    assert.equal(again.code, 0, again.err);
    assert.equal(await text(`SELECT COUNT(*) FROM ${name}_routed.t2`), "3");
  });
}
