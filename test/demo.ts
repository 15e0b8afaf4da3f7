/** `npm run demo`: imports the sakila dump into an embedded cluster with the built binary, once from SQL and once from CSV. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const work = fs.mkdtempSync(join(os.tmpdir(), "levin-demo-"));
let code = 0;
try {
  for (const source of ["sakila", "sakila-csv"]) {
    console.log(`\n── levin import test/data/${source} --sandbox … ──`);
    const args = [
      "import",
      join(root, "test/data", source),
      "--sandbox",
      join(work, `${source}.cluster`),
      "--state-dir",
      join(work, `${source}.state`),
    ];
    const { status } = spawnSync(join(root, "dist/levin"), args, { stdio: "inherit" });
    if (status !== 0) {
      code = status ?? 1;
      break;
    }
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
process.exit(code);
