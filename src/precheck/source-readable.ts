import { inParallel, LevinError } from "../base/mod.ts";
import type { Check, Finding } from "./check.ts";

const BYTES = 16;
/** They wait for the disk, or for a file server. */
const FILES_AT_A_TIME = 8;

/** Every file that counts can be opened and gives its first bytes; others may come and go, as a checkpoint that is written beside the dump. */
export const sourceReadable: Check = async ({ storage, source, signal }) => {
  const findings = new Map<string, Finding>();
  const files = source.files.filter(({ verdict }) => verdict !== "ignored");
  await inParallel(files, FILES_AT_A_TIME, async ({ path, sizeBytes }) => {
    signal.throwIfAborted();
    try {
      const object = await storage.open(path);
      try {
        if (sizeBytes > 0) await object.read(new Uint8Array(BYTES), 0);
      } finally {
        await object.close();
      }
    } catch (thrown) {
      const cause = LevinError.from(thrown);
      findings.set(path, { check: "source-readable", status: "failed", detail: cause.message, cause });
    }
  });
  return files.flatMap(({ path }) => findings.get(path) ?? []);
};
