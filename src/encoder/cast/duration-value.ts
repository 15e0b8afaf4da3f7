/** TIME values: signed nanoseconds, with the number of digits behind the point (TiDB `pkg/types/time.go`, `Duration`). */
import type { Decimal } from "../../codec/mod.ts";

export interface Duration {
  readonly nanos: bigint;
  readonly fsp: number;
}

export const MAX_DURATION = (838n * 3600n + 59n * 60n + 59n) * 1_000_000_000n;

interface DurationParts {
  negative: boolean;
  hours: number;
  minutes: number;
  seconds: number;
  /** Microseconds, what is below them cut off. */
  micro: number;
}

export function durationParts(nanos: bigint): DurationParts {
  const negative = nanos < 0n;
  const micros = Number((negative ? -nanos : nanos) / 1000n);
  const total = Math.floor(micros / 1e6);
  return {
    negative,
    hours: Math.floor(total / 3600),
    minutes: Math.floor((total % 3600) / 60),
    seconds: total % 60,
    micro: micros % 1e6,
  };
}

/** 12:34:56.7 -> 123456.7. */
export function durationToDecimal(d: Duration): Decimal {
  const p = durationParts(d.nanos);
  const whole = p.hours * 10000 + p.minutes * 100 + p.seconds;
  const fraction = Math.floor(p.micro / 10 ** (6 - d.fsp));
  const unscaled = BigInt(whole) * BigInt(10 ** d.fsp) + BigInt(fraction);
  return { negative: p.negative && unscaled !== 0n, unscaled, scale: d.fsp };
}

/** Rounded to fsp digits, halves up. */
export function roundDuration(d: Duration, fsp: number): Duration {
  if (fsp === d.fsp) return d;
  const unit = 10n ** BigInt(9 - fsp);
  const shifted = d.nanos + unit / 2n;
  const rest = ((shifted % unit) + unit) % unit;
  return { nanos: shifted - rest, fsp };
}
