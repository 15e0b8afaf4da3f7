import type { Socket } from "node:net";
import type { Clock } from "../base/mod.ts";
import { startTimer } from "./timer.ts";

/** For our GOAWAY to leave. */
const GOODBYE_MS = 500;

/** Ends the socket with what it has still to send; a peer that does not read is not waited for. */
export function destroySoon(socket: Socket, clock: Clock): void {
  const stopTimer = startTimer(clock, GOODBYE_MS, () => socket.destroy());
  socket.once("close", stopTimer);
  socket.end(() => socket.destroy());
}
