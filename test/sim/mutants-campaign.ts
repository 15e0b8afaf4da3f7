/** Breaks the importer in a copy of the tree, one invariant at a time, and lets the simulation find it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { commitOf } from "./campaign.ts";
import { type Mutant, mutants } from "./mutants.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Prints the run that found each mutant; false when one lives on. */
export async function mutantsCampaign(seconds: number, seed: number): Promise<boolean> {
  const secondsEach = Math.max(20, Math.ceil(seconds / mutants.length));
  let ok = true;
  console.log(`commit ${commitOf()}, seeds from ${seed} on`);
  for (const mutant of mutants) {
    const found = hunt(mutant, secondsEach, seed);
    ok &&= found !== undefined;
    console.log(`${mutant.name}: ${found ?? "NOT FOUND"}`);
  }
  return ok;
}

function hunt(mutant: Mutant, seconds: number, seed: number): string | undefined {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-mutant-"));
  try {
    for (const part of ["src", "gen", "test/sim", "test/cluster", "test/ingest"]) {
      fs.cpSync(join(root, part), join(dir, part), { recursive: true });
    }
    for (const file of ["package.json", "tsconfig.json"]) fs.copyFileSync(join(root, file), join(dir, file));
    fs.symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
    const path = join(dir, mutant.file);
    const text = fs.readFileSync(path, "utf8");
    // Else the whole importer would be hunted for a fault that it does not have.
    if (text.split(mutant.find).length !== 2) throw new Error(`${mutant.file} has not once: ${mutant.find}`);
    fs.writeFileSync(
      path,
      text.replace(mutant.find, () => mutant.replace),
    );
    const script = join(dir, "test/sim/hunt.ts");
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [script, String(seed), String(seconds), mutant.backend ?? "local"],
      {
        encoding: "utf8",
        timeout: (seconds + 30) * 1000,
        killSignal: "SIGKILL",
      },
    );
    const found = /^found .*$/m.exec(stdout);
    if (found === null && !/^nothing found/m.test(stdout)) return `crashes at once: ${stderr.slice(0, 300)}`;
    return found?.[0];
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
