import type { EncodeSession } from "../../src/encoder/mod.ts";

/** A session with nothing special; lenient. */
export const plainSession: EncodeSession = {
  sqlMode: "",
  timeZone: "UTC",
  newCollations: true,
  rowFormatVersion: 2,
  rowLevelChecksum: false,
  nowMs: 0,
  defaultWeekFormat: 0,
};
