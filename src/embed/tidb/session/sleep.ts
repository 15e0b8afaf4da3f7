import type { SessionState } from "./state.ts";

/** Waits as long as the SLEEP(n) of a statement says, before it is evaluated; true where KILL QUERY ended the wait. */
export async function sleepIn(sql: string, state: SessionState): Promise<boolean> {
  const seconds = /\bsleep\s*\(\s*(\d+(?:\.\d+)?)\s*\)/i.exec(sql)?.[1];
  if (seconds === undefined || Number(seconds) === 0) return false;
  const { signal } = state.stop;
  try {
    await state.front.clock.sleep(Number(seconds) * 1000, signal);
    return false;
  } catch (error) {
    if (signal.aborted) return true;
    throw error;
  }
}
