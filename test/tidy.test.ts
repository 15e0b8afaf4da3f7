import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { rules } from "./tidy/rules.ts";

const root = new URL("..", import.meta.url).pathname;

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((name) => /\.(ts|md)$/.test(name) && !name.startsWith("gen/") && existsSync(root + name));

for (const rule of rules) {
  test(`tidy: ${rule.name}`, () => {
    assert.notDeepEqual(rule.check(...rule.canary), [], "the rule does not see its own canary");
    const complaints = files.flatMap((name) => rule.check(name, readFileSync(root + name, "utf8")));
    assert.deepEqual(complaints, []);
  });
}

test("tidy: top level is the fixed one", () => {
  const top = new Set(
    execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
      .split("\n")
      .map((name) => name.split("/")[0]!),
  );
  const allowed = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "buf.gen.yaml",
    "buf.yaml",
    "build.ts",
    "gen",
    "package-lock.json",
    "package.json",
    "src",
    "test",
    "tsconfig.json",
    "",
  ];
  assert.deepEqual(
    [...top].filter((name) => !allowed.includes(name)),
    [],
  );
});
