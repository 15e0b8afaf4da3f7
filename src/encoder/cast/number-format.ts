/** Floats as text: Go's shortest forms, and the form in which SELECT shows them (TiDB `pkg/server/internal/util`). */

/** Shortest digits of a finite, positive number that read back as the same float of 32 or 64 bits, and the exponent of the first. */
function shortest(value: number, bits: 32 | 64): { digits: string; exponent: number } {
  let text = value.toExponential();
  if (bits === 32) {
    for (let precision = 0; precision < 9; precision++) {
      text = value.toExponential(precision);
      if (Math.fround(Number(text)) === value) break;
    }
  }
  const [mantissa = "0", exponent = "0"] = text.split("e");
  return { digits: mantissa.replace(".", "").replace(/0+$/, "") || "0", exponent: Number(exponent) };
}

/** Shortest text without an exponent: `100000000000000000000`, `-0.0000001`. Go's format 'f' with precision -1. */
export function formatFixed(value: number, bits: 32 | 64 = 64): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0`;
  const { digits, exponent } = shortest(Math.abs(value), bits);
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits + "0".repeat(exponent + 1 - digits.length);
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** As SELECT shows a FLOAT (32) or DOUBLE (64): with an exponent below 1e-15 and from 1e15 on, FLOAT then with 6 digits. */
export function formatFloat(value: number, bits: 32 | 64): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "0";
  const [small, big] = bits === 32 ? [Math.fround(1e-15), Math.fround(1e15)] : [1e-15, 1e15];
  if (size === 0 || (size >= small && size < big)) return formatFixed(value, bits);
  const sign = value < 0 ? "-" : "";
  if (bits === 32) {
    const [mantissa = "0", exponent = "0"] = size.toExponential(5).split("e");
    return `${sign}${trimFraction(mantissa)}e${twoDigits(Number(exponent))}`;
  }
  const { digits, exponent } = shortest(size, 64);
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return `${sign}${mantissa}e${twoDigits(exponent)}`;
}

function trimFraction(mantissa: string): string {
  return mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
}

function twoDigits(exponent: number): string {
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return exponent < 0 ? `-${size}` : size;
}

/** Rounds to the nearest whole number, a half to the even one. */
export function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor === 0 && value < 0 ? -0 : floor;
  if (rest > 0.5) return floor + 1 === 0 ? -0 : floor + 1;
  const even = floor % 2 === 0 ? floor : floor + 1;
  return even === 0 && value < 0 ? -0 : even;
}
