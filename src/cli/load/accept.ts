import { hostname, userInfo } from "node:os";
import { flag } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import type { Acceptance } from "../../load/mod.ts";

export const acceptArgs = {
  acceptDuplicates: flag({
    long: "accept-duplicates",
    description: "go on although rows were in each other's way; recorded",
  }),
  acceptChecksumMismatch: flag({
    long: "accept-checksum-mismatch",
    description: "go on although the target holds other pairs than were sent; recorded",
  }),
};

export interface AcceptFlags {
  acceptDuplicates: boolean;
  acceptChecksumMismatch: boolean;
}

export function acceptanceOf({ acceptDuplicates, acceptChecksumMismatch }: AcceptFlags): Acceptance | undefined {
  if (acceptDuplicates && acceptChecksumMismatch) {
    throw new LevinError(
      "Levin:Command:ErrUsage",
      "Cannot accept duplicates and a checksum mismatch at once: say which of them was reported",
    );
  }
  if (acceptDuplicates) return { what: "duplicates", who: whoAmI() };
  return acceptChecksumMismatch ? { what: "checksum-mismatch", who: whoAmI() } : undefined;
}

/** Who takes it upon himself. */
function whoAmI(): string {
  let user = "?";
  try {
    user = userInfo().username;
  } catch {
    // No entry for this uid, as in containers.
  }
  return `${user}@${hostname()}`;
}
