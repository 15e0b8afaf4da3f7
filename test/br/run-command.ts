/** `levin checkpoint …` in this process. */
import { seededRandom } from "../../src/base/mod.ts";
import { levin, type Ran } from "../e2e/in-process.ts";
import { SimClock } from "./sim-clock.ts";

export function runCheckpoint(words: string[], nowMs = 1.9e12): Promise<Ran> {
  const clock = new SimClock();
  clock.nowMs = () => nowMs;
  return levin(["checkpoint", ...words], { clock, random: seededRandom(1) });
}
