/** Decimals of expressions. */
import type { Decimal } from "../../codec/mod.ts";
import { roundUnscaled } from "../cast/mod.ts";
import type { Dec } from "./value.ts";

/** `shown`: digits behind the point that TiDB shows; all of them if left out. */
export function dec(d: Decimal, shown = d.scale): Dec {
  return { negative: d.negative && d.unscaled !== 0n, unscaled: d.unscaled, scale: d.scale, shown };
}

export function decOfInt(value: bigint): Dec {
  return { negative: value < 0n, unscaled: value < 0n ? -value : value, scale: 0, shown: 0 };
}

/** -12.5 -> -125n with scale 1. */
export function signedUnscaled(d: Decimal): bigint {
  return d.negative ? -d.unscaled : d.unscaled;
}

/** From a signed number of units of 10^-scale. */
export function decOf(unscaled: bigint, scale: number, shown = scale): Dec {
  return { negative: unscaled < 0n, unscaled: unscaled < 0n ? -unscaled : unscaled, scale, shown };
}

/** Rounded half away from zero; `scale` may be negative. */
export function roundDec(d: Decimal, scale: number): Dec {
  if (scale >= 0) {
    const unscaled = roundUnscaled(d.unscaled, d.scale - scale);
    return dec({ negative: d.negative, unscaled, scale });
  }
  const tens = roundUnscaled(d.unscaled, d.scale - scale);
  return dec({ negative: d.negative, unscaled: roundUnscaled(tens, scale), scale: 0 });
}

/** The decimal as the end of an expression sees it: rounded to the digits that are shown. */
export function shownDec(d: Dec): Dec {
  return d.shown < d.scale ? roundDec(d, d.shown) : d;
}
