import { systemClock } from "../../src/base/mod.ts";
import { levin, type Ran } from "../e2e/in-process.ts";

/** Runs `levin encode` in process; `nowMs`: its clock. */
export function encode(args: string[], nowMs?: number): Promise<Ran> {
  const clock = nowMs === undefined ? systemClock : { ...systemClock, nowMs: () => nowMs };
  return levin(["encode", ...args], { clock });
}
