import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { errorCodes } from "../src/base/mod.ts";

const root = new URL("..", import.meta.url).pathname;
const START = "<!-- error codes: test/docs.test.ts keeps this table equal to src/base/codes -->";
const END = "<!-- end of error codes -->";

function table(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, facts]) => `| \`${code}\` | ${facts.exit} | ${facts.meaning} | ${facts.action} |`,
  );
  return ["| code | exit | meaning | what to do |", "|---|---|---|---|", ...rows].join("\n");
}

test("README lists every error code as src/base/codes has it", () => {
  const path = `${root}README.md`;
  const readme = fs.readFileSync(path, "utf8");
  const from = readme.indexOf(START);
  const to = readme.indexOf(END);
  assert.ok(from >= 0 && to > from, "README has the marks of the table");
  const wanted = `${readme.slice(0, from + START.length)}\n${table()}\n${readme.slice(to)}`;
  if (process.env["LEVIN_UPDATE"] === "1") fs.writeFileSync(path, wanted);
  else assert.equal(readme, wanted, "run LEVIN_UPDATE=1 bun test ./test/docs.test.ts");
});

test("documents are there", () => {
  for (const name of ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE"]) {
    assert.ok(fs.statSync(root + name).size > 200, name);
  }
});
