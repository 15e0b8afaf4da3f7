import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { failThenEnd } from "./disk-limits.ts";
import { isolatedBinary, startSandboxProcess } from "./harness.ts";

/** Disks that are full or read-only, by real mounts: needs root. Once through, whatever the time. */
export async function limitsCampaign(): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    console.log("limits: FAILED, mounting needs root");
    return false;
  }
  execFileSync(process.execPath, ["build.ts"], { cwd: new URL("../..", import.meta.url).pathname });
  const { dir, levin } = isolatedBinary();
  const sandbox = await startSandboxProcess(levin, join(dir, "cluster"), 1);
  const place = { levin, dir, sandbox };
  const mounted = join(dir, "mounted");
  fs.mkdirSync(mounted);
  const mount = (...words: string[]): void => void execFileSync("mount", words);
  try {
    for (const blocks of ["files", "level"]) {
      for (const sizeKib of [8, 256, 1024, 3072]) {
        mount("-t", "tmpfs", "-o", `size=${sizeKib}k`, "tmpfs", mounted);
        const name = `full_${blocks}_${sizeKib}`;
        await failThenEnd(
          place,
          name,
          ["--block-store", blocks, "--check-requirements=false"],
          "true",
          { code: 1, text: /ENOSPC|No space left on device/i },
          { stateDir: join(mounted, "state"), mend: () => mount("-o", "remount,size=200m", mounted), isKept: false },
        );
        execFileSync("umount", [mounted]);
        console.log(`full disk of ${sizeKib} KiB, blocks in ${blocks}: clear error, then continued to the end`);
      }
    }
    mount("-t", "tmpfs", "-o", "size=200m,ro", "tmpfs", mounted);
    await failThenEnd(
      place,
      "readonly",
      [],
      "true",
      { code: 1, text: /the file system is read-only \(EROFS\); choose another --state-dir[\s\S]*Levin:State:ErrDisk/ },
      { stateDir: join(mounted, "state"), mend: () => mount("-o", "remount,rw", mounted), isKept: false },
    );
    execFileSync("umount", [mounted]);
    console.log("read-only file system: clear error, then imported");
    return true;
  } finally {
    await sandbox.stop();
    try {
      execFileSync("umount", ["-q", mounted], { stdio: "ignore" });
    } catch {
      // Not mounted any more.
    }
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
