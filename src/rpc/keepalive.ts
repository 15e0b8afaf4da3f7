import type { Clock } from "../base/mod.ts";
import { startTimer } from "./timer.ts";

export interface KeepaliveOptions {
  /** Silence of the peer after which a ping is sent; 0 switches pings off. PD closes connections pinged more often than every 5 s. */
  readonly pingIntervalMs: number;
  /** How long the peer may stay silent after a ping. */
  readonly pingTimeoutMs: number;
}

export interface KeepaliveActions {
  /** Pings go out only while a stream is open: PD takes those on an idle connection for abuse. */
  hasStreams(): boolean;
  sendPing(): void;
  /** The peer is gone: no sign of life within `pingTimeoutMs` after a ping. */
  onSilence(): void;
}

/** A timer that fires this much too late shows that our own event loop was blocked; the peer then gets another chance. */
const OWN_BLOCK_MS = 500;

/** Finds out that a peer is gone although its connection stays open (a stopped process, a lost host). */
export class Keepalive {
  readonly #clock: Clock;
  readonly #options: KeepaliveOptions;
  readonly #actions: KeepaliveActions;
  #lastSignMs = 0;
  #stopTimer: (() => void) | undefined;
  #stopped = false;

  constructor(clock: Clock, options: KeepaliveOptions, actions: KeepaliveActions) {
    this.#clock = clock;
    this.#options = options;
    this.#actions = actions;
  }

  /** Any byte from the peer. */
  signOfLife(): void {
    this.#lastSignMs = this.#clock.monotonicMs();
  }

  /** A stream was opened. */
  wake(): void {
    if (this.#options.pingIntervalMs === 0 || this.#stopTimer !== undefined || this.#stopped) return;
    this.signOfLife();
    this.#wait(this.#options.pingIntervalMs, () => this.#maybePing());
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #wait(ms: number, action: (lateMs: number) => void): void {
    const due = this.#clock.monotonicMs() + ms;
    this.#stopTimer = startTimer(this.#clock, ms, () => {
      this.#stopTimer = undefined;
      if (!this.#stopped) action(this.#clock.monotonicMs() - due);
    });
  }

  #maybePing(): void {
    if (!this.#actions.hasStreams()) return;
    const silentMs = this.#clock.monotonicMs() - this.#lastSignMs;
    const restMs = this.#options.pingIntervalMs - silentMs;
    if (restMs > 0) {
      this.#wait(restMs, () => this.#maybePing());
    } else {
      this.#actions.sendPing();
      this.#awaitSign(this.#clock.monotonicMs());
    }
  }

  #awaitSign(sinceMs: number): void {
    this.#wait(this.#options.pingTimeoutMs, (lateMs) => {
      if (this.#lastSignMs > sinceMs) this.#maybePing();
      else if (lateMs > OWN_BLOCK_MS) this.#awaitSign(sinceMs);
      else this.#actions.onSilence();
    });
  }
}
