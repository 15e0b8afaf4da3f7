/**
 * Session time zones: `UTC`, `+08:00`, or a name of the tz database (from the runtime's ICU data). A zone is a list of its
 * transitions, found once by bisection, so that a conversion is a binary search and no `Intl` call.
 */
import { corrupt } from "./byte-reader.ts";
import { partsFromUtcSeconds, type TimeParts, utcSeconds } from "./time.ts";

/** Range in which TIMESTAMP values lie, with room for offsets. */
const FIRST = -2 * 86400;
const LAST = 2 ** 31 + 2 * 86400;
const STEP = 20 * 86400;

export class TimeZone {
  readonly name: string;
  /** Offset in seconds east of UTC if it never changes. */
  readonly fixedOffset: number | undefined;
  /** Seconds since 1970 from which `offsets[i]` holds; ascending, the first is -Infinity. */
  private readonly starts: Float64Array;
  private readonly offsets: Int32Array;

  private constructor(name: string, starts: number[], offsets: number[]) {
    this.name = name;
    this.starts = Float64Array.from(starts);
    this.offsets = Int32Array.from(offsets);
    this.fixedOffset = offsets.length === 1 ? offsets[0] : undefined;
  }

  static readonly utc = new TimeZone("UTC", [Number.NEGATIVE_INFINITY], [0]);

  /** Undefined where the name is no time zone. `SYSTEM` is not resolved here: its meaning is the server's. */
  static find(name: string): TimeZone | undefined {
    const known = cache.get(name);
    if (known !== undefined) return known;
    const zone = makeZone(name);
    if (zone !== undefined) cache.set(name, zone);
    return zone;
  }

  static fixed(name: string, offset: number): TimeZone {
    return new TimeZone(name, [Number.NEGATIVE_INFINITY], [offset]);
  }

  static named(name: string, offsetAt: (seconds: number) => number): TimeZone {
    const starts = [Number.NEGATIVE_INFINITY];
    const offsets = [offsetAt(FIRST)];
    for (let at = FIRST; at < LAST; at += STEP) {
      let low = at;
      const high = at + STEP;
      let before = offsetAt(low);
      const after = offsetAt(high);
      while (before !== after) {
        const turn = bisect(low, high, before, offsetAt);
        const offset = offsetAt(turn);
        starts.push(turn);
        offsets.push(offset);
        low = turn;
        before = offset;
      }
    }
    return new TimeZone(name, starts, offsets);
  }

  /** Seconds east of UTC at a moment. */
  offsetAt(seconds: number): number {
    return this.offsets[this.segment(seconds)]!;
  }

  /**
   * Seconds since 1970 of local wall-clock parts. Of two moments the earlier counts, as in Go's `time.Date`; undefined where the
   * wall clock skips these parts.
   */
  toUtcSeconds(local: TimeParts): number | undefined {
    const wall = utcSeconds(local);
    const offsets = this.offsets;
    if (offsets.length === 1) return wall - offsets[0]!;
    let best: number | undefined;
    const near = this.segment(wall);
    for (let i = Math.max(0, near - 2); i <= Math.min(offsets.length - 1, near + 2); i++) {
      const moment = wall - offsets[i]!;
      if (moment < this.starts[i]!) continue;
      if (i + 1 < offsets.length && moment >= this.starts[i + 1]!) continue;
      if (best === undefined || moment < best) best = moment;
    }
    return best;
  }

  /** The first moment behind the gap in which these parts lie; for parts outside a gap the moment itself. */
  afterGap(local: TimeParts): number {
    const exact = this.toUtcSeconds(local);
    if (exact !== undefined) return exact;
    const wall = utcSeconds(local);
    for (let i = 1; i < this.offsets.length; i++) {
      const turn = this.starts[i]!;
      if (wall >= turn + this.offsets[i - 1]! && wall < turn + this.offsets[i]!) return turn;
    }
    throw corrupt("a time gap that is none");
  }

  /** Wall-clock parts of a moment. */
  toLocal(seconds: number, micro: number): TimeParts {
    return partsFromUtcSeconds(seconds + this.offsetAt(seconds), micro);
  }

  private segment(seconds: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (this.starts[mid]! <= seconds) low = mid;
      else high = mid - 1;
    }
    return low;
  }
}

const cache = new Map<string, TimeZone>();

/** First moment in (low, high] whose offset is not `before`. */
function bisect(low: number, high: number, before: number, offsetAt: (seconds: number) => number): number {
  let a = low;
  let b = high;
  while (b - a > 1) {
    const mid = Math.floor((a + b) / 2);
    if (offsetAt(mid) === before) a = mid;
    else b = mid;
  }
  return b;
}

function makeZone(name: string): TimeZone | undefined {
  if (/^(utc|gmt)$/i.test(name)) return TimeZone.utc;
  const m = /^([+-])(\d{1,2}):(\d{2})$/.exec(name);
  if (m !== null) {
    const offset = Number(m[2]) * 3600 + Number(m[3]) * 60;
    if (Number(m[3]) > 59 || offset > 14 * 3600 || (m[1] === "-" && offset >= 14 * 3600)) return undefined;
    return TimeZone.fixed(name, m[1] === "-" ? -offset : offset);
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US-u-ca-iso8601", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  return TimeZone.named(name, (seconds) => intlOffset(format, seconds));
}

function intlOffset(format: Intl.DateTimeFormat, seconds: number): number {
  const parts: Record<string, number> = {};
  for (const part of format.formatToParts(new Date(seconds * 1000))) parts[part.type] = Number(part.value);
  const local = {
    year: parts["year"]!,
    month: parts["month"]!,
    day: parts["day"]!,
    hour: parts["hour"]!,
    minute: parts["minute"]!,
    second: parts["second"]!,
    micro: 0,
  };
  return utcSeconds(local) - seconds;
}
