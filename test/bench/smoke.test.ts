import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeWorkload, type WorkloadName } from "./data/workloads.ts";
import { TINY_BYTES } from "./main.ts";
import { allBenches, runBench, show } from "./registry.ts";

const root = await mkdtemp(join(tmpdir(), "levin-bench-smoke-"));
after(() => rmSync(root, { recursive: true, force: true }));

for (const bench of await allBenches()) {
  test(`bench ${bench.name} runs and gives the same result again`, { timeout: 60_000 }, async () => {
    const options = { tiny: true, sizeBytes: TINY_BYTES, seed: 1 };
    const first = await runBench(bench, options);
    if (bench.slow !== true) assert.equal((await runBench(bench, options)).hash, first.hash);
    assert.ok(first.measures.length > 0);
    for (const { stage, bytes, ms, cpuMs, limitSpeed } of first.measures) {
      assert.ok(bytes > 0 && ms > 0 && cpuMs >= 0 && limitSpeed > 0, stage);
    }
    assert.match(show(first), /MB\/s/);
  });
}

const names: WorkloadName[] = ["lineitem", "sysbench", "wide", "index-heavy", "many-tables"];
const shapes: Record<WorkloadName, RegExp> = {
  lineitem:
    /^\d+,\d+,\d+,[1-7],\d+\.00,\d+\.\d\d,0\.\d\d,0\.\d\d,"[NRA]","[OF]",(\d{4}-\d\d-\d\d,){3}"[A-Z ]+","[A-Z ]+","[a-z ]{5,44}"$/,
  sysbench: /^\(\d+,\d+,'(\d{11}-){9}\d{11}','(\d{11}-){4}\d{11}'\)[,;]$/,
  wide: /^\d+(,(\\N|\d+|"[a-z ]+"|\d+\.\d{4}|"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"|\d+\.\d{3}e\d)){120}$/,
  "index-heavy": /^\d+,\d+,(\d+|\\N),"user\d{8}-\d+","\d{4}-\d\d-\d\d 00:00:\d\d",\d+\.\d\d$/,
  "many-tables": /^\d+,"[a-z ]+",\d{4}-\d\d-\d\d,\d+$/,
};

for (const name of names) {
  test(`workload ${name} has the size and the rows it says, and depends on the seed alone`, () => {
    const one = makeWorkload(name, join(root, `${name}-1`), 40_000, 7);
    const same = makeWorkload(name, join(root, `${name}-2`), 40_000, 7);
    const other = makeWorkload(name, join(root, `${name}-3`), 40_000, 8);
    const textOf = ({ tables }: typeof one) => tables.map(({ dataFile }) => readFileSync(dataFile, "utf8")).join("");
    assert.equal(textOf(one), textOf(same));
    assert.notEqual(textOf(one), textOf(other));
    assert.equal(textOf(one).length, one.sourceBytes);
    assert.ok(one.sourceBytes >= 40_000 && one.sourceBytes < 60_000, `${one.sourceBytes}`);
    const rows = textOf(one)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("INSERT") && !/^("\w+",?)+$/.test(line));
    assert.equal(rows.length, one.rows);
    for (const row of rows) assert.match(row, shapes[name]);
  });
}
