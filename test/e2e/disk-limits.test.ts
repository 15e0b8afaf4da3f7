import fs from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { failThenEnd, type Limits } from "./disk-limits.ts";
import { isolatedBinary, startSandboxProcess } from "./harness.ts";

// What needs a mount (a full disk, a file system that is read-only) is the campaign's: `npm run test:long limits`.
const { dir, levin } = isolatedBinary();
/** How many files a process holds before it has opened any differs a little between systems. */
const FILES = [22, 21, 20, 19, 18, 17];
let sandbox: Awaited<ReturnType<typeof startSandboxProcess>>;
let place: Limits;

before(async () => {
  sandbox = await startSandboxProcess(levin, join(dir, "cluster"), 1);
  place = { levin, dir, sandbox };
});
after(async () => {
  await sandbox.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

describe("an import whose disk or limits give out", () => {
  test("files may not become large enough, blocks in files", { timeout: 90_000 }, () =>
    failThenEnd(place, "fsize", ["--block-store", "files"], "ulimit -f 512", {
      code: 1,
      text: /\.run": EFBIG: file too large[\s\S]*Levin:Engine:ErrDisk/,
    }),
  );
  test("files may not become large enough, blocks in LevelDB", { timeout: 90_000 }, () =>
    failThenEnd(place, "level", ["--block-store", "level"], "ulimit -f 512", {
      code: 1,
      text: /Cannot write the store ".*File too large[\s\S]*Levin:Engine:ErrDisk/,
    }),
  );
  test("too few files may be open: found before anything is done", { timeout: 90_000 }, () =>
    failThenEnd(place, "nofile", [], "ulimit -n 64", {
      code: 3,
      text: /the process may open 64 files, an import needs 512; raise it with ulimit -n/,
    }),
  );
  test("too few files may be open, and the checks were left out", { timeout: 90_000 }, () =>
    failThenEnd(
      place,
      "emfile",
      ["--check-requirements=false"],
      FILES.map((n) => `ulimit -n ${n}`),
      {
        code: 1,
        text: /Too many open files[\s\S]*Levin:(Engine|State):ErrDisk/i,
      },
    ),
  );
  test("the state directory cannot be made", { timeout: 90_000 }, () => {
    const blocker = join(dir, "blocker");
    fs.writeFileSync(blocker, "");
    return failThenEnd(
      place,
      "nodir",
      [],
      "true",
      { code: 1, text: /Cannot make the directory ".*blocker\/state".*ENOTDIR[\s\S]*Levin:State:ErrDisk/ },
      { stateDir: join(blocker, "state"), mend: () => fs.rmSync(blocker), isKept: false },
    );
  });
});
