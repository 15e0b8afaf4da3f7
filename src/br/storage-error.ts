import type { LevinError } from "../base/mod.ts";

/** The storage, the cluster or PD did not answer as they should: nothing is known about who holds a lock. */
export function isStorageError({ code }: LevinError): boolean {
  return code === "Levin:Br:ErrStorage" || code.startsWith("Levin:Storage:");
}
