import assert from "node:assert/strict";
import { test } from "node:test";
import { type Detection, detectFile, detectionToml } from "../../src/source/mod.ts";
import { archive, folder, formOptions, json } from "./dumps.ts";
import { MemoryStorage } from "./memory-storage.ts";

async function detect(data: string | Uint8Array, name = "x.csv"): Promise<Detection> {
  const storage = new MemoryStorage({ [name]: data });
  return detectFile(storage, (await storage.list())[0]!);
}

test("common files are recognised, with a sample and the lines for the configuration", async () => {
  const found = await detect('id;name;day\n1;"a;b";2020-01-02\n2;\\N;2020-01-03\n');
  assert.deepEqual(found.columns, ["id", "name", "day"]);
  assert.deepEqual(found.rows, [
    ["1", "a;b", "2020-01-02"],
    ["2", null, "2020-01-03"],
  ]);
  assert.equal(
    detectionToml(found),
    [
      "[mydumper.csv]",
      'separator = ";"',
      'delimiter = "\\""',
      'terminator = ""',
      'escaped-by = "\\\\"',
      'null = ["\\\\N"]',
      "header = true",
    ].join("\n"),
  );
  assert.deepEqual(found.notes, []);
  const plain = await detect("1\tx\tNULL\n2\ty\t5\n");
  assert.equal(plain.dialect?.separator, "\t");
  assert.equal(plain.dialect?.header, false);
  assert.deepEqual(plain.dialect?.nulls, ["NULL"]);
  assert.deepEqual(plain.columns, ["column 1", "column 2", "column 3"]);
  assert.equal((await detect("-- dump\nINSERT INTO t VALUES (1);", "x.sql")).format, "sql");
  assert.match((await detect(Uint8Array.of(0x61, 0x2c, 0xff, 0x0a))).notes[0]!, /not UTF-8/);
  assert.match((await detect("a\nb\n")).notes[0]!, /no separator/);
});

test("the dialects of real dumps are found", async () => {
  interface Truth {
    folders: Record<string, { lightning_config: string }>;
  }
  const truth = json<Truth>("odd/truth.json");
  const forms = [
    ...new Set(
      [...archive().keys()]
        .filter((path) => /^odd\/.*-csv|^odd\/outfile/.test(path))
        .map((path) => path.split("/")[1]!),
    ),
  ];
  for (const form of forms) {
    const storage = folder(`odd/${form}`);
    const files = await storage.list();
    const file = files.find(({ path }) => /part_range.*\.csv|part_range\.txt/.test(path))!;
    const wanted = formOptions(`${truth.folders[form]!.lightning_config}\n`).dialect!;
    const { dialect } = await detectFile(storage, file);
    const place = `${form}: ${JSON.stringify(dialect)}`;
    assert.equal(dialect?.separator, wanted.separator, place);
    if (wanted.delimiter !== "") assert.equal(dialect?.delimiter, wanted.delimiter, place);
    assert.equal(dialect?.header, wanted.header, place);
  }
});
