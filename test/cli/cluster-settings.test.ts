/** Settings of Lightning's file that go to PD and the stores (lightning.md §1.21), and that no setting is taken without being read. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { analyzeVariables, clusterSettings } from "../../src/cli/cluster-settings.ts";
import { keysByPath, loadConfig } from "../../src/config/mod.ts";

const read = (text: string) => loadConfig({ file: { path: "x.toml", text } });

test("what is not given is as levin does it", () => {
  assert.deepEqual(clusterSettings(read("")), { pauseScope: "table", splitKeysMax: 4096 });
  assert.deepEqual(analyzeVariables(read("")), {});
});

test("what is given is asked of PD, the stores and TiDB", () => {
  const given = read(`
    [tikv-importer]
    store-write-bwlimit = "10MiB"
    pause-pd-scheduler-scope = "global"
    region-split-batch-size = 64
    [tidb]
    distsql-scan-concurrency = 3
    build-stats-concurrency = 5
    [post-restore]
    level-1-compact = true
  `);
  assert.deepEqual(clusterSettings(given), {
    pauseScope: "global",
    splitKeysMax: 64,
    storeBytesPerSecond: 10 << 20,
    checksumRequests: 3,
    compactLevel: 1,
  });
  assert.deepEqual(analyzeVariables(given), { tidb_build_stats_concurrency: 5 });
  assert.equal(clusterSettings(read("[post-restore]\ncompact = true\nlevel-1-compact = true")).compactLevel, -1);
});

test("what levin cannot do is refused", () => {
  assert.throws(() => clusterSettings(read("[tikv-importer]\nparallel-import = true")), {
    code: "Levin:Config:ErrInvalid",
    message: /parallel-import.*x\.toml/,
  });
  assert.throws(() => read('[tikv-importer]\nkeyspace-name = "a"'), { code: "Levin:Config:ErrInvalid" });
});

test("each setting is read, or says that it has no effect", () => {
  const src = new URL("../../src/", import.meta.url).pathname;
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && name !== "config/keys.ts",
  );
  const text = files.map((name) => readFileSync(src + name, "utf8")).join("\n");
  const unread = [...keysByPath].filter(([path, spec]) => {
    const name = path.slice(path.lastIndexOf(".") + 1);
    const isRead = [`"${name}"`, `.${name}"`, `.${name}\``].some((words) => text.includes(words));
    return spec.noEffect === undefined && !isRead;
  });
  assert.deepEqual(
    unread.map(([path]) => path),
    [],
  );
});
