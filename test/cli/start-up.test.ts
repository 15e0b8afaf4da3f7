/** What the program evaluates at its start, whatever the command: time that is paid each time. Seconds are for `npm run bench -- start-up`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/** What a file imports to run, in its order: types are gone by then, and `import()` is evaluated when it is called. */
function evaluatedBy(text: string): string[] {
  const out: string[] = [];
  for (const [, names, specifier] of text.matchAll(
    /^(?:import|export)\s+(?:([\w$*{][^;"']*?)\s+from\s+)?"([^"]+)";$/gm,
  )) {
    if (names !== undefined && /^type\s+[{\w]/.test(names)) continue;
    const listed = /^\{([^}]*)\}$/.exec(names ?? "")?.[1]?.split(",");
    if (listed?.every((name) => name.trim() === "" || name.trim().startsWith("type ")) === true) continue;
    out.push(specifier!);
  }
  return out;
}

/** Files of `src/` and packages that are evaluated with a file. */
function evaluatedWith(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of evaluatedBy(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) visit(join(dirname(file), specifier));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  };
  visit(join(src, entry));
  return { files: [...files].map((file) => relative(src, file)), packages: [...packages].sort() };
}

test("imports of types alone and those by call are not evaluated, all others are", () => {
  const text = `import type { A } from "a";
import { type B, type C } from "b";
import { type D, e } from "c";
import * as f from "d";
import "e";
export type { G } from "f";
export { h } from "g";
export * from "h";
import {
  i,
  type J,
} from "i";
const k = await import("k");
const text = "l";
`;
  assert.deepEqual(evaluatedBy(text), ["c", "d", "e", "g", "h", "i"]);
});

test("the program evaluates errors, the table of commands and cmd-ts at its start, and no more", () => {
  const { files, packages } = evaluatedWith("main.ts");
  assert.deepEqual(packages, ["cmd-ts"]);
  const others = files.filter((file) => !file.startsWith("base/"));
  assert.deepEqual(others.sort(), [
    "cli/argv.ts",
    "cli/ask-secret.ts",
    "cli/commands/mod.ts",
    "cli/io.ts",
    "cli/mod.ts",
    "main.ts",
  ]);
});

test("what import and the sandbox need is evaluated when they run, not for their help", () => {
  for (const command of ["import", "sandbox"]) {
    const { files, packages } = evaluatedWith(`cli/commands/${command}.ts`);
    assert.deepEqual(packages, ["cmd-ts"]);
    for (const file of files) assert.match(file, /^(base|cli)\//);
  }
  const { files } = evaluatedWith("cli/run-import.ts");
  const embedded = files.filter((file) => file.startsWith("embed/"));
  assert.deepEqual(embedded, [], "an import into a cluster does without an embedded one");
});
