import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = new URL("..", import.meta.url).pathname;

test("gen/ is what `buf generate` makes of src/proto", () => {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-gen-"));
  try {
    for (const name of ["buf.yaml", "buf.gen.yaml"]) fs.copyFileSync(root + name, join(dir, name));
    fs.cpSync(`${root}src/proto`, join(dir, "src/proto"), { recursive: true });
    const bin = join(root, "node_modules/.bin");
    execFileSync(join(bin, "buf"), ["generate"], {
      cwd: dir,
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
    });
    const names = fs.readdirSync(join(dir, "gen")).sort();
    assert.deepEqual(fs.readdirSync(`${root}gen`).sort(), names);
    for (const name of names) {
      assert.equal(
        fs.readFileSync(`${root}gen/${name}`, "utf8"),
        fs.readFileSync(join(dir, "gen", name), "utf8"),
        name,
      );
    }
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
