import { H2Code, PeerError } from "./frames.ts";

/** Largest flow-control window (RFC 9113 §6.9.1). */
export const MAX_WINDOW = 0x7fffffff;
/** Window of a connection, and of a stream before any SETTINGS. */
export const DEFAULT_WINDOW = 65_535;

/** Credit for DATA that we may send. Below zero after the peer lowered SETTINGS_INITIAL_WINDOW_SIZE in mid-stream (§6.9.2). */
export class SendWindow {
  #credit: number;
  readonly #streamId: number;

  constructor(credit: number, streamId: number) {
    this.#credit = credit;
    this.#streamId = streamId;
  }

  get credit(): number {
    return this.#credit;
  }

  take(bytes: number): void {
    this.#credit -= bytes;
  }

  /** WINDOW_UPDATE. */
  grant(increment: number): void {
    if (increment === 0) {
      throw new PeerError(H2Code.protocolError, "WINDOW_UPDATE with an increment of 0", this.#streamId);
    }
    if (this.#credit + increment > MAX_WINDOW) {
      throw new PeerError(H2Code.flowControlError, "WINDOW_UPDATE beyond the largest window", this.#streamId);
    }
    this.#credit += increment;
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE changed by `delta`: every open stream moves by it; an overflow ends the connection. */
  shift(delta: number): void {
    if (this.#credit + delta > MAX_WINDOW) {
      throw new PeerError(
        H2Code.flowControlError,
        "SETTINGS_INITIAL_WINDOW_SIZE lifts a stream beyond the largest window",
      );
    }
    this.#credit += delta;
  }
}

/**
 * Credit that we gave the peer. Consumed bytes are given back in one WINDOW_UPDATE once half the window is owed, so that a frame of
 * our own goes out for half a window and not for every DATA frame.
 */
export class ReceiveWindow {
  readonly #size: number;
  readonly #streamId: number;
  #credit: number;
  #owed = 0;

  constructor(size: number, streamId: number) {
    this.#size = size;
    this.#streamId = streamId;
    this.#credit = size;
  }

  /** DATA arrived; padding counts. Throws when the peer sent more than it was allowed. */
  receive(bytes: number): void {
    if (bytes > this.#credit) {
      throw new PeerError(
        H2Code.flowControlError,
        `${bytes} bytes of DATA, allowed are ${this.#credit}`,
        this.#streamId,
      );
    }
    this.#credit -= bytes;
  }

  /** Bytes were used up; returns the increment to send now, 0 for none yet. */
  release(bytes: number): number {
    this.#owed += bytes;
    if (this.#owed * 2 < this.#size) return 0;
    const increment = this.#owed;
    this.#owed = 0;
    this.#credit += increment;
    return increment;
  }
}
