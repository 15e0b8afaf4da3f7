import { LevinError } from "../base/mod.ts";

/** `--stores` of a new sandbox. */
export function storeCount(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^[1-9]\d?$/.test(text))
    throw new LevinError("Levin:Command:ErrUsage", `Cannot use --stores ${text}: it must be a number from 1 to 99`);
  return Number(text);
}
