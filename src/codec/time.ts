/**
 * Dates and times: the packed 64-bit form of rows and keys, the bit field inside binary JSON, and their texts. Source of the
 * layouts: TiDB `pkg/types/time.go` (`ToPackedUint`), `pkg/types/core_time.go`.
 */

/** Parts as written; zero parts are kept. `micro` is 0 to 999999. */
export interface TimeParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micro: number;
}

export function packTime(t: TimeParts): bigint {
  const ymd = ((t.year * 13 + t.month) << 5) | t.day;
  const hms = (t.hour << 12) | (t.minute << 6) | t.second;
  return (((BigInt(ymd) << 17n) | BigInt(hms)) << 24n) | BigInt(t.micro);
}

export function unpackTime(packed: bigint): TimeParts {
  const micro = Number(packed & 0xffffffn);
  const high = Number(packed >> 24n);
  const hms = high % 0x20000;
  const ymd = Math.floor(high / 0x20000);
  const ym = ymd >> 5;
  return {
    year: Math.floor(ym / 13),
    month: ym % 13,
    day: ymd & 31,
    hour: hms >> 12,
    minute: (hms >> 6) & 63,
    second: hms & 63,
    micro,
  };
}

const pad = (value: number, size: number): string => String(value).padStart(size, "0");

/** `2020-01-02`. */
export function dateText(t: TimeParts): string {
  return `${pad(t.year, 4)}-${pad(t.month, 2)}-${pad(t.day, 2)}`;
}

/** `2020-01-02 03:04:05.678` with `fsp` fractional digits; the rest is cut. */
export function dateTimeText(t: TimeParts, fsp: number): string {
  const clock = `${pad(t.hour, 2)}:${pad(t.minute, 2)}:${pad(t.second, 2)}`;
  return `${dateText(t)} ${clock}${fractionText(t.micro, fsp)}`;
}

function fractionText(micro: number, fsp: number): string {
  return fsp > 0 ? `.${pad(micro, 6).slice(0, fsp)}` : "";
}

/** TIME as SELECT shows it: `-838:59:59.000`. */
export function durationText(nanos: bigint, fsp: number): string {
  const abs = nanos < 0n ? -nanos : nanos;
  const micros = abs / 1000n;
  const seconds = Number(micros / 1_000_000n);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${nanos < 0n ? "-" : ""}${clock}${fractionText(Number(micros % 1_000_000n), fsp)}`;
}

/** Kind bits of the JSON bit field. */
const CORE_DATE = 0b1110n;

/**
 * TiDB's in-memory time, which binary JSON stores: year 14 bits, month 4, day 5, hour 5, minute 6, second 6, microsecond 20,
 * then fsp and type.
 */
export function packCoreTime(t: TimeParts, kind: "date" | "datetime" | "timestamp", fsp: number): bigint {
  let v = BigInt(t.year);
  v = (v << 4n) | BigInt(t.month);
  v = (v << 5n) | BigInt(t.day);
  v = (v << 5n) | BigInt(t.hour);
  v = (v << 6n) | BigInt(t.minute);
  v = (v << 6n) | BigInt(t.second);
  v = (v << 20n) | BigInt(t.micro);
  const low = kind === "date" ? CORE_DATE : (BigInt(fsp) << 1n) | (kind === "timestamp" ? 1n : 0n);
  return (v << 4n) | low;
}

export function unpackCoreTime(core: bigint): TimeParts {
  const bits = (from: bigint, size: bigint): number => Number((core >> from) & ((1n << size) - 1n));
  return {
    year: bits(50n, 14n),
    month: bits(46n, 4n),
    day: bits(41n, 5n),
    hour: bits(36n, 5n),
    minute: bits(30n, 6n),
    second: bits(24n, 6n),
    micro: bits(4n, 20n),
  };
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; month 1 to 12. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** The inverse of `daysFromCivil`. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Seconds from 1970-01-01 00:00:00 of the parts read as UTC. */
export function utcSeconds(t: TimeParts): number {
  return daysFromCivil(t.year, t.month, t.day) * 86400 + t.hour * 3600 + t.minute * 60 + t.second;
}

/** Parts in UTC of seconds since 1970 and microseconds. */
export function partsFromUtcSeconds(seconds: number, micro: number): TimeParts {
  const days = Math.floor(seconds / 86400);
  const rest = seconds - days * 86400;
  return {
    ...civilFromDays(days),
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    micro,
  };
}
