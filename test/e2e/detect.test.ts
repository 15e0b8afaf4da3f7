/** `levin detect`: guesses of dialects, whose configuration then reads the file. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { seededRandom } from "../../src/base/mod.ts";
import { loadConfig } from "../../src/config/mod.ts";
import { levin } from "./in-process.ts";

let dir: string;

before(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), "levin-detect-"));
});

after(() => fs.rmSync(dir, { recursive: true }));

async function detect(content: string | Uint8Array, name = "x.csv") {
  fs.writeFileSync(join(dir, name), content);
  const { code, out, err } = await levin(["detect", join(dir, name)]);
  const [head, table, ...lines] = out.split("\n\n");
  const toml = lines.join("\n\n");
  const config = code === 0 && toml !== "" ? loadConfig({ file: { path: "x", text: toml }, strict: true }) : undefined;
  const csv = (key: string) => config?.get(`mydumper.csv.${key}`);
  return { code, err, head, table: table?.split("\n").map((line) => line.trimEnd()), csv };
}

const utf16 = (text: string): Uint8Array => Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, "utf16le")]);

test("files of spreadsheets and export tools", async () => {
  const comma = await detect('id,name\n1,"a,b"\n2,"c ""d"""\n');
  assert.deepEqual(comma.table, ["id  name", "1   a,b", '2   c "d"']);
  const tabs = await detect("1\tx\t\\N\n2\ty, z\t3\n");
  assert.equal(tabs.csv("separator"), "\t");
  assert.equal(tabs.csv("header"), false);
  assert.deepEqual(tabs.table, ["column 1  column 2  column 3", "1         x         NULL", "2         y, z      3"]);
  const long = await detect("'1'|+|'a;b'|+|NULL\n'2'|+|'c'|+|'x'\n");
  assert.equal(long.csv("separator"), "|+|");
  assert.equal(long.csv("delimiter"), "'");
  const excel = await detect('\ufeffId;Name;Summe\r\n1;"Müller; Hans";12,50\r\n2;x;1\r\n');
  assert.equal(excel.csv("separator"), ";");
  assert.deepEqual(excel.table, ["Id  Name          Summe", "1   Müller; Hans  12,50", "2   x             1"]);
  const unicodeText = await detect(utf16("Id\tName\r\n1\tMüller\r\n"), "Mappe1.txt");
  assert.match(unicodeText.head!, /^CSV, utf16le/);
  assert.deepEqual(unicodeText.table, ["Id  Name", "1   Müller"]);
  const packed = await detect(gzipSync("id,n\n1,2\n"), "x.csv.gz");
  assert.equal(packed.head, "CSV, utf8, gzip");
  assert.equal(packed.csv("separator"), ",");
});

test("what is no CSV of several columns", async () => {
  assert.match((await detect("one column\nonly\n")).err, /note: no separator was found/);
  assert.match((await detect("-- dump\nINSERT INTO t VALUES (1);", "x.sql")).head!, /^SQL statements, utf8/);
  const empty = await detect("");
  assert.equal(empty.code, 4);
  assert.match(empty.err, /it has no row/);
  assert.equal((await levin(["detect", dir])).code, 2);
  const random = seededRandom(7);
  const bytes = Uint8Array.from({ length: 3000 }, () => Math.floor(random.next() * 256));
  for (const [content, why] of [
    [bytes, /it is no text/],
    [new Uint8Array(8), /it is no text/],
    [Buffer.from("PAR1\x15\x04\x00\x00\n\n\n"), /it is a Parquet file/],
  ] as const) {
    const garbage = await detect(content);
    assert.equal(garbage.code, 4, garbage.err);
    assert.match(garbage.err, why);
  }
  const blobs = await detect(Buffer.from('1,"\x00\x01\x02\x03\x04",x\n2,"\x05\x06\x00\x07",y\n', "latin1"));
  assert.equal(blobs.code, 0, blobs.err);
  assert.equal(blobs.csv("separator"), ",");
  assert.equal((await levin(["detect", join(dir, "none.csv")])).code, 3);
});
