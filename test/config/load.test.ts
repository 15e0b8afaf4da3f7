import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LevinError } from "../../src/base/mod.ts";
import { formatDuration, keysByPath, loadConfig, parseDuration, parseSize, printConfig } from "../../src/config/mod.ts";

const file = (text: string) => ({ file: { path: "x.toml", text } });

describe("units", () => {
  test("sizes are binary, as in Lightning", () => {
    assert.deepEqual(
      ["256MiB", "256MB", "256m", "1.5g", "17", " 2 KiB ", "1tb", "abc", "", "-1", "1e3"].map(parseSize),
      [
        268435456,
        268435456,
        268435456,
        1610612736,
        17,
        2048,
        1099511627776,
        undefined,
        undefined,
        undefined,
        undefined,
      ],
    );
  });
  test("durations are Go's", () => {
    assert.deepEqual(["5m", "1h30m", "300ms", "1.5s", "0", "5", "m", ""].map(parseDuration), [
      300000,
      5400000,
      300,
      1500,
      0,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual([0, 300, 300000, 5400000, 1500].map(formatDuration), ["0s", "300ms", "5m0s", "1h30m0s", "1.5s"]);
  });
});

describe("configuration", () => {
  test("flags win over environment, that over file, that over default", () => {
    const config = loadConfig({
      ...file('[tidb]\nhost = "a"\nport = 1\nuser = "u"\n'),
      environment: new Map([
        ["tidb.port", "2"],
        ["tidb.user", "e"],
      ]),
      flags: new Map([["tidb.user", "f"]]),
    });
    assert.deepEqual(
      ["tidb.host", "tidb.port", "tidb.user", "tidb.status-port"].map((path) => [
        config.get(path),
        config.origin(path),
      ]),
      [
        ["a", "x.toml"],
        [2, "environment"],
        ["f", "flag"],
        [10080, "default"],
      ],
    );
  });
  test("sizes and durations become numbers", () => {
    const config = loadConfig(file('[mydumper]\nmax-region-size = "1GiB"\n[cron]\nswitch-mode = "1m30s"\n'));
    assert.equal(config.get("mydumper.max-region-size"), 1073741824);
    assert.equal(config.get("cron.switch-mode"), 90000);
  });
  test("a wrong type names key, origin and what is wanted", () => {
    assert.throws(
      () => loadConfig(file('[tidb]\nport = "x"\n')),
      (error: LevinError) =>
        error.code === "Levin:Config:ErrInvalid" &&
        error.message === 'Cannot use tidb.port = "x" (x.toml): it must be a whole number',
    );
    assert.throws(() => loadConfig(file('[tikv-importer]\nbackend = "importer"\n')), /one of local, tidb/);
    assert.throws(() => loadConfig({ flags: new Map([["tidb.port", "12a"]]) }), /whole number/);
  });
  test("TOML errors name line and column", () => {
    assert.throws(() => loadConfig(file("[tidb]\nport = = 1\n")), /line 2, column/);
  });
  test("an unknown key is noted with the nearest known one, or refused when strict", () => {
    const config = loadConfig(file("[tidb]\nprot = 1\n"));
    assert.deepEqual(config.notes, ["tidb.prot (x.toml) is unknown; did you mean tidb.port?"]);
    assert.throws(() => loadConfig({ ...file("[tidb]\nprot = 1\n"), strict: true }), /did you mean tidb.port/);
  });
  test("a key without effect says why", () => {
    const config = loadConfig(file("[lightning]\nio-concurrency = 5\n"));
    assert.deepEqual(config.notes, [
      "lightning.io-concurrency (x.toml) has no effect: each worker reads its own chunk",
    ]);
  });
  test("printing hides secrets and shows origins", () => {
    const text = printConfig(loadConfig(file('[tidb]\npassword = "geheim"\n')));
    assert.ok(!text.includes("geheim"));
    assert.match(text, /password = "\*{6}" {2}# x\.toml/);
    assert.match(text, /port = 4000 {2}# default/);
  });
  test("what is printed can be read again, with every value as it was", () => {
    const given = loadConfig(
      file(
        '[mydumper]\nfilter = ["a.*", "!b.*"]\n[mydumper.csv]\nseparator = "\\t"\nnull = ["", "NULL"]\n[[routes]]\nschema-pattern = "a*"\ntarget-schema = "b"\n' +
          '[tidb.session-vars]\ntidb_x = 1\n[lightning.max-error]\ntype = 3\n[cron]\nswitch-mode = "90s"\n[tikv-importer]\ndisk-quota = "1.5GiB"\n',
      ),
    );
    const again = loadConfig({ ...file(printConfig(given)), strict: true });
    for (const path of keysByPath.keys()) assert.deepEqual(again.get(path), given.get(path), path);
  });
  test("nested sections and lists of tables", () => {
    const config = loadConfig(
      file(
        '[mydumper.csv]\nnull = ["", "NULL"]\n[[routes]]\nschema-pattern = "a*"\ntarget-schema = "b"\n[tidb.session-vars]\ntidb_x = 1\n[lightning.max-error]\ntype = 3\n',
      ),
    );
    assert.deepEqual(config.get("mydumper.csv.null"), ["", "NULL"]);
    assert.deepEqual(config.get("routes"), [{ "schema-pattern": "a*", "target-schema": "b" }]);
    assert.deepEqual(config.get("tidb.session-vars"), { tidb_x: 1 });
    assert.deepEqual(config.get("lightning.max-error"), { type: 3 });
    assert.deepEqual(config.notes, []);
  });
  test("defaults have their key's type", () => {
    const config = loadConfig({});
    for (const [path, spec] of keysByPath) {
      const value = config.get(path);
      if (value === undefined) continue;
      if (spec.type === "size" || spec.type === "integer" || spec.type === "duration")
        assert.equal(typeof value, "number", path);
      if (spec.type === "boolean") assert.equal(typeof value, "boolean", path);
      if (spec.type === "string") assert.equal(typeof value, "string", path);
    }
  });
});
