/**
 * Session time zones: `UTC`, `+08:00`, or a name of the tz database. The runtime's ICU data are read through `Intl`, which is slow, so
 * the changes of a zone's clock are found once for each year that is asked for, in any year of the calendar, and kept.
 *
 * Of two moments with one wall clock reading TiDB takes the one that Go's `time.Date` happens to take: with the offset that holds
 * when the reading is taken for UTC, if that gives a moment with this offset. West of Greenwich this is the first, east the second.
 */
import { partsFromUtcSeconds, type TimeParts, utcSeconds } from "./time.ts";

const DAY = 86400;
const MEAN_YEAR = 31556952;
const SAMPLE = 4 * DAY;
/** What is scanned around a year, so that readings and moments near its ends are found in one list. */
const MARGIN = 40 * DAY;
const MAX_YEARS = 4096;

/** A time in which the offset does not change, in seconds since 1970. */
interface Segment {
  readonly start: number;
  /** The first moment behind it. */
  readonly end: number;
  readonly offset: number;
}

const ALWAYS = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/** "GMT", "GMT+05:30", "1/1/1970, GMT-04:56:02" -> seconds. */
function parseOffset(text: string): number {
  const part = text.slice(text.lastIndexOf("GMT") + 3);
  if (part === "") return 0;
  const [hours = "0", minutes = "0", seconds = "0"] = part.slice(1).split(":");
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return part.startsWith("+") ? value : -value;
}

export class TimeZone {
  readonly name: string;
  /** Offset in seconds east of UTC if it never changes. */
  readonly fixedOffset: number | undefined;
  private readonly format: Intl.DateTimeFormat | undefined;
  private readonly years = new Map<number, readonly Segment[]>();
  private last: Segment;

  private constructor(name: string, fixedOffset: number | undefined, format?: Intl.DateTimeFormat) {
    this.name = name;
    this.fixedOffset = fixedOffset;
    this.format = format;
    this.last = fixedOffset === undefined ? { start: 0, end: 0, offset: 0 } : { ...ALWAYS, offset: fixedOffset };
  }

  static readonly utc = TimeZone.fixed("UTC", 0);

  /** Undefined where the name is no time zone. `SYSTEM` is not resolved here: its meaning is the server's. */
  static find(name: string): TimeZone | undefined {
    const known = cache.get(name);
    if (known !== undefined) return known;
    const zone = TimeZone.make(name);
    if (zone !== undefined) cache.set(name, zone);
    return zone;
  }

  static fixed(name: string, offset: number): TimeZone {
    return new TimeZone(name, offset);
  }

  private static make(name: string): TimeZone | undefined {
    if (/^(utc|etc\/utc|gmt)$/i.test(name)) return TimeZone.fixed(name, 0);
    const m = /^([+-])(\d{1,2}):(\d{2})$/.exec(name);
    if (m !== null) {
      const offset = Number(m[2]) * 3600 + Number(m[3]) * 60;
      if (Number(m[3]) > 59 || offset > 14 * 3600 || (m[1] === "-" && offset >= 14 * 3600)) return undefined;
      return TimeZone.fixed(name, m[1] === "-" ? -offset : offset);
    }
    try {
      return new TimeZone(
        name,
        undefined,
        new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" }),
      );
    } catch {
      return undefined;
    }
  }

  /** Seconds east of UTC at a moment. */
  offsetAt(seconds: number): number {
    return this.segmentAt(seconds).offset;
  }

  /** The moment of a wall clock reading, both in seconds since 1970; NaN where the clock skips it. */
  toUnix(wall: number): number {
    if (this.fixedOffset !== undefined) return wall - this.fixedOffset;
    const guess = this.segmentAt(wall);
    let moment = wall - guess.offset;
    if (guess.offset !== 0 && (moment < guess.start || moment >= guess.end)) moment = wall - this.offsetAt(moment);
    return moment + this.offsetAt(moment) === wall ? moment : Number.NaN;
  }

  /** As `toUnix`, of wall-clock parts (a day of the calendar); undefined where the clock skips them. */
  toUtcSeconds(local: TimeParts): number | undefined {
    const moment = this.toUnix(utcSeconds(local));
    return Number.isNaN(moment) ? undefined : moment;
  }

  /** The first moment behind the gap in which these parts lie; for parts outside a gap the moment itself. */
  afterGap(local: TimeParts): number {
    const wall = utcSeconds(local);
    const moment = this.toUnix(wall);
    // In a gap, the offset from before it gives a moment behind it, at most a day away.
    return Number.isNaN(moment) ? this.segmentAt(wall - this.offsetAt(wall - DAY)).start : moment;
  }

  /** Wall-clock parts of a moment. */
  toLocal(seconds: number, micro: number): TimeParts {
    return partsFromUtcSeconds(seconds + this.offsetAt(seconds), micro);
  }

  private segmentAt(seconds: number): Segment {
    const last = this.last;
    if (seconds >= last.start && seconds < last.end) return last;
    const segments = this.yearOf(Math.floor(seconds / MEAN_YEAR));
    let i = 0;
    while (i + 1 < segments.length && seconds >= segments[i]!.end) i++;
    this.last = segments[i]!;
    return this.last;
  }

  private yearOf(year: number): readonly Segment[] {
    let segments = this.years.get(year);
    if (segments === undefined) {
      if (this.years.size >= MAX_YEARS) this.years.clear();
      segments = this.scan(year * MEAN_YEAR - MARGIN, (year + 1) * MEAN_YEAR + MARGIN);
      this.years.set(year, segments);
    }
    return segments;
  }

  /** The segments of [from, to): offsets are sampled, and each change is found by bisection. */
  private scan(from: number, to: number): Segment[] {
    const segments: Segment[] = [];
    let start = from;
    let offset = this.readOffset(from);
    let at = from;
    while (at < to) {
      const next = at + SAMPLE;
      if (this.readOffset(next) === offset) {
        at = next;
        continue;
      }
      let low = at;
      let high = next;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.readOffset(middle) === offset) low = middle;
        else high = middle;
      }
      segments.push({ start, end: high, offset });
      start = high;
      at = high;
      offset = this.readOffset(high);
    }
    segments.push({ start, end: Math.max(to, start + 1), offset });
    return segments;
  }

  private readOffset(seconds: number): number {
    return parseOffset(this.format!.format(seconds * 1000));
  }
}

const cache = new Map<string, TimeZone>();
