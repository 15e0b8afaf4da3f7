import { LevinError } from "../base/mod.ts";
import type { Check, Finding } from "./check.ts";

const BYTES = 16;

/** Every file can be opened and gives its first bytes. */
export const sourceReadable: Check = async ({ storage, source, signal }) => {
  const findings: Finding[] = [];
  const into = new Uint8Array(BYTES);
  for (const { path, sizeBytes } of source.files) {
    signal.throwIfAborted();
    try {
      const object = await storage.open(path);
      try {
        if (sizeBytes > 0) await object.read(into, 0);
      } finally {
        await object.close();
      }
    } catch (thrown) {
      const cause = LevinError.from(thrown);
      findings.push({ check: "source-readable", status: "failed", detail: cause.message, cause });
    }
  }
  return findings;
};
