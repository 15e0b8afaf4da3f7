/**
 * What the machine refuses, provoked for real: `levin check` as a process of its own with few open files allowed, and files that are larger
 * than the disk (they have holes).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

const TIB = 1024 ** 4;
const GIB = 1024 ** 3;
const main = new URL("../../src/main.ts", import.meta.url).pathname;
const program =
  process.versions["bun"] === undefined
    ? [process.execPath, "run", "-A", "--no-check", main]
    : [process.execPath, main];

let dir: string;

before(() => {
  dir = fs.mkdtempSync(join(os.tmpdir(), "levin-precheck-"));
});

after(() => fs.rmSync(dir, { recursive: true, force: true }));

interface Found {
  ok: boolean;
  checks: { check: string; status: string; detail: string }[];
}

/** `levin check` of a source, in a shell that sets limits first. */
function check(source: string, limits = "true"): { code: number | null; found: Found } {
  const words = [...program, "check", source, "--json", "--state-dir", join(dir, "state")];
  const shell = `${limits}; exec ${words.map((word) => `'${word}'`).join(" ")}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", shell], { encoding: "utf8", timeout: 60_000 });
  const line = stdout.split("\n").find((one) => one.startsWith("{") && one.includes('"checks"'));
  assert.ok(line !== undefined, stdout + stderr);
  return { code: status, found: JSON.parse(line) as Found };
}

function source(name: string, file: string, head: Uint8Array | string, sizeBytes: number): string {
  const at = join(dir, name);
  fs.mkdirSync(at);
  fs.writeFileSync(join(at, "k.t-schema.sql"), "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)");
  fs.writeFileSync(join(at, file), head);
  fs.truncateSync(join(at, file), sizeBytes);
  return at;
}

const rows = `id,v\n${Array.from({ length: 150_000 }, (_, k) => `${k},row ${k}\n`).join("")}`;

test("too few files may be open, and the source is larger than the disk", () => {
  const { code, found } = check(source("large", "k.t.csv", rows, 4 * TIB), "ulimit -n 300");
  assert.equal(code, 3);
  assert.ok(!found.ok);
  const detailOf = (name: string) => found.checks.find((one) => one.check === name && one.status === "failed")?.detail;
  assert.match(detailOf("open-files") ?? "", /may open 300 files, an import needs \d+; raise it with ulimit -n/);
  assert.match(detailOf("free-disk") ?? "", /has \d+ MiB free, sorted pairs need about \d+ MiB/);
});

test("a large compressed file is told of, and hinders nothing", () => {
  const { code, found } = check(source("packed", "k.t.csv.gz", gzipSync(rows), 11 * GIB));
  const told = found.checks.filter((one) => one.check === "large-files");
  assert.deepEqual(
    told.map(({ status }) => status),
    ["warning"],
  );
  assert.match(told[0]!.detail, /"k\.t\.csv\.gz" has 11 GiB and is compressed/);
  assert.equal(found.checks.find((one) => one.check === "open-files")?.status, "ok");
  const failed = found.checks.filter(({ status }) => status === "failed").map((one) => one.check);
  // The sorted pairs of 33 GiB may or may not fit this machine.
  assert.deepEqual(
    failed.filter((name) => name !== "free-disk"),
    [],
  );
  assert.equal(code, failed.length === 0 ? 0 : 3);
});
