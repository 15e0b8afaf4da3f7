import type { Clock } from "../../base/mod.ts";

/** A line waits no longer than this for others to be written with. */
const WAIT_MS = 20;
/** More text than this does not wait. */
const WAITING_MAX = 64 * 1024;

/** Lines that come by the thousand are written together: a system call for each is a good part of what a small table costs. */
export class GatheredLines {
  readonly #clock: Clock;
  readonly #write: (text: string) => void;
  #text = "";
  /** Somebody will come for the text. */
  #awaited = false;

  constructor(clock: Clock, write: (text: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  add(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length > WAITING_MAX) this.flush();
    if (this.#text === "" || this.#awaited) return;
    this.#awaited = true;
    void this.#clock.sleep(WAIT_MS).then(() => {
      this.#awaited = false;
      this.flush();
    });
  }

  /** Writes what waits; at the end, and behind what must not be lost. */
  flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
